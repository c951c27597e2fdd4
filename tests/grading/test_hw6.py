"""Homework 6: its solution finds each of the five faults, whatever the step."""

import pytest
import torch
from wrong import namespace_of, source_book

from course_lib.grading.assignments import hw6_planted as planted
from course_lib.notebook.exercises.hw6 import FAULTS
from course_lib.notebook.running import joined


@pytest.fixture(scope="module")
def space():
    """The solution's function, the notebook's own `predict` and `step`, and what they look at."""
    sources = [joined(cell["source"]) for cell in source_book("hw6")["cells"]]
    tools = next(s for s in sources if "def step(" in s).partition("\n\nz = torch.randn")[0]
    tools = tools.replace('folder = given("hw6")', "folder = None")
    solved = next(s for s in sources if "def diagnosis" in s).partition("\n\n\ncheck(")[0]
    cells = [{"cell_type": "code", "metadata": {}, "source": s} for s in (tools, solved)]
    return namespace_of({"cells": cells})


@pytest.mark.parametrize(("fault", "number"), list(zip(FAULTS, (2, 5, 9, 7, 4), strict=True)))
def test_every_fault_is_found(space, fault, number):
    space["prompt"] = planted.PROMPTS[1]
    space["walked"] = planted.walk(space["prompt"], 5, fault, number)
    assert space["diagnosis"]() == {"fault": fault, "number": number}


def test_the_notebooks_step_is_the_healthy_one(space):
    walked = planted.walk(planted.PROMPTS[0], 1)
    for n in (0, 6, 11):
        made = space["step"](walked[n : n + 1], n, planted.PROMPTS[0])[0]
        torch.testing.assert_close(made, walked[n + 1], rtol=1e-4, atol=1e-4)


def test_the_two_of_a_pair_begin_with_the_same_noise_and_differ():
    for pair in planted._pairs():
        assert not torch.equal(pair["asked"], pair["other"])
        assert torch.isfinite(pair["asked"]).all() and torch.isfinite(pair["other"]).all()
