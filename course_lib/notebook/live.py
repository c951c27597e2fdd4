"""Training seen and heard while it runs: progress, curves and a sound in one output that stays."""

import time
from html import escape

HIDDEN = ("step", "seconds", "lr", "gradient_norm")


class Live:
    """A callback of `fit`: a progress line, the curves so far, and a sound at intervals.

    `sound(model) -> [T]`, or {label: [T]}, is called without gradients on `model` in eval mode
    every `every` steps (by default eight times in a training) and played beside the curves. `keys`
    picks the curves; by default all but step, seconds, lr and gradient norm. The output is one
    display, updated in place: what is committed is its last state, without widgets or stderr. In a
    plain terminal it prints a line at each eighth. Raises ValueError for steps below 1, or a sound
    without the model to make it.

        fit(model, data, loss, steps=steps, progress=False,
            callbacks=[Live(steps, model=model, sound=reconstruct)])
    """

    def __init__(
        self,
        steps: int,
        *,
        title: str = "Training",
        model=None,
        sound=None,
        every: int | None = None,
        sample_rate: int = 16000,
        keys: tuple[str, ...] | None = None,
    ):
        every = max(1, steps // 8) if every is None else every
        if steps < 1 or every < 1:
            raise ValueError(f"steps={steps} and every={every}: both must be at least 1.")
        if (model is None) != (sound is None):
            raise ValueError("Give model and sound together: sound(model) is what is played.")
        self.steps, self.title, self.model, self.sound = steps, title, model, sound
        self.every, self.sample_rate, self.keys = every, sample_rate, keys
        self.curves: dict[str, tuple[list[int], list[float]]] = {}
        self.heard: dict = {}
        self._started, self._shown, self._due, self._handle = time.monotonic(), 0.0, every, None

    def __call__(self, step: int, row: dict[str, float]) -> None:
        """Take the logged row of `step` (1 to `steps`), and show it where it is time."""
        for key, value in row.items():
            if key in self.keys if self.keys is not None else key not in HIDDEN:
                xs, ys = self.curves.setdefault(key, ([], []))
                xs.append(step)
                ys.append(float(value))
        last = step >= self.steps
        due = last or step >= self._due
        if due:
            self._due = step - step % self.every + self.every
            self._listen(step)
        if due or time.monotonic() - self._shown >= 1.0:
            self._show(step, due)

    def _listen(self, step: int) -> None:
        if self.sound is None:
            return
        import torch

        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            made = self.sound(self.model)
        self.model.train(training)
        sounds = made if isinstance(made, dict) else {"sound": made}
        self.heard = {f"{label}, step {step:,}": value for label, value in sounds.items()}

    def _show(self, step: int, due: bool) -> None:
        self._shown = time.monotonic()
        numbers = ", ".join(f"{key} {ys[-1]:.4g}" for key, (_, ys) in self.curves.items())
        if not in_notebook():
            if due:
                print(f"{self.title}: step {step:,} of {self.steps:,}. {numbers}")
            return
        from IPython.display import HTML, display

        page = HTML(self._page(step, numbers))
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)

    def _page(self, step: int, numbers: str) -> str:
        from course_lib.notebook.listening import players
        from course_lib.notebook.plots import show_curves

        spent = time.monotonic() - self._started
        left = "" if step >= self.steps else f", {spent / step * (self.steps - step):.0f} s left"
        parts = [
            f"<p><b>{escape(self.title)}</b> <progress value='{step}' max='{self.steps}' "
            f"aria-label='progress'></progress> step {step:,} of {self.steps:,} "
            f"({spent:.0f} s{left}). {escape(numbers)}</p>"
        ]
        curves = {key: curve for key, curve in self.curves.items() if len(curve[0]) > 1}
        if curves:
            parts.append(show_curves(curves, y="value", title=self.title)._repr_html_())
        if self.heard:
            parts.append(players(self.heard, self.sample_rate)._repr_html_())
        return "".join(parts)


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel, which can show HTML."""
    import sys

    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return bool(shell) and hasattr(shell, "kernel")
