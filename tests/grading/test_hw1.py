"""Homework 1: its solution finds each of the five faults, and pairs come in a hidden order."""

import pytest
import torch
from wrong import namespace_of, source_book

from course_lib.grading import pairs
from course_lib.grading.assignments import hw1_planted as planted
from course_lib.grading.secrets import secret
from course_lib.notebook.exercises.hw1 import FAULTS
from course_lib.notebook.running import joined


def seeds_by_fault() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for number in range(200):
        seed = b"a seed, number %d" % number
        found.setdefault(planted.broken_codebook(secret(seed, "hw1.diagnosis")).fault, seed)
        if len(found) == len(FAULTS):
            return found
    raise AssertionError(found)


@pytest.fixture(scope="module")
def diagnosis():
    """The solution's function and what it looks at."""
    cells = source_book("hw1")["cells"]
    cells = [c for c in cells if "def diagnosis" in joined(c["source"])]
    stated = joined(cells[0]["source"]).partition("\n\n\ncheck(")[0]
    cell = {"cell_type": "code", "metadata": {}, "source": f"import torch\n{stated}"}
    return namespace_of({"cells": [cell]})


def test_every_fault_is_found_and_no_key_of_it_is_planted(diagnosis, tmp_path):
    from safetensors.torch import load_file

    found = seeds_by_fault()
    assert set(found) == set(FAULTS)
    for fault, seed in found.items():
        planted.plant_diagnosis(secret(seed, "hw1.diagnosis"), tmp_path)
        tensors = load_file(tmp_path / "broken.safetensors")
        assert set(tensors) == {"encoder", "decoder", "frames"}
        diagnosis.update(tensors)
        answer = diagnosis["diagnosis"]()
        assert answer["fault"] == fault
        (case,) = planted.diagnosis_cases(secret(seed, "hw1.diagnosis"))
        answer["entries"] = torch.tensor(answer["entries"]).numpy()
        marks = planted.judge_diagnosis([case], [answer])
        assert [mark.points for mark in marks] == [2, 2], (fault, marks)


def test_half_of_the_pairs_begin_with_the_finer_one():
    orders = {tuple(pairs.order(secret(b"seed %d" % n, "hw1.heard"))) for n in range(20)}
    assert len(orders) > 15 and all(sum(order) == pairs.TRIALS // 2 for order in orders)
