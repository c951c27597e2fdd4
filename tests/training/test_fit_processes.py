"""Two processes with half of the batch each do what one does with the whole."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import training_workers
from safetensors.torch import load_file


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """The folder in which two processes left what they found."""
    folder = tmp_path_factory.mktemp("two")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = []
    for rank in range(2):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
        place |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
        environment = os.environ | {name: str(value) for name, value in place.items()}
        command = [sys.executable, training_workers.__file__, str(folder)]
        workers.append(subprocess.Popen(command, env=environment))
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    return folder


def compare(two: Path, name: str) -> tuple[dict, float, list[dict], float]:
    """What one process found, what two found, and the share of equal codes."""
    one, last = training_workers.result(getattr(torch, name))
    parts = [load_file(two / f"{name}-{rank}.safetensors") for rank in range(2)]
    codes = torch.cat([part.pop("codes") for part in parts], dim=1)  # [steps, B, 1, F]
    assert codes.unique().numel() > 8  # the codebook is in use
    return one, last, parts, (codes == one.pop("codes")).double().mean().item()


def test_in_float64_two_processes_are_one(two):
    one, last, parts, agree = compare(two, "float64")
    assert agree == 1
    assert {"quantize.sums", "quantize.counts", "quantize.codebook"} <= one.keys()
    for name, value in one.items():  # the weights are the averaged ones
        for part in parts:
            assert torch.allclose(part[name].double(), value.double(), rtol=0, atol=1e-9), name
    for part in parts:  # each logs the mean of both, in float32
        assert part["last"].item() == pytest.approx(last, rel=1e-6)


def test_in_float32_their_codes_agree(two):
    assert compare(two, "float32")[-1] >= 0.999


def test_a_batch_that_cannot_be_divided_is_refused(monkeypatch):
    from accelerate import PartialState

    monkeypatch.setattr(PartialState(), "num_processes", 3)
    with pytest.raises(ValueError, match="batch_size=8 can't be divided among 3 processes"):
        training_workers.result(torch.float32)
