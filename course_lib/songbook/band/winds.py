"""Organ, flute, reeds and voices: tones that breath or bellows keep alive. Notebook 00."""

import numpy as np

from .envelope import clock, fall, hertz, noise, release, rise, wobble
from .instrument import Instrument
from .wavetable import detune, ensemble, formants, read, shade, vibrato, wavetable


def organ_spectrum(h, f):
    principal = np.zeros(len(h))
    for foot, gain in ((1, 1.0), (2, 0.8), (3, 0.35), (4, 0.5), (6, 0.2), (8, 0.3)):
        for k, fade in ((1, 1.0), (2, 0.3), (3, 0.12), (4, 0.05)):
            principal[foot * k - 1] += gain * fade / (1.0 + (foot * f / 4000.0) ** 2)
    return principal * (h < 3), principal


def flute_spectrum(h, f):
    dark = np.exp(-1.9 * (h - 1.0))
    return dark, dark + 0.3 * (h == 2) + 0.16 * (h == 3) + 0.08 * (h == 4) + 0.03 * (h == 5)


def clarinet_spectrum(h, f):
    odd = h % 2 == 1
    even = np.clip(h * f / 2500.0, 0.02, 1.0)  # the even partials come back towards the treble
    shape = formants(h * f, ((1500.0, 0.6, 0.6),)) * np.where(odd, 1.0, 0.5 * even)
    return shape / h**2.2, shape / h**0.95 / (1.0 + (h * f / 2800.0) ** 4)


def reed_spectrum(h, f):
    shape = formants(h * f, ((700.0, 0.5, 0.8), (1900.0, 0.5, 1.6), (3300.0, 0.4, 1.0)))
    return shape / h**1.5, shape / h**0.8


def choir_spectrum(h, f):
    shape = formants(h * f, ((650.0, 0.28, 6.0), (1080.0, 0.2, 5.0), (2700.0, 0.2, 4.0)))
    return shape / h**2.2, shape / h**1.6


def organ(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.12, sample_rate)
    table = wavetable(organ_spectrum, f, sample_rate)
    sound = shade(read(table, f * t + rng.random()), np.float32(0.55 + 0.45 * velocity))
    sound *= rise(t, 0.006) * (1.0 + 0.10 * wobble(t, 5.6, rng))  # the tremulant
    n = min(len(t), round(0.05 * sample_rate))
    octave = 2.0 ** round(np.log2(f))
    sound[:n] += 0.2 * noise(2.0 * octave, 6.0 * octave, n, sample_rate, rng) * fall(t[:n], 0.01)
    return release(sound, duration, 0.03, sample_rate)


def flute(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.12, sample_rate)
    turn = rng.uniform(0.0, 6.28)
    moved = t + vibrato(t, 5.0 + 0.3 * rng.random(), 7.0, 0.4, sample_rate, turn)
    table = wavetable(flute_spectrum, f, sample_rate)
    level = rise(t, 0.022)
    throb = np.sin((2.0 * np.pi * 5.1) * t + turn).astype(np.float32) * rise(t, 0.4)
    bright = (0.2 + 0.6 * velocity) * level * (1.0 + 0.2 * throb)
    sound = shade(read(table, f * moved + rng.random()), bright) * level * (1.0 + 0.1 * throb)
    air = noise(1200.0, 3500.0, len(t), sample_rate, rng) * level
    sound += (0.045 + 0.035 * velocity) * air * (1.0 + 2.5 * fall(t, 0.04))
    return release(sound, duration, 0.035, sample_rate)


def clarinet(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.1, sample_rate)
    table = wavetable(clarinet_spectrum, f, sample_rate)
    level = rise(t, 0.016)
    bright = (0.4 + 0.6 * velocity) * level * (0.8 + 0.2 * fall(t, 0.15))
    sound = shade(read(table, f * t + rng.random()), bright) * level
    sound += 0.012 * noise(1500.0, 4000.0, len(t), sample_rate, rng) * level
    return release(sound, duration, 0.03, sample_rate)


def accordion(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.1, sample_rate)
    table = wavetable(reed_spectrum, f, sample_rate)
    # The reeds of a musette are tuned to beat at the same speed on every key.
    sound = ensemble(table, f, t, t * (2.2 / f), 0.4, rng)
    sound = shade(sound, np.float32(0.3 + 0.6 * velocity)) * rise(t, 0.018)
    return release(sound, duration, 0.03, sample_rate)


def choir(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.3, sample_rate)
    table = wavetable(choir_spectrum, f, sample_rate)
    moved = t + vibrato(t, rng.uniform(4.8, 5.4), 9.0, 0.3, sample_rate, rng.uniform(0.0, 6.28))
    shake = vibrato(t, rng.uniform(3.5, 4.5), 8.0, 0.2, sample_rate, rng.uniform(0.0, 6.28))
    sound = ensemble(table, f, moved, detune(t, 7.0) + shake, 0.45, rng)
    sound = shade(sound, np.float32(0.2 + 0.7 * velocity))
    sound += 0.05 * noise(900.0, 3500.0, len(t), sample_rate, rng)
    return release(sound * rise(t, 0.045), duration, 0.09, sample_rate)


SUSTAINED = (
    Instrument("organ", "organ", 36, 96, ("full", "solemn"), organ, 0.0784),
    Instrument("flute", "woodwind", 59, 96, ("airy", "gentle"), flute, 0.0805),
    Instrument("clarinet", "woodwind", 50, 91, ("smooth", "woody"), clarinet, 0.0837),
    Instrument("accordion", "reeds", 41, 93, ("reedy", "nostalgic"), accordion, 0.0697),
    Instrument("choir", "voice", 43, 84, ("hushed", "human"), choir, 0.0745),
)
