"""Killed or stopped anywhere, a run ends with the weights of a run that never was."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import training_runs
from training_runs import STEPS, run

from course_lib.training import fit, state


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def undisturbed():
    torch.set_num_threads(1)
    return run(None)


def start(folder, where="never") -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, training_runs.__file__, str(folder), where],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def same(found, expected) -> None:
    (model, history), (model_, history_) = found, expected
    for name, value in model_.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    for row, row_ in zip(history.rows, history_.rows, strict=True):
        assert {**row, "seconds": 0} == {**row_, "seconds": 0}


def test_killed_in_a_step(tmp_path, undisturbed):
    """One step here, drawn once; random instants are in the long runs."""
    folder = tmp_path / "run"
    assert start(folder, "loss:13").wait() != 0
    assert state.read_counters(folder / "state.safetensors")["step"] == 12
    same(run(folder), undisturbed)


def kill_at_every_file(folder: Path, numbers) -> int:
    """How often the run could be killed at the n-th touch of a file before it ended by itself."""
    for count, number in enumerate(numbers):
        process = start(folder / str(number), f"file:{number}")
        if process.wait() == 0:
            return count
    return len(numbers)


def test_killed_while_it_writes(tmp_path, undisturbed):
    """Two instants around the first replacement of a state by a newer one."""
    kill_at_every_file(tmp_path, [7, 9])
    for folder in tmp_path.iterdir():
        same(run(folder), undisturbed)
        assert {path.name for path in folder.iterdir()} == {"state.safetensors", "log.jsonl"}


@pytest.mark.soak
def test_killed_at_every_touch_of_a_file(tmp_path, undisturbed):
    killed = kill_at_every_file(tmp_path, range(1, 200))
    assert 30 < killed < 199
    for folder in tmp_path.iterdir():
        same(run(folder), undisturbed)
        assert {path.name for path in folder.iterdir()} == {"state.safetensors", "log.jsonl"}


@pytest.mark.soak
def test_killed_at_random_instants_again_and_again(tmp_path, undisturbed):
    kills = 0
    for number in range(20):
        folder = tmp_path / str(number)
        while True:
            process = start(folder)
            try:
                assert process.wait(timeout=random.Random().uniform(1.0, 4.0)) == 0
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
        same(run(folder), undisturbed)
    assert kills > 10


def test_stopped_between_two_saves(tmp_path, undisturbed):
    """The stop button at step 10, which is neither logged nor due to be saved."""

    def loss(model, batch, draws):
        if draws.step == 10:
            signal.raise_signal(signal.SIGINT)
        return training_runs.loss(model, batch, draws)

    before = signal.getsignal(signal.SIGINT)  # ignored in what was started in the background
    with pytest.raises(KeyboardInterrupt, match="Stopped after step 11 of 24; call fit again"):
        run(tmp_path, loss, save_seconds=1e9)
    assert signal.getsignal(signal.SIGINT) is before
    same(run(tmp_path), undisturbed)


def test_stopped_twice_it_ends_at_once(tmp_path):
    reached = []

    def loss(model, batch, draws):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached.append(draws.step)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, loss)
    assert not reached and not (tmp_path / "state.safetensors").exists()


def test_done_it_returns_at_once_and_goes_on_if_asked_for_more(tmp_path):
    model, history = run(tmp_path)
    again, history_ = run(tmp_path, loss=None)
    same((again, history_), (model, history))
    assert history_.seconds == pytest.approx(history.seconds, abs=0.1) and not again.training
    longer, history_ = run(tmp_path, steps=STEPS + 4)
    assert [row["step"] for row in history_.rows][-3:] == [STEPS, STEPS + 3, STEPS + 4]
    assert not torch.equal(longer.encode.weight, model.encode.weight)


@pytest.mark.parametrize("setting", [{"seed": 1}, {"clip": 2.0}, {"average": None}])
def test_other_settings_are_another_run(tmp_path, setting):
    run(tmp_path, steps=3)
    with pytest.raises(ValueError, match=f"has {next(iter(setting))}=.*choose another folder"):
        run(tmp_path, steps=3, **setting)


def test_another_model_is_another_run(tmp_path):
    run(tmp_path, steps=3)
    other = training_runs.model()
    other.encode = torch.nn.Conv1d(3, 4, 5, padding=2)
    with pytest.raises(ValueError, match="other weights .encode.weight differs"):
        fit(
            other,
            training_runs.data(),
            training_runs.loss,
            steps=3,
            batch_size=8,
            lr=1e-2,
            average=0.9,
            folder=tmp_path,
        )


def test_other_optimisers_are_another_run(tmp_path):
    """They would start without their moments, in silence."""
    run(tmp_path, steps=3)
    made = training_runs.model()
    parts = {"generator": torch.optim.AdamW(made.parameters(), lr=1e-2)}

    def loss(*step):
        yield "generator", training_runs.loss(*step)

    settings = {"batch_size": 8, "lr": 1e-2, "average": 0.9, "folder": tmp_path}
    with pytest.raises(ValueError, match="the optimisers model, this one generator: choose"):
        fit(made, training_runs.data(), loss, steps=6, optimizers=parts, **settings)


@pytest.mark.parametrize("damage", [lambda c: c[:-5], lambda c: b"", lambda c: b"\xff" * 50])
def test_a_damaged_state_is_named(tmp_path, damage):
    run(tmp_path, steps=3)
    path = tmp_path / "state.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="saved run .*state.safetensors is damaged.*delete it"):
        run(tmp_path, steps=3)


def test_a_full_disk_keeps_the_last_state(tmp_path, undisturbed, monkeypatch):
    run_steps = iter(range(100))
    save_file = state.save_file

    def full(tensors, path, metadata):
        Path(path).write_bytes(b"half")
        if next(run_steps) == 3:
            raise OSError(28, "No space left on device")
        save_file(tensors, path, metadata)

    monkeypatch.setattr(state, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path)
    assert state.read_counters(tmp_path / "state.safetensors")["step"] == 9
    assert len(list(tmp_path.iterdir())) == 2
    same(run(tmp_path), undisturbed)


def test_what_a_killed_process_left_is_removed(tmp_path):
    for name in ("state.abc.safetensors", "log.abc.jsonl"):
        (tmp_path / f".{name}").write_bytes(b"half")
    run(tmp_path, steps=3)
    assert {path.name for path in tmp_path.iterdir()} == {"state.safetensors", "log.jsonl"}


def test_a_callback_that_draws_random_numbers_changes_nothing(undisturbed):
    same(run(None, callbacks=[lambda step, row: torch.randn(step)]), undisturbed)


def test_the_callers_random_numbers_are_left_alone():
    made = training_runs.model()
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)
    fit(made, training_runs.data(), training_runs.loss, steps=2, progress=False)
    assert torch.equal(torch.randn(3), expected)


def test_the_log_is_one_json_object_a_line(tmp_path):
    _, history = run(tmp_path, steps=7)
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert tuple(map(json.loads, lines)) == history.rows
    assert [row["step"] for row in history.rows] == [3, 6, 7]
