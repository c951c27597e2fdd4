"""Bowed strings: violin, cello and an ensemble. Taught in notebook 00."""

import numpy as np

from .envelope import clock, fall, hertz, noise, release, rise
from .instrument import Instrument
from .wavetable import detune, ensemble, formants, read, shade, vibrato, wavetable


def violin_spectrum(h, f):
    body = formants(
        h * f, ((290.0, 0.25, 1.2), (470.0, 0.2, 1.5), (820.0, 0.3, 0.8), (2600.0, 0.5, 3.2))
    )
    body = body / (1.0 + (180.0 / (h * f)) ** 4)
    return body / h**1.7, body / h**1.0 / (1.0 + (h * f / 4500.0) ** 2)


def cello_spectrum(h, f):
    body = formants(
        h * f, ((110.0, 0.3, 1.0), (230.0, 0.3, 1.6), (420.0, 0.3, 1.0), (1300.0, 0.5, 0.8))
    )
    return body / h**1.5, body / h**0.85 / (1.0 + (h * f / 2400.0) ** 2)


def ensemble_spectrum(h, f):
    body = formants(h * f, ((350.0, 0.8, 0.7), (2000.0, 0.8, 0.5)))
    return body / h**1.6, body / h**0.9 / (1.0 + (h * f / 3000.0) ** 2)


def _solo(spectrum, pitch, velocity, duration, sample_rate, rng, attack, cents, rosin):
    f = hertz(pitch)
    t = clock(duration + 0.18, sample_rate)
    turn, rate = rng.uniform(0.0, 6.28), 5.5 + 0.5 * rng.random()
    moved = t + vibrato(t, rate, cents, 0.22, sample_rate, turn)
    level = rise(t, attack)
    table = wavetable(spectrum, f, sample_rate)
    # The body's resonances turn vibrato of pitch into a shimmer of brightness.
    shimmer = np.sin((2.0 * np.pi * rate) * t + turn).astype(np.float32) * rise(t, 0.22)
    bright = (0.35 + 0.6 * velocity) * (0.75 + 0.25 * level) * (1.0 + 0.12 * shimmer)
    sound = shade(read(table, f * moved + rng.random()), bright)
    sound *= level * (1.0 + 0.06 * shimmer)
    bow = noise(1000.0, 3500.0, len(t), sample_rate, rng)
    sound += rosin * bow * level * (1.0 + 4.0 * fall(t, 0.035))
    return release(sound, duration, 0.05, sample_rate)


def violin(pitch, velocity, duration, sample_rate, rng):
    return _solo(violin_spectrum, pitch, velocity, duration, sample_rate, rng, 0.022, 16.0, 0.03)


def cello(pitch, velocity, duration, sample_rate, rng):
    return _solo(cello_spectrum, pitch, velocity, duration, sample_rate, rng, 0.032, 10.0, 0.03)


def strings(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.45, sample_rate)
    table = wavetable(ensemble_spectrum, f, sample_rate)
    moved = t + vibrato(t, rng.uniform(5.0, 5.8), 7.0, 0.3, sample_rate, rng.uniform(0.0, 6.28))
    shake = vibrato(t, rng.uniform(3.8, 5.0), 9.0, 0.2, sample_rate, rng.uniform(0.0, 6.28))
    level = rise(t, 0.05)
    sound = ensemble(table, f, moved, detune(t, 8.0) + shake, 0.45, rng)
    sound = shade(sound, (0.35 + 0.6 * velocity) * level)
    sound += 0.03 * noise(1500.0, 4000.0, len(t), sample_rate, rng)
    return release(sound * level, duration, 0.13, sample_rate)


BOWED = (
    Instrument("violin", "bowed strings", 55, 96, ("singing", "expressive"), violin, 0.0718),
    Instrument("cello", "bowed strings", 36, 76, ("rich", "melancholy"), cello, 0.0912),
    Instrument("strings", "bowed strings", 36, 93, ("lush", "sweeping"), strings, 0.0721),
)
