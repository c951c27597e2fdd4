"""Keeping one of several sounds: the listener in the loop."""

from course_lib.notebook.listening import players

STILL = "In a running notebook you choose here which one goes on; until you do, it is the first."


class Choice:
    """What a listener keeps: `kept` is the label, `index` its place; the first until then."""

    def __init__(self, labels: list[str]):
        self.labels, self.index = labels, 0

    @property
    def kept(self) -> str:
        return self.labels[self.index]

    def __repr__(self) -> str:
        return f"Kept: {self.kept}."


def choose(
    sounds: dict,
    sample_rate: int = 16000,
    *,
    reference=None,
    seconds: float | None = 4.0,
) -> Choice:
    """Show `{label: sound}` as a table of players and let the listener keep one of them.

    It never waits: the first is kept until another is chosen, and cells below that read `kept` or
    `index` are run again to follow. Loudness, words and errors are those of `players`. Without
    ipywidgets it says so in a line. Taught in notebook 10.
    """
    table = players(sounds, sample_rate, reference=reference, seconds=seconds)
    choice = Choice([label for label, _, _ in table.rows])
    from IPython.display import display

    display(table)
    print(STILL)
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to choose here.")
        return choice
    display(_form(ipywidgets, choice))
    return choice


def _form(ipywidgets, choice: Choice):
    """The buttons; only what ipywidgets 7 and 8 share."""
    buttons = ipywidgets.RadioButtons(options=choice.labels, description="keep")

    def chosen(change) -> None:
        choice.index = choice.labels.index(change["new"])

    buttons.observe(chosen, names="value")
    return buttons
