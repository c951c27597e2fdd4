"""A string as a delay line with a lossy loop, solved in one inverse Fourier transform.

Karplus and Strong (Computer Music Journal 7:2, 1983) feed a delay line of one period back through
a filter; Jaffe and Smith (same issue) add tuning, pick position and dynamics. The loop is linear,
so its sound is the response 1 / (1 - loop) of the whole: written down for every frequency and
turned into samples at once, it needs no sample-by-sample recursion, is exactly in tune, takes the
stiffness of real strings, and is the same at every sample rate. Taught in notebook 00.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft

from .envelope import hertz

LEAD = 16  # samples of silence before the string, where the taper at Nyquist rings backwards


@dataclass(frozen=True)
class String:
    """What makes a string sound as it does.

    `ring`: seconds to fall by 60 dB at A3, shorter above; `damping`: how much faster high partials
    die; `stiffness`: inharmonicity B at A3; `position`: where it is plucked or struck (part of its
    length); `soft`, `hard`: brightness in Hz at velocity 0 and 1; `body`: resonances (Hz, Q, gain);
    `unison`:
    cents by which a second string is off.
    """

    ring: float
    damping: float
    position: float
    soft: float
    hard: float
    stiffness: float = 0.0
    unison: float = 0.0
    tracking: float = 0.5
    body: tuple[tuple[float, float, float], ...] = ()


def _exp(real: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """exp(real + 2πi turns): by its parts, several times faster than numpy's complex exp."""
    size = np.exp(real)
    angle = (2.0 * np.pi) * turns
    out = np.empty(len(angle), complex)
    out.real = size * np.cos(angle)
    out.imag = size * np.sin(angle)
    return out


@lru_cache(maxsize=32)
def _body(body: tuple, n: int, sample_rate: int, sigma: float) -> np.ndarray:
    s = sigma + 2j * np.pi * np.arange(n // 2 + 1) * sample_rate / n
    response = s / (s + 2.0 * np.pi * 35.0)  # nothing below the lowest string, no direct current
    gain = np.ones_like(s)
    for centre, q, height in body:
        w = 2.0 * np.pi * centre
        gain = gain + height * (s * w / q) / (s * s + s * w / q + w * w)
    # The burst of the original is noise; all-pass filters spread a click over some milliseconds
    # as evenly, and keep the strength of every partial what the string makes it.
    for delay in (0.00031, 0.00083, 0.00197):
        echo = np.exp(-s * delay)
        gain = gain * (0.6 + echo) / (1.0 + 0.6 * echo)
    f = np.abs(s.imag) / (np.pi * sample_rate)
    taper = np.cos(0.5 * np.pi * np.clip((f - 0.8) / 0.2, 0.0, 1.0)) ** 2
    return response * gain * taper * np.exp(-s * LEAD / sample_rate)


@lru_cache(maxsize=192)
def pluck(
    string: String, pitch: float, strength: int, seconds: float, sample_rate: int
) -> np.ndarray:
    """The string ringing freely after a pluck of `strength` 0 to 8, loudness evened out, [T]."""
    frequency = hertz(pitch)
    length = round(seconds * sample_rate)
    n = fft.next_fast_len(length + LEAD, real=True)
    # Evaluated on a circle a little outside the unit circle, where what would wrap around from
    # beyond the end of the buffer is 60 dB down; undone after the transform.
    sigma = 7.0 * sample_rate / n
    f = np.arange(n // 2 + 1) * (sample_rate / n)
    w2 = (2.0 * np.pi * f) ** 2
    height = 2.0 ** ((pitch - 57.0) / 12.0)
    loss = 6.9 / string.ring * height**string.tracking
    damp = string.damping * 1e-7 * height**-0.4
    total = 0.0
    # The second string of a course is a little out of tune, fed by the bridge alone, and rings on
    # when the first has gone: the two-stage decay of a piano (Weinreich, JASA 62:6, 1977).
    course = ((0.0, 1.0, 1.0), (string.unison, 0.3, 0.45))
    for cents, weight, pace in course if string.unison else course[:1]:
        f0 = frequency * 2.0 ** (cents / 1200.0)
        stiffness = string.stiffness * height
        f0 /= np.sqrt(1.0 + stiffness)  # the first partial is the one in tune
        if stiffness:  # partial k lies at k f0 sqrt(1 + B k²); solved for k
            root = np.sqrt(1.0 + 4.0 * stiffness * (f / f0) ** 2)
            turns = np.sqrt((root - 1.0) / (2.0 * stiffness))
            slope = (f / f0) / np.maximum(turns * root, 1e-9)
            slope[0] = 1.0
        else:
            turns, slope = f / f0, 1.0
        # Off the axis by sigma, to first order: exact enough, as sigma is a few hertz.
        real = -pace * (loss + damp * w2) / f0 - sigma * slope / f0
        loop = _exp(real, -turns)
        total = total + weight / (1.0 - loop)
    level = strength / 8.0
    cutoff = string.soft * (string.hard / string.soft) ** level * height**0.35
    comb = 1.0 - _exp(
        np.full(len(f), -sigma * string.position / frequency), f * (-string.position / frequency)
    )
    low_pass = 1.0 / (1.0 + (sigma + 2j * np.pi * f) / (2.0 * np.pi * cutoff)) ** 2
    spectrum = total * comb * low_pass * _body(string.body, n, sample_rate, sigma)
    sound = fft.irfft(spectrum, n)[LEAD : LEAD + length]
    sound *= np.exp(np.arange(length) * (sigma / sample_rate))
    heard = sound[: round(0.15 * sample_rate)]  # about what the ear adds up
    sound /= np.sqrt(np.mean(heard**2)) + 1e-12
    sound = sound.astype(np.float32)
    sound.setflags(write=False)
    return sound


def ringing(seconds: float) -> float:
    """The length to compute for a note that is heard for `seconds`: few values, so that the
    cache is of use, whatever else is played."""
    return next((length for length in (0.75, 1.5, 3.0) if seconds <= length), 6.0)
