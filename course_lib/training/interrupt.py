"""The stop button: a run ends between two steps, not within one."""

import signal
import threading
from pathlib import Path


class Interrupt:
    """Notes the first Ctrl-C (the notebook's stop button) instead of raising at once.

    A second one raises KeyboardInterrupt as usual. Outside the main thread, and where not
    `enabled`, nothing is changed.
    """

    def __init__(self, enabled: bool):
        self.enabled = enabled and threading.current_thread() is threading.main_thread()
        self.asked = False

    def __enter__(self) -> "Interrupt":
        if self.enabled:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_) -> None:
        if self.enabled:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number, frame) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def raise_if_asked(self, step: int, steps: int, saved: Path | None) -> None:
        """Raise KeyboardInterrupt, saying where the run stands, if one was asked for."""
        if self.asked:
            then = "call fit again to go on" if saved else "without a folder, nothing is saved"
            raise KeyboardInterrupt(f"Stopped after step {step} of {steps}; {then}.")
