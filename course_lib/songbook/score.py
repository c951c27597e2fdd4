"""A work as notes: what `data/scores` holds. Taught in notebook 00."""

from dataclasses import dataclass

TICKS = 24  # per quarter note: divides thirty-seconds (3) and triplets of eighths (8)


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a score: onset and duration in ticks, pitch as a MIDI number (60 is middle C)."""

    onset: int
    duration: int
    pitch: int


@dataclass(frozen=True)
class Score:
    """One public-domain work.

    `tonic` is a pitch class (0 is C), `mode` one of "major", "minor", "dorian", "mixolydian", …,
    `metre` (beats, unit), `pickup` the ticks before the first bar line. `voices` has the soprano
    first: four voices in a chorale, one in a tune. `family` joins works that share a melody.
    """

    id: str
    title: str
    source: str
    family: int
    split: str
    tonic: int
    mode: str
    metre: tuple[int, int]
    pickup: int
    voices: tuple[tuple[Note, ...], ...]
