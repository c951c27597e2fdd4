"""Scores written by hand for the tests of arrangements."""

from course_lib.songbook.score import TICKS, Note, Score

BEAT = TICKS


def score(pitches, lengths, metre=(4, 4), pickup=0, tonic=0, mode="major", name="hand") -> Score:
    """A tune without rests from pitches and lengths in ticks."""
    notes, now = [], 0
    for pitch, length in zip(pitches, lengths, strict=True):
        notes.append(Note(now, length, pitch))
        now += length
    return Score(name, "By hand", "tests", 0, "train", tonic, mode, metre, pickup, (tuple(notes),))


# One beat of pickup and two bars, the second of which leaves room for the pickup's return.
PICKUP = score(
    [67, 60, 64, 67, 72, 71, 67, 62],
    [BEAT] * 8,
    pickup=BEAT,
)
SCALE = score([60, 62, 64, 65, 67, 69, 71, 72], [BEAT] * 8)


def in_metre(metre: tuple[int, int]) -> Score:
    """Four bars of eighths up and down the scale."""
    per_bar = metre[0] * 8 // metre[1]
    steps = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62]
    pitches = [steps[i % len(steps)] for i in range(4 * per_bar)]
    return score(pitches, [TICKS // 2] * len(pitches), metre=metre, name=f"hand {metre}")
