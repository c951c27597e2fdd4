"""Listen tasks: twelve pairs of sounds in a hidden order, and what a record of them is worth."""

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib.grading.judging import failed, mark
from course_lib.grading.task import Mark
from course_lib.notebook.expecting import TRIALS

if TYPE_CHECKING:
    from course_lib.songbook import Clip


@lru_cache(maxsize=1)
def clips() -> "tuple[Clip, ...]":
    """The first held-out clips of the ladder's songbook, 4 s each, the same everywhere."""
    from course_lib import songbook
    from course_lib.notebook.ladder import PLACES, SECONDS

    size = songbook.Size(train=1, validation=1, test=max(PLACES) + 1, seconds=SECONDS)
    book = songbook.load("test", size=size, progress=False)
    return tuple(book[n] for n in range(len(book)))


def excerpts(seconds: float) -> list:
    """Twelve parts [1, T] of these clips: their starts, then what begins a second later."""
    length, found = round(seconds * 16000), clips()
    return [
        found[n % len(found)].audio[:, 16000 * (n // len(found)) :][:, :length]
        for n in range(TRIALS)
    ]


def order(random) -> list[bool]:
    """For each pair, whether A is the one that is asked for: half of them, shuffled."""
    return (random.permutation(TRIALS) < TRIALS // 2).tolist()


def write(random, folder: Path, pairs: list[dict], sample_rate: int = 16000) -> None:
    """Write `pair_07_A.flac` and so on into `folder`, in the order that the seed hides.

    pairs: twelve of {"asked": [1, T], "other": [1, T], …}; what else is in one keeps its label.
    """
    from course_lib import audio

    for number, (first, pair) in enumerate(zip(order(random), pairs, strict=True), 1):
        sounds = dict(pair)
        asked, other = sounds.pop("asked"), sounds.pop("other")
        sounds |= {"A": asked, "B": other} if first else {"A": other, "B": asked}
        for label, sound in sounds.items():
            level = 0.5 * sound / sound.abs().max().clamp(min=1e-6)
            audio.write(folder / f"pair_{number:02d}_{label}.flac", level, sample_rate)


def cases(random) -> list[dict]:
    return [{"_asked": "".join("A" if a else "B" for a in order(random))}]


def judge(cases, answers) -> list[Mark]:
    """A point for a complete record, whatever was heard; one for the statistic."""
    record, statistic = "a complete record", "how many right answers prove something"
    if failed(answers):
        return [mark(record, 1, failed(answers)), mark(statistic, 1, failed(answers))]
    (case,), (answer,) = cases, answers
    letters = answer["answers"]
    well = isinstance(letters, str) and len(letters) == TRIALS and set(letters) <= set("AB")
    well = well and answer["how"] in ("ear", "picture")
    first = mark(record, 1, f"expected {TRIALS} letters A or B, by 'ear' or 'picture'")
    if well:
        hits = sum(a == b for a, b in zip(letters, case["_asked"], strict=True))
        first = Mark(record, 1, 1, f"{hits} of {TRIALS} right, p = {chance(hits):.3f} by guessing")
    least = next(n for n in range(TRIALS + 1) if chance(n) <= 0.05)
    said = "" if answer["needed"] == least else "not the least number with p of at most 0.05"
    return [first, mark(statistic, 1, said)]


def chance(hits: int) -> float:
    """The probability of at least so many right answers by guessing."""
    return sum(math.comb(TRIALS, k) for k in range(hits, TRIALS + 1)) / 2**TRIALS
