"""A class's blind tests pooled: what nobody alone can show, many may."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from course_lib.notebook.blind_tests import LEAST_TRIALS, Outcome, p_value

LARGEST = 64 << 10  # bytes of one result
MOST_TRIALS = 10_000


@dataclass(frozen=True)
class Pooled:
    """One test of all who took it; `outcomes` maps each listener to theirs."""

    name: str
    kind: str
    names: tuple[str, str]
    outcomes: dict[str, Outcome]

    @property
    def trials(self) -> int:
        return sum(outcome.trials for outcome in self.outcomes.values())

    @property
    def hits(self) -> int:
        return sum(outcome.hits for outcome in self.outcomes.values())

    def for_first(self) -> tuple[int, int]:
        """(listeners who preferred the first, listeners who preferred either)."""
        leanings = [2 * o.hits - o.trials for o in self.outcomes.values()]
        return sum(lean > 0 for lean in leanings), sum(lean != 0 for lean in leanings)

    @property
    def p_value(self) -> float:
        """Exact, two-sided for a preference, one-sided for ABX.

        If nobody hears a difference, all trials of ABX are coins of their own. Votes of one
        listener are not, wherever there is a taste: for a preference each listener is one vote.
        """
        if self.kind == "abx":
            return p_value(self.hits, self.trials, "abx")
        return p_value(*self.for_first(), "preference")

    def __str__(self) -> str:
        who = f"{len(self.outcomes)} listener" + "s" * (len(self.outcomes) != 1)
        told = f"{self.name} ({self.names[0]} against {self.names[1]}, {self.kind}): {who}, "
        if self.kind == "abx":
            alone = sum(o.p_value < 0.05 for o in self.outcomes.values())
            told += f"{self.hits} of {self.trials} right, {alone} alone below 0.05"
            verdict = "the difference is heard" if self.p_value < 0.05 else "no difference shown"
        else:
            first, either = self.for_first()
            told += f"{first} of {either} prefer {self.names[0]}"
            told += f" ({self.hits} of {self.trials} votes)"
            winner = self.names[0] if 2 * first > either else self.names[1]
            verdict = f"{winner} is preferred" if self.p_value < 0.05 else "no preference shown"
        return f"{told}, p = {self.p_value:.3g}: {verdict}."


def pool(folder: Path) -> tuple[list[Pooled], list[str]]:
    """The tests that lie in `folder`, and a sentence for each file that was left out.

    Each listener's results (the folder `blind_tests` of their home) lie in FOLDER/LISTENER/; links
    are not followed. Raises NotADirectoryError for no folder, FileNotFoundError without any result.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder: expected one with a folder a listener.")
    tests: dict[tuple, dict[str, Outcome]] = {}
    left_out = []
    for listener, path in _files(folder):
        try:
            outcome = read(path)
        except (ValueError, OSError) as error:
            left_out.append(f"{path.relative_to(folder)} was left out: {error}")
            continue
        taken = tests.setdefault((outcome.name, outcome.kind, outcome.names), {})
        if listener in taken:
            left_out.append(f"{path.relative_to(folder)} was left out: {listener} counts once.")
        else:
            taken[listener] = outcome
    if not tests:
        reason = f" {left_out[0]}" if left_out else " Expected LISTENER/blind_tests/NAME.json."
        raise FileNotFoundError(f"There is no result of a blind test in {folder}.{reason}")
    return [Pooled(*key, outcomes) for key, outcomes in sorted(tests.items())], left_out


def read(path: Path) -> Outcome:
    """A finished test from a file of anybody's; its p-value is computed anew. ValueError if odd."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it has {path.stat().st_size:,} bytes, expected at most {LARGEST:,}.")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        name, kind, names, trials, hits = (told[f.name] for f in fields(Outcome)[:5])
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ValueError("it is no result of a blind test.") from None
    texts = [name, *names] if isinstance(names, list) else [None]
    if len(texts) != 3 or not all(_is_name(t) for t in texts):
        raise ValueError("its names are no names.")
    if kind not in ("abx", "preference"):
        raise ValueError(f"its kind is {kind!r:.40}, expected 'abx' or 'preference'.")
    whole = all(type(value) is int for value in (trials, hits))
    if not whole or not LEAST_TRIALS <= trials <= MOST_TRIALS or not 0 <= hits <= trials:
        raise ValueError(f"{hits!r:.40} of {trials!r:.40} is no count of at least {LEAST_TRIALS}.")
    return Outcome(name, kind, tuple(names), trials, hits, p_value(hits, trials, kind))


def _is_name(text) -> bool:
    """Whether a name of a test may be printed: what comes from others could steer a terminal."""
    return isinstance(text, str) and 0 < len(text) <= 200 and text.isprintable()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for place in sorted(folder.iterdir()):
        if place.is_dir() and not place.is_symlink() and not place.name.startswith("."):
            for path in sorted(place.rglob("*.json")):
                if path.is_file() and not path.is_symlink():
                    yield place.name, path
