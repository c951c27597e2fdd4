"""A tune as codes, two a note: how high above the tonic, and how long. Taught in notebook 03b.

Frame 0 names mode and metre, each later frame is a note or a rest, the last one says that the tune
is over; what follows is "nothing here", the code that a language model never predicts. A tune that
begins before its first bar line begins with the rests that fill that bar.
"""

from typing import TYPE_CHECKING

from course_lib.songbook.score import Note, Score
from course_lib.songbook.timing import bar_ticks

if TYPE_CHECKING:
    import torch

ENTRIES = 64
NOTHING = ENTRIES
END = ENTRIES - 1
LOWEST = 40  # above the tonic's pitch class: code 1 is pitch 41 in C
HEADS = 48  # the first code of the modes and of the metres
LENGTHS = (3, 4, 6, 8, 9, 12, 18, 24, 30, 36, 42, 48, 60, 72, 96, 120)  # ticks
MODES = ("major", "minor", "dorian", "mixolydian", "phrygian")
METRES = ((2, 2), (2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (12, 8))


def head(mode: str, metre: tuple[int, int]) -> tuple[int, int]:
    """Frame 0 of a tune. Raises ValueError for a mode or metre that has no code."""
    if mode not in MODES or tuple(metre) not in METRES:
        raise ValueError(f"No code for {mode} in {metre}: choose from {MODES} and {METRES}.")
    return HEADS + MODES.index(mode), HEADS + METRES.index(tuple(metre))


def encode(score: Score, frames: int) -> "torch.Tensor":
    """The first voice of a score as codes int64 [2, frames], from a bar line on.

    Pitches count from the tonic, so that a tune has the same codes in every key. Raises ValueError
    where a length, pitch, mode or metre has no code.
    """
    import torch

    rows = [head(score.mode, score.metre)]
    now = score.pickup - bar_ticks(score.metre) if score.pickup else 0
    for note in score.voices[0]:
        rows += [(0, _length(part)) for part in _rests(note.onset - now)]
        height = note.pitch - score.tonic - LOWEST
        if not 1 <= height < HEADS:
            raise ValueError(f"{note} lies outside the {HEADS - 1} pitches that have codes.")
        rows.append((height, _length(note.duration)))
        now = note.onset + note.duration
    rows.append((END, END))
    rows = rows[:frames] + [(NOTHING, NOTHING)] * (frames - len(rows))
    return torch.tensor(rows).T.contiguous()  # [2, frames]


def decode(codes: "torch.Tensor", tonic: int = 2, title: str = "") -> Score:
    """The tune of codes int64 [2, F], up to its end, in the key of `tonic`.

    Codes that are neither note nor rest, which only a model makes, are passed over. Raises
    ValueError for another shape, for codes without a head, and for a tune without notes.
    """
    if codes.ndim != 2 or codes.shape[0] != 2 or codes.shape[1] < 2:
        raise ValueError(
            f"The codes have shape {list(codes.shape)}; expected [2, F], F at least 2."
        )
    (mode, metre), *rows = codes.T.tolist()
    if not (0 <= mode - HEADS < len(MODES) and 0 <= metre - HEADS < len(METRES)):
        raise ValueError(
            f"Frame 0 is {(mode, metre)}: it must name mode and metre, as `head` does."
        )
    notes, now = [], 0
    for height, length in rows:
        if height >= END or length >= END:
            break
        if height >= HEADS or length >= len(LENGTHS):
            continue
        if height > 0:
            notes.append(Note(now, LENGTHS[length], height + LOWEST + tonic))
        now += LENGTHS[length]
    if not notes:
        raise ValueError("There is no note in these codes: draw others.")
    mode, metre = MODES[mode - HEADS], METRES[metre - HEADS]
    bar, first = bar_ticks(metre), notes[0].onset
    pickup = -first % bar
    moved = tuple(Note(n.onset - first, n.duration, n.pitch) for n in notes)
    return Score("codes", title, "codes", -1, "", tonic, mode, metre, pickup, (moved,))


def _rests(gap: int) -> list[int]:
    """A silence as lengths that have codes, the longest first, if there are such."""
    parts = []
    while gap > 0:
        parts.append(max((t for t in LENGTHS if t <= gap), default=gap))
        gap -= parts[-1]
    return parts


def _length(ticks: int) -> int:
    if ticks not in LENGTHS:
        raise ValueError(f"A length of {ticks} ticks has no code; there are {LENGTHS}.")
    return LENGTHS.index(ticks)
