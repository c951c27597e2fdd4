"""Claims: what a notebook asserts, written before its run, and the verdict of the seeds."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

HOLDS, UNDECIDED, REVERSED = "holds here", "undecided here", "reversed here"
NOT_TESTED = "cannot be tested here"
TOO_SMALL = "whatever the effect is, it is smaller than what matters"


@dataclass(frozen=True)
class Claim:
    """A sentence about two rows of a table that numbers can contradict.

    Row `better` is said to have a `direction` ("lower" or "higher") `metric` than row `than`, by at
    least `smallest`, the smallest effect that matters; or, with "same", to differ by less than
    that. With `relative`, effects are fractions of the metric of `than`. A claim that would take
    what is not here (listeners, a binary, speech data) says so in `impossible`.
    Raises ValueError where it is neither testable nor declared impossible.
    """

    sentence: str
    metric: str = ""
    direction: Literal["lower", "higher", "same"] = "lower"
    better: str = ""
    than: str = ""
    smallest: float = 0.0
    relative: bool = False
    impossible: str = ""

    def __post_init__(self):
        if self.direction not in ("lower", "higher", "same"):
            raise ValueError(f"direction={self.direction!r} must be 'lower', 'higher' or 'same'.")
        if not self.impossible and not (self.metric and self.better and self.than):
            raise ValueError(
                f"The claim {self.sentence!r} needs a metric and two rows, or the reason why it is "
                "impossible to test."
            )
        if self.smallest < 0 or (self.direction == "same" and self.smallest == 0):
            raise ValueError(f"smallest={self.smallest} must be the smallest effect that matters.")


@dataclass(frozen=True)
class Verdict:
    """What the seeds say: the mean effect (positive where it agrees) and its 95 % interval."""

    words: str
    why: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % confidence interval (Student's t) of at least two values."""
    from scipy.stats import t

    if len(values) < 2:
        raise ValueError(f"An interval takes at least two seeds, not {len(values)}.")
    mean = math.fsum(values) / len(values)
    variance = math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)
    half = float(t.ppf(0.975, len(values) - 1)) * math.sqrt(variance / len(values))
    return mean, mean - half, mean + half


def effects(claim: Claim, better: Sequence[float], than: Sequence[float]) -> list[float]:
    """The effect in each seed: the difference of the rows, positive where it agrees.

    For "same" it is the plain difference, of either sign. A fraction of 0 is NaN.
    """
    sign = -1 if claim.direction == "lower" else 1
    differences = [sign * (a - b) for a, b in zip(better, than, strict=True)]
    if claim.relative:
        return [d / abs(b) if b else math.nan for d, b in zip(differences, than, strict=True)]
    return differences


def judge(claim: Claim, better: Sequence[float], than: Sequence[float]) -> Verdict:
    """The verdict on a claim from the metric of its two rows, seed by seed in the same order.

    Seeds are paired, since what two rows share (data, order, initial weights) cancels in their
    difference. With s the smallest effect that matters, a claim *holds here* where the whole
    interval is at least s, is *reversed here* where the whole interval is at most -s (below 0 for
    s = 0), and is undecided otherwise. For "same" it holds where the interval lies within ±s and is
    reversed where it lies beyond.
    """
    if claim.impossible:
        return Verdict(NOT_TESTED, claim.impossible)
    values = effects(claim, better, than)
    if not all(math.isfinite(v) for v in values):
        return Verdict(UNDECIDED, "a seed did not end with a number", seeds=len(values))
    if len(values) < 2:
        return Verdict(UNDECIDED, "one seed has no interval", seeds=len(values))
    mean, low, high = interval(values)
    words, why = _words(claim, low, high)
    return Verdict(words, why, mean, low, high, len(values))


def _words(claim: Claim, low: float, high: float) -> tuple[str, str]:
    s = claim.smallest
    if claim.direction == "same":
        if -s <= low and high <= s:
            return HOLDS, "the whole interval is within what matters"
        if low > s or high < -s:
            return REVERSED, "the whole interval is beyond what matters"
        return UNDECIDED, "the interval reaches beyond what matters"
    if low >= s and low > 0:
        return HOLDS, "the whole interval is an effect that matters"
    if high <= -s and high < 0:
        return REVERSED, "the whole interval is an effect the other way"
    if -s < low and high < s:
        return UNDECIDED, TOO_SMALL
    return UNDECIDED, "the interval holds effects that matter and others that don't"


def as_json(claim: Claim, verdict: Verdict) -> dict:
    """Claim and verdict as one JSON object."""
    return asdict(claim) | {"verdict": asdict(verdict)}
