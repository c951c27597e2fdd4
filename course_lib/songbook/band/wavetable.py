"""Harmonic tones from band-limited wavetables whose brightness moves.

A tone is read from two tables of one period each, a dark and a bright one, and mixed between them
as it sounds: group synthesis after Horner, Beauchamp and Haken (Computer Music Journal 17:2, 1993).
Harmonics near the Nyquist frequency are left out, so that no pitch aliases. Taught in notebook 00.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

SIZE = 4096
HARMONICS = 256

# (harmonic numbers [H], fundamental in Hz) -> amplitudes (dark [H], bright [H])
Spectrum = Callable[[np.ndarray, float], tuple[np.ndarray, np.ndarray]]


@lru_cache(maxsize=512)
def wavetable(spectrum: Spectrum, frequency: float, sample_rate: int) -> np.ndarray:
    """The dark and the bright period of a tone, of equal power, float32 [SIZE + 1, 2]."""
    h = np.arange(1, HARMONICS + 1)
    top = 0.47 * sample_rate
    limit = np.clip((top - h * frequency) / (0.08 * top), 0.0, 1.0)
    phases = np.exp(-1j * np.pi * (0.5 + h * h / 24.0))  # spread, so that no period has a spike
    tables = []
    for amplitudes in spectrum(h, frequency):
        line = np.zeros(SIZE // 2 + 1, complex)
        line[1 : HARMONICS + 1] = amplitudes * limit * phases
        period = np.fft.irfft(line, SIZE)
        period /= np.sqrt(np.mean(period**2)) + 1e-12
        tables.append(np.append(period, period[0]))
    return np.stack(tables, axis=1).astype(np.float32)


def read(table: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """The tables at a phase in cycles [T], by linear interpolation, float32 [T, 2]."""
    place = (cycles - np.floor(cycles)) * SIZE
    index = place.astype(np.int32)
    fraction = (place - index).astype(np.float32)[:, None]
    low = table.take(index, axis=0)
    index += 1
    high = table.take(index, axis=0)
    high -= low
    high *= fraction
    high += low
    return high


def vibrato(
    t: np.ndarray, rate: float, cents: float, delay: float, sample_rate: int, phase: float
) -> np.ndarray:
    """How far a vibrato has moved the phase, in cycles per hertz [T]; the pitch stays centred."""
    moment = t.astype(np.float32)
    wave = np.sin(np.float32(2.0 * np.pi * rate) * moment + np.float32(phase))
    moment *= np.float32(1.0 / delay)
    moment *= -moment
    wave -= wave * np.exp(moment)
    wave *= np.float32(cents * np.log(2.0) / 1200.0 / sample_rate)
    return np.cumsum(wave, dtype=np.float64)


def ensemble(
    table: np.ndarray,
    frequency: float,
    moved: np.ndarray,
    spread: np.ndarray,
    weight: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Three players of one note: one in tune, one above and one below it, [T, 2].

    `moved` is the time the middle one has come to, `spread` how far the others lead and lag, in
    seconds. Their phases are mirrored, so that they beat without pulling the pitch.
    """
    start, mirror = rng.random(), rng.uniform(-0.1, 0.1)
    apart = frequency * spread + mirror
    cycles = frequency * moved + start
    sides = read(table, cycles + apart)
    sides += read(table, cycles - apart)
    sides *= np.float32(weight)
    sides += read(table, cycles)
    return sides


def detune(t: np.ndarray, cents: float) -> np.ndarray:
    """The spread of an ensemble whose players are `cents` apart, in seconds [T]."""
    return t * (cents * np.log(2.0) / 1200.0)


def formants(f: np.ndarray, peaks: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """A body: resonances (centre in Hz, width in octaves, gain) over a floor of 1, [H]."""
    octaves = np.log2(np.maximum(f, 1.0))
    gain = np.ones(len(f))
    for centre, width, height in peaks:
        gain += height * np.exp(-(((octaves - np.log2(centre)) / width) ** 2))
    return gain


def shade(table_output: np.ndarray, brightness) -> np.ndarray:
    """Mix dark and bright [T, 2] by a brightness between 0 and 1 (a number or [T]) to [T]."""
    dark, bright = table_output[:, 0], table_output[:, 1]
    return dark + (bright - dark) * brightness
