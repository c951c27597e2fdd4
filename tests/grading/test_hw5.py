"""Homework 5: its solution finds each of the five faults; rivals are never right ones."""

import pytest
import torch
from wrong import namespace_of, source_book

from course_lib.grading import pairs
from course_lib.grading.assignments import hw5_planted as planted
from course_lib.grading.secrets import secret
from course_lib.notebook.exercises.hw5 import FAULTS
from course_lib.notebook.running import joined


@pytest.fixture(scope="module")
def space():
    """The solution's function, and the captions' vectors that it may compute."""
    cells = source_book("hw5")["cells"]
    cells = [c for c in cells if "def diagnosis" in joined(c["source"])]
    stated = joined(cells[0]["source"]).partition("\n\n\ncheck(")[0]
    found = namespace_of(
        {"cells": [{"cell_type": "code", "metadata": {}, "source": f"import torch\n{stated}"}]}
    )
    found["read_side"] = planted.vectors()[1]
    return found


def test_every_fault_is_found(space):
    seen = set()
    for number in range(60):
        fault, truth = planted.drawn(secret(b"seed %d" % number, "hw5.diagnosis"))
        seen.add(fault)
        space["index_sounds"], space["index_texts"] = planted.broken(fault, truth)
        assert space["diagnosis"]() == {"fault": fault, "number": truth}
    assert seen == set(FAULTS)


def test_captions_of_the_index_differ_enough_to_tell_rows_apart():
    near = planted.vectors()[1] @ planted.vectors()[1].T
    assert len(set(planted.captions())) == planted.CLIPS
    assert (near - 2 * torch.eye(planted.CLIPS)).max() < 0.9999


def test_a_rival_is_another_clip():
    assert len(planted._pairs()) == pairs.TRIALS
    assert not any(torch.equal(pair["asked"], pair["other"]) for pair in planted._pairs())
