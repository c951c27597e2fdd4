"""Homework 4: its solution finds each of the five faults in each of three codebooks."""

import itertools

import pytest
import torch
from wrong import namespace_of, source_book

from course_lib.grading import pairs
from course_lib.grading.assignments import hw4_planted as planted
from course_lib.notebook.exercises.hw4 import FAULTS
from course_lib.notebook.running import joined


@pytest.fixture(scope="module")
def space():
    """The solution's function, and the music that it looks at."""
    cells = source_book("hw4")["cells"]
    cells = [c for c in cells if "def diagnosis" in joined(c["source"])]
    stated = joined(cells[0]["source"]).partition("\n\n\ncheck(")[0]
    found = namespace_of(
        {"cells": [{"cell_type": "code", "metadata": {}, "source": f"import torch\n{stated}"}]}
    )
    found["musicgen"] = planted._musicgen()
    found["music"] = pairs.clips()[1].audio[None]
    return found


@pytest.mark.parametrize(("fault", "number"), list(itertools.product(FAULTS, (1, 2, 3))))
def test_every_fault_of_every_codebook_is_found(space, fault, number):
    right = space["musicgen"].encode(space["music"])[0]
    space["arrived"] = planted.broken(right, fault, number)
    assert not torch.equal(space["arrived"], right)
    assert space["diagnosis"]() == {"fault": fault, "number": number}


def test_pairs_are_of_one_length_and_each_has_its_sentence():
    assert len(planted.sentences()) == len(planted._pairs()) == pairs.TRIALS
    assert {pair[key].shape for pair in planted._pairs() for key in pair} == {(1, 32000)}
