"""What importing the songbook costs, and that no submodule hides one of its names."""

import subprocess
import sys

import pytest

from course_lib import songbook

NAMES = [*songbook.__all__]


def imported(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return set(done.stdout.split())


def test_importing_the_songbook_costs_nothing():
    assert not {"torch", "scipy", "numpy", "soundfile"} & imported("import course_lib.songbook")


def test_a_process_that_renders_does_without_torch():
    code = (
        "from course_lib.songbook.rendering import *\n"
        "from course_lib.songbook.clip import render_planned\n"
        "render_planned(0, 'test', 0, 0.5, 16000, 1)"
    )
    assert not {"torch", "soundfile", "librosa", "matplotlib", "ipywidgets"} & imported(code)


@pytest.mark.parametrize("name", NAMES)
def test_no_submodule_hides_a_name(name):
    value = getattr(songbook, name)
    assert not hasattr(value, "__path__") and type(value).__name__ != "module"
    assert name in dir(songbook)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="polka"):
        songbook.polka  # noqa: B018
