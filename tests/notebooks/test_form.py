"""The tests of the tests: a notebook broken on purpose must fail, one of good form must not."""

import base64
import copy
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from course_lib import paths
from course_lib.notebook import form, running

# ------------------------------------------------------------------ form.faults


@pytest.fixture
def faults(tmp_path):
    def judged(book) -> str:
        path = tmp_path / "00_small.ipynb"
        running.save(book, path)
        return "\n".join(form.faults(path))

    return judged


def code(book) -> list[dict]:
    return [c for c in book["cells"] if c["cell_type"] == "code"]


def prose(book, text) -> None:
    book["cells"].append({"cell_type": "markdown", "id": "p", "metadata": {}, "source": [text]})


def shown(book, html) -> None:
    data = {"text/html": [html]}
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    code(book)[-1]["outputs"].append(output)


def player(channels=1, seconds=1.0, kind="MP3", attributes="controls") -> str:
    buffer = io.BytesIO()
    samples = np.zeros((round(seconds * 16000), channels), dtype=np.float32)
    soundfile.write(buffer, samples, 16000, format=kind)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f"<audio {attributes} src='data:audio/x;base64,{data}'></audio>"


def test_a_notebook_of_the_right_form_has_no_faults(small, faults):
    shown(small, player())
    assert faults(small) == ""


def strip(book):
    for cell in code(book):
        cell["execution_count"], cell["outputs"] = None, []


def clear(book):
    for cell in code(book):
        cell["outputs"] = []


def swap(book):
    first, second = code(book)[1:3]
    numbers = second["execution_count"], first["execution_count"]
    first["execution_count"], second["execution_count"] = numbers


def skip(book):
    code(book)[-1]["execution_count"] += 1


def own_setup(book):
    code(book)[0]["source"].append("\nprint('mine')")


def stderr(book):
    output = {"output_type": "stream", "name": "stderr", "text": ["oh"]}
    code(book)[1]["outputs"].append(output)


def failed(book):
    output = {"output_type": "error", "ename": "ValueError", "evalue": "x", "traceback": []}
    code(book)[1]["outputs"].append(output)


def warned(book):
    output = {"output_type": "stream", "name": "stdout", "text": ["UserWarning: x"]}
    code(book)[1]["outputs"].append(output)


def raw_picture(book):
    data = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}
    code(book)[1]["outputs"].append({"output_type": "display_data", "data": data, "metadata": {}})


BREAKS = {
    "stripped": (strip, "stripped, or not executed"),
    "cleared": (clear, "no outputs"),
    "swapped": (swap, "out of order"),
    "a cell skipped": (skip, "out of order"),
    "its own setup cell": (own_setup, "not the setup cell, verbatim"),
    "no title": (lambda b: b["cells"].pop(0), "does not begin with a title"),
    "no badge": (lambda b: b["cells"][0].update(source=["# 00. Small"]), "badge"),
    "standard error": (stderr, "standard error: 'oh'"),
    "an error": (failed, "error output (ValueError)"),
    "a warning": (warned, "a warning"),
    "a machine's path": (lambda b: shown(b, "<p>/home/bach/x.wav</p>"), "path of a machine"),
    "a path after a sound": (
        lambda b: shown(b, player() + "<p>/home/a/x</p>"),
        "path of a machine",
    ),
    "a picture without words": (raw_picture, "picture(figure, alt)"),
    "an empty alt": (lambda b: shown(b, "<img src='x' alt=''>"), "without alternative text"),
    "stereo": (lambda b: shown(b, player(channels=2)), "2 channels"),
    "a long sound": (lambda b: shown(b, player(seconds=5)), "5.0 s, at most 4 s"),
    "an uncompressed sound": (lambda b: shown(b, player(kind="WAV")), "isn't compressed"),
    "autoplay": (lambda b: shown(b, player(attributes="autoplay")), "starts by itself"),
    "a sound elsewhere": (lambda b: shown(b, "<audio src='x.mp3'>"), "not within the notebook"),
    "a sound cut short": (
        lambda b: shown(b, "<audio src='data:audio/mpeg;base64,AAAA'>"),
        "can't be read",
    ),
    "too many cells": (lambda b: [prose(b, "word") for _ in range(50)], "58 cells in the core"),
    "too many words": (lambda b: prose(b, "word " * 2000), "words in the core path"),
    "too many bytes": (lambda b: prose(b, "<!-- " + "x" * 600_000 + "-->"), "bytes, at most"),
    "a dead link": (lambda b: prose(b, "[next](99_none.ipynb)"), "99_none.ipynb leads nowhere"),
    "a planned notebook": (lambda b: prose(b, "As in notebook 07 we saw."), "notebook 07"),
}


@pytest.mark.parametrize(("breaking", "said"), BREAKS.values(), ids=BREAKS)
def test_what_breaks_the_form_is_named(small, faults, breaking, said):
    breaking(small)
    assert said in faults(small)


def test_exercises_do_not_count_and_planned_ones_may_be_announced(small, faults):
    prose(small, "## Exercises\n" + "word " * 2500)
    prose(small, "## Recap\nNotebook 07 (planned) goes on. [Home](#recap)")
    assert faults(small) == ""


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    path = tmp_path / "00_x.ipynb"
    for text in ("", "[]", "{}", "no json"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="00_x.ipynb is not a notebook"):
            form.faults(path)


def test_solutions_and_exercises_are_found():
    text = "<details><summary>Solution</summary>\n\n```python\nx = 1\n```\n</details>"
    hint = "<details><summary>Hint</summary>\n\n```python\ny = 1\n```\n</details>"
    book = {
        "cells": [
            {"cell_type": "markdown", "source": hint + "\n" + text},
            {"cell_type": "code", "source": "def f(): ...\ncheck('01.f', f)\ncheck(\"01.g\", g)"},
        ]
    }
    assert form.solutions(book) == ["x = 1\n"]
    assert form.exercises(book) == ["01.f", "01.g"]


# ------------------------------------------------------------------ pytest with nbval


def raising(book):
    code(book)[2]["source"] = ["1 / 0"]


def changed_lesson(book):
    code(book)[3]["outputs"][0]["text"] = ["0.046\n"]


def reordered(book):
    cells = book["cells"]
    first, second = [i for i, c in enumerate(cells) if c["cell_type"] == "code"][1:3]
    cells[first], cells[second] = cells[second], cells[first]


def from_colab(book):
    book["metadata"] = {
        "kernelspec": {"name": "colab-kernel-of-2031", "display_name": "x"},
        "colab": {"provenance": []},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
    }


def test_nbval_fails_broken_notebooks_and_passes_one_saved_by_colab(small):
    """One run for all, inside the repository, where the setup cell finds the course."""
    build = paths.root() / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        breaks = {"colab": from_colab, "raises": raising, "changed": changed_lesson}
        for number, (name, breaking) in enumerate((breaks | {"order": reordered}).items()):
            book = copy.deepcopy(small)
            breaking(book)
            running.save(book, Path(folder) / f"0{number}_{name}.ipynb")
        command = [sys.executable, "-m", "pytest", "-rf", folder]
        done = subprocess.run(command, capture_output=True, text=True, cwd=paths.root())
    failed = set(re.findall(r"^FAILED .*?0\d_(\w+)\.ipynb", done.stdout, re.MULTILINE))
    assert failed == {"raises", "changed", "order"}, done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert "seconds per notebook" in done.stdout and "5 cells  00_colab.ipynb" in done.stdout


# ------------------------------------------------------------------ running


def test_a_failing_cell_is_named_with_notebook_cell_and_error(small, tmp_path):
    code(small)[2]["source"] = ["raise KeyError('lost')"]
    with pytest.raises(running.CellFailed, match=r"00_x, cell 5: KeyError: 'lost'"):
        running.execute(small, "00_x", paths.root() / "notebooks", timeout=60)


def test_a_dead_kernel_and_a_slow_cell_are_named(small):
    code(small)[0]["source"] = ["import os; os._exit(1)"]
    with pytest.raises(running.CellFailed, match="cell 2: the kernel died"):
        running.execute(small, "00_x", paths.root() / "notebooks")
    code(small)[0]["source"] = ["import time; time.sleep(30)"]
    with pytest.raises(running.CellFailed, match="cell 2: took over 1 s"):
        running.execute(small, "00_x", paths.root() / "notebooks", timeout=1)


def test_cleaning_joins_streams_and_drops_widgets():
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Box()"}
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "a\n"},
        {"output_type": "stream", "name": "stdout", "text": "b\n"},
        {"output_type": "display_data", "data": view, "metadata": {}},
    ]
    cell = {"cell_type": "code", "metadata": {"execution": {}, "tags": ["x"]}, "outputs": outputs}
    book = {"cells": [cell], "metadata": {"widgets": {}}}
    assert running.cleaned(book) == []
    assert cell["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "a\nb\n"}]
    assert cell["metadata"] == {"tags": ["x"]} and "widgets" not in book["metadata"]
