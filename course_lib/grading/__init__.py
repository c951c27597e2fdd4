"""Homework: student editions made from one source, and grading of what is handed in.

A task's hidden inputs come from the instructor's secret seed (`secrets.py`). The student's notebook
runs in a process of its own (`worker.py`, closed off by `sandbox.py`), which is sent one case at a
time and sends arrays back (`channel.py`); expected values stay with the grader, which compares
(`judging.py`). How an assignment is made: homework/README.md.
"""

import importlib

_HOMES = {"given": "given"}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"course_lib.grading has no '{name}'; it has {', '.join(__all__)}.")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # so that a submodule of the same name never hides it
    return value
