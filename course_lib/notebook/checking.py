"""Exercise checks: correct, not done yet, or which likely mistake it is and a hint.

The checks themselves lie in `exercises/`, one module a notebook or an assignment; how to write one:
`expecting.py`.
"""

import difflib
import importlib
import inspect
import pkgutil
from dataclasses import dataclass

from course_lib.notebook.expecting import NotDone, Wrong, is_blank


@dataclass(frozen=True)
class Result:
    """`state` is "correct", "wrong" or "not done yet"; a wrong one has its mistake and a hint."""

    name: str
    state: str
    mistake: str = ""
    hint: str = ""

    def __str__(self) -> str:
        words = {"correct": "correct.", "not done yet": "not done yet.", "wrong": self.mistake}
        hint = f"\n  Hint: {self.hint}" if self.hint else ""
        return f"{self.name}: {words[self.state]}{hint}"


def check(name: str, answer) -> None:
    """Check an exercise's answer and print the result; never raises for what the answer does.

    `name` is "NN.exercise" or, in homework, "hwN.exercise", as in the stub; `answer` the function,
    class or value written there. Raises KeyError with near matches where no such exercise exists.
    """
    print(grade(name, answer))


def grade(name: str, answer) -> Result:
    """The Result of checking `answer`; random numbers of the caller are left as they were."""
    import torch

    examine = find(name)
    if is_blank(answer):
        return Result(name, "not done yet")
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            examine(_noticing_blanks(answer))
    except (NotDone, NotImplementedError):
        return Result(name, "not done yet")
    except Wrong as wrong:
        return Result(name, "wrong", wrong.mistake, wrong.hint)
    except Exception as error:  # whatever a student's code may raise
        told = str(error).strip().splitlines()
        return Result(
            name,
            "wrong",
            f"your code raised {type(error).__name__}: {told[0] if told else ''}".strip(),
            "Call it yourself on a small example, and print the shapes on the way.",
        )
    return Result(name, "correct")


def find(name: str):
    """The check named "NN.exercise". Raises KeyError with near matches."""
    number, _, exercise = name.partition(".")
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, 0.4) or known[:5]
        raise KeyError(
            f"There is no exercise '{name}'; "
            + (f"do you mean {', '.join(near)}?" if near else "no exercises exist yet.")
        )
    return getattr(_module(number), exercise)


def names() -> list[str]:
    """Every exercise that has a check, as "NN.exercise" or "hwN.exercise"."""
    from course_lib.notebook import exercises

    found = []
    for module in pkgutil.iter_modules(exercises.__path__):
        number = module.name.removeprefix("nb")
        members = vars(_module(number))
        found += [
            f"{number}.{key}"
            for key, value in members.items()
            if inspect.isfunction(value)
            and value.__module__.endswith(f".{module.name}")
            and not key.startswith("_")
        ]
    return sorted(found)


def _module(number: str):
    module = number if number.startswith("hw") else f"nb{number}"
    return importlib.import_module(f"course_lib.notebook.exercises.{module}")


def _noticing_blanks(answer):
    """A function whose None or ... counts as not done; other answers as they are."""
    if not inspect.isfunction(answer):
        return answer

    def called(*args, **kwargs):
        result = answer(*args, **kwargs)
        if result is None and answer.__code__.co_names:  # something was written, but no `return`
            raise Wrong("your function returned nothing.", "End it with `return` and the result.")
        if is_blank(result):
            raise NotDone
        return result

    called.__wrapped__ = answer
    return called
