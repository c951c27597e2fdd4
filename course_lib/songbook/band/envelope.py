"""Time, envelopes and noise: what every voice of the band is shaped with. Taught in notebook 00."""

from functools import lru_cache

import numpy as np


def hertz(pitch: float) -> float:
    """The frequency of a MIDI number, A4 (69) = 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


@lru_cache(maxsize=8)
def _clock(sample_rate: int, seconds: int) -> np.ndarray:
    t = np.arange(seconds * sample_rate, dtype=np.float64) / sample_rate
    t.setflags(write=False)
    return t


def clock(seconds: float, sample_rate: int) -> np.ndarray:
    """The times of the samples in seconds, float64 [T]: a view of a shared array, not to write."""
    return _clock(sample_rate, 1 << int(np.ceil(seconds) + 1).bit_length())[
        : max(1, round(seconds * sample_rate))
    ]


def rise(t: np.ndarray, time_constant: float) -> np.ndarray:
    """An attack that starts at once and bends towards 1: 1 - exp(-t / time_constant), [T]."""
    envelope = np.ones(len(t), np.float32)
    n = np.searchsorted(t, 9.0 * time_constant)
    envelope[:n] -= np.exp(t[:n].astype(np.float32) * np.float32(-1.0 / time_constant))
    return envelope


def fall(t: np.ndarray, time_constant: float, floor: float = 0.0) -> np.ndarray:
    """A decay from 1 towards `floor`, [T]."""
    decay = np.exp(t.astype(np.float32) * np.float32(-1.0 / time_constant))
    if floor:
        decay *= np.float32(1.0 - floor)
        decay += np.float32(floor)
    return decay


def release(x: np.ndarray, duration: float, time_constant: float, sample_rate: int) -> np.ndarray:
    """Let `x` [T] die away from `duration` on, in place, reaching exact zero at its end."""
    start = min(len(x), round(duration * sample_rate))
    tail = len(x) - start
    if tail:
        t = np.arange(tail, dtype=np.float32) * np.float32(1.0 / sample_rate)
        x[start:] *= np.exp(t * np.float32(-1.0 / time_constant)) * np.linspace(
            1.0, 0.0, tail, dtype=np.float32
        )
    return x


def wobble(t: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """A slow sine of `rate` Hz from a random start, float32 [T]: tremolo, sweeps."""
    start = np.float32(rng.uniform(0.0, 6.28))
    return np.sin(t.astype(np.float32) * np.float32(2.0 * np.pi * rate) + start)


@lru_cache(maxsize=32)
def _noise_band(low: float, high: float, sample_rate: int) -> np.ndarray:
    n = 4 * sample_rate

    def response(f):
        return (f / low) ** 2 / (1.0 + (f / low) ** 2) / (1.0 + (f / high) ** 2)

    # Scaled to unit power over all audible frequencies, so that a higher sample rate adds treble
    # and leaves what lies below as loud as it was.
    power = np.mean(response(np.arange(1.0, 24000.0)) ** 2) * 24000.0
    white = np.random.default_rng(4).standard_normal(n) * np.sqrt(0.5 * sample_rate / power)
    noise = np.fft.irfft(np.fft.rfft(white) * response(np.fft.rfftfreq(n, 1.0 / sample_rate)), n)
    noise = noise.astype(np.float32)
    noise.setflags(write=False)
    return noise


def noise(low: float, high: float, n: int, sample_rate: int, rng: np.random.Generator):
    """Noise of unit power between two frequencies (12 dB an octave outside), float32 [n]."""
    band = _noise_band(low, high, sample_rate)
    start = int(rng.integers(len(band)))
    if start + n <= len(band):
        return band[start : start + n]
    return np.take(band, np.arange(start, start + n), mode="wrap")
