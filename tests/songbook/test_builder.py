"""The committed scores are what the builder makes, where music21 is there to make them from."""

import subprocess
import sys

import pytest

from course_lib import paths


def test_the_committed_scores_are_what_the_builder_makes():
    pytest.importorskip(
        "music21", reason="music21 is not installed: pip install -e .[builder] -c constraints.txt"
    )
    done = subprocess.run(
        [sys.executable, str(paths.root() / "scripts" / "build_scores.py"), "--check"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=paths.root(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
