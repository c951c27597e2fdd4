"""One tune in a style of your choice. Taught in notebook 00."""

import hashlib

import numpy as np

from course_lib.songbook.clip import Clip, clip
from course_lib.songbook.dataset import check_format, check_seed
from course_lib.songbook.draw import Plan, in_quarters, players
from course_lib.songbook.score import Score
from course_lib.songbook.scores import scores
from course_lib.songbook.style import Style
from course_lib.songbook.styles import find_style
from course_lib.songbook.timing import bar_ticks, beat_ticks

TEMPI = (30.0, 300.0)


def in_style(
    score: Score | str,
    style: str,
    seconds: float = 8.0,
    sample_rate: int = 16000,
    channels: int = 1,
    seed: int = 0,
    tempo: float | None = None,
    voice: bool = False,
) -> Clip:
    """A score (or the id of one) played from its beginning in one of STYLES, in its own key.

    `seed` chooses among the style's instruments; without a `tempo` the style's own is taken, near
    the one at which whole bars fill the clip; with `voice` the lead is sung. Raises ValueError for
    an unknown style or id, a tempo outside 30 to 300 and an impossible format, TypeError for what
    is no score. Taught in notebook 00.
    """
    check_format(seconds, sample_rate, channels)
    chosen = find_style(style)
    if not isinstance(score, Score | str):
        raise TypeError(f"{score!r} is not a tune: give a Score or the id of one.")
    check_seed(seed)
    tune = in_quarters(find_score(score) if isinstance(score, str) else score)
    possible = isinstance(tempo, int | float) and TEMPI[0] <= tempo <= TEMPI[1]
    if tempo is not None and not possible:
        raise ValueError(f"The tempo is {tempo!r}: give {TEMPI[0]:g} to {TEMPI[1]:g} beats/min.")
    name = hashlib.blake2b(tune.id.encode(), digest_size=4).digest()
    entropy = (seed, int.from_bytes(name, "big"))
    plan = Plan(
        index=0,
        score=tune,
        style=chosen,
        tonic=tune.tonic,
        tempo=float(tempo) if tempo is not None else natural_tempo(tune, chosen, seconds),
        instruments=players(chosen, np.random.default_rng([*entropy, 0])),
        drums=chosen.drums != "never",
        first_bar=0,
        entropy=entropy,
        voice=voice,
    )
    return clip(plan, seconds, sample_rate, channels)


def find_score(name: str) -> Score:
    """The score with this id. Raises ValueError that tells how ids look."""
    found = {score.id: score for score in scores()}
    if name not in found:
        raise ValueError(
            f"No score has the id {name!r}: ids look like {next(iter(found))!r}, and "
            "songbook.scores() lists them all."
        )
    return found[name]


def natural_tempo(score: Score, style: Style, seconds: float) -> float:
    """A tempo of the style at which the pickup and whole bars fill `seconds`, near its middle."""
    low, high = style.tempo
    middle = (low + high) / 2
    bar, beat = bar_ticks(score.metre), beat_ticks(score.metre)
    fitting = [(score.pickup + n * bar) / beat * 60 / seconds for n in range(1, 200)]
    fitting = [tempo for tempo in fitting if low <= tempo <= high]
    return min(fitting, key=lambda tempo: abs(tempo - middle), default=middle)
