"""Chords of a work: heard in the voices of a chorale, found by a rule for a tune.

The rule. Time is cut at the beats of a chorale and at the places where a tune may change its chord
(half bars in 4/4, 2/2, 6/8 and 12/8, else bars). Each piece of time is compared with each chord:
notes of the chord count for it, others against it, by their length and more at its beginning. The
path through the chords with the highest sum, less what its changes cost, is found by dynamic
programming (Viterbi 1967), as in Temperley, The Cognition of Basic Musical Structures (2001),
chapter 6. Taught in notebook 00.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from course_lib.songbook.families import beat
from course_lib.songbook.score import TICKS, Note, Score

TONES = {"maj": (0, 4, 7), "min": (0, 3, 7), "dim": (0, 3, 6), "7": (0, 4, 7, 10)}
# The triads of each mode: (semitones above the tonic, quality, what choosing it costs). What tunes
# and textbooks use most costs least; minor has the major dominant of its leading note.
DEGREES = {
    "major": (
        (0, "maj", 0.0),
        (7, "maj", 0.05),
        (5, "maj", 0.05),
        (2, "min", 0.2),
        (9, "min", 0.2),
        (4, "min", 0.4),
    ),
    "mixolydian": (
        (0, "maj", 0.0),
        (10, "maj", 0.05),
        (5, "maj", 0.1),
        (7, "min", 0.25),
        (2, "min", 0.25),
        (9, "min", 0.3),
    ),
    "lydian": (
        (0, "maj", 0.0),
        (7, "maj", 0.05),
        (2, "maj", 0.1),
        (9, "min", 0.2),
        (4, "min", 0.3),
    ),
    "minor": (
        (0, "min", 0.0),
        (7, "maj", 0.1),
        (5, "min", 0.1),
        (10, "maj", 0.15),
        (8, "maj", 0.2),
        (3, "maj", 0.2),
        (7, "min", 0.2),
    ),
    "dorian": (
        (0, "min", 0.0),
        (10, "maj", 0.05),
        (5, "maj", 0.1),
        (7, "min", 0.2),
        (3, "maj", 0.25),
        (2, "min", 0.35),
    ),
    "phrygian": (
        (0, "min", 0.0),
        (1, "maj", 0.05),
        (10, "min", 0.1),
        (5, "min", 0.2),
        (3, "maj", 0.2),
        (8, "maj", 0.2),
    ),
    "locrian": ((0, "dim", 0.0), (1, "maj", 0.1), (6, "maj", 0.2), (5, "min", 0.2)),
}
CHANGE = 0.12  # cost of another chord on a bar line; twice that inside a bar
UNUSUAL = 0.08  # more, where the root moves neither by a fourth or fifth nor by a step
FOREIGN = 0.7  # what a note outside the chord counts against it
FIRST = 1.5  # weight of what sounds as a piece of time begins


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: onset and duration in ticks, root as a pitch class (0 is C), quality of TONES."""

    onset: int
    duration: int
    root: int
    quality: str


def chords(score: Score) -> tuple[Chord, ...]:
    """The chords of a score without gaps from tick 0 to its end, neighbours always different.

    A score of several voices is heard on every beat, with any major, minor, diminished or dominant
    seventh chord. A melody takes the triads of its mode and ends on the tonic unless its last note
    is foreign to it. Raises ValueError for a score without notes or of an unknown mode. Taught in
    notebook 00.
    """
    if not score.voices or not all(score.voices):
        raise ValueError(
            f"The score {score.id!r} has a voice without notes: no chord can be heard."
        )
    if score.mode not in DEGREES:
        raise ValueError(f"Unknown mode {score.mode!r}: expected one of {', '.join(DEGREES)}.")
    starts = _starts(score)
    if len(score.voices) > 1:
        labels = [(root, quality) for root in range(12) for quality in TONES]
        costs = [{"maj": 0.0, "min": 0.0, "dim": 0.15, "7": 0.1}[quality] for _, quality in labels]
    else:
        degrees = DEGREES[score.mode]
        labels = [((score.tonic + above) % 12, quality) for above, quality, _ in degrees]
        costs = [cost for *_, cost in degrees]
    values = [_values(score, a, b, labels, costs) for a, b in zip(starts, starts[1:], strict=False)]
    if len(score.voices) == 1:
        root, quality = labels[0]
        if (score.voices[0][-1].pitch - root) % 12 in TONES[quality]:
            values[-1] = [value if i == 0 else -1e9 for i, value in enumerate(values[-1])]
    path = _best_path(values, labels, _change_costs(score, starts))
    merged: list[Chord] = []
    for i, state in enumerate(path):
        onset, duration = starts[i], starts[i + 1] - starts[i]
        if merged and (merged[-1].root, merged[-1].quality) == labels[state]:
            onset, duration = merged[-1].onset, merged[-1].duration + duration
            merged.pop()
        merged.append(Chord(onset, duration, *labels[state]))
    return tuple(merged)


def bar_ticks(metre: tuple[int, int]) -> int:
    """Ticks of a bar."""
    return TICKS * 4 * metre[0] // metre[1]


def _starts(score: Score) -> list[int]:
    """The ticks at which a chord may begin, and the end of the score."""
    bar = bar_ticks(score.metre)
    step = beat(score.metre)
    if len(score.voices) == 1:
        step = bar // 2 if score.metre in {(4, 4), (2, 2), (6, 8), (12, 8)} else bar
    end = max(voice[-1].onset + voice[-1].duration for voice in score.voices)
    first = score.pickup % step
    return [0, *range(first or step, end, step), end]


def _values(
    score: Score, start: int, end: int, labels: list[tuple[int, str]], costs: list[float]
) -> list[float]:
    """How well each chord suits the notes from `start` to `end`: 1 if all belong to it."""
    weights = [0.0] * 12
    bass = None
    for voice in score.voices:
        for note in _between(voice, start, end):
            length = min(end, note.onset + note.duration) - max(start, note.onset)
            begins = note.onset <= start
            weights[note.pitch % 12] += length * (FIRST if begins else 1.0)
            if begins and voice is score.voices[-1] and len(score.voices) > 1:
                bass = note.pitch % 12
    total = sum(weights)
    if not total:
        return [-cost for cost in costs]
    values = []
    for (root, quality), cost in zip(labels, costs, strict=True):
        inside = [weights[(root + tone) % 12] for tone in TONES[quality]]
        value = (sum(inside) - FOREIGN * (total - sum(inside))) / total
        value += 0.1 * (inside[0] > 0) + 0.1 * (inside[1] > 0)  # root and third tell most
        value += 0.1 * (bass == root)
        values.append(value - cost)
    return values


def _between(voice: tuple[Note, ...], start: int, end: int) -> tuple[Note, ...]:
    """The notes that sound between two ticks; the notes of a voice do not overlap."""
    low = bisect_right(voice, start, key=lambda note: note.onset + note.duration)
    return voice[low : bisect_left(voice, end, key=lambda note: note.onset)]


def _change_costs(score: Score, starts: list[int]) -> list[float]:
    """What a change at each start costs."""
    if len(score.voices) > 1:
        return [CHANGE / 2] * len(starts)  # a chorale changes with every beat
    bar = bar_ticks(score.metre)
    return [CHANGE if (tick - score.pickup) % bar == 0 else 2 * CHANGE for tick in starts]


def _best_path(
    values: list[list[float]], labels: list[tuple[int, str]], changes: list[float]
) -> list[int]:
    """The states with the largest sum of values less the costs of their changes."""
    roots = np.array([root for root, _ in labels])
    moves = (roots[None, :] - roots[:, None]) % 12
    extra = UNUSUAL * np.isin(moves, (3, 4, 6, 8, 9))  # [from, to]
    change = 1.0 - np.eye(len(labels))
    best, back = np.array(values[0]), []
    for value, cost in zip(values[1:], changes[1:], strict=False):
        reached = best[:, None] - (cost + extra) * change
        back.append(reached.argmax(0))
        best = reached.max(0) + value
    path = [int(best.argmax())]
    for came in reversed(back):
        path.append(int(came[path[-1]]))
    return path[::-1]
