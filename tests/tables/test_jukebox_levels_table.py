"""A cell of the table of Jukebox's levels on noise."""

import math

import pytest
import torch

from course_lib.tables import grid, jukebox_levels


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Two steps on noise instead of hundreds on music, with chords that noise does not play."""
    noise = 0.1 * torch.randn(8, 1, 6000, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(jukebox_levels, "sounds", lambda split: noise)
    monkeypatch.setattr(jukebox_levels, "chords", lambda: [((0.0, 1.0, "C:maj"),)] * 8)
    monkeypatch.setattr(jukebox_levels, "chord_accuracy", lambda *_: 0.5)
    monkeypatch.setattr(jukebox_levels, "STEPS", 2)
    return tmp_path


def computed(row, folder):
    table = jukebox_levels.TABLE
    found = table.cell(grid.Job(row, table.rows[row], 0, folder / row, None))
    assert found.keys() >= table.columns.keys()
    return found


def test_cells(small):
    found = {row: computed(row, small) for row in jukebox_levels.TABLE.rows}
    kbps = [values["kbps"] for values in found.values()]
    assert kbps == pytest.approx([18.0, 4.5, 1.125, 4.5])
    assert all(math.isfinite(values["snr"]) for values in found.values())
    assert all(v["chords_kept"] == v["chord_accuracy"] / 0.5 for v in found.values())


def test_a_restart_is_all_that_the_last_row_lacks():
    rows = jukebox_levels.TABLE.rows
    bare = rows[jukebox_levels.NO_RESTART]
    assert bare == rows[jukebox_levels.MIDDLE] | {"dead": 0.0}
