"""Training seen and heard while it runs: progress, curves and a sound in one output that stays."""

import time
from html import escape


class Live:
    """A callback of `fit`: a progress line, the curves so far, and a sound every `every` steps.

    `sound(model) -> [T]` (or {label: [T]}) is played beside the curves; by default eight times in a
    training. `keys` picks the curves. The output is one display, updated in place: what is
    committed is its last state, without a widget, without stderr. In a plain terminal it prints a
    line an eighth of the way.
    """

    def __init__(
        self,
        title: str = "Training",
        sound=None,
        every: int | None = None,
        sample_rate: int = 16000,
        keys: tuple[str, ...] | None = None,
        seconds_between: float = 1.0,
    ):
        if every is not None and every < 1:
            raise ValueError(f"every is {every}; expected a number of steps of at least 1.")
        self.title, self.sound, self.every, self.sample_rate = title, sound, every, sample_rate
        self.keys, self.seconds_between = keys, seconds_between
        self.curves: dict[str, tuple[list[int], list[float]]] = {}
        self._heard: dict = {}
        self._shown, self._handle, self._started = 0.0, None, None

    def update(self, step: int, steps: int, values: dict, model=None) -> None:
        """Take the values of `step` (1 to `steps`), and show them where it is time."""
        self._started = self._started or time.monotonic()
        for key, value in values.items():
            if self.keys is None or key in self.keys:
                xs, ys = self.curves.setdefault(key, ([], []))
                xs.append(step)
                ys.append(float(value))
        every = self.every or max(1, steps // 8)
        last = step >= steps
        if self.sound is not None and model is not None and (last or step % every == 0):
            made = self.sound(model)
            sounds = made if isinstance(made, dict) else {"sound": made}
            self._heard = {f"{label}, step {step:,}": value for label, value in sounds.items()}
        if last or time.monotonic() - self._shown >= self.seconds_between:
            self._show(step, steps)

    def _show(self, step: int, steps: int) -> None:
        from IPython import get_ipython

        self._shown = time.monotonic()
        numbers = ", ".join(f"{k} {ys[-1]:.4g}" for k, (_, ys) in self.curves.items())
        if get_ipython() is None:
            if step % max(1, steps // 8) == 0 or step >= steps:
                print(f"{self.title}: step {step:,} of {steps:,}. {numbers}")
            return
        from IPython.display import HTML, display

        page = HTML(self._page(step, steps, numbers))
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)

    def _page(self, step: int, steps: int, numbers: str) -> str:
        from course_lib.notebook.listening import players
        from course_lib.notebook.plots import show_curves

        spent = time.monotonic() - self._started
        left = spent / max(step, 1) * (steps - step)
        when = f"{spent:.0f} s" if step >= steps else f"{spent:.0f} s, {left:.0f} s left"
        parts = [
            f"<p><b>{escape(self.title)}</b> "
            f"<progress value='{step}' max='{steps}' aria-label='progress'></progress> "
            f"step {step:,} of {steps:,} ({when}). {escape(numbers)}</p>"
        ]
        curves = {k: v for k, v in self.curves.items() if len(v[0]) > 1}
        if curves:
            parts.append(show_curves(curves, y="value", title=self.title)._repr_html_())
        if self._heard:
            parts.append(players(self._heard, self.sample_rate)._repr_html_())
        return "".join(parts)
