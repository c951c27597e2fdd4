"""What the band is asked to play, and who can play it. Taught in notebook 00."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

# A note alone: (pitch, velocity, duration in seconds, sample rate, generator) -> float32 [T].
Play = Callable[[float, float, float, int, np.random.Generator], np.ndarray]


@dataclass(frozen=True, slots=True)
class Event:
    """A note to play: onset and duration in seconds, pitch as a MIDI number, velocity 0 to 1.

    A pitch may lie between two keys (69.5 is a quarter tone above A4); the drum kits take General
    MIDI percussion numbers.
    """

    onset: float
    duration: float
    pitch: float
    velocity: float


@dataclass(frozen=True)
class Instrument:
    """A member of the band: its range in MIDI numbers and the words a caption may use for it."""

    name: str
    family: str
    lowest: int
    highest: int
    words: tuple[str, ...]
    play: Play = field(repr=False)
    level: float = field(default=1.0, repr=False)  # evens out the loudness between instruments
