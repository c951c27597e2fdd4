"""`course run`: executes, tells, does not repeat, leaves nothing half-written."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_lib import cli, paths
from course_lib.notebook import course, form, running

ROW = "<audio src='data:audio/mpeg;base64,AAAA'></audio>"


def notebook(path: Path, *sources: str) -> None:
    cells = [
        {"cell_type": "markdown", "id": "t", "metadata": {}, "source": f"# {path.stem}\n\n## Hear"}
    ]
    for number, source in enumerate(sources):
        cells.append(
            {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": source}
            | {"outputs": [], "execution_count": None}
        )
    book = {"cells": cells, "metadata": {"kernelspec": {"name": "gone"}}}
    running.save(book | {"nbformat": 4, "nbformat_minor": 5}, path)


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A course of two notebooks that count how often they were run."""
    for folder in ("notebooks", "course_lib", "data/scores"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "course_lib" / "x.py").write_text("x = 1\n", encoding="utf-8")
    count = "import os; open('count.txt', 'a').write(os.environ['COURSE_PROFILE'][0])"
    sound = f"from IPython.display import HTML, display; display(HTML({ROW!r}))"
    notebook(tmp_path / "notebooks" / "00_a.ipynb", count, sound)
    notebook(tmp_path / "notebooks" / "01_b.ipynb", count)
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    return tmp_path


def runs(tree) -> str:
    return (tree / "notebooks" / "count.txt").read_text(encoding="utf-8")


def test_it_runs_in_order_and_makes_one_page(tree):
    index = course.run()
    assert index == tree / "build" / "index.html"
    page = index.read_text(encoding="utf-8")
    sounds, _ = form.media(page)
    assert len(sounds) == 1 and page.index("00_a") < page.index("<h3>Hear") < page.index("01_b")
    done = form.read(tree / "build" / "notebooks" / "00_a.ipynb")
    assert [c.get("execution_count") for c in done["cells"]] == [None, 1, 2]
    original = form.read(tree / "notebooks" / "00_a.ipynb")
    assert original["cells"][1]["outputs"] == []  # the clone stays clean


def test_unchanged_work_is_not_repeated(tree):
    course.run()
    course.run()
    assert runs(tree) == "qq"
    (tree / "course_lib" / "x.py").write_text("x = 2\n", encoding="utf-8")
    course.run(["01", "01"])
    assert runs(tree) == "qqq"
    course.run(profile="full")
    assert runs(tree) == "qqqff"
    notebook(tree / "notebooks" / "01_b.ipynb", "pass")
    course.run(profile="full")
    assert runs(tree) == "qqqff"  # 01 ran, and counts no more
    copy = tree / "build" / "notebooks" / "00_a.ipynb"
    copy.write_text(copy.read_text(encoding="utf-8")[:100], encoding="utf-8")
    course.run(profile="full")
    assert runs(tree) == "qqqfff"  # a copy cut short is made again


def test_a_failing_cell_fails_the_command_and_is_named(tree, capsys):
    notebook(tree / "notebooks" / "01_b.ipynb", "x = 1", "raise ValueError('it broke')")
    assert cli.main(["run"]) == 2
    assert "course run: 01_b.ipynb, cell 3: ValueError: it broke" in capsys.readouterr().err
    assert [p.name for p in (tree / "build" / "notebooks").iterdir()] == ["00_a.ipynb"]
    notebook(tree / "notebooks" / "01_b.ipynb", "x = 1")
    assert cli.main(["run"]) == 0
    assert runs(tree) == "q"  # 00 was not run again


def test_near_numbers_are_proposed(tree, capsys):
    assert cli.main(["run", "1"]) == 2
    said = capsys.readouterr().err
    assert "No notebook is called '1'; there are 00, 01." in said and "Do you mean 01" in said


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
def test_ctrl_c_stops_cleanly_and_the_kernel_with_it(tree):
    notebook(tree / "notebooks" / "00_a.ipynb", "import os; print(os.getpid())", "import time",
             "open('alive.txt', 'w').write(str(os.getpid())); time.sleep(600)")  # fmt: skip
    code = (
        "import sys; from pathlib import Path; from course_lib import cli, paths\n"
        f"paths.root = lambda: Path({str(tree)!r}); sys.exit(cli.main(['run']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    alive = tree / "notebooks" / "alive.txt"
    deadline = time.monotonic() + 120
    while not (alive.exists() and alive.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Stopped." in stderr and "Traceback" not in stderr
    assert not (tree / "build" / "notebooks" / "00_a.ipynb").exists()
    kernel = Path(f"/proc/{alive.read_text(encoding='utf-8')}")
    while kernel.exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)
