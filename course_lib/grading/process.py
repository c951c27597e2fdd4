"""The grader's end of a student's process: start it, ask it, watch it, end it."""

import contextlib
import json
import os
import queue
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

from course_lib import paths
from course_lib.grading import channel, sandbox
from course_lib.grading.sandbox import Limits
from course_lib.grading.task import Values
from course_lib.grading.watch import Watch, end


class Died(Exception):
    """The student's process is gone, or had to be ended; the message says why."""


class Nursery:
    """Starts students' processes; `missing` says what of the isolation this system lacks."""

    def __init__(self):
        self.forks = hasattr(os, "fork") and hasattr(socket, "send_fds")
        if not self.forks:
            self.missing = sandbox.missing()
            return
        self.line, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self.process = subprocess.Popen(
                _command(str(number)),
                pass_fds=[number],
                env=_clean(),
                stdin=subprocess.DEVNULL,
            )
        self.missing: list[str] = json.loads(self._reply())

    def start(self, folder: Path, limits: Limits):
        """(pid, stream to read answers from, stream to write to) of a new student's process."""
        if not self.forks:
            flags = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            command = _command("alone", str(folder))
            child = subprocess.Popen(command, env=dict(os.environ) | _clean(), **flags)
            return child.pid, child.stdout, child.stdin
        asked, asking = os.pipe()
        answers, answering = os.pipe()
        clips = str(paths.cache("songbook"))
        request = {"folder": str(folder), "limits": asdict(limits), "clips": clips}
        socket.send_fds(self.line, [json.dumps(request).encode()], [asked, answering])
        os.close(asked)
        os.close(answering)
        pid = int(self._reply())
        return pid, os.fdopen(answers, "rb"), os.fdopen(asking, "wb")

    def close(self) -> None:
        if self.forks:
            self.line.close()
            self.process.kill()  # it keeps nothing, and those it forked end with it
            self.process.wait()

    def _reply(self) -> bytes:
        said = b""
        while not said.endswith(b"\n"):
            part = self.line.recv(65536)
            if not part:
                raise OSError("The process that starts notebooks could not be started.")
            said += part
        return said

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class Student:
    """One process for one hand-in, in a folder that goes when it ends.

    `notebook` is copied there, and so are `files` ({name: bytes}). Every answer has to carry the
    number that its question had, which the process can't know beforehand.
    """

    def __init__(self, nursery: Nursery, notebook: Path, files: dict[str, bytes], limits: Limits):
        self.limits = limits
        self.folder = Path(tempfile.mkdtemp(prefix="course_grade_"))
        shutil.copyfile(notebook, self.folder / "handed_in.ipynb", follow_symlinks=False)
        for name, content in files.items():
            (self.folder / Path(name).name).write_bytes(content)
        self.pid, self.reader, self.writer = nursery.start(self.folder, limits)
        self.inbox: queue.Queue = queue.Queue(maxsize=4)
        self.watch = Watch(self.pid, self.folder, limits)
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, kind: str, values: Values, seconds: float, progress=lambda values: None):
        """(kind, values) of the answer. `progress` hears of each cell that begins.

        `seconds` are for a cell or an answer. Raises Died with the reason where it takes longer.
        """
        nonce = secrets.token_hex(8)
        message = channel.pack(kind, values | {"nonce": nonce})
        threading.Thread(target=self._send, args=(message,), daemon=True).start()
        ends = time.monotonic() + seconds
        while True:
            told, answered = self._next(ends, seconds)
            if told == "cell":
                progress(answered)
                ends = time.monotonic() + seconds
            elif answered.pop("nonce", None) == nonce:
                return told, answered
            else:
                self.close()
                raise Died("it answered something that nobody had asked")

    def close(self) -> None:
        """End the process and everything it started, and remove its folder."""
        self.watch.stop()
        end(self.pid)
        with contextlib.suppress(OSError):  # what was not sent yet
            self.writer.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _next(self, ends: float, seconds: float):
        try:
            got = self.inbox.get(timeout=max(0.0, ends - time.monotonic()))
        except queue.Empty:
            self.close()
            raise Died(f"it took over {seconds:g} s") from None
        if isinstance(got, BaseException):
            reason = self.watch.reason
            self.close()
            if isinstance(got, channel.Broken):
                raise Died(f"its answer can't be read: {got}")
            raise Died(reason or "its process ended or crashed")
        return got

    def _listen(self) -> None:
        try:
            while True:
                self.inbox.put(channel.read(self.reader), timeout=3600)
        except BaseException as error:  # EOF, a broken message, a closed file: `_next` tells
            self.inbox.put(error)

    def _send(self, message: bytes) -> None:
        try:
            self.writer.write(message)
            self.writer.flush()
        except (OSError, ValueError):
            pass  # it died; the reader notices


def _command(*arguments: str) -> list[str]:
    """Python without the user's environment, on the same library."""
    code = (
        f"import sys; sys.path.insert(0, {str(paths.root())!r}); "
        f"sys.argv = ['nursery', *{list(arguments)!r}]; "
        "import runpy; runpy.run_module('course_lib.grading.nursery', run_name='__main__')"
    )
    return [sys.executable, "-P", "-c", code]


def _clean() -> dict[str, str]:
    return sandbox.FIXED | {"COURSE_CACHE": str(paths.cache())}
