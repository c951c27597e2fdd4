"""Which works share a melody: the rule that keeps the splits apart. Taught in notebook 00.

Two works belong to one family if their melodies share

- 16 intervals in a row (17 notes, whatever their rhythm), or
- 12 intervals in a row between the notes that sound on successive beats (so that ornaments and
  passing notes between the beats do not hide a variant),

with at least 4 different intervals among them, or if they bear the same title. Intervals do not
change under transposition. Shorter stretches chain: with 14 intervals instead of 16, scales and
arpeggios that belong to nobody join 257 works into one family; with 16, and the beats, families
stay below 30 works, and nine in ten pairs of chorales with one title are found by melody alone.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence

from course_lib.songbook.score import TICKS, Score

NOTES_SHARED = 16
BEATS_SHARED = 12
DIFFERENT = 4
SALT = 7  # of 0 to 299, the one whose splits hold collections, metres and modes most evenly


def beat(metre: tuple[int, int]) -> int:
    """Ticks of a beat: a dotted quarter in compound metres, else a quarter, in 2/2 too."""
    return TICKS * 3 // 2 if metre[1] == 8 else TICKS


def intervals(score: Score) -> list[int]:
    """Semitones from each note of the melody to the next."""
    pitches = [note.pitch for note in score.voices[0]]
    return [b - a for a, b in zip(pitches, pitches[1:], strict=False)]


def beat_intervals(score: Score) -> list[int]:
    """Semitones between the notes that sound, or sounded last, on successive beats."""
    melody = score.voices[0]
    onsets = [note.onset for note in melody]
    end = melody[-1].onset + melody[-1].duration
    beats = range(max(score.pickup, onsets[0]), end, beat(score.metre))
    pitches = [melody[bisect_right(onsets, tick) - 1].pitch for tick in beats]
    return [b - a for a, b in zip(pitches, pitches[1:], strict=False)]


def fingerprints(score: Score) -> frozenset[tuple]:
    """The stretches of melody by which a work is recognised: one in common makes a family."""
    marks = {("notes", *gram) for gram in _grams(intervals(score), NOTES_SHARED)}
    marks |= {("beats", *gram) for gram in _grams(beat_intervals(score), BEATS_SHARED)}
    return frozenset(marks)


def _grams(steps: Sequence[int], n: int) -> set[tuple[int, ...]]:
    grams = {tuple(steps[i : i + n]) for i in range(len(steps) - n + 1)}
    return {gram for gram in grams if len(set(gram)) >= DIFFERENT}


def families(scores: Sequence[Score]) -> list[int]:
    """The family of each score, numbered from 0 in the order of their first members."""
    parent = list(range(len(scores)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[tuple, int] = {}
    for i, score in enumerate(scores):
        title = "".join(filter(str.isalnum, score.title.lower()))
        for mark in [*fingerprints(score), ("title", title)]:
            parent[find(i)] = find(first.setdefault(mark, i))
    numbers: dict[int, int] = {}
    return [numbers.setdefault(find(i), len(numbers)) for i in range(len(scores))]


def split_of(member: str) -> str:
    """The split of the family whose first member has this id: 80, 10 and 10 in 100, by hash.

    A hash, not a draw, so that works added later leave the others where they are.
    """
    digest = hashlib.sha256(f"{SALT}:{member}".encode()).digest()
    return {0: "validation", 1: "test"}.get(int.from_bytes(digest[:4], "big") % 10, "train")
