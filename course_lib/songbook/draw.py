"""Which clip is clip i: a pure function of (seed, split, i, seconds). Taught in notebook 00.

Labels are balanced as far as the corpus allows, though most tunes are major and few are in 9/8.
Style, mode, metre and class of tempo are drawn together from a distribution whose marginals are the
shares below. It is found by iterative proportional fitting (Deming and Stephan, 1940) among the
combinations that exist (a waltz has no 6/8, house no slow tempo), from the square root of the
number of scores of each, so that where few tunes exist they do not return too often. The draws of
successive clips come from an additive recurrence instead of a random generator, so that even 64
clips spread over all values. A tune in 2/2 is taken as one in 4/4, which nobody could tell apart.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from course_lib.songbook.score import Score
from course_lib.songbook.scores import scores
from course_lib.songbook.style import Style
from course_lib.songbook.styles import DRAWN, STYLES
from course_lib.songbook.timing import PHRASE, bar_ticks, bars, beat_ticks

SPLITS = ("train", "validation", "test")
TEMPO_CLASSES = {"slow": (60, 89), "medium": (90, 119), "fast": (120, 180)}
MODE_SHARES = {"major": 0.28, "minor": 0.28, "dorian": 0.22, "mixolydian": 0.22}
METRE_SHARES = {"2/4": 0.2, "3/4": 0.22, "4/4": 0.24, "6/8": 0.2, "9/8": 0.14}
MODES, METRES = tuple(MODE_SHARES), tuple(METRE_SHARES)
FASTEST = 10.0  # notes per second that a tune's short notes may reach


@dataclass(frozen=True)
class Plan:
    """All that decides a clip, before a note is arranged; `tonic` is a pitch class."""

    index: int
    score: Score
    style: Style
    tonic: int
    tempo: float
    instruments: tuple[str, str, str]  # lead, chords, bass
    drums: bool
    first_bar: int
    entropy: tuple[int, ...]  # seeds all that is left to chance
    voice: bool = False  # whether a voice sings the lead instead of its instrument

    def generator(self, purpose: int) -> np.random.Generator:
        """A random generator of this clip for one purpose."""
        return np.random.default_rng([*self.entropy, purpose])


def tempo_class(tempo: float) -> str:
    """ "slow" below 90 beats a minute, "fast" from 120 on, else "medium"."""
    return "slow" if tempo < 90 else "medium" if tempo < 120 else "fast"


def in_quarters(score: Score) -> Score:
    """A score in 2/2 as one in 4/4, with the same notes; any other as it is."""
    return replace(score, metre=(4, 4)) if score.metre == (2, 2) else score


def metre_name(metre: tuple[int, int]) -> str:
    """(6, 8) as "6/8"."""
    return f"{metre[0]}/{metre[1]}"


def plan(seed: int, split: str, index: int, seconds: float, voice: bool = False) -> Plan:
    """Draw clip `index` of a split; with `voice` the same clip, its lead sung."""
    entropy = (seed, SPLITS.index(split), index, round(seconds * 1000))
    rng = np.random.default_rng([*entropy, 0])
    u = _recurrence(seed, split, index)
    joint, pool = _joint(split), _pool(split)
    cell: tuple[int, ...] = ()
    for draw in u[:4]:
        share = joint[cell].reshape(joint.shape[len(cell)], -1).sum(axis=1).cumsum()
        cell += (int(np.searchsorted(share, draw * share[-1], side="right")),)
    style = STYLES[DRAWN[cell[0]]]
    low, high = _overlap(style, list(TEMPO_CLASSES)[cell[3]])
    tempo = float(low + int(u[4] * (high - low + 1)))
    fitting = pool[style.voices, MODES[cell[1]], METRES[cell[2]]]
    calm = [score for score, shortest in fitting if tempo / 60 / shortest <= FASTEST]
    candidates = calm or [score for score, _ in fitting]
    score = candidates[rng.integers(len(candidates))]
    drums = bool(style.drums == "always" or (style.drums == "either" and u[6] < 0.5))
    return Plan(
        index=index,
        score=score,
        style=style,
        tonic=int(u[5] * 12),
        tempo=tempo,
        instruments=players(style, rng),
        drums=drums,
        first_bar=_first_bar(score, tempo, seconds, rng),
        entropy=entropy,
        voice=voice,
    )


def players(style: Style, rng: np.random.Generator) -> tuple[str, str, str]:
    """Who plays lead, chords and bass; the chords take another instrument than the lead if any."""
    lead = style.lead[rng.integers(len(style.lead))]
    others = [name for name in style.chords if name != lead] or list(style.chords)
    return lead, others[rng.integers(len(others))], style.bass[rng.integers(len(style.bass))]


def _first_bar(score: Score, tempo: float, seconds: float, rng: np.random.Generator) -> int:
    """The start of a phrase from which the tune lasts as long as the clip; 0 if none does."""
    beats_a_bar = bar_ticks(score.metre) / beat_ticks(score.metre)
    need = int(np.ceil(seconds * tempo / 60 / beats_a_bar))
    starts = [bar for bar in range(0, bars(score), PHRASE) if bar + need <= bars(score)] or [0]
    return starts[rng.integers(len(starts))]


def _recurrence(seed: int, split: str, index: int, dimensions: int = 7) -> np.ndarray:
    """Numbers in [0, 1) that fill the cube evenly as `index` grows (the R sequence of Roberts)."""
    ratio = 2.0
    for _ in range(40):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    key = hashlib.blake2b(f"{seed} {split}".encode(), digest_size=8).digest()
    offset = np.random.default_rng(int.from_bytes(key, "big")).random(dimensions)
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    return (offset + (index + 1) * steps) % 1


def _overlap(style: Style, name: str) -> tuple[int, int]:
    """The tempi of a class that a style takes; empty if low > high."""
    low, high = TEMPO_CLASSES[name]
    return max(low, style.tempo[0]), min(high, style.tempo[1])


@lru_cache(maxsize=3)
def _pool(split: str) -> dict[tuple[bool, str, str], list[tuple[Score, float]]]:
    """(chorales only, mode, metre) -> the scores, with the length of their short notes in beats."""
    pool: dict = {
        (voices, mode, metre): [] for voices in (False, True) for mode in MODES for metre in METRES
    }
    for score in scores(split):
        score = in_quarters(score)
        metre = metre_name(score.metre)
        if score.mode in MODES and metre in METRES:
            lengths = sorted(note.duration for note in score.voices[0])
            entry = (score, lengths[len(lengths) // 5] / beat_ticks(score.metre))
            pool[False, score.mode, metre].append(entry)
            if len(score.voices) == 4:
                pool[True, score.mode, metre].append(entry)
    return pool


@lru_cache(maxsize=3)
def _joint(split: str) -> np.ndarray:
    """Probabilities [styles, modes, metres, tempo classes] with marginals as even as can be."""
    pool = _pool(split)
    joint = np.zeros((len(DRAWN), len(MODES), len(METRES), len(TEMPO_CLASSES)))
    for s, name in enumerate(DRAWN):
        style = STYLES[name]
        for t, speed in enumerate(TEMPO_CLASSES):
            low, high = _overlap(style, speed)
            for m, mode in enumerate(MODES):
                for b, metre in enumerate(METRES):
                    if metre in style.metres and low <= high:
                        joint[s, m, b, t] = len(pool[style.voices, mode, metre]) ** 0.5
    shares = (np.ones(len(DRAWN)), MODE_SHARES.values(), METRE_SHARES.values(), np.ones(3))
    for _ in range(200):
        for axis, share in enumerate(shares):
            rows = np.moveaxis(joint, axis, -1)
            total = rows.sum(axis=(0, 1, 2))
            rows *= np.array(list(share)) / np.where(total > 0, total, 1)
    return joint / joint.sum()
