"""Wrong answers to homework, and what the grader gives for an answer, without a process of its own.

The answer goes the same way as a student's (drive, channel, judge); tests of the processes are in
test_hostile.py.
"""

import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path

from course_lib.grading import channel, editions, grader, worker
from course_lib.grading.task import Failed, sent
from course_lib.notebook import form
from course_lib.notebook.running import joined

SEED = b"a seed for the tests alone"


@dataclass(frozen=True)
class Wrong:
    """The source of a function, wrong in a likely way, and the points its task still gets."""

    source: str
    points: float
    says: str = ""  # what must be among the words of its marks


def wrong_answers(name: str) -> dict[str, list[Wrong]]:
    """WRONG of tests/grading/wrong_answers/hwN.py."""
    path = Path(__file__).parent / "wrong_answers" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"wrong_answers_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WRONG


def source_book(name: str) -> dict:
    return form.read(editions.folder_of(name) / "assignment.ipynb")


def namespace_of(book: dict) -> dict:
    """What a notebook defines: its code cells run here, in order, but for the setup cell."""
    space = {"__name__": "__main__"}
    for cell in book["cells"]:
        if cell["cell_type"] == "code" and "setup" not in cell["metadata"].get("tags", []):
            exec(compile(joined(cell["source"]), "<cell>", "exec"), space)
    return space


def locally(space: dict):
    """Asks a namespace of this process, as `grader.Run.ask` asks a student's."""

    def ask(task, cases):
        answers = []
        for case in cases:
            question = io.BytesIO(channel.pack("ask", sent(case)))
            kind, values = worker.answer(space, task.drive, channel.read(question)[1])
            kind, values = channel.read(io.BytesIO(channel.pack(kind, values)))
            blank = values.get("blank") == 1
            answers.append(values if kind == "answer" else Failed(values["words"], blank))
        return answers

    return ask


def marked(name: str, task, space: dict) -> grader.Graded:
    return grader.mark_task(name, task, SEED, locally(space))
