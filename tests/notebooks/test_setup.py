"""The setup cell in Colab, in a clone and elsewhere: simulated by a zip and a fake google.colab."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib import paths
from course_lib.notebook import form, running, setup, stamping


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """The course as a zip of a public host has it: one folder with the tree in it."""
    place = tmp_path_factory.mktemp("public")
    archive = place / "archive" / "HEAD.zip"
    archive.parent.mkdir()
    root = paths.root()
    files = [root / "pyproject.toml", root / "data" / "repository.txt"]
    files += sorted((root / "course_lib").rglob("*.py"))
    with zipfile.ZipFile(archive, "w") as packed:
        for file in files:
            text = file.read_text(encoding="utf-8")
            packed.writestr(f"course-main/{file.relative_to(root).as_posix()}", text)
    return place


class Colab:
    """A runtime: `content` is lost with it, `drive` stays. `python(code)` runs a cell there."""

    def __init__(self, base: Path, address: str):
        self.base, self.address = base, address
        self.content, self.drive = base / "content", base / "drive"
        self.packages, self.uploads = base / "packages", base / "uploads"
        for folder in (self.content, self.drive / "MyDrive", self.uploads):
            folder.mkdir(parents=True)
        colab = self.packages / "google" / "colab"
        colab.mkdir(parents=True)
        # In Colab the kernel itself has imported google.colab before the first cell runs.
        (self.packages / "sitecustomize.py").write_text("import google.colab\n", encoding="utf-8")
        (colab / "__init__.py").write_text("", encoding="utf-8")
        mount = "def mount(place):\n    print('mounted')\n"
        (colab / "drive.py").write_text(mount, encoding="utf-8")
        upload = (
            "import os, shutil\ndef upload():\n    print('upload asked')\n"
            f"    names = os.listdir({str(self.uploads)!r})\n"
            f"    for n in names: shutil.copy(os.path.join({str(self.uploads)!r}, n), n)\n"
            "    return {n: b'' for n in names}\n"
        )
        (colab / "files.py").write_text(upload, encoding="utf-8")

    def moved(self, text: str) -> str:
        """Drive lies elsewhere on the machine that runs this test."""
        return text.replace("/content/drive", self.drive.as_posix())

    def cell(self, drive: bool) -> str:
        return self.moved(setup.cell(self.address)).replace("DRIVE = False", f"DRIVE = {drive}")

    def environment(self) -> dict:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("COURSE_")}
        return kept | {"PYTHONPATH": str(self.packages)}

    def python(self, code: str, drive: bool = False) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-c", self.cell(drive) + "\n" + code],
            cwd=self.content,
            env=self.environment(),
            capture_output=True,
            text=True,
        )

    def lose_the_runtime(self) -> None:
        shutil.rmtree(self.content)
        self.content.mkdir()


WHERE = "import course_lib; print('library', course_lib.__file__)"


@pytest.fixture
def colab(tmp_path, tree):
    # The library in the zip names Drive, too: move it there as well.
    moved = tmp_path / "moved"
    shutil.copytree(tree, moved)
    runtime = Colab(tmp_path, moved.as_uri())
    archive = moved / "archive" / "HEAD.zip"
    with zipfile.ZipFile(archive) as old:
        texts = {name: old.read(name).decode("utf-8") for name in old.namelist()}
    with zipfile.ZipFile(archive, "w") as new:
        for name, text in texts.items():
            new.writestr(name, runtime.moved(text))
    return runtime


def test_an_empty_folder_with_only_the_notebook(colab):
    cells = [
        {"cell_type": "code", "id": "a", "metadata": {}, "source": colab.cell(False)},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": WHERE},
    ]
    for cell in cells:
        cell |= {"outputs": [], "execution_count": None}
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    running.save(book, colab.content / "01_only.ipynb")
    saved = json.loads((colab.content / "01_only.ipynb").read_text(encoding="utf-8"))
    done = running.execute(saved, "01_only", colab.content, environment=colab.environment())
    told = [output["text"] for cell in done.cells for output in cell.outputs]
    assert told[0].startswith("Profile quick on ")
    assert str(colab.content / "course" / "course_lib") in told[1]
    assert {p.name for p in colab.content.iterdir()} == {"01_only.ipynb", "course"}


def test_running_it_again_does_no_harm_and_fetches_nothing(colab):
    assert colab.python(WHERE).returncode == 0
    mark = colab.content / "course" / "mine.txt"
    mark.write_text("kept", encoding="utf-8")
    shutil.rmtree(colab.base / "moved")  # the host is gone
    again = colab.python(colab.cell(False) + "\n" + WHERE)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("Profile quick") == 2 and mark.exists()


def test_work_on_drive_outlives_the_runtime(colab):
    work = "from course_lib import paths; import torch\n"
    work += "from course_lib.notebook import keep; keep('tune', torch.zeros(8000))"
    first = colab.python(work, drive=True)
    assert first.returncode == 0, first.stderr
    assert "mounted" in first.stdout and "kept on Drive" in first.stdout
    colab.lose_the_runtime()
    found = "from course_lib import paths; print(paths.home('sounds', 'tune.flac').is_file())"
    assert colab.python(found, drive=True).stdout.splitlines()[-1] == "True"
    assert colab.python(found, drive=False).stdout.splitlines()[-1] == "False"


def test_training_started_in_one_runtime_goes_on_in_the_next(colab):
    """A kill in the middle, Drive kept: `run all` in a new runtime ends where one run would."""
    training = (
        "import torch\nfrom course_lib import paths\nfrom course_lib.training import fit\n"
        "class Data:\n"
        "    def __len__(self): return 64\n"
        "    def batch(self, indices): return torch.tensor(list(indices)).float()[:, None]\n"
        "def loss(model, batch, draws): return (model(batch / 64) - 1).square().mean()\n"
        "def stop(step, row):\n"
        "    print('step', step, flush=True)\n"
        "    if step == STOP: import os; os._exit(9)\n"
        "torch.manual_seed(0); model = torch.nn.Linear(1, 1)\n"
        "fit(model, Data(), loss, steps=40, batch_size=8, log_every=10, save_seconds=0,\n"
        "    folder=paths.home('runs', 'line'), callbacks=[stop], progress=False)\n"
        "print(model.weight.item(), model.bias.item())"
    )
    killed = colab.python(training.replace("STOP", "30"), drive=True)
    assert killed.returncode == 9, killed.stderr
    colab.lose_the_runtime()
    resumed = colab.python(training.replace("STOP", "0"), drive=True)
    shutil.rmtree(colab.drive / "MyDrive" / "course")
    whole = colab.python(training.replace("STOP", "0"), drive=True)
    assert resumed.returncode == whole.returncode == 0, resumed.stderr + whole.stderr
    assert "step 20" in killed.stdout and "step 20" not in resumed.stdout  # saved after 20
    assert resumed.stdout.splitlines()[-1] == whole.stdout.splitlines()[-1]


def test_without_an_address_it_asks_for_a_zip(colab):
    archive = colab.base / "moved" / "archive" / "HEAD.zip"
    colab.address = ""
    nothing = colab.python(WHERE)
    assert nothing.returncode == 1
    assert "Please upload the course's zip" in nothing.stdout
    assert nothing.stderr.splitlines()[-1].startswith("FileNotFoundError: Put the course's zip")
    shutil.copy(archive, colab.uploads / "course.zip")
    uploaded = colab.python(WHERE)
    assert uploaded.returncode == 0, uploaded.stderr
    assert "upload asked" in uploaded.stdout
    colab.lose_the_runtime()
    shutil.copy(archive, colab.drive / "MyDrive" / "course.zip")
    from_drive = colab.python(WHERE, drive=True)
    assert from_drive.returncode == 0, from_drive.stderr
    assert "upload asked" not in from_drive.stdout


def test_a_zip_of_something_else_is_named(colab):
    colab.address = ""
    with zipfile.ZipFile(colab.uploads / "holiday.zip", "w") as packed:
        packed.writestr("photo.txt", "x")
    done = colab.python(WHERE)
    assert "There is no folder course_lib in that zip" in done.stderr.splitlines()[-1]


def test_elsewhere_a_zip_beside_the_notebook_is_enough(colab):
    archive = colab.base / "moved" / "archive" / "HEAD.zip"
    shutil.rmtree(colab.packages)
    colab.address = ""
    assert "Put the course's zip" in colab.python(WHERE).stderr
    shutil.copy(archive, colab.content / "anything.zip")
    done = colab.python(WHERE)
    assert done.returncode == 0 and str(colab.content) in done.stdout


def test_in_a_clone_nothing_is_fetched():
    code = setup.cell("https://nowhere.invalid") + "\n" + WHERE
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=paths.data(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(paths.root() / "course_lib") in done.stdout


# ------------------------------------------------------------------ packages


def test_only_what_is_missing_is_installed_and_the_rest_is_held(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    commands = []

    def run(command, **options):
        commands.append(command)
        return SimpleNamespace(returncode=0, stderr="")

    version = setup.importlib.metadata.version

    def without(name):
        if name == "vector-quantize-pytorch":
            raise setup.importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(setup.importlib.metadata, "version", without)
    assert setup.missing() == ["vector-quantize-pytorch>=1.20"]
    monkeypatch.setattr(setup.subprocess, "run", run)
    setup.install(setup.missing())
    assert commands[0][-4:] == [
        "-q", "vector-quantize-pytorch>=1.20", "-c", str(tmp_path / "installed.txt"),
    ]  # fmt: skip
    held = (tmp_path / "installed.txt").read_text(encoding="utf-8").splitlines()
    assert f"torch=={version('torch')}" in held and f"numpy=={version('numpy')}" in held


def test_a_failing_pip_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    failed = SimpleNamespace(returncode=1, stderr="a\nERROR: no matching distribution")
    monkeypatch.setattr(setup.subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(OSError, match="could not install x: ERROR: no matching"):
        setup.install(["x"])


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for Python")
def test_pip_may_speak_another_encoding(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nprintf 'ERROR: \\351chec' >&2\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(setup.sys, "executable", str(python))
    with pytest.raises(OSError, match="could not install x: ERROR: .chec"):
        setup.install(["x"])


# ------------------------------------------------------------------ course stamp


@pytest.fixture
def course(monkeypatch, tmp_path, small_file):
    """A course of one notebook, to be stamped."""
    (tmp_path / "data").mkdir()
    (tmp_path / "notebooks").mkdir()
    shutil.copy(small_file, tmp_path / "notebooks" / "00_small.ipynb")
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    return tmp_path


def test_stamping_writes_address_cells_and_badges_and_nothing_else(course):
    path = course / "notebooks" / "00_small.ipynb"
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = stamping.stamp("bach/well-tempered")
    assert [p.name for p in changed][:2] == ["repository.txt", "00_small.ipynb"]
    after = json.loads(path.read_text(encoding="utf-8"))
    cell = "".join(after["cells"][1]["source"])
    assert 'COURSE = "https://github.com/bach/well-tempered"' in cell and cell == setup.cell()
    badge = "github/bach/well-tempered/blob/main/notebooks/00_small.ipynb)"
    assert badge in "".join(after["cells"][0]["source"])
    for book in (before, after):
        del book["cells"][:2]
    assert before == after
    assert stamping.stamp("bach/well-tempered") == []  # idempotent
    book = json.loads(path.read_text(encoding="utf-8"))
    book["cells"][0]["source"], book["cells"][1]["source"] = ["<!-- badge --> old"], ["old"]
    running.save(book, path)
    assert [p.name for p in stamping.stamp()] == ["00_small.ipynb"]  # the address stays
    assert "".join(form.read(path)["cells"][1]["source"]) == setup.cell()
    stamping.stamp("clara/fork")  # forks teach too
    assert "bach" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "place",
    ["", "bach", "https://github.com/a/b", "a/b/c", "a b/c", "../x", "a/..", "a/b.git", "ä/b"],
)
def test_an_address_of_another_form_is_refused(course, place):
    with pytest.raises(ValueError, match="OWNER/NAME"):
        stamping.stamp(place)
    assert not (course / "data" / "repository.txt").exists()
