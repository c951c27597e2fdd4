"""The student's edition of an assignment, made from its running solution, the same every time.

Markers and cell metadata are nbgrader's own, and so is what becomes of them
(`nbgrader.preprocessors.ClearSolutions`, `ClearHiddenTests`), so that the sources can be moved to
nbgrader unchanged.
"""

import io
import json
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

from course_lib import paths
from course_lib.grading import assignments
from course_lib.grading.secrets import edition, secret
from course_lib.notebook import form
from course_lib.notebook.running import joined, save

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
HIDDEN, HIDDEN_END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_STUB = ("YOUR ANSWER HERE",)
KEPT = ("nbgrader", "cellView", "tags")


def folder_of(name: str) -> Path:
    """The folder of "hw1" in homework/. Raises ValueError where there is none."""
    number = name.removeprefix("hw")
    found = sorted((paths.root() / "homework").glob(f"{int(number):02d}_*/assignment.ipynb"))
    if not found:
        raise ValueError(f"homework/ has no folder {int(number):02d}_… with an assignment.ipynb.")
    return found[0].parent


def build(names: list[str], seed: bytes, out: Path) -> list[Path]:
    """Write the student editions of assignments into `out`, with what they are given; the files."""
    written = []
    for name in names:
        folder = folder_of(name)
        book = student_edition(form.read(folder / "assignment.ipynb"), name, edition(seed))
        target = out / folder.name / "assignment.ipynb"
        save(book, target)
        written.append(target)
        packed = pack_given(name, seed)
        if packed is not None:
            written.append(target.with_name(f"{name}_given.zip"))
            paths.replace_file(written[-1], lambda p, packed=packed: p.write_bytes(packed))
    return written


def student_edition(source: dict, name: str, edition: str) -> dict:
    """The notebook without solutions, hidden tests and outputs. ValueError for misplaced markers.

    Cell ids are counted, so that the same source gives the same bytes.
    """
    cells = []
    for index, cell in enumerate(source["cells"]):
        place = f"{name}, cell {index + 1}"
        lines = joined(cell["source"]).split("\n")
        text, cleared = _clear_solution(lines, cell["cell_type"], place)
        marked = cell["metadata"].get("nbgrader", {}).get("solution", False)
        if cleared and not marked:
            raise ValueError(f"{place}: it has a solution, but its metadata doesn't say so.")
        if marked and not cleared:
            text = list(TEXT_STUB if cell["cell_type"] == "markdown" else CODE_STUB)
        text = _clear_hidden(text, place)
        made = {
            "cell_type": cell["cell_type"],
            "id": f"{name}-{index:02d}",
            "metadata": {k: v for k, v in cell["metadata"].items() if k in KEPT},
            "source": "\n".join(text).strip("\n").splitlines(keepends=True),
        }
        if cell["cell_type"] == "code":
            made |= {"execution_count": None, "outputs": []}
        cells.append(made)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {
        "course": {"assignment": name, "edition": edition},
        "kernelspec": kernel,
        "language_info": {"name": "python"},
    }
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


@lru_cache(maxsize=16)
def pack_given(name: str, seed: bytes) -> bytes | None:
    """The zip of what the tasks of an assignment plant, or None where they plant nothing."""
    planting = [task for task in assignments.tasks(name) if task.plant is not None]
    if not planting:
        return None
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(packed, "w") as archive:
        folder = Path(place)
        for task in planting:
            task.plant(secret(seed, f"{name}.{task.name}"), folder)
        about = {"assignment": name, "edition": edition(seed)}
        (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            # A fixed date and no compression: the same files make the same bytes.
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, path.read_bytes())
    return packed.getvalue()


def _clear_solution(lines: list[str], kind: str, place: str) -> tuple[list[str], bool]:
    """The lines with each marked region as a stub at its indent, and whether there was one."""
    kept, inside, cleared = [], False, False
    for line in lines:
        if line.strip() == BEGIN:
            if inside:
                raise ValueError(f"{place}: a solution begins within a solution.")
            indent = line[: line.find(BEGIN)]
            if kind == "code" and not indent:
                raise ValueError(
                    f"{place}: its solution is not inside a function, so that the untouched "
                    "notebook would stop there; ask for a function instead."
                )
            inside = cleared = True
            kept += [indent + stub for stub in (TEXT_STUB if kind == "markdown" else CODE_STUB)]
        elif line.strip() == END:
            if not inside:
                raise ValueError(f"{place}: a solution ends that never began.")
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"{place}: a solution begins and never ends.")
    return kept, cleared


def _clear_hidden(lines: list[str], place: str) -> list[str]:
    kept, inside = [], False
    for line in lines:
        if line.strip() in (HIDDEN, HIDDEN_END):
            if inside == (line.strip() == HIDDEN):
                raise ValueError(f"{place}: the markers of its hidden tests don't pair.")
            inside = not inside
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"{place}: hidden tests begin and never end.")
    return kept
