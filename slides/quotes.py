"""Figures that a deck quotes: `{{mean | quantizer_zoo | VQ | usage | .0%}}` and its kin.

    {{mean | RESULT | ROW | METRIC | FORMAT}}        mean over the seeds
    {{interval | RESULT | ROW | METRIC | FORMAT}}    mean ± half the 95 % interval
    {{paper | RESULT | ROW | COLUMN | FORMAT}}       what the paper printed for that row
    {{claim | RESULT | BEGINNING}}                   a claim's sentence, and its verdict
    {{verdict | RESULT | BEGINNING}}                 the verdict alone
    {{card | ARTEFACT | KEY.KEY | FORMAT}}           from the card of a shipped model
    {{rate | SAMPLE_RATE HOP CODEBOOKS ENTRIES | kbit/s}}    computed; or tokens/s, frames/s
    {{minutes}}  {{notebooks}}                       of the deck

RESULT is a file of data/results, BEGINNING the first words of one claim, FORMAT Python's.
"""

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from course_lib import paths

QUOTE = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)
MINUS = "\N{MINUS SIGN}"
MARKS = {
    "holds here": "holds",
    "undecided here": "undecided",
    "reversed here": "reversed",
    "cannot be tested here": "untested",
}


def results(name: str) -> dict[str, Any]:
    """What `data/results/NAME.json` holds. Raises ValueError for an unknown name."""
    return _read("results", name)


def fill(text: str, words: Mapping[str, str]) -> tuple[str, list[str]]:
    """`text` with every quote replaced, and the names of the results that were quoted.

    `words`: what `{{minutes}}` and the like stand for. Raises ValueError, in a sentence that names
    the quote, where it asks for what there is not.
    """
    used: dict[str, None] = {}

    def replace(match: re.Match) -> str:
        kind, *arguments = (part.strip() for part in match.group(1).split("|"))
        if not arguments and kind in words:
            return words[kind]
        kinds = _kinds()
        if kind not in kinds:
            known = ", ".join([*kinds, *words])
            raise ValueError(f"The quote {match.group(0)} has no known kind: use one of {known}.")
        if kind not in ("card", "rate") and arguments:
            used[arguments[0]] = None
        try:
            return kinds[kind](*arguments)
        except TypeError as error:
            raise ValueError(f"The quote {match.group(0)} has the wrong parts: {error}.") from error
        except ValueError as error:
            raise ValueError(f"The quote {match.group(0)} cannot be filled: {error}") from error

    return QUOTE.sub(replace, text), list(used)


def _kinds() -> dict[str, Callable[..., str]]:
    return {
        "mean": _mean,
        "interval": _interval,
        "paper": _paper,
        "claim": _claim,
        "verdict": _verdict,
        "card": _card,
        "rate": _rate,
    }


def _mean(name: str, row: str, metric: str, how: str) -> str:
    return _number(_cell(name, row, metric)["mean"], how)


def _interval(name: str, row: str, metric: str, how: str) -> str:
    cell = _cell(name, row, metric)
    return f"{_number(cell['mean'], how)} ± {_number(cell['half_interval'], how)}"


def _paper(name: str, row: str, column: str, how: str) -> str:
    values = _pick(results(name).get("paper", {}), row, f"row with the paper's numbers in {name}")
    return _number(_pick(values, column, f"column of the paper for {row!r} in {name}"), how)


def _claim(name: str, beginning: str) -> str:
    claim = find_claim(results(name), beginning)
    return f"{escape(claim['sentence'])} {_mark(claim)}"


def _verdict(name: str, beginning: str) -> str:
    return _mark(find_claim(results(name), beginning))


def _card(name: str, keys: str, how: str) -> str:
    value = _read("checkpoints", name)
    for key in keys.split("."):
        value = _pick(value, key, f"entry of the card of {name!r}")
    return _number(value, how)


def _rate(numbers: str, unit: str) -> str:
    from course_lib.metrics.rate import Rate

    rate = Rate(*(int(number) for number in numbers.split()))
    units = {
        "kbit/s": rate.bits_per_second / 1000,
        "tokens/s": rate.tokens_per_second,
        "frames/s": rate.frames_per_second,
    }
    return f"{_pick(units, unit, 'unit of a rate'):,.6g}"


def find_claim(found: Mapping[str, Any], beginning: str) -> dict[str, Any]:
    """The one claim of a result whose sentence begins so. Raises ValueError for none or several."""
    claims = [claim for claim in found["claims"] if claim["sentence"].startswith(beginning)]
    if len(claims) != 1:
        raise ValueError(
            f"{len(claims)} claims of {found['name']} begin with {beginning!r}, expected one."
        )
    return claims[0]


def _mark(claim: Mapping[str, Any]) -> str:
    words = claim["verdict"]["words"]
    return f'<span class="verdict {MARKS[words]}">{words}</span>'


def _cell(name: str, row: str, metric: str) -> dict[str, Any]:
    rows = results(name)["rows"]
    return _pick(_pick(rows, row, f"row of {name}")["metrics"], metric, f"metric of {name}")


def _pick(values: Mapping[str, Any], key: str, what: str) -> Any:
    if key not in values:
        raise ValueError(f"{key!r} is no {what}; there is {', '.join(values) or 'none'}.")
    return values[key]


def _number(value: float | None, how: str) -> str:
    if value is None:
        raise ValueError("it was not measured for this row.")
    return format(value, how).replace("-", MINUS)


def _read(folder: str, name: str) -> dict[str, Any]:
    path = paths.data(folder, f"{name}.json")
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.json")))
        raise ValueError(f"{name!r} is not in data/{folder}, which holds {there}.")
    return json.loads(path.read_text(encoding="utf-8"))
