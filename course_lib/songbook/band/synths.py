"""Synthesizers: a chip's square wave, a saw lead, a pad. Taught in notebook 00."""

import numpy as np

from .envelope import clock, fall, hertz, release, rise, wobble
from .instrument import Instrument
from .wavetable import detune, ensemble, read, shade, vibrato, wavetable


def pulse_spectrum(h, f):
    pulse = np.abs(np.sin(np.pi * h * 0.25)) / h
    return pulse, np.abs(np.sin(np.pi * h * 0.125)) / h


def saw_spectrum(h, f):
    return 1.0 / h / (1.0 + (h * f / 900.0) ** 4), 1.0 / h / (1.0 + (h * f / 6500.0) ** 4)


def pad_spectrum(h, f):
    return 1.0 / h / (1.0 + (h * f / 500.0) ** 4), h**-0.8 / (1.0 + (h * f / 2500.0) ** 2)


def square_lead(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.05, sample_rate)
    moved = t + vibrato(t, 6.5, 14.0, 0.12, sample_rate, 0.0)
    table = wavetable(pulse_spectrum, f, sample_rate)
    # Chips switch the width of the pulse as the note goes on: thin at first, then full.
    sound = shade(read(table, f * moved), fall(t, 0.05, 0.7)) * (0.6 + 0.4 * fall(t, 0.12))
    return release(sound * rise(t, 0.0012), duration, 0.012, sample_rate)


def saw_lead(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.2, sample_rate)
    table = wavetable(saw_spectrum, f, sample_rate)
    moved = t + vibrato(t, 5.6, 8.0, 0.35, sample_rate, rng.uniform(0.0, 6.28))
    sound = ensemble(table, f, moved, detune(t, 8.0), 0.45, rng)
    bright = (0.35 + 0.6 * velocity) * (0.45 + 0.55 * fall(t, 0.22))
    sound = shade(sound, bright) * rise(t, 0.004) * (0.75 + 0.25 * fall(t, 0.2))
    return release(sound, duration, 0.05, sample_rate)


def pad(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 1.0, sample_rate)
    table = wavetable(pad_spectrum, f, sample_rate)
    sound = ensemble(table, f, t, detune(t, 5.0), 0.4, rng)
    sweep = 0.7 + 0.3 * wobble(t, 0.35, rng)
    sound = shade(sound, (0.35 + 0.65 * velocity) * sweep * rise(t, 0.25))
    return release(sound * rise(t, 0.1), duration, 0.3, sample_rate)


SYNTHS = (
    Instrument("square_lead", "synth", 36, 100, ("retro", "chippy"), square_lead, 0.102),
    Instrument("saw_lead", "synth", 36, 96, ("buzzing", "bold"), saw_lead, 0.0741),
    Instrument("pad", "synth", 36, 90, ("dreamy", "floating"), pad, 0.0886),
)
