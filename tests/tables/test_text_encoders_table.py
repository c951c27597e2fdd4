"""Cells of the table of text encoders, on tiny models and clips of a buzz."""

import math

import pytest
import torch
from small_musicgen import Planned, small  # noqa: F401

from course_lib import songbook
from course_lib.songbook.captions import MANNERS
from course_lib.tables import grid, small_musicgens, text_encoders

CACHED = (small_musicgens.clips, small_musicgens.real, text_encoders.clips)


@pytest.fixture(autouse=True)
def tiny(monkeypatch, small):  # noqa: F811
    monkeypatch.setattr(songbook, "load", lambda split, *a, **k: Planned(split, 6))
    monkeypatch.setattr(small_musicgens, "FRAMES", 50)  # 1 s
    monkeypatch.setattr(small_musicgens, "STEPS", 2)
    monkeypatch.setattr(small_musicgens, "BATCH", 3)
    monkeypatch.setattr(text_encoders, "WIDTH", 16)
    monkeypatch.setattr(text_encoders, "LAYERS", 1)
    monkeypatch.setattr(text_encoders, "published", lambda name, texts: None)
    for function in CACHED:
        function.cache_clear()
    yield small
    for function in CACHED:
        function.cache_clear()


def computed(row: str, folder, seed: int = 0) -> dict[str, float]:
    table = text_encoders.TABLE
    found = table.cell(grid.Job(row, table.rows[row], seed, folder / row, "cpu"))
    assert found.keys() == table.columns.keys()
    return found


def test_every_encoder_at_hand_is_measured(tmp_path):
    rows = (text_encoders.FROZEN, text_encoders.ALONG, text_encoders.POOLED)
    found = [computed(row, tmp_path) for row in rows]
    for values in found:
        assert all(math.isfinite(values[name]) for name in ("nats", "gain", "kl", "clap"))
    assert len({values["nats"] for values in found}) == 3


def test_what_is_not_at_hand_is_an_empty_row(tmp_path):
    assert all(map(math.isnan, computed(text_encoders.T5, tmp_path).values()))


def test_encoders_read_the_same_captions_each_in_its_way(tiny):
    clap, texts = tiny["clap"], ["a slow waltz", "house with drums, fast"]
    ids, valid = text_encoders.encoded("along", texts)
    states, same = text_encoders.encoded("frozen", texts)
    assert torch.equal(valid, same) and ids.dtype == torch.int64
    torch.testing.assert_close(clap.text(ids, valid).states, states)
    one, its = text_encoders.encoded("pooled", texts)
    assert one.shape == (2, 1, 16) and its.shape == (2, 1) and its.all()
    torch.testing.assert_close(one[:, 0], clap.embed_text(texts))
    read = text_encoders.clips("test", "frozen")
    told = Planned("test", 6).captions(4)[0]["description"]
    want = clap.text.read([told]).states[0]
    row = read.captioned.states[4, text_encoders.ASKS]
    torch.testing.assert_close(row[: len(want)], want, atol=1e-5, rtol=1e-4)
    assert MANNERS[text_encoders.ASKS] == "description"


def test_a_tower_is_trained_along_only_where_the_row_says_so(tiny):
    along, frozen = (text_encoders.untrained(0, name) for name in ("along", "frozen"))
    before = {n: p.clone() for n, p in tiny["clap"].text.state_dict().items()}
    batch = text_encoders.clips("train", "along").batch(torch.arange(3))
    reading = along.reading(batch.states[:, 2], batch.valid[:, 2])
    along.loss(batch.codes[..., :50], reading).backward()
    moved = [p.grad.abs().max() > 0 for p in along.text.transformer.parameters()]
    assert any(moved) and frozen.text is None
    for name, value in tiny["clap"].text.state_dict().items():
        assert torch.equal(value, before[name]) and along.text.state_dict()[name] is not value
    states = text_encoders.clips("train", "frozen").batch(torch.arange(3)).states[:, 2]
    torch.testing.assert_close(along.reading(batch.states[:, 2], batch.valid[:, 2]).memory,
                               along.project(states) * batch.valid[:, 2, :, None])  # fmt: skip


def test_real_clips_would_obey(monkeypatch):
    """What the judge hears in what was written is put between chance and real clips."""
    from course_lib.evaluation.adherence import asked_marks
    from course_lib.evaluation.prompts import Prompt, asked

    test = Planned("test", 6)
    prompts = [Prompt("", asked(test.attributes(i))) for i in range(6)]
    right = asked_marks(prompts, text_encoders.checkpoints.load("judge"))
    heard = iter([right, right])
    monkeypatch.setattr(text_encoders, "heard_marks", lambda analysis: next(heard))
    assert text_encoders.obeyed(0.1 * torch.randn(6, 1, 16000)) == 1
    deaf = {name: marks.roll(1, 0) for name, marks in right.items()}
    heard = iter([deaf, right])
    assert text_encoders.obeyed(0.1 * torch.randn(6, 1, 16000)) < 0.5


def test_a_published_model_that_is_not_here_is_no_error(monkeypatch):
    monkeypatch.undo()
    assert text_encoders.published("no-such-owner/no-such-t5", ["a waltz"]) is None
