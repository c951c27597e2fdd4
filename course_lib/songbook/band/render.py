"""From events to the sound of one instrument. Taught in notebook 00."""

import math
from collections.abc import Iterable
from numbers import Integral
from zlib import crc32

import numpy as np

from .basses import BASSES
from .bowed import BOWED
from .drums import DRUMS
from .frequency_modulation import MODULATED
from .instrument import Event, Instrument
from .strings_plucked import PLUCKED
from .synths import SYNTHS
from .winds import SUSTAINED

RENDER_VERSION = 2  # raise it whenever any sample changes: caches of rendered clips depend on it

INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (*PLUCKED, *MODULATED, *SUSTAINED, *BOWED, *SYNTHS, *BASSES, *DRUMS)
}
FADE = 0.005  # seconds, at the end of a clip


def samples(seconds: float, sample_rate: int) -> int:
    """The number of samples in `seconds`; ValueError where either is not usable."""
    if not isinstance(sample_rate, Integral) or not 8000 <= sample_rate <= 192000:
        raise ValueError(
            f"The sample rate is {sample_rate!r}: give a whole number of hertz from 8000 to 192000."
        )
    if not math.isfinite(seconds) or round(seconds * sample_rate) < 1:
        raise ValueError(f"The clip is to last {seconds!r} s: give a length above 0.")
    return round(seconds * sample_rate)


def fade_out(x: np.ndarray, sample_rate: int) -> np.ndarray:
    """Bring the last 5 ms of `x` [..., T] to zero, in place."""
    fade = min(x.shape[-1], round(FADE * sample_rate))
    x[..., x.shape[-1] - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return x


def _check(event: Event, instrument: Instrument) -> None:
    if not (math.isfinite(event.onset) and event.onset >= 0.0):
        raise ValueError(f"{event} starts before the clip: its onset must be 0 or later.")
    if not (math.isfinite(event.duration) and event.duration > 0.0):
        raise ValueError(f"{event} has no length: its duration must be above 0 seconds.")
    if not 0.0 <= event.velocity <= 1.0:
        raise ValueError(f"{event} has velocity {event.velocity!r}: it must lie from 0 to 1.")
    if not instrument.lowest <= event.pitch <= instrument.highest:
        raise ValueError(
            f"{event} is out of the range of the {instrument.name}: its MIDI numbers go from "
            f"{instrument.lowest} to {instrument.highest}."
        )


def render(
    instrument: str, events: Iterable[Event], seconds: float, sample_rate: int, seed: int
) -> np.ndarray:
    """The dry sound of one instrument, mono, float32 [T] with T = round(seconds * sample_rate).

    A note's chances (breath, start of the vibrato, strength within half a decibel) follow from
    (seed, onset, pitch) alone, so an added event leaves the others as they are. No events are
    silence; what would sound after `seconds` is cut with a fade of 5 ms. Raises ValueError for an
    unknown instrument, a pitch out of its range, an impossible time, velocity or sample rate.
    Taught in notebook 00.
    """
    if instrument not in INSTRUMENTS:
        raise ValueError(f"The band has no {instrument!r}: choose one of {', '.join(INSTRUMENTS)}.")
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"The seed is {seed!r}: give a whole number from 0 up.")
    player = INSTRUMENTS[instrument]
    length = samples(seconds, sample_rate)
    name = crc32(instrument.encode())
    out = np.zeros(length, np.float32)
    for event in events:
        _check(event, player)
        start = round(event.onset * sample_rate)
        if start >= length or event.velocity == 0.0:
            continue
        chance = (seed, name, round(event.onset * 1e6), round(event.pitch * 100.0))
        rng = np.random.default_rng(chance)
        gain = player.level * event.velocity**1.4 * 10.0 ** (rng.uniform(-0.025, 0.025))
        note = player.play(event.pitch, event.velocity, event.duration, sample_rate, rng)
        end = min(length, start + len(note))
        out[start:end] += np.float32(gain) * note[: end - start]
    return fade_out(out, sample_rate)
