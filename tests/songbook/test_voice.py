"""The sung voice: in tune, on time, its formants where they belong, as loud as the others."""

import time
from itertools import pairwise

import numpy as np
import pytest
from band_measures import cents_off, hertz, loudness, onset_time, phrase

from course_lib.songbook.band import Event
from course_lib.songbook.voice import sing
from course_lib.songbook.voice_formants import HIGHER, NOISES, SHAPES
from course_lib.songbook.voice_lyrics import HIGHEST, LOWEST, Lyrics
from course_lib.songbook.voice_phonemes import CONSONANTS, FRICATIVES, PHONEMES, STOPS, VOWELS

RATE = 16000


def sung(symbols, pitch=50, onset=0.2, length=0.8, rate=RATE, consonant=0.1, seed=0):
    """A consonant (or none) and a vowel on one note, [T] of 1.2 s; 0.2 s of silence at the end."""
    notes = (Event(onset, length, pitch, 0.8),)
    timed = [(onset, onset + length, symbols[-1])]
    if len(symbols) == 2:
        timed.insert(0, (onset - consonant, onset, symbols[0]))
    rng = np.random.default_rng(seed)
    return sing(Lyrics(notes, "".join(symbols), tuple(timed)), 1.2, rate, rng)


def envelope(x, rate=RATE, order=20):
    """Frequencies and the smooth spectrum of a vowel by linear prediction, in dB."""
    x = x * np.hamming(len(x))
    x = np.append(x[0], x[1:] - 0.95 * x[:-1])
    r = np.correlate(x, x, "full")[len(x) - 1 : len(x) + order]
    lags = np.abs(np.subtract.outer(np.arange(order), np.arange(order)))
    a = np.linalg.solve(r[lags] + 1e-9 * r[0] * np.eye(order), r[1:])
    f = np.arange(0, rate / 2, 5.0)
    z = np.exp(-2j * np.pi * np.outer(f / rate, np.arange(1, order + 1)))
    return f, -20 * np.log10(np.abs(1 - z @ a))


@pytest.mark.parametrize("vowel", ["a", "e", "i", "o"])
def test_formants_lie_where_the_table_says(vowel):
    """A low note, whose harmonics lie 92 Hz apart: its envelope peaks at each formant.

    (F1 and F2 of u are too near each other for linear prediction: see the next test.)
    """
    x = sung([vowel], pitch=42)[round(0.45 * RATE) : round(0.75 * RATE)]
    f, level = envelope(x)
    peaks = f[1:-1][(level[1:-1] > level[:-2]) & (level[1:-1] > level[2:])]
    for formant in SHAPES[vowel].formants:
        nearest = peaks[np.argmin(np.abs(peaks - formant))]
        assert abs(nearest - formant) < max(60.0, 0.09 * formant), (vowel, formant, peaks)


def harmonics(x, pitch):
    """Frequencies and levels (dB) of the harmonics up to 3 kHz; drift moves them a little."""
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 15)) ** 2
    f = np.fft.rfftfreq(1 << 15, 1 / RATE)
    n = np.arange(1, int(3000 / hertz(pitch)))
    near = [np.abs(f - k * hertz(pitch)) < 0.3 * hertz(pitch) for k in n]
    return n * hertz(pitch), np.array([10 * np.log10(power[part].max()) for part in near])


@pytest.mark.parametrize("pitch", [48, 55, 62])
def test_each_vowel_sounds_most_like_its_own_formants(pitch):
    for sounding in VOWELS:
        x = sung([sounding], pitch, length=0.39)[round(0.3 * RATE) : round(0.5 * RATE)]
        f, level = harmonics(x, pitch)
        fits = {}
        for vowel in VOWELS:
            tube = np.ones(len(f), complex)
            own = zip(SHAPES[vowel].formants, SHAPES[vowel].widths, strict=True)
            for centre, width in [*own, *HIGHER]:
                tube *= centre**2 / (centre**2 - f**2 + 1j * f * width)
            slope = -20 * np.log10(f)  # of the source
            fits[vowel] = np.corrcoef(level, 20 * np.log10(np.abs(tube)) + slope)[0, 1]
        assert max(fits, key=fits.get) == sounding and fits[sounding] > 0.9, (sounding, fits)


@pytest.mark.parametrize("pitch", [46, 52, 58, 64, 70])
@pytest.mark.parametrize("vowel", ["a", "i", "u"])
def test_the_voice_is_in_tune(pitch, vowel):
    x = sung([vowel], pitch)[round(0.3 * RATE) : round(0.95 * RATE)]
    assert abs(cents_off(x, RATE, pitch)) < 12


def instantaneous_cents(x, pitch):
    """The pitch of the first harmonic over time, in cents from a MIDI number, [T]."""
    f = np.fft.fftfreq(len(x), 1 / RATE)
    near = np.abs(f - hertz(pitch)) < 0.25 * hertz(pitch)
    analytic = np.fft.ifft(2 * near * np.fft.fft(x))
    turns = np.diff(np.unwrap(np.angle(analytic))) * RATE / (2 * np.pi)
    return 1200 * np.log2(turns / hertz(pitch))


def test_long_notes_have_vibrato_and_short_ones_none():
    long = instantaneous_cents(sung(["a"], 57)[round(0.55 * RATE) : round(0.95 * RATE)], 57)
    inner = long[800:-800]
    assert 20 < (np.percentile(inner, 98) - np.percentile(inner, 2)) / 2 < 50
    crossings = np.flatnonzero(np.diff(np.sign(inner - inner.mean())))
    assert 4.5 < RATE / np.diff(crossings).mean() / 2 < 6.5
    short = instantaneous_cents(sung(["a"], 57, length=0.38)[4800:8000], 57)[800:-800]
    assert np.ptp(short) < 25


@pytest.mark.parametrize("consonant", [None, *CONSONANTS])
def test_the_vowel_begins_on_the_note(consonant):
    """Its low harmonics have reached half of their strength within 25 ms of the onset."""
    x = sung(["a"] if consonant is None else [consonant, "a"], 50)
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(len(x), 1 / RATE) < 500] = 0  # a nasal's murmur
    spectrum[np.fft.rfftfreq(len(x), 1 / RATE) > 1400] = 0  # noises
    y = np.fft.irfft(spectrum, len(x))
    level = np.sqrt(np.convolve(y**2, np.hanning(320) / 160, "same"))
    steady = np.median(level[round(0.3 * RATE) : round(0.5 * RATE)])
    reached = np.flatnonzero(level > 0.5 * steady)[0] / RATE
    assert abs(reached - 0.2) < 0.025, reached


def test_nothing_sounds_before_the_consonant_or_long_after_the_note():
    x = sung(["m", "a"])
    assert onset_time(x, RATE) == pytest.approx(0.1, abs=0.02)
    assert np.abs(x[round(1.06 * RATE) :]).max() < 1e-3 * np.abs(x).max()


@pytest.mark.parametrize("fricative", FRICATIVES)
def test_fricatives_are_noise_in_their_band(fricative):
    x = sung([fricative, "a"])[round(0.12 * RATE) : round(0.18 * RATE)]
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    f = np.fft.rfftfreq(len(x), 1 / RATE)
    low, high = NOISES[fricative]
    assert power[(f > 0.7 * low) & (f < 1.2 * high)].sum() > 0.6 * power.sum()
    again = sung([fricative, "a"], seed=1)[round(0.12 * RATE) : round(0.18 * RATE)]
    assert abs(np.corrcoef(x, again)[0, 1]) < 0.3


@pytest.mark.parametrize("stop", STOPS)
def test_stops_are_closed_then_burst(stop):
    x = sung([stop, "a"])
    vowel = np.sqrt(np.mean(x[4000:6000] ** 2))
    closure = np.sqrt(np.mean(x[round(0.125 * RATE) : round(0.15 * RATE)] ** 2))
    assert closure < (0.3 if stop in "bd" else 0.03) * vowel
    burst = x[round((0.2 - SHAPES[stop].release) * RATE) :][: round(0.012 * RATE)]
    treble = np.abs(np.fft.rfft(burst * np.hanning(len(burst))))
    assert np.sqrt(np.mean(burst**2)) > 0.1 * vowel and treble[2:].max() > 0.5


def test_the_voice_is_as_loud_as_the_leads_of_the_band():
    steps = [52, 55, 58, 61, 64]
    notes = tuple(Event(0.4 * k, 0.38, p, 0.8) for k, p in enumerate(steps))
    timed = tuple((0.4 * k, 0.4 * k + 0.4, VOWELS[k]) for k in range(5))
    x = sing(Lyrics(notes, "", timed), 2.0, RATE, np.random.default_rng(0))
    others = [loudness(phrase(name), RATE) for name in ("violin", "flute", "trumpet", "choir")]
    assert min(others) - 2 < loudness(x, RATE) < max(others) + 4
    parts = [loudness(x[round((0.4 * k + 0.1) * RATE) :][: RATE // 5], RATE) for k in range(5)]
    assert np.ptp(parts) < 9  # LU between vowels


def test_every_sample_rate_has_the_same_voice():
    low, high = (sung(["m", "a"], rate=rate) for rate in (RATE, 48000))
    assert len(high) == 3 * len(low)
    spectra = []
    for x, rate in ((low, RATE), (high, 48000)):
        power = np.abs(np.fft.rfft(x)) ** 2 / rate**2
        f = np.fft.rfftfreq(len(x), 1 / rate)
        edges = np.geomspace(100, 3900, 18)
        spectra.append([10 * np.log10(power[(f >= a) & (f < b)].sum()) for a, b in pairwise(edges)])
    assert np.abs(np.subtract(*spectra)).max() < 2.5


def test_the_voice_is_harmonic_with_a_little_breath():
    x = sung(["i"], HIGHEST)[round(0.3 * RATE) : round(0.37 * RATE)]
    power = np.abs(np.fft.rfft(x * np.blackman(len(x)), 1 << 15)) ** 2
    f = np.fft.rfftfreq(1 << 15, 1 / RATE)
    off = np.abs(f - np.round(f / hertz(HIGHEST)) * hertz(HIGHEST)) > 0.3 * hertz(HIGHEST)
    assert -45 < 10 * np.log10(power[off].sum() / power.sum()) < -20


def test_silence_and_repetition():
    silent = sing(Lyrics((), "", ()), 0.5, RATE, np.random.default_rng(0))
    assert silent.shape == (8000,) and not silent.any()
    assert np.array_equal(sung(["s", "a"]), sung(["s", "a"]))
    assert not np.array_equal(sung(["s", "a"]), sung(["s", "a"], seed=1))
    with pytest.raises(ValueError, match="100"):
        sung(["a"], rate=100)
    with pytest.raises(ValueError, match="'x'.*sh"):
        sung(["x", "a"])
    with pytest.raises(ValueError, match="1 notes but no phoneme"):
        sing(Lyrics((Event(0.2, 0.5, 50, 0.8),), "", ()), 1.0, RATE, np.random.default_rng(0))


def test_every_phoneme_has_a_shape():
    assert set(SHAPES) == set(PHONEMES) and len(PHONEMES) >= 12
    assert all(s.noise is None or s.noise in NOISES for s in SHAPES.values())
    assert LOWEST < HIGHEST


@pytest.mark.soak  # takes no time, but reads the clock
def test_singing_is_fifty_times_faster_than_real_time():
    notes = tuple(Event(0.5 * k, 0.48, 50 + k, 0.8) for k in range(20))
    timed = tuple(
        x
        for k in range(20)
        for x in ((0.5 * k, 0.5 * k + 0.08, "s"), (0.5 * k + 0.08, 0.5 * k + 0.5, "a"))
    )
    lyrics = Lyrics(notes, "", timed)
    sing(lyrics, 10.0, RATE, np.random.default_rng(0))
    spent = []
    for _ in range(3):
        began = time.process_time()
        sing(lyrics, 10.0, RATE, np.random.default_rng(0))
        spent.append(time.process_time() - began)
    assert min(spent) < 10.0 / 50
