"""What the judges of tasks are written with: compare answers, give marks, say why not."""

import numpy as np

from course_lib.grading.task import Failed, Mark, Values


def mark(criterion: str, of: float, wrong: str = "") -> Mark:
    """All points where `wrong` is "", none and these words where it is not."""
    return Mark(criterion, 0 if wrong else of, of, wrong)


def differences(
    answers: list[Values | Failed], wanted: list[Values], tolerance: float = 1e-4
) -> str:
    """The first difference between answers and what was wanted of them, in words; "" for none.

    Only the keys of `wanted` are looked at, so that each criterion can name its own.
    """
    for number, (answer, want) in enumerate(zip(answers, wanted, strict=True), 1):
        if isinstance(answer, Failed):
            return f"hidden case {number}: {answer.words}"
        for key, value in want.items():
            said = difference(answer.get(key), value, tolerance)
            if said:
                return f"hidden case {number}: `{key}` {said}"
    return ""


def difference(got, want, tolerance: float = 1e-4) -> str:
    """How one value differs from the one wanted, in words; "" where it is close enough.

    Whole numbers are wanted as whole numbers, shapes as they are; NaN is never close.
    """
    if got is None:
        return "is missing"
    if isinstance(want, str) or isinstance(got, str):
        return "" if got == want else "is another one"
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape:
        return f"has shape {list(got.shape)}, expected {list(want.shape)}"
    if want.dtype.kind in "iub" and got.dtype.kind not in "iub":
        return f"is of type {got.dtype}, expected whole numbers"
    got, want = got.astype(np.float64), want.astype(np.float64)
    if not np.isfinite(got).all():
        return "contains NaN or infinity"
    if not np.allclose(got, want, rtol=tolerance, atol=tolerance):
        return f"is off by up to {np.abs(got - want).max():.3g}"
    return ""


def failed(answers: list[Values | Failed]) -> str:
    """What the first Failed among the answers says, or ""."""
    return next((a.words for a in answers if isinstance(a, Failed)), "")


def not_own(tune: str) -> str:
    """Why a tune is not the student's own, or ""."""
    from course_lib.songbook.own_music import DEFAULT

    same = "".join(tune.split()) == "".join(DEFAULT.split())
    return "it is the course's own tune, or none" if same or len(tune) < 3 else ""
