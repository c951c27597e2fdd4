"""Electric piano, bells and brass by frequency modulation. Taught in notebook 00.

Chowning, "The synthesis of complex audio spectra by means of frequency modulation", Journal of the
Audio Engineering Society 21:7, 1973: bells have an inharmonic modulator whose index dies away;
brass has a harmonic one whose index follows the loudness.
"""

import numpy as np
from scipy.special import jv

from .envelope import clock, fall, hertz, noise, release, rise, wobble
from .instrument import Instrument
from .wavetable import formants, read, shade, vibrato, wavetable


def wave(cycles: np.ndarray, modulation=None) -> np.ndarray:
    """sin(2π cycles + modulation) for a phase in cycles [T] and a modulation in radians [T]."""
    angle = ((cycles - np.floor(cycles)) * (2.0 * np.pi)).astype(np.float32)
    return np.sin(angle if modulation is None else angle + modulation)


def index_limit(carrier: float, modulator: float, sample_rate: int) -> float:
    """The largest index whose audible sidebands stay below the Nyquist frequency.

    Carson's rule with one more pair of sidebands, as a tone is less forgiving than radio.
    """
    return max(0.0, (0.49 * sample_rate - carrier) / modulator - 2.0)


def bend(index: float, limit: float) -> np.float32:
    """`index` where it is well below `limit`, bending smoothly towards it."""
    return np.float32(index * limit / (index**4 + limit**4) ** 0.25 if limit else 0.0)


def modulated(
    t: np.ndarray, frequency: float, ratio: float, index, peak: float, sample_rate: int
) -> np.ndarray:
    """A carrier with one modulator at `ratio` times its frequency; index `peak` times [T]."""
    limit = index_limit(frequency, ratio * frequency, sample_rate)
    depth = bend(peak, limit) * index
    return wave(frequency * t, depth * wave(ratio * frequency * t))


def electric_piano(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.25, sample_rate)
    ring = 2.4 * 2.0 ** ((60.0 - pitch) / 24.0)
    body = modulated(t, f, 1.0, fall(t, 0.35 * ring, 0.25), 0.3 + 1.9 * velocity, sample_rate)
    sound = body * fall(t, ring)
    tine = modulated(t, f, 14.0, fall(t, 0.05), 0.9 * velocity, sample_rate)
    sound += (0.1 + 0.45 * velocity) * tine * fall(t, 0.25)
    sound *= rise(t, 0.0012)
    return release(sound * (1.0 + 0.15 * wobble(t, 4.6, rng)), duration, 0.07, sample_rate)


def music_box(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    ring = 0.7 * 2.0 ** ((72.0 - pitch) / 30.0)
    t = clock(max(duration, 0.2) + 5.0 * ring, sample_rate)[: 4 * sample_rate]
    sound = modulated(t, f, 2.0, fall(t, 0.3 * ring), 0.5 + 0.6 * velocity, sample_rate)
    sound *= fall(t, ring)
    # The tines of a comb are bars clamped at one end: their modes lie at 6.27 and 17.5.
    for ratio, gain, part in ((3.0, 0.25, 0.5), (6.27, 0.8, 0.22), (17.5, 0.2, 0.04)):
        if ratio * f < 0.45 * sample_rate:
            sound += gain * velocity * wave(ratio * f * t) * fall(t, part * ring)
    n = min(len(t), round(0.02 * sample_rate))
    sound[:n] += 0.25 * velocity * noise(2500.0, 6000.0, n, sample_rate, rng) * fall(t[:n], 0.003)
    return release(sound * rise(t, 0.0006), len(t) / sample_rate - 0.1, 0.03, sample_rate)


def bells(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    ring = 1.9 * 2.0 ** ((66.0 - pitch) / 30.0)
    t = clock(max(duration, 0.2) + 3.0 * ring, sample_rate)[: 6 * sample_rate]
    strike = modulated(t, f, 2.8284, fall(t, 0.5 * ring), 0.8 + 1.8 * velocity, sample_rate)
    sound = strike * fall(t, ring)
    for ratio, gain, part in ((2.003, 0.4, 0.6), (2.76, 0.35, 0.5), (5.4, 0.35, 0.25)):
        if ratio * f < 0.45 * sample_rate:  # no bell is round: each mode beats with its twin
            twins = wave(ratio * f * t) + wave((ratio * f + 1.3) * t)
            sound += 0.5 * gain * twins * fall(t, part * ring)
    return release(sound * rise(t, 0.0008), len(t) / sample_rate - 0.2, 0.06, sample_rate)


def vibraphone(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.6, sample_rate)
    ring = 2.6 * 2.0 ** ((65.0 - pitch) / 36.0)
    sound = wave(f * t) * fall(t, ring)
    if 4.0 * f < 0.45 * sample_rate:
        sound += (0.08 + 0.3 * velocity) * wave(4.0 * f * t) * fall(t, 0.15 * ring)
    if 10.0 * f < 0.45 * sample_rate:
        sound += 0.2 * velocity * wave(10.0 * f * t) * fall(t, 0.05)
    sound *= rise(t, 0.001) * (1.0 + 0.4 * wobble(t, 5.2, rng))  # the fans in its tubes
    return release(sound, duration, 0.18, sample_rate)


def marimba(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    ring = 0.22 * 2.0 ** ((60.0 - pitch) / 20.0)
    t = clock(7.0 * ring, sample_rate)
    sound = wave(f * t) * fall(t, ring)
    if 3.93 * f < 0.45 * sample_rate:
        sound += (0.15 + 0.35 * velocity) * wave(3.93 * f * t) * fall(t, 0.18 * ring)
    if 9.3 * f < 0.45 * sample_rate:
        sound += 0.25 * velocity * wave(9.3 * f * t) * fall(t, 0.07 * ring)
    n = min(len(t), round(0.02 * sample_rate))
    sound[:n] += 0.25 * velocity * noise(300.0, 1500.0, n, sample_rate, rng) * fall(t[:n], 0.004)
    return release(sound * rise(t, 0.0008), 6.0 * ring, 0.5 * ring, sample_rate)


def feedback(h: np.ndarray, index: float) -> np.ndarray:
    """The harmonics of a sine that modulates itself, y = sin(phase + index y), for index <= 1.

    Tomisawa (US patent 4,249,447): they are 2 J_n(n index) / (n index), without the holes that a
    separate modulator leaves; written down, they are cut exactly at the Nyquist frequency.
    """
    return 2.0 * jv(h, h * index) / (h * index)


def trumpet_spectrum(h, f):
    bell = formants(h * f, ((1300.0, 0.6, 1.6), (2600.0, 0.45, 1.6)))
    bright = feedback(h, 1.0) * h**0.25 / (1.0 + (h * f / 6500.0) ** 4)
    return feedback(h, 0.7) * bell, bright * bell


def french_horn_spectrum(h, f):
    bell = formants(h * f, ((430.0, 0.5, 1.2),)) / (1.0 + (h * f / 2000.0) ** 2)
    return feedback(h, 0.4) * bell, feedback(h, 0.98) * h**0.25 * bell


def tuba_spectrum(h, f):
    bell = formants(h * f, ((230.0, 0.6, 1.8),)) / (1.0 + (h * f / 1000.0) ** 2)
    return feedback(h, 0.5) * bell, feedback(h, 1.0) * h**0.3 * bell


def _brass(spectrum, pitch, velocity, duration, sample_rate, rng, attack, breath, shake):
    f = hertz(pitch)
    t = clock(duration + 0.12, sample_rate)
    start = rng.uniform(0.0, 6.28)
    moved = t + vibrato(t, 5.3 + 0.4 * rng.random(), shake, 0.35, sample_rate, start)
    table = wavetable(spectrum, f, sample_rate)
    level = rise(t, attack)
    swell = level * (0.75 + 0.25 * fall(t, 0.12))
    # Risset's finding, Chowning's rule: the louder, the brighter, within every single note.
    bright = (0.12 + 0.88 * velocity) * level * swell
    sound = shade(read(table, f * moved + rng.random()), bright) * swell
    air = noise(800.0, 3000.0, len(t), sample_rate, rng)
    sound += breath * air * level * (0.15 + fall(t, 0.03))
    return release(sound, duration, 0.035, sample_rate)


def trumpet(pitch, velocity, duration, sample_rate, rng):
    return _brass(trumpet_spectrum, pitch, velocity, duration, sample_rate, rng, 0.015, 0.04, 8.0)


def french_horn(pitch, velocity, duration, sample_rate, rng):
    return _brass(
        french_horn_spectrum, pitch, velocity, duration, sample_rate, rng, 0.035, 0.03, 4.0
    )


def tuba(pitch, velocity, duration, sample_rate, rng):
    return _brass(tuba_spectrum, pitch, velocity, duration, sample_rate, rng, 0.022, 0.04, 0.0)


MODULATED = (
    Instrument("electric_piano", "keys", 28, 96, ("mellow", "warm"), electric_piano, 0.145),
    Instrument("music_box", "mallets", 60, 96, ("delicate", "tinkling"), music_box, 0.105),
    Instrument("bells", "mallets", 53, 88, ("ringing", "bright"), bells, 0.0783),
    Instrument("vibraphone", "mallets", 53, 89, ("cool", "shimmering"), vibraphone, 0.112),
    Instrument("marimba", "mallets", 45, 96, ("woody", "round"), marimba, 0.251),
    Instrument("trumpet", "brass", 52, 84, ("brilliant", "proud"), trumpet, 0.0957),
    Instrument("french_horn", "brass", 40, 77, ("noble", "mellow"), french_horn, 0.116),
    Instrument("tuba", "brass", 28, 58, ("deep", "round"), tuba, 0.122),
)
