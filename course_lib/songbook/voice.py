"""A singer made of a source and a filter: vocal folds, vocal tract. Taught in notebook 10.

Every period of the vocal folds is one grain: the spectrum of their pulse, with some breath, times
the response of the tract with the formants of that moment, brought to its place between two
samples and added up. So formants glide without clicks, no pitch aliases, and ten seconds take a
tenth of one. Fricatives and bursts are noise in bands of their own.

Source: Fant, "Acoustic Theory of Speech Production", 1960; the formants of `voice_formants` in
cascade as in Klatt 1980; grains as in Rodet, Potard and Barrière, "The CHANT project", 1984.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np

from course_lib.songbook.band import Event
from course_lib.songbook.band.envelope import noise
from course_lib.songbook.band.render import samples
from course_lib.songbook.voice_formants import HIGHER, NOISES, SHAPES
from course_lib.songbook.voice_lyrics import Lyrics
from course_lib.songbook.voice_phonemes import VOWELS, Phoneme, check_phoneme

VOICE_VERSION = 3  # raise it whenever words or samples of the voice change: caches depend on it
RATE = 500  # Hz, of all that moves: pitch, formants, levels
GRAIN = 0.032  # seconds
GLIDE, MOVE, SWELL = 0.07, 0.055, 0.018  # seconds over which pitch, formants and level change
VIBRATO, CENTS, STRAIGHT = 5.4, 35.0, 0.18  # Hz, either way, seconds before it begins
FALL = 0.11  # seconds in which a phrase dies away
LEVEL = 1.05  # of the whole, to be as loud as the band's leads
PLACES = 64  # places of a grain between two samples
BREATHS = 48  # grains of breath that are drawn from
BREATHINESS = 0.012
EVEN = 0.3  # how far loud vowels are held back, as singers do; 0.5 makes all alike


def sing(lyrics: Lyrics, seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The notes of lyrics sung on their phonemes, dry, float32 [T] with T = seconds * sample_rate.

    No notes are silence. Raises ValueError for an unusable length or sample rate, for notes without
    phonemes and phonemes that the voice does not know. Taught in notebook 10.
    """
    out = np.zeros(samples(seconds, sample_rate), np.float32)
    notes, phonemes = lyrics.notes, lyrics.phonemes
    if not notes:
        return out
    if not phonemes:
        raise ValueError(f"The lyrics have {len(notes)} notes but no phoneme to sing them on.")
    for _, _, symbol in phonemes:
        check_phoneme(symbol)
    t = np.arange(round(seconds * RATE) + 1) / RATE
    pitch = _pitch(t, notes, rng)
    formants, widths, zero = _tract(t, phonemes, pitch)
    loud = _dynamics(t, notes, phonemes)
    voiced, breath = _levels(t, phonemes)
    _add_grains(
        out, sample_rate, t, pitch, formants, widths, zero, loud * voiced, loud * breath, rng
    )
    _add_noises(out, sample_rate, phonemes, t, loud, rng)
    return out


# ---- what moves, each [frames] at RATE ----------------------------------------------------


def _smooth(track: np.ndarray, seconds: float) -> np.ndarray:
    """Steps of a track [..., frames] turned into glides of so many seconds."""
    window = np.hanning(round(seconds * RATE) + 2)[1:-1]
    half = len(window) // 2
    padded = np.pad(track, [(0, 0)] * (track.ndim - 1) + [(half, len(window) - 1 - half)], "edge")
    kernel = window / window.sum()
    return np.apply_along_axis(lambda row: np.convolve(row, kernel, "valid"), -1, padded)


def _pitch(t: np.ndarray, notes: tuple[Event, ...], rng: np.random.Generator) -> np.ndarray:
    """The frequency in Hz: glides between notes, vibrato on long ones, a little drift."""
    onsets = np.array([note.onset for note in notes])
    # A singer arrives on the note: half of the glide lies before it.
    index = np.clip(np.searchsorted(onsets, t + 0.3 * GLIDE, side="right") - 1, 0, None)
    key = _smooth(np.array([note.pitch for note in notes], float)[index], GLIDE)
    held = t - onsets[index]
    long = np.array([note.duration for note in notes])[index] > 0.4
    depth = CENTS * long * np.clip((held - STRAIGHT) / 0.25, 0.0, 1.0)
    rate = VIBRATO * (1 + 0.06 * np.sin(2 * np.pi * 0.37 * t + rng.uniform(0, 6.28)))
    turn = 2 * np.pi * np.cumsum(rate) / RATE + rng.uniform(0, 6.28)
    drift = sum(4.0 * np.sin(2 * np.pi * f * t + rng.uniform(0, 6.28)) for f in (0.31, 0.83, 2.3))
    cents = _smooth(depth, 0.1) * np.sin(turn) + drift
    return 440.0 * 2.0 ** ((key - 69.0 + cents / 100.0) / 12.0)


def _tract(
    t: np.ndarray, phonemes: tuple[Phoneme, ...], pitch: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Formants and bandwidths [3, frames] and the antiformant [frames], 0 where there is none."""
    targets = np.array([_formants(phonemes, k) for k in range(len(phonemes))])
    widths = np.array([SHAPES[symbol].widths for _, _, symbol in phonemes])
    zeros = np.array([SHAPES[symbol].zero or 0.0 for _, _, symbol in phonemes])
    starts = np.array([start for start, _, _ in phonemes])
    index = np.clip(np.searchsorted(starts, t, side="right") - 1, 0, None)
    formants = np.exp(_smooth(np.log(targets[index]).T, MOVE))
    formants[0] = np.maximum(formants[0], 1.02 * pitch)  # as singers do on high notes
    zero = np.where(t < phonemes[-1][1], zeros[index], 0.0)
    return formants, _smooth(widths[index].T, MOVE), zero


def _formants(phonemes: tuple[Phoneme, ...], k: int) -> tuple[float, float, float]:
    """F1 to F3 of phoneme k, a consonant's F2 and F3 giving way to its vowel."""
    symbol = phonemes[k][2]
    shape = SHAPES[symbol]
    beside = phonemes[min(k + 1, len(phonemes) - 1)][2]
    if beside not in VOWELS:  # a closing consonant
        beside = phonemes[k - 1][2]
    if symbol in VOWELS or beside not in VOWELS:
        return shape.formants
    vowel, give = SHAPES[beside].formants, shape.yields
    first, *rest = shape.formants
    return first, *((1 - give) * own + give * v for own, v in zip(rest, vowel[1:], strict=True))


def _dynamics(t: np.ndarray, notes: tuple[Event, ...], phonemes: tuple[Phoneme, ...]) -> np.ndarray:
    """Loudness: the velocity of the notes, a swell on long ones, a fall towards each breath."""
    onsets, durations, velocities = (
        np.array([getattr(note, name) for note in notes])
        for name in ("onset", "duration", "velocity")
    )
    index = np.clip(np.searchsorted(onsets, t, side="right") - 1, 0, None)
    held = np.clip((t - onsets[index]) / durations[index], 0.0, 1.0)
    swell = np.where(durations[index] > 0.4, 0.18 * np.sin(np.pi * held), 0.0)
    loud = _smooth(velocities[index] ** 1.4 * (1.0 + swell), 0.1)
    ends = [end for (_, end, _), (start, _, _) in pairwise(phonemes) if start > end + 0.01]
    for end in [*ends, phonemes[-1][1]]:
        loud *= 1.0 - 0.7 * np.clip(1.0 - (end - t) / FALL, 0.0, 1.0) * (t <= end)
    return loud


def _levels(t: np.ndarray, phonemes: tuple[Phoneme, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes of the vocal folds and of breath through the tract."""
    voiced, breath = np.zeros(len(t)), np.zeros(len(t))
    for start, end, symbol in phonemes:
        shape = SHAPES[symbol]
        if shape.voiced is not None:
            voiced[(t >= start) & (t < end)] = 10 ** (shape.voiced / 20)
        if shape.breath is not None:
            breath[(t >= end - shape.release) & (t < end)] = 10 ** (shape.breath / 20)
    return _smooth(voiced, SWELL), _smooth(breath, 0.008)


# ---- sound ----------------------------------------------------------------------------------


def _resonance(f: np.ndarray, centre: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The response of a formant, 1 at 0 Hz; numbers or [K, 1] of centres in Hz."""
    power = np.float32(1) * (centre * centre + width * width / 4)
    return power / (power - f * f + 1j * f * width)


@lru_cache(maxsize=4)
def _fixed(sample_rate: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What is the same in all grains: f, pulse and breath spectra, places between samples."""
    f = np.fft.rfftfreq(n, 1 / sample_rate)
    tract = np.prod([_resonance(f, centre, width) for centre, width in HIGHER], axis=0)
    tract = tract / (1 + (f / 9000.0) ** 8)
    tract = tract * np.clip((0.49 * sample_rate - f) / (0.03 * sample_rate), 0, 1)
    # The flow's derivative: a slope of 6 dB an octave above 160 Hz, 12 above 3 kHz, conjugate
    # where the folds open, since that part of a pulse grows.
    opening = (1j * f / 160.0) / (1 - 1j * f / 160.0) ** 2
    pulse = opening / (1 + 1j * f / 3000.0) * tract
    rng = np.random.default_rng(7)
    window = np.hanning(round(0.006 * sample_rate))
    grains = rng.standard_normal((BREATHS, len(window))) * window
    breath = np.fft.rfft(grains, n, axis=1) / np.sqrt(len(window)) * tract
    breath *= (1j * f / 600.0) / (1 + 1j * f / 600.0)
    places = np.exp(-2j * np.pi * np.arange(n // 2 + 1) / n * np.arange(PLACES)[:, None] / PLACES)
    return tuple(x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)
                 for x in (f, pulse, breath, places))  # fmt: skip


def _add_grains(out, sample_rate, t, pitch, formants, widths, zero, voiced, breath, rng) -> None:
    """Add the voiced periods and the breath of stops to `out`."""
    n = 1 << round(GRAIN * sample_rate - 1).bit_length()
    f, pulse, breaths, places = _fixed(sample_rate, n)
    step = sample_rate / n / 8000.0  # what a bin of the spectrum stands for
    cycles = np.concatenate([[0.0], np.cumsum(pitch[:-1])]) / RATE
    times = np.interp(np.arange(1, int(cycles[-1])), cycles, t)
    times += rng.normal(0.0, 5e-6, len(times))  # unsteady, as folds are
    strength = np.interp(times, t, voiced) * (1 + 0.02 * rng.standard_normal(len(times)))
    strength *= 1 / np.sqrt(np.interp(times, t, pitch) / 220.0)
    blown = BREATHINESS * strength + np.interp(times, t, breath)
    sounding = np.maximum(strength, blown) > 1e-4
    times, strength, blown = times[sounding], strength[sounding], blown[sounding]
    padded = np.zeros(len(out) + 2 * n, np.float32)
    for first in range(0, len(times), 512):
        part = slice(first, first + 512)
        moment = times[part]
        response = np.ones((len(moment), 1), np.complex64)
        for centre, width in zip(formants, widths, strict=True):
            centre = np.interp(moment, t, centre).astype(np.float32)[:, None]
            width = np.interp(moment, t, width).astype(np.float32)[:, None]
            response = response * _resonance(f, centre, width)
        nasal = np.interp(moment, t, zero)
        some = np.flatnonzero(nasal > 100.0)
        if len(some):
            dip = nasal[some, None].astype(np.float32)
            response[some] *= _resonance(f, 1.25 * dip, 220.0) / _resonance(f, dip, 120.0)
        energy = np.square(np.abs(response * pulse)).sum(1, keepdims=True) * np.float32(step)
        response *= (energy + 1e-6) ** -EVEN
        spectrum = strength[part, None].astype(np.float32) * pulse
        chosen = rng.integers(BREATHS, size=len(moment))
        spectrum += blown[part, None].astype(np.float32) * breaths[chosen]
        place = moment * sample_rate + n // 16
        whole = np.floor(place).astype(int)
        spectrum *= response * places[((place - whole) * PLACES).astype(int)]
        grains = np.fft.irfft(spectrum, n, axis=1).astype(np.float32)
        for start, grain in zip(whole, np.roll(grains, n // 16, axis=1), strict=True):
            padded[start : start + n] += grain
    out += LEVEL * n * step / 2 * padded[n // 8 : n // 8 + len(out)]


def _add_noises(out, sample_rate, phonemes, t, loud, rng) -> None:
    """Add the noise of fricatives and the bursts of stops to `out`."""
    for start, end, symbol in phonemes:
        shape = SHAPES[symbol]
        if shape.noise is None:
            continue
        begin = end - shape.release if shape.release else start
        stop = begin + 0.014 if shape.release else end
        first, last = round(begin * sample_rate), min(len(out), round(stop * sample_rate))
        if last <= first:
            continue
        low, high = NOISES[shape.noise]
        count = last - first
        position = np.linspace(0, 1, count, endpoint=False, dtype=np.float32)
        envelope = (1 - position) ** 2 if shape.release else np.sin(np.pi * position) ** 0.7
        level = LEVEL * 10 ** (shape.level / 20) * np.interp(begin, t, loud)
        sound = noise(low, min(high, 0.45 * sample_rate), count, sample_rate, rng)
        out[first:last] += np.float32(level) * envelope * sound
