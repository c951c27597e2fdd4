"""Homework 2: its solution finds each of the five faults; sixteen entries are worse than all."""

import pytest
import torch
from wrong import namespace_of, source_book

from course_lib import audio
from course_lib.grading import pairs
from course_lib.grading.assignments import hw2_planted as planted
from course_lib.grading.secrets import secret
from course_lib.notebook.exercises.hw2 import FAULTS
from course_lib.notebook.running import joined


@pytest.fixture(scope="module")
def diagnosis():
    """The solution's function and what it looks at."""
    cells = source_book("hw2")["cells"]
    cells = [c for c in cells if "def diagnosis" in joined(c["source"])]
    stated = joined(cells[0]["source"]).partition("\n\n\ncheck(")[0]
    cell = {"cell_type": "code", "metadata": {}, "source": f"import torch\n{stated}"}
    space = namespace_of({"cells": [cell]})
    space["model"] = planted._model()
    return space


def test_every_fault_is_found_and_no_name_of_it_is_planted(diagnosis, tmp_path):
    from safetensors.torch import load_file

    seen = set()
    for number in range(40):
        drawn = planted.drawn(secret(b"seed %d" % number, "hw2.diagnosis"))
        if drawn[0] in seen:
            continue
        seen.add(drawn[0])
        planted.plant_diagnosis(secret(b"seed %d" % number, "hw2.diagnosis"), tmp_path)
        tensors = load_file(tmp_path / "chain.safetensors")
        assert set(tensors) == {"sent", "arrived"}
        diagnosis.update(tensors)
        answer = diagnosis["diagnosis"]()
        assert (answer["fault"], answer["number"]) == drawn[:2]
        cases = planted.diagnosis_cases(secret(b"seed %d" % number, "hw2.diagnosis"))
        assert [mark.points for mark in planted.judge_diagnosis(cases, [answer])] == [2, 2]
    assert seen == set(FAULTS)


def test_each_pair_differs_and_all_entries_are_nearer_to_the_music():
    mel = audio.LogMel()
    for pair in planted._pairs():
        seen = {k: mel(v[None]) for k, v in pair.items()}
        off = {k: float((seen[k] - seen["original"]).square().mean()) for k in ("asked", "other")}
        assert off["asked"] < off["other"]
        assert pair["asked"].shape == pair["other"].shape
    assert len(planted._pairs()) == pairs.TRIALS
    assert torch.isfinite(torch.stack([p["other"] for p in planted._pairs()])).all()
