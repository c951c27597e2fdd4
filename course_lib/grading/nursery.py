"""A process that has imported torch once and forks a student's process whenever it is asked to.

Importing takes seconds, forking milliseconds; every hand-in still gets a process of its own. It is
started clean (no seed, no environment of the grader) and stays of a single thread, which the
namespaces need. Where the system can't fork (Windows) it serves one student itself.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

from course_lib import paths
from course_lib.grading import sandbox, worker


def main(control: int) -> None:
    """Answer the grader's requests on a socket until it hangs up."""
    import IPython.core.interactiveshell
    import torch

    assert IPython and torch  # imported once, for all that are forked
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to answer
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=control) as line:
        line.sendall(json.dumps(sandbox.missing()).encode() + b"\n")
        while True:
            request, places, _, _ = socket.recv_fds(line, 65536, 2)
            if not request:
                return
            reply = _fork(json.loads(request), places, control)
            line.sendall(json.dumps(reply).encode() + b"\n")
            _reap()


def _fork(request: dict, places: list[int], control: int) -> int:
    child = os.fork()
    if child:
        for place in places:
            os.close(place)
        return child
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.close(control)
        folder = Path(request["folder"])
        environment = sandbox.environment(folder)
        _link_clips(Path(request["clips"]), folder / "cache" / "songbook")
        (folder / "course").symlink_to(paths.root())  # where the setup cell looks for the course
        sandbox.enter(folder, sandbox.Limits(**request["limits"]))
        worker.start(*places, folder, environment)
    finally:  # whatever happened, this is not the nursery any more
        os._exit(1)


def _link_clips(rendered: Path, folder: Path) -> None:
    """Let clips that are rendered already be found; others are rendered into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if rendered.is_dir():
        for path in rendered.iterdir():
            (folder / path.name).symlink_to(path.resolve())


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def alone(folder: str) -> None:
    """Serve one student on the standard streams: for systems that can't fork."""
    place = Path(folder)
    reader, writer = os.dup(0), os.dup(1)
    worker.start(reader, writer, place, dict(os.environ) | sandbox.environment(place))


if __name__ == "__main__":
    if sys.argv[1] == "alone":
        alone(sys.argv[2])
    else:
        main(int(sys.argv[1]))
