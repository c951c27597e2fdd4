"""Homework 3: its solution finds each of the five faults in each of four codebooks."""

import itertools

import pytest
import torch
from wrong import namespace_of, source_book

from course_lib import metrics
from course_lib.grading import pairs
from course_lib.grading.assignments import hw3_planted as planted
from course_lib.notebook.exercises.hw3 import FAULTS
from course_lib.notebook.running import joined


@pytest.fixture(scope="module")
def space():
    """The solution's function; what it looks at is put beside it."""
    cells = source_book("hw3")["cells"]
    cells = [c for c in cells if "def diagnosis" in joined(c["source"])]
    stated = joined(cells[0]["source"]).partition("\n\n\ncheck(")[0]
    found = namespace_of(
        {"cells": [{"cell_type": "code", "metadata": {}, "source": f"import torch\n{stated}"}]}
    )
    stages = planted._codec().quantizer.stages
    found["tables"] = torch.stack([stage.entries() for stage in stages])
    return found


@pytest.mark.parametrize(
    ("fault", "number"), list(itertools.product(FAULTS, range(planted.CODEBOOKS)))
)
def test_every_fault_of_every_codebook_is_found(space, fault, number):
    space["sent"] = planted._codec().encode(pairs.clips()[2].audio[None]).codes[0]
    space["arrived"] = planted.broken(space["sent"], fault, number)
    assert space["diagnosis"]() == {"fault": fault, "number": number}


def test_a_healthy_chain_is_the_codec_itself():
    codec, sound = planted._codec(), pairs.clips()[0].audio[None]
    sent = codec.encode(sound).codes
    latents = planted.broken(sent[0], "", 0)
    torch.testing.assert_close(latents.T[None], codec.quantizer.decode(sent))


def test_more_codebooks_are_nearer_to_the_music():
    for pair in planted._pairs():
        near = [float(metrics.si_sdr(pair["original"], pair[k])) for k in ("asked", "other")]
        assert near[0] > near[1]
