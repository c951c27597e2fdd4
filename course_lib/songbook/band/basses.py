"""Basses: upright, electric and synth. Taught in notebook 00."""

from .envelope import clock, fall, hertz, release, rise
from .instrument import Instrument
from .karplus_strong import String
from .strings_plucked import play_string
from .wavetable import read, shade, wavetable

UPRIGHT = String(
    ring=2.2,
    damping=4.0,
    position=0.3,
    soft=350.0,
    hard=1400.0,
    body=((70.0, 3.0, 0.8), (110.0, 4.0, 0.8), (240.0, 3.0, 0.5)),
)
ELECTRIC = String(ring=5.0, damping=1.2, position=0.2, soft=700.0, hard=3000.0)


def synth_bass_spectrum(h, f):
    dark = 1.0 / h / (1.0 + (h * f / 160.0) ** 4) + 0.8 * (h == 1)
    return dark, h**-0.8 / (1.0 + (h * f / 1800.0) ** 4)


def upright_bass(pitch, velocity, duration, sample_rate, rng):
    return play_string(
        UPRIGHT,
        pitch,
        velocity,
        duration,
        sample_rate,
        rng,
        damper=0.07,
        pick=0.35,
        pick_low=200.0,
        pick_high=900.0,
    )


def electric_bass(pitch, velocity, duration, sample_rate, rng):
    return play_string(
        ELECTRIC,
        pitch,
        velocity,
        duration,
        sample_rate,
        rng,
        damper=0.04,
        pick=0.2,
        pick_low=800.0,
        pick_high=2500.0,
    )


def synth_bass(pitch, velocity, duration, sample_rate, rng):
    f = hertz(pitch)
    t = clock(duration + 0.12, sample_rate)
    table = wavetable(synth_bass_spectrum, f, sample_rate)
    bright = (0.3 + 0.7 * velocity) * fall(t, 0.18, 0.25)
    sound = shade(read(table, f * t), bright) * rise(t, 0.002) * (0.7 + 0.3 * fall(t, 0.1))
    return release(sound, duration, 0.03, sample_rate)


BASSES = (
    Instrument("upright_bass", "bass", 28, 60, ("woody", "walking"), upright_bass, 0.117),
    Instrument("electric_bass", "bass", 28, 64, ("round", "driving"), electric_bass, 0.106),
    Instrument("synth_bass", "bass", 24, 64, ("fat", "punchy"), synth_bass, 0.131),
)
