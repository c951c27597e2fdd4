"""Executing notebooks, each in its own kernel of this environment, whatever kernel it names."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from course_lib import paths

STRAY = ("/home/", "/root/", "/tmp/", "/content/", "/Users/", "C:\\", "/private/var/")


class CellFailed(RuntimeError):
    """A cell raised; the message names notebook, cell and error. `traceback` is the kernel's."""

    def __init__(self, message: str, traceback: str):
        super().__init__(message)
        self.traceback = traceback


def execute(
    notebook: dict,
    name: str,
    folder: Path,
    *,
    environment: dict[str, str] | None = None,
    timeout: int = 900,
    started: Callable[[int], None] = lambda index: None,
):
    """A copy of `notebook`, executed in order in `folder` in a fresh kernel of this environment.

    `started(index)` is called before each cell. Raises CellFailed naming `name`, the cell and the
    error, and ModuleNotFoundError where nbclient is not installed.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    except ImportError as error:
        raise ModuleNotFoundError(
            "Running notebooks needs nbclient: pip install -r requirements.txt -c constraints.txt"
        ) from error
    book = nbformat.reads(json.dumps(notebook), as_version=4)  # a copy; lists of lines joined
    for part in book.cells:
        if part.cell_type == "code":
            part.outputs, part.execution_count = [], None
    at = [0]

    def cell_starts(cell, cell_index):
        at[0] = cell_index
        started(cell_index)

    client = NotebookClient(
        book,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=cell_starts,
        store_widget_state=False,
        extra_arguments=["--log-level=CRITICAL"],  # else a notice about TCP at each start
    )
    try:
        client.execute(env={**os.environ, **(environment or {})})
    except CellExecutionError as error:
        said = f"{error.ename}: {error.evalue}".strip().splitlines()[0]
        raise CellFailed(f"{name}, cell {at[0] + 1}: {said}", error.traceback) from None
    except CellTimeoutError:
        raise CellFailed(f"{name}, cell {at[0] + 1}: took over {timeout} s", "") from None
    except DeadKernelError:
        raise CellFailed(f"{name}, cell {at[0] + 1}: the kernel died", "") from None
    except AssertionError:
        if client.kc is None:  # nbclient takes Ctrl-C itself, ends the kernel, then misses it
            raise KeyboardInterrupt from None
        raise
    return book


def cleaned(book) -> list[str]:
    """Make an executed notebook fit to commit, in place; what still is not, in words.

    Widgets (nothing without their kernel) and timings go; pieces of a stream become one. Standard
    error, warnings and paths of a machine are reported: their cause should be mended.
    """
    faults = []
    for index, part in enumerate(book["cells"], 1):
        part["metadata"] = {k: v for k, v in part["metadata"].items() if k in ("tags", "cellView")}
        if part["cell_type"] != "code":
            continue
        outputs = []
        for output in part["outputs"]:
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                continue
            last = outputs[-1] if outputs else {}
            if output["output_type"] == "stream" and last.get("name") == output["name"]:
                last["text"] = joined(last["text"]) + joined(output["text"])
            else:
                outputs.append(output)
        part["outputs"] = outputs
        faults += [f"cell {index}: {fault}" for fault in stray(outputs)]
    book["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return faults


def as_saved(book) -> dict:
    """A notebook in memory as the dictionary that lies in its file, text as lists of lines."""
    import nbformat

    return json.loads(nbformat.writes(book))


def save(notebook: dict, path: Path) -> None:
    """Write a notebook as Jupyter does, at once or not at all."""
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    paths.replace_file(path, lambda p: p.write_text(text, encoding="utf-8", newline="\n"))


def stray(outputs: list) -> list[str]:
    """What does not belong in committed outputs, in words."""
    faults = []
    for output in outputs:
        if output["output_type"] == "error":
            faults.append(f"an error output ({output['ename']})")
        if output.get("name") == "stderr":
            faults.append(f"standard error: {joined(output['text']).strip()[:200]!r}")
        data = output.get("data", {})
        texts = [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
        text = "".join(joined(t) for t in texts)
        if "base64," in text:  # the bytes of sounds and pictures are no text
            text = "".join(piece.partition("'")[2] for piece in text.split("base64,")) + text[:200]
        faults += [f"a path of a machine ({path})" for path in STRAY if path in text]
        if "Warning:" in text:
            faults.append("a warning")
    return faults


def joined(text: str | list[str]) -> str:
    """The text of a notebook's field, which may be a string or a list of lines."""
    return text if isinstance(text, str) else "".join(text)
