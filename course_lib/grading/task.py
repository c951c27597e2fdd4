"""A task of an assignment: what is asked, what is sent to the student's process, how it is judged.

The hidden side of an assignment, `assignments/hwN.py`, is a tuple of tasks. Nothing of it enters
the student's process; what does is the function that `drive` names, in `drives/hwN.py`, and one
case after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KINDS = ("build", "diagnose", "listen")
Values = dict[str, "np.ndarray | int | float | str"]  # a case, or the answer to one


@dataclass(frozen=True)
class Mark:
    """What one criterion gave: `points` of `of`, and why in words ("" where all is right)."""

    criterion: str
    points: float
    of: float
    words: str = ""


@dataclass(frozen=True)
class Failed:
    """No answer to a case, and why; `blank` where the stub is untouched."""

    words: str
    blank: bool = False


@dataclass(frozen=True)
class Task:
    """One exercise of an assignment, whose visible check has the same name.

    name: "nearest" in hw1 is the exercise "hw1.nearest" and the notebook's cell "hw1-nearest".
    points: the sum over its criteria, `by_hand` included.
    cases: draws the hidden inputs. A key that begins with "_" stays with the grader.
    drive: "module:function" for the student's process: called as function(namespace, **case), it
        returns a dict of arrays, numbers or strings. It holds no expected value.
    judge: called with the cases and, for each, the answer or a Failed; gives the marks. It is not
        called where every answer is blank.
    plant: writes into a folder the files that a student is given. It draws from the same stream as
        `cases`, so that the two know the same secret.
    by_hand: (criterion, points) that a person gives, by the assignment's rubric.md.
    """

    name: str
    kind: str
    points: float
    cases: Callable[[np.random.Generator], list[Values]]
    drive: str
    judge: Callable[[list[Values], list[Values | Failed]], list[Mark]]
    plant: Callable[[np.random.Generator, Path], None] | None = None
    by_hand: tuple[tuple[str, float], ...] = ()

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"The kind of '{self.name}' is '{self.kind}'; expected {KINDS}.")
        if not self.name.isidentifier() or ":" not in self.drive:
            raise ValueError(f"'{self.name}' needs a name for a function and a drive 'module:it'.")


def sent(case: Values) -> Values:
    """The part of a case that the student's process may see."""
    return {key: value for key, value in case.items() if not key.startswith("_")}
