"""Drums from swept sines, metal and noise: an acoustic kit, brushes, a machine. Notebook 00.

After the analogue rhythm machines (Werner, Abel and Smith, DAFx 2014): skins are sines whose pitch
drops, cymbals are inharmonic sheaves of partials in filtered noise.
"""

from functools import lru_cache

import numpy as np

from .envelope import clock, fall, noise, release, rise
from .instrument import Instrument

TAKES = 4  # recordings of each hit to choose from, so that a roll is no machine gun

# General MIDI percussion numbers -> the drum each one is played on here.
KIT = {
    35: "kick",
    36: "kick",
    37: "rim",
    38: "snare",
    39: "clap",
    40: "snare",
    41: "tom_low",
    42: "hat_closed",
    43: "tom_low",
    44: "hat_pedal",
    45: "tom_mid",
    46: "hat_open",
    47: "tom_mid",
    48: "tom_high",
    49: "crash",
    50: "tom_high",
    51: "ride",
    53: "ride_bell",
    54: "tambourine",
    56: "cowbell",
    57: "crash",
    59: "ride",
    69: "shaker",
    70: "shaker",
    75: "claves",
    76: "wood_block",
    77: "wood_block",
    82: "shaker",
}


def skin(t, low, high, drop, ring):
    """A sine whose pitch falls from `high` to `low` Hz in `drop` s and rings for `ring` s, [T]."""
    cycles = low * t + (high - low) * drop * (1.0 - np.exp(-t / drop))
    return np.sin((2.0 * np.pi) * cycles).astype(np.float32) * fall(t, ring)


def metal(t, base, sample_rate, rng, count=14):
    """A sheaf of inharmonic partials from `base` Hz up, float32 [T]."""
    f = base * np.geomspace(1.0, 5.5, count) * rng.uniform(0.95, 1.05, count)
    f = f[f < 0.45 * sample_rate]
    turns = f[:, None] * t + rng.random((len(f), 1))
    angle = (2.0 * np.pi * (turns - np.floor(turns))).astype(np.float32)
    return np.sin(angle).sum(axis=0) / np.float32(np.sqrt(max(len(f), 1)))


def _kick(v, sr, rng, machine):
    t = clock(0.9 if machine else 0.45, sr)
    if machine:
        sound = skin(t, 47.0, 190.0, 0.030, 0.22)
    else:
        sound = skin(t, 56.0, 150.0, 0.018, 0.085) + 0.25 * skin(t, 112.0, 170.0, 0.02, 0.03)
    click = noise(1500.0, 4500.0, len(t), sr, rng) * fall(t, 0.0035)
    sound += (0.08 + 0.18 * v) * click
    return 1.15 * sound * rise(t, 0.0007)


def _snare(v, sr, rng, machine):
    t = clock(0.45, sr)
    head = skin(t, 178.0, 240.0, 0.02, 0.055) + 0.6 * skin(t, 322.0, 390.0, 0.015, 0.04)
    wires = noise(1400.0, 6000.0, len(t), sr, rng)
    ring = 0.075 if machine else 0.095 + 0.03 * v
    sound = 0.75 * head + (0.30 + 0.12 * v) * wires * (0.75 * fall(t, ring) + 0.6 * fall(t, 0.012))
    return 0.9 * sound * rise(t, 0.0005)


def _brushed_snare(v, sr, rng, machine):
    t = clock(0.5, sr)
    swish = noise(1800.0, 5500.0, len(t), sr, rng).copy()
    swish *= rise(t, 0.012) * fall(t, 0.09) + 0.25 * fall(t, 0.02)
    return 0.42 * swish + 0.12 * skin(t, 190.0, 220.0, 0.02, 0.05) * rise(t, 0.002)


def _rim(v, sr, rng, machine):
    t = clock(0.12, sr)
    sound = skin(t, 430.0, 520.0, 0.004, 0.012) + 0.8 * skin(t, 1680.0, 1750.0, 0.004, 0.012)
    return 0.75 * (sound + 0.3 * noise(2000.0, 5000.0, len(t), sr, rng) * fall(t, 0.004))


def _clap(v, sr, rng, machine):
    t = clock(0.35, sr)
    hands = np.zeros(len(t), np.float32)
    for start in (0.0, 0.0095 + 0.001 * rng.random(), 0.0195 + 0.002 * rng.random()):
        n = round(start * sr)
        hands[n:] += fall(t[: len(t) - n], 0.0045)
    n = round(0.028 * sr)
    hands[n:] += 0.8 * fall(t[: len(t) - n], 0.075)
    return 0.55 * noise(1000.0, 2600.0, len(t), sr, rng) * hands


def _hat(v, sr, rng, machine, ring):
    t = clock(7.0 * ring, sr)
    top = 7000.0
    plate = metal(t, 3100.0 if machine else 3600.0, sr, rng, 9 if machine else 16)
    sizzle = noise(5500.0, top, len(t), sr, rng)
    mix = 0.20 * plate + 0.22 * sizzle if machine else 0.11 * plate + 0.26 * sizzle
    return mix * (fall(t, ring) + (0.3 + 0.5 * v) * fall(t, 0.006)) * rise(t, 0.0003)


def _hat_closed(v, sr, rng, machine):
    return _hat(v, sr, rng, machine, 0.028 + 0.012 * v)


def _hat_pedal(v, sr, rng, machine):
    return 0.7 * _hat(v, sr, rng, machine, 0.02)


def _hat_open(v, sr, rng, machine):
    return _hat(v, sr, rng, machine, 0.17)


def _crash(v, sr, rng, machine):
    t = clock(2.4, sr)
    wash = noise(2500.0, 7000.0, len(t), sr, rng) * (0.7 * fall(t, 0.5) + 0.5 * fall(t, 0.07))
    plate = metal(t, 900.0, sr, rng, 18) * fall(t, 0.6)
    return (0.34 * wash + 0.10 * plate) * rise(t, 0.001)


def _ride(v, sr, rng, machine):
    t = clock(1.6, sr)
    plate = metal(t, 1150.0, sr, rng, 14) * fall(t, 0.42)
    ping = skin(t, 2650.0, 2700.0, 0.01, 0.10) + 0.5 * skin(t, 3975.0, 4000.0, 0.01, 0.07)
    stick = noise(3500.0, 7000.0, len(t), sr, rng) * (fall(t, 0.012) + 0.14 * fall(t, 0.35))
    return (0.08 * plate + (0.06 + 0.08 * v) * ping + 0.26 * stick) * rise(t, 0.0004)


def _ride_bell(v, sr, rng, machine):
    t = clock(1.2, sr)
    bell = skin(t, 1520.0, 1530.0, 0.01, 0.25) + 0.7 * skin(t, 3320.0, 3330.0, 0.01, 0.16)
    return (0.17 * bell + 0.05 * metal(t, 1700.0, sr, rng, 10) * fall(t, 0.2)) * rise(t, 0.0005)


def _tom(low, v, sr, rng, machine):
    t = clock(0.7, sr)
    sound = skin(t, low, 1.6 * low, 0.04, 0.14) + 0.3 * skin(t, 1.59 * low, 2.2 * low, 0.03, 0.06)
    sound += (0.08 + 0.12 * v) * noise(500.0, 3000.0, len(t), sr, rng) * fall(t, 0.012)
    return 0.85 * sound * rise(t, 0.0007)


def _tom_low(v, sr, rng, machine):
    return _tom(82.0, v, sr, rng, machine)


def _tom_mid(v, sr, rng, machine):
    return _tom(118.0, v, sr, rng, machine)


def _tom_high(v, sr, rng, machine):
    return _tom(165.0, v, sr, rng, machine)


def _shaker(v, sr, rng, machine):
    t = clock(0.16, sr)
    return 0.30 * noise(4200.0, 7000.0, len(t), sr, rng) * rise(t, 0.009) * fall(t, 0.026)


def _tambourine(v, sr, rng, machine):
    t = clock(0.35, sr)
    jingle = metal(t, 3800.0, sr, rng, 12) * 0.5 + noise(5000.0, 7500.0, len(t), sr, rng)
    return 0.26 * jingle * (fall(t, 0.05) + 0.5 * fall(t, 0.006)) * rise(t, 0.001)


def _cowbell(v, sr, rng, machine):
    t = clock(0.4, sr)
    body = sum(skin(t, f, f, 0.01, 0.07) for f in (562.0, 845.0, 1686.0))
    return 0.3 * body * (0.5 + 0.5 * fall(t, 0.012)) * rise(t, 0.0004)


def _claves(v, sr, rng, machine):
    t = clock(0.15, sr)
    return 0.5 * skin(t, 2480.0, 2500.0, 0.01, 0.02) * rise(t, 0.0004)


def _wood_block(v, sr, rng, machine):
    t = clock(0.15, sr)
    return 0.6 * (skin(t, 840.0, 870.0, 0.01, 0.022) + 0.4 * skin(t, 2050.0, 2060.0, 0.01, 0.01))


HITS = {name: globals()[f"_{name}"] for name in sorted(set(KIT.values()))}
BRUSHED = HITS | {"snare": _brushed_snare}


@lru_cache(maxsize=512)
def _hit(kit: str, drum: str, strength: int, take: int, sample_rate: int) -> np.ndarray:
    rng = np.random.default_rng((sum(map(ord, kit + drum)), strength, take))
    hits = BRUSHED if kit == "brush" else HITS
    sound = hits[drum](strength / 8.0, sample_rate, rng, kit == "machine")
    sound = release(sound.astype(np.float32), 0.8 * len(sound) / sample_rate, 1.0, sample_rate)
    sound.setflags(write=False)
    return sound


def _play(kit, pitch, velocity, duration, sample_rate, rng):
    drum = KIT.get(int(pitch)) if pitch == int(pitch) else None
    if drum is None:
        raise ValueError(
            f"No drum has the number {pitch:g}: the General MIDI percussion numbers played here "
            f"are {', '.join(map(str, KIT))}."
        )
    return _hit(kit, drum, round(8.0 * velocity), int(rng.integers(TAKES)), sample_rate)


def drum_kit(pitch, velocity, duration, sample_rate, rng):
    return _play("acoustic", pitch, velocity, duration, sample_rate, rng)


def brush_kit(pitch, velocity, duration, sample_rate, rng):
    return _play("brush", pitch, velocity, duration, sample_rate, rng)


def drum_machine(pitch, velocity, duration, sample_rate, rng):
    return _play("machine", pitch, velocity, duration, sample_rate, rng)


DRUMS = (
    Instrument("drum_kit", "drums", 35, 82, ("steady", "live"), drum_kit, 0.375),
    Instrument("brush_kit", "drums", 35, 82, ("soft", "brushed"), brush_kit, 0.402),
    Instrument("drum_machine", "drums", 35, 82, ("electronic", "punchy"), drum_machine, 0.316),
)
