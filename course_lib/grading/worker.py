"""The student's process: runs the cells of a notebook, then answers one hidden case after another.

It knows no seed, no expected value and no later case. What it says is only ever taken as an answer.
"""

import contextlib
import importlib
import json
import os
import re
import warnings
from pathlib import Path

import numpy as np

from course_lib.grading import channel
from course_lib.grading.drives import Absent
from course_lib.grading.task import Values

HANDED_IN = "handed_in.ipynb"
IGNORED_LINES = ("pip", "conda", "mamba", "uv", "sx", "system", "cd", "load_ext", "reset")
IGNORED_CELLS = ("bash", "sh", "script", "sx", "system", "html", "javascript", "perl", "ruby")


def serve(reader, writer) -> None:
    """Answer the grader's messages until it hangs up. The working folder is the student's."""
    shell, cells = make_shell(), []
    while True:
        try:
            kind, values = channel.read(reader)
        except (EOFError, channel.Broken):
            return
        nonce = {"nonce": values.pop("nonce", "")}
        if kind == "open":
            told, cells = open_notebook(Path(HANDED_IN))
            reply = ("opened", told)
        elif kind == "run":
            reply = ("ran", run(shell, cells, values["skip"], writer))
        elif kind == "ask":
            reply = answer(shell.user_ns, values.pop("drive"), values)
        else:
            reply = check(shell.user_ns, values["name"])
        channel.write(writer, reply[0], reply[1] | nonce)


def make_shell():
    """An IPython without history, displays, magics that reach outside, and without output."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    warnings.simplefilter("ignore")
    quiet = Config()
    quiet.HistoryManager.enabled = False
    quiet.InteractiveShell.colors = "NoColor"
    shell = InteractiveShell.instance(config=quiet)
    shell.showtraceback = shell.showsyntaxerror = lambda *args, **kwargs: None
    shell._tee = lambda channel: contextlib.nullcontext()  # IPython 9 keeps all that is printed
    shell.system = shell.system_raw = shell.system_piped = lambda command: None
    shell.getoutput = lambda *args, **kwargs: []
    shell.display_pub.publish = lambda *args, **kwargs: None
    for name in IGNORED_LINES:
        shell.register_magic_function(lambda line: None, "line", name)
    for name in IGNORED_CELLS:
        shell.register_magic_function(lambda line, cell: None, "cell", name)
    return shell


def open_notebook(path: Path) -> tuple[Values, list[str]]:
    """What the grader is told of a notebook, and the sources of its code cells."""
    try:
        book = json.loads(path.read_bytes())
        parts = [c for c in book["cells"] if c["cell_type"] == "code"]
        cells = ["".join(c["source"]) for c in parts]
        about = book.get("metadata", {}).get("course", {})
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        size = path.stat().st_size
        said = "is empty" if not size else f"is damaged ({type(error).__name__})"
        return {"wrong": f"the notebook {said}"}, []
    except MemoryError:
        return {"wrong": "the notebook is too large to be read"}, []
    exercises = re.findall(r"^check\(\s*[\"']([\w.]{1,80})[\"']", "\n".join(cells), re.MULTILINE)
    told = {"cells": len(cells), "exercises": " ".join(dict.fromkeys(exercises))[:8000]}
    for key in ("assignment", "edition"):
        told[key] = str(about.get(key, ""))[:40] if isinstance(about, dict) else ""
    return told, cells


def run(shell, cells: list[str], skip: str, writer) -> Values:
    """Run the cells in order but those of `skip` ("3 7"); what raised, as {"3": "KeyError: …"}."""
    left_out = {int(number) for number in skip.split()}
    raised, process = {}, os.getpid()
    for index, source in enumerate(cells):
        if index in left_out:
            continue
        channel.write(writer, "cell", {"index": index})
        try:
            done = shell.run_cell(source, store_history=False, silent=True)
            error = done.error_before_exec or done.error_in_exec
        except BaseException as stray:  # what a student's code may do to IPython itself
            error = stray
        _end_copies(process)
        if error is not None:
            raised[str(index)] = in_words(error)
    return dict(list(raised.items())[:100])


def _end_copies(process: int) -> None:
    """End this process where a student's code has forked it: one alone goes on answering."""
    if os.getpid() != process:
        os._exit(0)


def answer(namespace: dict, drive: str, case: Values) -> tuple[str, Values]:
    """The answer to one hidden case: ("answer", values), or ("failed", its words)."""
    import torch

    module, _, function = drive.partition(":")
    torch.manual_seed(0)
    np.random.seed(0)
    process = os.getpid()
    try:
        try:
            found = getattr(importlib.import_module(module), function)(namespace, **case)
        finally:
            _end_copies(process)
        values = {str(name): plain(str(name), value) for name, value in found.items()}
        channel.pack("answer", values)
        return "answer", values
    except NotImplementedError:
        return "failed", {"words": "not done yet", "blank": 1}
    except (Absent, channel.Broken) as error:
        return "failed", {"words": str(error)[:500], "blank": 0}
    except BaseException as error:  # whatever a student's code may raise, SystemExit included
        return "failed", {"words": f"your code raised {in_words(error)}", "blank": 0}


def plain(name: str, value) -> "np.ndarray | int | float | str":
    """A value as the channel takes it; tensors become arrays. Raises Broken for the rest."""
    import torch

    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if isinstance(value, str | int | float | np.ndarray | np.generic):
        return value
    if isinstance(value, list | tuple):
        return np.asarray([v.item() if isinstance(v, torch.Tensor) else v for v in value])
    if value is None:
        raise channel.Broken(f"`{name}` is None: is a `return` missing?")
    raise channel.Broken(f"`{name}` is a {type(value).__name__}, expected an array or a number")


def check(namespace: dict, name: str) -> tuple[str, Values]:
    """The result of an exercise's visible check, as the notebook would print it."""
    from course_lib.notebook.checking import grade

    try:
        result = grade(name, namespace.get(name.partition(".")[2]))
    except KeyError as error:
        return "checked", {"state": "wrong", "mistake": str(error.args[0])[:500], "hint": ""}
    told = {"state": result.state, "mistake": result.mistake[:500], "hint": result.hint[:500]}
    return "checked", told


def in_words(error: BaseException) -> str:
    """An error as one short line, also where its own text raises."""
    try:
        lines = str(error).strip().splitlines()
    except BaseException:
        lines = []
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300].rstrip(": ")


def start(reader: int, writer: int, folder: Path, environment: dict[str, str]) -> None:
    """Serve on two file descriptors, everything else closed, standard streams to nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    with os.fdopen(reader, "rb") as asked, os.fdopen(writer, "wb") as said:
        serve(asked, said)
