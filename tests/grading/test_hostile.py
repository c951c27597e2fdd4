"""Notebooks that mean harm, or have it: the grade is right, and the run goes on."""

import json
import os
import sys
from pathlib import Path

import pytest
from small_assignment import book, code

from course_lib import paths
from course_lib.grading import editions, grader, handins, landlock
from course_lib.grading.sandbox import Limits
from course_lib.grading.task import Mark, Task

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux closes a process off")
closed = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
QUICK = Limits(cell=6, case=4, whole=120, memory=1 << 30)
SEED = b"a seed for the tests alone"
IMPORTS = "import ctypes, os, sys, time, threading, torch"
NEAREST = """
def nearest(x, codebook, price):
    return (torch.cdist(x, codebook).square() + price).argmin(1)
"""
PERPLEXITY = """
def perplexity(codes, size):
    counts = torch.bincount(codes, minlength=size).double()
    share = counts[counts > 0] / counts.sum()
    return 2 ** -(share * share.log2()).sum(), (counts == 0).double().mean()
"""


@pytest.fixture(autouse=True)
def nothing_is_given(monkeypatch):
    monkeypatch.setattr(editions, "pack_given", lambda name, seed: None)


def write(path: Path, *sources: str, **about) -> Path:
    made = book(*(code(source) for source in (IMPORTS, *sources)))
    made["metadata"] = {"course": {"assignment": "hw1"} | about}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


@pytest.fixture
def grade(nursery, tmp_path):
    """Grades cells as one hand-in: ({task: points}, all words of the report)."""

    def graded(*sources, **about):
        path = write(tmp_path / "in" / "her.ipynb", *sources, **about)
        return told(grader.grade(nursery, handins.HandIn("her", path), SEED, QUICK))

    return graded


def told(report) -> tuple[dict[str, float], str]:
    points = {graded.task.name: graded.points for graded in report.tasks}
    words = [mark.words for graded in report.tasks for mark in graded.marks]
    return {k: v for k, v in points.items() if v}, "\n".join([*words, *report.notes])


def test_an_endless_cell_and_an_endless_function_cost_themselves_alone(grade):
    endless = "def straight_through(z, e, beta):\n    while True:\n        pass"
    points, words = grade(NEAREST, "while True:\n    pass", endless, PERPLEXITY)
    assert points == {"nearest": 2, "perplexity": 2}
    assert "code cell 3 was left out: it took over 6 s" in words
    assert "hidden case 1: it took over 4 s" in words


@linux
def test_a_fork_bomb_and_what_it_leaves_are_ended(grade):
    bomb = "while True:\n    os.fork()"
    stays = "if not os.fork():\n    os.setsid()\n    if not os.fork():\n        time.sleep(7777)"
    points, words = grade(NEAREST, bomb, stays, PERPLEXITY)
    assert points == {"nearest": 2, "perplexity": 2}, words
    assert "code cell 3 was left out: it started more than 32 processes" in words
    left = [p for p in Path("/proc").glob("[0-9]*/cwd") if "course_grade_" in _target(p)]
    assert not left


def _target(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def test_ended_and_crashed_processes_are_started_again(grade):
    crash = "ctypes.string_at(0)"
    leaves = "def perplexity(codes, size):\n    os._exit(0)"
    points, words = grade("sys.exit()", "os._exit(1)", NEAREST, crash, "exit()", leaves)
    assert points == {"nearest": 2}
    for cell in (3, 5):
        assert f"code cell {cell} was left out: its process ended or crashed" in words
    assert "code cell 2 raised SystemExit" in words
    assert "hidden case 1: its process ended or crashed" in words


@closed
def test_nothing_hidden_can_be_read_and_nothing_outside_written(grade, tmp_path):
    seed, other = tmp_path / "seed", tmp_path / "in" / "him.ipynb"
    seed.write_bytes(SEED)
    other.parent.mkdir()
    other.write_text("{}")
    root = paths.root()
    reads = [seed, other, root / "homework" / "README.md", root / "tests" / "conftest.py"]
    reads += [root / "course_lib" / "grading" / "assignments" / "hw1.py", "/etc/passwd"]
    reads += ["/proc/self/environ", "/proc/1/cmdline", Path.home() / ".bashrc"]
    cells = [f"open({str(p)!r}, 'rb').read()" for p in reads]
    cells += [f"os.listdir({str(p)!r})" for p in (tmp_path, root, "/tmp", "/")]
    cells += [f"open({str(tmp_path / 'new')!r}, 'w')", f"os.remove({str(seed)!r})"]
    cells += [f"os.symlink({str(seed)!r}, 'here'); open('here').read()"]
    cells += ["import course_lib.grading.assignments.hw1"]
    cells += ["import socket; socket.create_connection(('127.0.0.1', 1), 1)"]
    cells += ["import socket; socket.socket(type=2).sendto(b'x', ('127.0.0.1', 9))"]
    cells += ["assert not any('SEED' in k or 'seed' in v for k, v in os.environ.items()), 'env'"]
    points, words = grade(NEAREST, *cells)
    assert points == {"nearest": 2}
    raised = [line for line in words.splitlines() if line.startswith("code cell")]
    assert len(raised) == len(cells) - 1, words  # all but the last, about the environment
    assert seed.exists() and not (tmp_path / "new").exists()


def test_overwritten_checks_functions_and_grader_change_no_grade(grade):
    hostile = """
import course_lib.notebook.checking, course_lib.grading.drives.hw1 as drives, numpy
from course_lib.grading import channel, judging, worker
course_lib.notebook.checking.grade = lambda *a: course_lib.notebook.checking.Result("", "correct")
judging.differences = lambda *a: ""
judging.mark = lambda criterion, of, wrong="": (criterion, of, of, "")
torch.allclose = numpy.allclose = torch.equal = lambda *a, **k: True
drives.nearest = lambda space, **case: {"codes": numpy.zeros(3), "points": 2, "blank": 0}
worker.check = worker.in_words = lambda *a: "correct"
"""
    points, words = grade(hostile, PERPLEXITY)
    assert points == {"perplexity": 2}
    assert "has shape [3]" in words


def test_answers_that_nobody_asked_for_are_not_taken(grade):
    forged = """
from course_lib.grading import channel
raw = channel.pack("answer", {"codes": 1, "nonce": "0" * 16})
for place in range(3, 64):
    try:
        os.write(place, raw)
    except OSError:
        pass
"""
    points, words = grade(NEAREST, forged, PERPLEXITY)
    assert points == {"nearest": 2, "perplexity": 2}
    assert "it answered something that nobody had asked" in words


def test_noise_on_the_pipe_is_no_answer(grade):
    noise = """
def straight_through(z, e, beta):
    for place in range(3, 64):
        try:
            os.write(place, b"CRS1" + bytes([255]) * 4096)
        except OSError:
            pass
"""
    points, words = grade(NEAREST, noise, PERPLEXITY)
    assert points == {"nearest": 2, "perplexity": 2}
    assert "its answer can't be read: a header of 4,294,967,295 bytes" in words


def test_a_renamed_function_is_missed_by_its_name(grade):
    points, words = grade(NEAREST.replace("nearest", "nearest_"), PERPLEXITY)
    assert points == {"perplexity": 2}
    assert "your notebook has no `nearest`; there is `nearest_`: was it renamed?" in words


def test_strange_answers_are_refused_in_words(grade):
    strange = """
import numpy as np
def nearest(x, codebook, price):
    return torch.zeros(1).expand(2**40)
def straight_through(z, e, beta):
    return torch.full_like(z, float("nan")) * z, z.sum() * float("inf")
def ema_step(sums, counts, x, codes, decay, eps):
    return np.array([object()]), sums, counts
def farthest_start(x, size):
    return x[:size].to(torch.complex64)
def diagnosis():
    return {"fault": np.zeros((3, 3)), "entries": ["a", None]}
def heard():
    return {"answers": "A" * 10**6, "how": "ear", "needed": 10**5000}
class Trap(dict):
    def items(self):
        raise KeyboardInterrupt
    def __getitem__(self, key):
        raise type("E", (Exception,), {"__str__": lambda self: 1 / 0})
def my_tune():
    return Trap()
"""
    points, words = grade(strange, PERPLEXITY)
    assert points == {"perplexity": 2}
    assert "contains NaN or infinity" in words and "only numbers can be handed over" in words
    assert "your code raised E" in words


@linux
def test_memory_and_disk_are_bounded(grade):
    hoard = "kept = []\nwhile True:\n    kept.append(bytearray(os.urandom(1 << 20)) * 64)"
    fill = "with open('big', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 24))"
    huge = "torch.zeros(2**40)"
    points, words = grade(NEAREST, hoard, fill, huge, PERPLEXITY)
    assert points == {"nearest": 2, "perplexity": 2}
    assert "code cell 5 raised" in words


def test_printing_for_ever_fills_nothing(grade):
    endless = "while True:\n    os.write(1, b'x' * 65536)\n    print('y' * 65536)"
    points, words = grade(NEAREST, endless, PERPLEXITY)
    assert points == {"nearest": 2, "perplexity": 2}
    assert "code cell 3 was left out" in words


def test_shell_lines_and_magics_are_passed_over(grade):
    points, words = grade("!rm -rf /", "%pip install x\n" + NEAREST, "%%bash\nexit 1")
    assert points == {"nearest": 2} and "code cell" not in words


def test_a_notebook_of_300_mb_of_output_is_graded(nursery, tmp_path):
    path = write(tmp_path / "her.ipynb", NEAREST)
    before, _, after = path.read_bytes().partition(b"6\\n")
    with path.open("wb") as file:
        file.write(before)
        for _ in range(300):
            file.write(b"x" * 1_000_000)
        file.write(after)
    points, _ = told(grader.grade(nursery, handins.HandIn("her", path), SEED))
    assert points == {"nearest": 2}


def test_what_is_no_notebook_is_said_and_the_others_are_graded(nursery, tmp_path):
    folder = tmp_path / "in"
    write(folder / "ann" / "hw.ipynb", NEAREST)
    write(folder / "zoe.ipynb", PERPLEXITY)
    (folder / "bea").mkdir()
    (folder / "cid.ipynb").write_bytes(b"")
    (folder / "dan.ipynb").write_bytes(b'{"cells": [{')
    (folder / "eve.ipynb").write_bytes(b"[" * 10**6)
    (folder / "fay.ipynb").write_bytes(b'{"cells": [{"cell_type": "code", "source": 3}]}')
    (folder / "gil.ipynb").write_bytes(b"\xff\xfe\x00")
    (folder / "hal.ipynb").symlink_to(folder / "zoe.ipynb")
    (folder / "ida").symlink_to(tmp_path)
    (folder / "joe.ipynb").write_text(json.dumps(book()))
    (folder / "kim.ipynb").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "leo.ipynb")
    reports = [grader.grade(nursery, handin, SEED, QUICK) for handin in handins.find(folder)]
    said = {report.name: (report.points, *report.notes) for report in reports}
    assert said["ann"] == (2,) and said["zoe"] == (2,)
    for name, words in {
        "bea": "no notebook was handed in",
        "cid": "is empty",
        "dan": "is damaged",
        "eve": "is damaged",
        "fay": "is damaged",
        "gil": "is damaged",
        "hal": "a link",
        "ida": "a link",
        "joe": "none of the assignments",
        "kim": "is no file",
    }.items():
        assert said[name][0] == 0 and words in said[name][1], said[name]


def test_a_judge_that_stumbles_gives_no_points_and_goes_on():
    def stumbles(cases, answers):
        raise IndexError

    task = Task("f", "build", 5, lambda r: [{}], "m:f", stumbles, by_hand=(("essay", 2),))
    graded = grader.mark_task("hw1", task, SEED, lambda task, cases: [{}])
    said = "your answer can't be compared (IndexError)"
    assert graded.marks == (Mark("f", 0, 3, said), Mark("essay", 0, 2, "not given yet"))
    assert graded.points == 0 and graded.open == 2
