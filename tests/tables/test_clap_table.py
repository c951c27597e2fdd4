"""Cells of the table of CLAP's towers, on clips of tones with real captions."""

import math
from pathlib import Path

import pytest
import torch

from course_lib.metrics import mean_average_precision_at_10
from course_lib.models import CLAP, TextTower
from course_lib.recipes import clap as recipe
from course_lib.songbook.clip import captions
from course_lib.songbook.draw import plan
from course_lib.tables import clap as table
from course_lib.tables.grid import Job


class Clips:
    """Twelve clips of 1.5 s, each a tone of its own."""

    def __len__(self):
        return 12

    def captions(self, index, drafts=1):
        return tuple(captions(plan(0, "train", index, 5.0), draft) for draft in range(drafts))

    def batch(self, indices):
        phase = 2 * math.pi / 16000 * torch.arange(24000)
        return torch.stack([torch.sin(200 * 1.3 ** int(i) * phase) for i in indices])[:, None]


@pytest.fixture
def small(monkeypatch):
    found = recipe.CaptionedClips(Clips(), table.config("weak", "small"))
    monkeypatch.setattr(table, "clips", lambda split: found)
    monkeypatch.setattr(table, "STEPS", 3)
    monkeypatch.setattr(table, "READING_STEPS", 20)
    monkeypatch.setattr(table, "BATCH", 12)
    return found


def job(row: str, folder: Path) -> Job:
    return Job(row, table.TABLE.rows[row], 0, folder, "cpu")


@pytest.mark.parametrize("row", [table.row("weak", "small"), table.row("weak", "frozen")])
def test_a_cell_measures_both_ways(small, row, tmp_path):
    found = table.cell(job(row, tmp_path))
    assert found.keys() == table.TABLE.columns.keys()
    assert all(0 <= value <= 100 for value in found.values())


def test_the_tower_that_does_not_fit_knows_manners_and_stays_as_it_is(small, monkeypatch, tmp_path):
    kept = []
    monkeypatch.setattr(table, "retrieval", lambda model, clips: kept.append(model) or {})
    row = table.row("weak", "frozen")
    table.cell(job(row, tmp_path / "a"))
    torch.manual_seed(0)
    alone = CLAP(table.config("weak", "frozen"))
    table.reader_of_manners(alone.text, small.ids, job(row, tmp_path / "b"))
    for name, value in kept[0].text.state_dict().items():
        torch.testing.assert_close(value, alone.text.state_dict()[name])
    ids = small.ids.flatten(0, 1).long()
    read = alone.text.eval()(ids, ids != 0).pooled.detach().unflatten(0, (12, 4))
    means = read.mean(0)  # [manners, M]
    nearest = torch.cdist(read.flatten(0, 1), means).argmin(1)
    assert (nearest == torch.arange(4).repeat(12)).float().mean() > 0.9
    untrained = TextTower(alone.config.text)(ids, ids != 0).pooled
    assert not torch.allclose(untrained[:4], read[0])


def test_each_way_is_measured_in_its_own_direction(small, monkeypatch):
    heard, read = torch.randn(2, 12, 3, generator=torch.manual_seed(0))
    monkeypatch.setattr(recipe, "embed_clips", lambda model, clips: heard)
    monkeypatch.setattr(CLAP, "embed_text", lambda model, texts: read)
    found = table.retrieval(CLAP(table.config("weak", "small")), small)
    cosines = heard @ read.T
    ways = {"audio_to_text": cosines, "text_to_audio": cosines.T}
    expected = {way: 100 * mean_average_precision_at_10(x) for way, x in ways.items()}
    assert found == pytest.approx(expected)
    assert abs(found["audio_to_text"] - found["text_to_audio"]) > 1


def test_towers_grow_from_row_to_row():
    def parameters(module):
        return sum(p.numel() for p in module.parameters())

    weak, stronger = (CLAP(table.config(a, "small")) for a in table.AUDIO)
    larger = CLAP(table.config("weak", "larger"))
    assert 4 * parameters(weak.audio) < parameters(stronger.audio) < 1e6
    assert 4 * parameters(weak.text) < parameters(larger.text) < 1e6
    assert len(table.TABLE.rows) == 6 == len(table.TABLE.paper)
