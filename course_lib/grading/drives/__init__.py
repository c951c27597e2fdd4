"""What calls a student's functions, one module an assignment: `hwN.py`.

A drive runs in the student's process: function(namespace, **case) looks up what the student wrote
(`answer_of`), calls it and returns a dict of arrays, numbers or strings. It holds no expected
value, and imports nothing from `assignments`.
"""

import difflib


class Absent(Exception):
    """The notebook has no such function; the message says what may have happened to it."""


def answer_of(namespace: dict, name: str):
    """What the student's notebook calls `name`. Raises Absent where there is none."""
    if name in namespace:
        return namespace[name]
    near = difflib.get_close_matches(name, [k for k in namespace if isinstance(k, str)], 1, 0.7)
    hint = f"there is `{near[0]}`: was it renamed?" if near else "did its cell raise?"
    raise Absent(f"your notebook has no `{name}`; {hint}")


def heard(namespace: dict) -> dict:
    """The record of a listen task, the same in every assignment."""
    found = answer_of(namespace, "heard")()
    return {key: found[key] for key in ("answers", "how", "needed")}
