"""Choosing by name, with near matches for a name that is not there."""

import difflib
from collections.abc import Iterable


def choose(name: str, known: Iterable[str], what: str) -> str:
    """`name` where it is known. Raises ValueError listing near matches and what there is."""
    known = [str(k) for k in known]
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 3, 0.5)
    hint = f" Do you mean {' or '.join(near)}?" if near else ""
    there = f"there are {', '.join(known)}" if known else "there are none yet"
    raise ValueError(f"No {what} is called '{name}'; {there}.{hint}")
