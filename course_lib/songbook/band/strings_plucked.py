"""Plucked and struck strings: guitar, harp, harpsichord, banjo, piano. Taught in notebook 00."""

import numpy as np

from .envelope import clock, fall, noise, release
from .instrument import Instrument
from .karplus_strong import String, pluck, ringing

GUITAR = String(
    ring=4.6,
    damping=0.6,
    position=0.18,
    soft=900.0,
    hard=4200.0,
    body=((105.0, 6.0, 1.2), (210.0, 8.0, 1.0), (420.0, 5.0, 0.5)),
)
HARP = String(
    ring=5.5, damping=0.6, position=0.5, soft=700.0, hard=2200.0, body=((180.0, 3.0, 0.6),)
)
HARPSICHORD = String(
    ring=3.6,
    damping=0.12,
    position=0.11,
    soft=6500.0,
    hard=8000.0,
    unison=2.0,
    body=((350.0, 3.0, 0.5), (1800.0, 1.5, 1.0)),
)
BANJO = String(
    ring=2.0,
    damping=0.25,
    position=0.12,
    soft=3000.0,
    hard=7000.0,
    body=((320.0, 5.0, 1.5), (780.0, 4.0, 2.0), (1600.0, 3.0, 1.0)),
)
PIANO = String(
    ring=8.0,
    damping=0.3,
    position=0.125,
    soft=500.0,
    hard=3000.0,
    stiffness=3.5e-4,
    unison=1.0,
    body=((120.0, 2.0, 0.5), (300.0, 1.5, 0.4)),
)


def play_string(
    string: String,
    pitch: float,
    velocity: float,
    duration: float,
    sample_rate: int,
    rng: np.random.Generator,
    *,
    damper: float,
    pick: float = 0.0,
    pick_low: float = 1500.0,
    pick_high: float = 4000.0,
) -> np.ndarray:
    """A string let go or damped after `duration`, with the short noise of what touched it, [T]."""
    seconds = min(duration + 6.0 * damper, 6.0)
    ring = pluck(string, pitch, round(8.0 * velocity), ringing(seconds), sample_rate)
    sound = ring[: max(1, round(seconds * sample_rate))].copy()
    release(sound, min(duration, seconds - min(6.0 * damper, 1.0)), damper, sample_rate)
    if pick:
        n = min(len(sound), round(0.05 * sample_rate))
        burst = noise(pick_low, pick_high, n, sample_rate, rng)
        sound[:n] += pick * (0.3 + velocity) * burst * fall(clock(0.05, sample_rate)[:n], 0.006)
    return sound


def guitar(pitch, velocity, duration, sample_rate, rng):
    return play_string(GUITAR, pitch, velocity, duration, sample_rate, rng, damper=0.09, pick=0.35)


def harp(pitch, velocity, duration, sample_rate, rng):
    return play_string(
        HARP,
        pitch,
        velocity,
        duration,
        sample_rate,
        rng,
        damper=0.9,
        pick=0.1,
        pick_low=300.0,
        pick_high=1200.0,
    )


def harpsichord(pitch, velocity, duration, sample_rate, rng):
    return play_string(
        HARPSICHORD,
        pitch,
        velocity,
        duration,
        sample_rate,
        rng,
        damper=0.05,
        pick=0.5,
        pick_low=2000.0,
        pick_high=6000.0,
    )


def banjo(pitch, velocity, duration, sample_rate, rng):
    return play_string(
        BANJO,
        pitch,
        velocity,
        duration,
        sample_rate,
        rng,
        damper=0.08,
        pick=0.6,
        pick_low=1200.0,
        pick_high=5000.0,
    )


def piano(pitch, velocity, duration, sample_rate, rng):
    return play_string(
        PIANO,
        pitch,
        velocity,
        duration,
        sample_rate,
        rng,
        damper=0.09,
        pick=0.35,
        pick_low=150.0,
        pick_high=900.0,
    )


PLUCKED = (
    Instrument("piano", "keys", 28, 100, ("warm", "clear"), piano, 0.0904),
    Instrument("guitar", "plucked strings", 40, 88, ("woody", "intimate"), guitar, 0.0988),
    Instrument("harp", "plucked strings", 36, 96, ("soft", "shimmering"), harp, 0.0983),
    Instrument("harpsichord", "plucked strings", 36, 88, ("bright", "crisp"), harpsichord, 0.0907),
    Instrument("banjo", "plucked strings", 48, 88, ("twangy", "lively"), banjo, 0.0992),
)
