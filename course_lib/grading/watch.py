"""What resource limits don't hold: memory, processes and files of a student's process together.

root may start any number of processes, and a limit on memory counts for each process by itself.
So a thread looks ten times a second, where the system shows processes as files (Linux).
"""

import os
import signal
import threading
import time
from collections import defaultdict
from pathlib import Path

from course_lib.grading.sandbox import Limits

EVERY = 0.1
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
FILES = 10_000


class Watch:
    """Ends the process `pid` and its descendants when they take too much; `reason` says what."""

    def __init__(self, pid: int, folder: Path, limits: Limits):
        self.pid, self.folder, self.limits = pid, folder, limits
        self.reason = ""
        self._stopped = threading.Event()
        if Path("/proc/self/stat").exists():
            threading.Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _look(self) -> None:
        turn = 0
        while not self._stopped.wait(EVERY):
            self.reason = self._processes() or (self._folder() if turn % 10 == 0 else "")
            turn += 1
            if self.reason:
                end(self.pid)
                return

    def _processes(self) -> str:
        found = descendants(self.pid)
        if len(found) > self.limits.processes:
            return f"it started more than {self.limits.processes} processes"
        # The process that waits for the others holds what all of them were forked with.
        shared = _resident(self.pid)
        if sum(max(0, _resident(pid) - shared) for pid in found) > self.limits.memory:
            return f"it took more than {self.limits.memory >> 20:,} MiB of memory"
        return ""

    def _folder(self) -> str:
        size = count = 0
        for place, _, names in os.walk(self.folder):
            for name in names:
                count += 1
                try:
                    size += os.lstat(os.path.join(place, name)).st_size
                except OSError:
                    continue
            if size > self.limits.folder + _handed_in(self.folder) or count > FILES:
                return f"it wrote more than {self.limits.folder >> 20} MiB or {FILES:,} files"
        return ""


def descendants(pid: int) -> list[int]:
    """The processes below `pid`, itself left out, from what the system shows."""
    children = defaultdict(list)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            children[parent].append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        below = children.pop(waiting.pop(), [])
        found += below
        waiting += below
    return found


def end(pid: int) -> None:
    """Kill a process and all below it. The first below is init of its own: with it all go."""
    if not hasattr(signal, "SIGKILL"):
        _kill(pid, signal.SIGTERM)
        return
    for _ in range(100):
        below = descendants(pid) if Path("/proc/self/stat").exists() else []
        alive = [child for child in below if _resident(child)]
        for child in below:
            _kill(child, signal.SIGKILL)
        if not alive:
            break
        time.sleep(0.01)
    _kill(pid, signal.SIGKILL)


def _kill(pid: int, with_signal: int) -> None:
    try:
        os.kill(pid, with_signal)
    except OSError:
        pass


def _resident(pid: int) -> int:
    """Bytes of memory in use, 0 for a process that has ended."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0


def _handed_in(folder: Path) -> int:
    try:
        return os.lstat(folder / "handed_in.ipynb").st_size
    except OSError:
        return 0
