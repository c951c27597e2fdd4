"""Blind listening tests: the order hidden, the stopping rule fixed, the statistics exact."""

import json
import math
import random
from dataclasses import asdict, dataclass
from html import escape

from course_lib import paths
from course_lib.notebook.album import file_name
from course_lib.notebook.listening import at_level, common_level
from course_lib.notebook.sounds import encode, excerpt, mono

LEAST_TRIALS = 12


@dataclass(frozen=True)
class Outcome:
    """A finished test: `hits` are right answers (ABX) or votes for the first name (preference)."""

    name: str
    kind: str
    names: tuple[str, str]
    trials: int
    hits: int
    p_value: float

    def __str__(self) -> str:
        if self.kind == "abx":
            told = f"{self.hits} of {self.trials} right"
            verdict = "you hear the difference" if self.p_value < 0.05 else "no difference shown"
        else:
            told = f"{self.names[0]} preferred in {self.hits} of {self.trials}"
            winner = self.names[0] if 2 * self.hits > self.trials else self.names[1]
            verdict = f"you prefer {winner}" if self.p_value < 0.05 else "no preference shown"
        return f"{told}, p = {self.p_value:.3f} (binomial, chance 1/2): {verdict}."


def p_value(hits: int, trials: int, kind: str) -> float:
    """Exact binomial p-value at chance 1/2: one-sided for ABX, two-sided for preference."""
    if kind == "preference":
        hits = max(hits, trials - hits)
    tail = sum(math.comb(trials, k) for k in range(hits, trials + 1)) / 2**trials
    return min(1.0, tail * (2 if kind == "preference" else 1))


class Session:
    """The state of one test, without any display: what to play next, and what was answered.

    `order[i]` is (pair, swapped, x): which pair of sounds, whether A and B change places, and for
    ABX whether X is the first of the two as played.
    """

    def __init__(self, name, kind, names, pairs: int, trials: int, seed: int | None):
        if kind not in ("abx", "preference"):
            raise ValueError(f"kind is '{kind}'; expected 'abx' or 'preference'.")
        if trials < LEAST_TRIALS:
            raise ValueError(f"A blind test needs at least {LEAST_TRIALS} trials, not {trials}.")
        draw = random.Random(seed)
        places = [i % pairs for i in range(trials)]
        halves = [i % 2 == 0 for i in range(trials)]
        draw.shuffle(places)
        swapped, firsts = halves[:], halves[:]
        draw.shuffle(swapped)
        draw.shuffle(firsts)
        self.order = list(zip(places, swapped, firsts, strict=True))
        self.name, self.kind, self.names, self.trials = name, kind, tuple(names), trials
        self.answers: list[bool] = []

    @property
    def done(self) -> bool:
        return len(self.answers) >= self.trials

    def sources(self) -> dict[str, tuple[int, int]]:
        """What each player of this trial holds: {"A": (pair, 0 or 1), "B": ..., "X": ...}."""
        pair, swapped, first = self.order[len(self.answers)]
        a, b = (1, 0) if swapped else (0, 1)
        played = {"A": (pair, a), "B": (pair, b)}
        if self.kind == "abx":
            played["X"] = (pair, a if first else b)
        return played

    def answer(self, choice: str) -> None:
        """Record "A" or "B". Raises ValueError after the last trial: the stopping rule is fixed."""
        if self.done:
            raise ValueError(f"The test stopped after {self.trials} trials, as said beforehand.")
        if choice not in ("A", "B"):
            raise ValueError(f"The answer is '{choice}'; expected 'A' or 'B'.")
        _, swapped, first = self.order[len(self.answers)]
        chosen_first = choice == "A"
        self.answers.append(
            chosen_first == first if self.kind == "abx" else chosen_first != swapped
        )

    def outcome(self) -> Outcome:
        """The result. Raises ValueError before the last trial: no peeking."""
        if not self.done:
            raise ValueError(
                f"{len(self.answers)} of {self.trials} trials are done; finish them first."
            )
        hits = sum(self.answers)
        p = p_value(hits, self.trials, self.kind)
        return Outcome(self.name, self.kind, self.names, self.trials, hits, p)


def blind_test(
    name: str,
    a: list,
    b: list,
    *,
    kind: str = "abx",
    trials: int = 12,
    question: str | None = None,
    sample_rate: int = 16000,
    names: tuple[str, str] = ("A", "B"),
    seconds: float = 4.0,
    seed: int | None = None,
) -> None:
    """Show a blind test of sounds `a` against `b` (lists of equal length), lossless, one loudness.

    "abx": is X the same as A or B? "preference": which of two do you prefer? It stops after
    `trials` (at least 12), then shows and saves the result in the student's home as
    `blind_tests/NAME.json`. It never waits: a notebook runs on, and shows the test untaken. Without
    widgets a line says so. Raises ValueError for lists that do not pair, too few trials, a name
    without letters or digits, or sounds that cannot be played.
    """
    a, b = ([x] if not isinstance(x, list | tuple) else list(x) for x in (a, b))
    if not a or len(a) != len(b):
        raise ValueError(f"A blind test pairs its sounds: there are {len(a)} against {len(b)}.")
    file = file_name(name, ".json")
    session = Session(name, kind, names, len(a), trials, seed)
    pairs = [
        _matched(x, y, sample_rate, seconds, names) for x, y in zip(a, b, strict=True)
    ]  # [pair][0 or 1] -> WAV bytes
    question = question or (
        "Is X the same sound as A or as B?" if kind == "abx" else "Which of the two do you prefer?"
    )
    from IPython.display import HTML, display

    rule = (
        f"<b>Blind test: {escape(names[0])} against {escape(names[1])}.</b> {escape(question)} "
        f"It stops after {trials} trials, decided beforehand; the order is hidden."
    )
    shown = display(HTML(f"<p>{rule}<br>Not taken yet.</p>"), display_id=True)

    def finish(outcome: Outcome) -> None:
        path = paths.home("blind_tests", file)
        text = json.dumps(asdict(outcome), indent=1)
        paths.replace_file(path, lambda p: p.write_text(text, encoding="utf-8"))
        if shown is not None:
            shown.update(HTML(f"<p>{rule}<br>{escape(str(outcome))}</p>"))

    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to take this test here.")
        return
    display(_form(ipywidgets, session, pairs, finish))


def _matched(x, y, sample_rate, seconds, names) -> tuple[bytes, bytes]:
    from course_lib.notebook.description import describe

    cut, told = [], []
    for sound, label in zip((x, y), names, strict=True):
        samples, rate = mono(sound, sample_rate, f"'{label}'")
        cut.append((excerpt(samples, rate, seconds), rate))
        told.append(describe(cut[-1][0], rate))
    level = common_level(told)
    return tuple(
        encode(at_level(s, d, level), rate, "WAV") for (s, rate), d in zip(cut, told, strict=True)
    )


def _form(ipywidgets, session: Session, pairs, finish):
    """The widgets of a running session; only what ipywidgets 7 and 8 share."""
    progress = ipywidgets.Label()
    labels = ["A", "B", "X"] if session.kind == "abx" else ["A", "B"]
    sounds = {k: ipywidgets.Audio(autoplay=False, loop=False, format="wav") for k in labels}
    row = ipywidgets.HBox([ipywidgets.VBox([ipywidgets.Label(k), sounds[k]]) for k in labels])
    verb = "X is" if session.kind == "abx" else "I prefer"
    buttons = [ipywidgets.Button(description=f"{verb} {k}") for k in ("A", "B")]

    def refresh() -> None:
        if session.done:
            outcome = session.outcome()
            progress.value = str(outcome)
            for button in buttons:
                button.disabled = True
            finish(outcome)
            return
        progress.value = f"Trial {len(session.answers) + 1} of {session.trials}"
        for key, (pair, which) in session.sources().items():
            sounds[key].value = pairs[pair][which]

    def answered(choice):
        def clicked(_):
            if not session.done:
                session.answer(choice)
                refresh()

        return clicked

    for button, choice in zip(buttons, ("A", "B"), strict=True):
        button.on_click(answered(choice))
    refresh()
    return ipywidgets.VBox([progress, row, ipywidgets.HBox(buttons)])
