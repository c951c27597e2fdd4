"""The small notebook of the fixtures, to be read, copied and broken; and what cells display."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib import paths
from course_lib.notebook import form

TEXT = Path(__file__).parent / "fixtures" / "00_small.py"


@pytest.fixture(scope="session")
def small_file(tmp_path_factory) -> Path:
    """The executed small notebook, as the author's script writes it."""
    folder = tmp_path_factory.mktemp("authored")
    script = paths.root() / "scripts" / "author.py"
    done = subprocess.run(
        [sys.executable, script, TEXT, "--folder", folder], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "00_small.ipynb"


@pytest.fixture
def small(small_file) -> dict:
    """The executed small notebook as a dictionary of one's own."""
    return copy.deepcopy(form.read(small_file))


@pytest.fixture
def shown(monkeypatch) -> list:
    """What is displayed, instead of displaying it."""
    import IPython.display

    kept = []
    monkeypatch.setattr(IPython.display, "display", kept.append)
    return kept
