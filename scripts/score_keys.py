"""The key of a score, found from its notes and what the source writes: the builder's second step.

Mode: with the tonic given, the degrees decide, by the time they sound. Phrygian where the minor
second outweighs the major one; else, with more major thirds than minor ones, mixolydian where the
minor seventh outweighs the major one, else major; else dorian where the major sixth outweighs the
minor one, else minor. A degree that never sounds leaves the choice to the mode that was written.

Tonic of a chorale: the final note of the bass. The signature is not asked: Bach's is often dorian
where the music is minor.

Tonic of a tune: the best of the written tonic and its last note, judged by the
correlation of the time that the twelve pitch classes sound with the profile of the key (Krumhansl
and Kessler 1982; the modes between exchange the degrees that differ), plus evidence for the tonic
that the transcriber wrote and for the last note (which is no tonic if that would make the tune
phrygian: it is a third then). Transcribers often write the major key that has
the right signature; many tunes end away from their tonic, to lead into the repeat.
"""

import dataclasses
import math

from course_lib.songbook.score import Score

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def _exchange(profile: tuple[float, ...], a: int, b: int) -> tuple[float, ...]:
    changed = list(profile)
    changed[a], changed[b] = profile[b], profile[a]
    return tuple(changed)


MIXOLYDIAN = _exchange(MAJOR, 10, 11)
DORIAN = _exchange(MINOR, 8, 9)
PHRYGIAN = _exchange(MINOR, 1, 2)
PROFILES = {
    "major": MAJOR,
    "minor": MINOR,
    "mixolydian": MIXOLYDIAN,
    "dorian": DORIAN,
    "phrygian": PHRYGIAN,
}
FINAL = 0.25  # the last note is the tonic
WRITTEN = 0.15  # the tonic that the transcriber wrote


def sounding(score: Score) -> list[float]:
    """Ticks that each pitch class sounds, all voices together."""
    ticks = [0.0] * 12
    for voice in score.voices:
        for note in voice:
            ticks[note.pitch % 12] += note.duration
    return ticks


def fit(ticks: list[float], tonic: int, mode: str) -> float:
    """The correlation of the sounding time with the profile of a key, -1 to 1."""
    profile = PROFILES[mode]
    turned = [ticks[(tonic + degree) % 12] for degree in range(12)]
    mean_a, mean_b = sum(profile) / 12, sum(turned) / 12
    a = [x - mean_a for x in profile]
    b = [x - mean_b for x in turned]
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(
        sum(x * x for x in a) * sum(y * y for y in b)
    )


def mode_of(ticks: list[float], tonic: int, written: str = "") -> str:
    """The mode on `tonic` by the rule above."""
    degree = [ticks[(tonic + d) % 12] for d in range(12)]

    def outweighs(a: int, b: int, modes: tuple[str, ...]) -> bool:
        return degree[a] > degree[b] or (degree[a] == degree[b] and written in modes)

    if outweighs(1, 2, ("phrygian",)):
        return "phrygian"
    if outweighs(4, 3, ("", "major", "mixolydian", "lydian")):
        return "mixolydian" if outweighs(10, 11, ("mixolydian",)) else "major"
    return "dorian" if outweighs(9, 8, ("dorian",)) else "minor"


def key_of_tune(score: Score) -> Score:
    """The tune with the key found from its notes, its last note and the key written."""
    ticks, final = sounding(score), score.voices[0][-1].pitch % 12
    written = {score.tonic: score.mode}

    def value(tonic: int) -> float:
        mode = mode_of(ticks, tonic, written.get(tonic, ""))
        if mode == "phrygian" and tonic not in written:
            return -math.inf
        return fit(ticks, tonic, mode) + FINAL * (tonic == final) + WRITTEN * (tonic in written)

    tonic = max(dict.fromkeys((score.tonic, final)), key=value)
    return dataclasses.replace(
        score, tonic=tonic, mode=mode_of(ticks, tonic, written.get(tonic, ""))
    )


def key_of_chorale(score: Score) -> Score:
    """The chorale in the key of its final bass note, in the mode that its notes say."""
    tonic = score.voices[-1][-1].pitch % 12
    return dataclasses.replace(score, tonic=tonic, mode=mode_of(sounding(score), tonic))
