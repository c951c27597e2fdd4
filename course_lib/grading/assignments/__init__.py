"""The hidden sides of the assignments, one module each; TASKS is what it hands out.

None of this is readable to the process that a student's notebook runs in.
"""

import importlib
import pkgutil
import re

from course_lib.grading.task import Task


def names() -> list[str]:
    """Every assignment that exists, as "hw1"."""
    found = (m.name for m in pkgutil.iter_modules(__path__) if re.fullmatch(r"hw\d+", m.name))
    return sorted(found, key=lambda name: int(name[2:]))


def tasks(name: str) -> tuple[Task, ...]:
    """The tasks of "hw1". Raises ValueError where no such assignment exists."""
    if name not in names():
        raise ValueError(f"There is no assignment '{name}'; there are {', '.join(names())}.")
    return importlib.import_module(f"{__name__}.{name}").TASKS
