"""How well music does what it was asked: what a second listener hears, against the prompt.

A score alone says little, since the listener errs on real music too and every model gets something
right by chance. So it is put between two others: of real clips through the codec, and of prompts
that belong to other clips. Taught in notebook 15.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.evaluation.analysis import Analysis, analyse
from course_lib.evaluation.prompts import ATTRIBUTES, Prompt
from course_lib.models import Analyser, Judge

SURE = 0.5  # from this probability on an instrument counts as heard
DRAWS = 1000  # of the bootstrap


class Heard(NamedTuple):
    """What was heard, and how probable the listener finds it."""

    value: object
    confidence: float


def read(judge: Judge | Analyser, audio: Tensor | Sequence[Tensor]) -> list[dict[str, object]]:
    """What the judge hears in each clip, by the names in ATTRIBUTES and "tonic".

    A `Heard` each, such as {"style": Heard("waltz", 0.97), "drums": Heard(False, 0.99)};
    "instruments" is a tuple of them, most probable first. Audio as `evaluation.analyse` takes it.
    """
    return readings(analyse(audio, judge))


def readings(analysis: Analysis) -> list[dict[str, object]]:
    """As `read`, of what was analysed already."""
    found: list[dict[str, object]] = []
    for i in range(len(analysis)):
        row: dict[str, object] = {}
        for name, classes in analysis.classes.items():
            pairs = zip(classes, analysis.posteriors[name][i].tolist(), strict=True)
            best = sorted((Heard(*pair) for pair in pairs), key=lambda h: -h.confidence)
            row[name] = best[0]
            if name == "instruments":
                row[name] = tuple(heard for heard in best if heard.confidence > SURE)
        drums = analysis.posteriors["drums"][i, 0].item()
        row["drums"] = Heard(drums > 0.5, max(drums, 1 - drums))
        found.append(row)
    return found


class Answer(NamedTuple):
    """What was asked, what was heard of that attribute, and whether it is what was asked."""

    asked: object
    heard: object
    right: bool


def verdict(prompt: Prompt, reading: Mapping[str, object]) -> dict[str, Answer]:
    """What became of each thing that a prompt asks for, in one reading of `read`.

    Instruments are right where all that were asked for are heard; others may be heard too.
    """
    answers = {}
    for name, wanted in prompt.asked.items():
        heard = reading[name]
        if name == "instruments":
            right = set(wanted) <= {one.value for one in heard}
        else:
            right = heard.value == wanted
        answers[name] = Answer(wanted, heard, right)
    return answers


Marks = Mapping[str, Tensor]  # attribute -> bool [N, classes]: which classes a clip has


def heard_marks(analysis: Analysis) -> dict[str, Tensor]:
    """What was heard, as marks: the likeliest class of each attribute, or all sure instruments."""
    marks = {}
    for name in ATTRIBUTES:
        posterior = analysis.posteriors[name]
        if name == "instruments":
            marks[name] = posterior > SURE
        elif name == "drums":
            marks[name] = torch.cat([posterior <= 0.5, posterior > 0.5], dim=1)
        else:
            marks[name] = class_marks(posterior.argmax(-1), posterior.shape[1])
    return marks


def class_marks(numbers: Tensor, classes: int) -> Tensor:
    """Class numbers [N] as marks bool [N, classes]."""
    return torch.nn.functional.one_hot(numbers, classes).bool()


def asked_marks(prompts: Sequence[Prompt], judge: Judge | Analyser) -> dict[str, Tensor]:
    """What prompts ask for, as marks in the order of the judge's classes.

    A row without a mark is a prompt that does not ask. Raises ValueError for what the judge does
    not know.
    """
    c = judge.config
    classes = {"instruments": c.instruments, "drums": (False, True)} | c.classes
    marks = {}
    for name in ATTRIBUTES:
        marks[name] = torch.zeros(len(prompts), len(classes[name]), dtype=torch.bool)
        for row, prompt in zip(marks[name], prompts, strict=True):
            wanted = prompt.asked.get(name, ())
            for value in wanted if isinstance(wanted, tuple) else (wanted,):
                if value not in classes[name]:
                    raise ValueError(f"A prompt asks for {name} {value!r}; the judge knows none.")
                row[classes[name].index(value)] = True
    return marks


def agreement(
    heard: Tensor,
    asked: Tensor,
    several: bool,
    weights: Tensor | None = None,
    others: bool = False,
) -> Tensor:
    """How well what was heard, bool [N, C], is what was asked, bool [N, C]: [1], or [R].

    The mean over the classes that are asked for of the share of their prompts that got them
    (balanced accuracy) or, with `several` marks a row, of F1. With `others` each clip is held
    against the prompt of another clip: the mean over all ways to hand them on, in closed form.
    weights [R, N]: how often each clip counts, in each of R draws. Rows that ask nothing do not
    count. NaN where no class is asked for, and for `others` of fewer than two prompts.
    """
    if heard.shape != asked.shape or heard.ndim != 2:
        raise ValueError(
            f"Marks have shapes {list(heard.shape)} and {list(asked.shape)}; expected [N, C] twice."
        )
    asks = asked.any(1)
    w = torch.ones(1, len(asked)) if weights is None else weights
    w = w.double() * asks  # [R, N]
    p, t = heard.double(), asked.double()
    positive, true = w @ p, w @ t  # [R, C]
    total = w.sum(1, keepdim=True)
    if others:
        # Pairs of a clip and another's prompt, brought to the number of clips.
        squares = w.square()
        pairs = total.square() - squares.sum(1, keepdim=True)
        both = (positive * true - squares @ (p * t)) * total / pairs
        true = (true * total - squares @ t) * total / pairs
        positive = (positive * total - squares @ p) * total / pairs
    else:
        both = w @ (p * t)
    found = 2 * both / (positive + true) if several else both / true
    return torch.where(w @ t > 0, found, math.nan).nanmean(1)


def scores(heard: Marks, asked: Marks, others: bool = False) -> dict[str, float]:
    """`agreement` by attribute: macro F1 of instruments, balanced accuracy of all else."""
    return {
        name: agreement(heard[name], asked[name], name == "instruments", others=others).item()
        for name in heard
    }


@dataclass(frozen=True)
class Adherence:
    """(generated - shuffled) / (real - shuffled) of one attribute, its 95 % interval, its parts.

    generated: the score of what was generated; real: of the real clips of the same prompts, through
    the codec; shuffled: of what was generated, against the prompts of other clips. 0 is what takes
    no notice of the prompt, 1 as good as real music as far as the judge can tell; NaN where the
    judge cannot tell real music from chance.
    """

    value: float
    low: float
    high: float
    generated: float
    real: float
    shuffled: float


def adherence(
    generated: Marks, real: Marks, asked: Marks, draws: int = DRAWS, seed: int = 0
) -> dict[str, Adherence]:
    """The adherence of each attribute in `generated`; rows of all three belong to one prompt.

    The interval is a percentile bootstrap over prompts: generated and real clips of a prompt are
    drawn together. Raises ValueError for marks of different shapes and fewer than 20 draws.
    Taught in notebook 15.
    """
    if draws < 20:
        raise ValueError(f"draws={draws}: an interval takes at least 20.")
    found = {}
    for name in generated:
        several = name == "instruments"
        count = len(asked[name])
        random = torch.Generator().manual_seed(seed)
        rows = torch.randint(count, (draws, count), generator=random)
        drawn = torch.zeros(draws, count).scatter_add_(1, rows, torch.ones(draws, count))
        ratios, parts = [], []
        for w in (torch.ones(1, count), drawn):
            made = agreement(generated[name], asked[name], several, w)
            best = agreement(real[name], asked[name], several, w)
            least = agreement(generated[name], asked[name], several, w, others=True)
            span = best - least
            ratios.append(torch.where(span > 0, (made - least) / span, math.nan))
            parts.append((made, best, least))
        low, high = (
            ratios[1].nanquantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        )
        values = [part.item() for part in (ratios[0], *parts[0])]
        found[name] = Adherence(values[0], low, high, *values[1:])
    return found
