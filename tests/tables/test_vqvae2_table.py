import math

import pytest
import torch

from course_lib.models import VQVAE2, VQVAE2Config
from course_lib.tables import vqvae2
from course_lib.tables.grid import Job


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Two steps on noise instead of hundreds on music."""
    noise = torch.randn(8, 64, 75, generator=torch.Generator().manual_seed(0)) - 4
    monkeypatch.setattr(vqvae2, "log_mels", lambda split: noise)
    monkeypatch.setattr(vqvae2, "known_chords", lambda: [[(0.0, 9.0, "C:maj")]] * 8)
    monkeypatch.setattr(vqvae2, "STEPS", 2)
    vqvae2.trained.cache_clear()
    yield tmp_path
    vqvae2.trained.cache_clear()


def test_every_row_has_a_cell_and_its_bits(small):
    found = {}
    for row, settings in vqvae2.TABLE.rows.items():
        found[row] = vqvae2.cell(Job(row, settings, 0, small / str(len(found)), None))
        assert found[row].keys() == vqvae2.TABLE.columns.keys()
        assert all(math.isfinite(v) for name, v in found[row].items() if name != "bits")
    bits = {row: values["bits"] for row, values in found.items()}
    assert bits[vqvae2.ONE] == bits[vqvae2.BOTH] == bits[vqvae2.NEVER] == 2000
    assert bits[vqvae2.TOP_ALONE] == bits[vqvae2.TOP_OF] == bits[vqvae2.SQUARE_TOP] == 500
    assert bits[vqvae2.BOTTOM_ALONE] == bits[vqvae2.BOTTOM_OF] == 1500
    original = found[vqvae2.ORIGINAL]
    assert original["mse"] == original["bands"] == 0 and original["chroma"] == pytest.approx(1)
    # Rows of one network differ in what is decoded; the networks of two rows differ.
    rows = (vqvae2.BOTH, vqvae2.TOP_ALONE, vqvae2.BOTTOM_ALONE, vqvae2.NEVER, vqvae2.ONE)
    assert len({found[row]["mse"] for row in rows}) == 5


def test_bits_are_those_of_the_codes_that_the_networks_write():
    x = torch.randn(2, 64, vqvae2.PATCH, generator=torch.Generator().manual_seed(0)) - 4
    one = vqvae2.OneLevel()
    bits = one(x).maps[0].numel() * math.log2(one.ENTRIES)
    assert bits == sum(vqvae2.BITS.values()) and len(one.quantizer.codebook) == one.ENTRIES
    for options in (vqvae2.HIDING, vqvae2.NEVER_HIDING, vqvae2.PAPER):
        options = {name: value for name, value in options.items() if name != "levels"}
        model = VQVAE2(VQVAE2Config(**vqvae2.SMALL, **options))
        c, maps = model.config, model(x).maps
        assert maps.top[0].numel() * math.log2(c.top_entries) == vqvae2.BITS["top"]
        assert maps.bottom[0].numel() * math.log2(c.bottom_entries) == vqvae2.BITS["bottom"]


def test_rows_of_one_network_train_it_once(small):
    for row in (vqvae2.BOTH, vqvae2.TOP_ALONE, vqvae2.TOP_OF):
        vqvae2.cell(Job(row, vqvae2.TABLE.rows[row], 0, small / row, None))
    assert vqvae2.trained.cache_info().misses == 1


def test_one_map_is_as_large_a_network():
    def count(model):
        return sum(p.numel() for p in model.parameters())

    two = VQVAE2(VQVAE2Config(**vqvae2.SMALL))
    assert count(vqvae2.OneLevel()) == pytest.approx(count(two), rel=0.05)
    x = torch.randn(2, 64, 30) - 4
    out = vqvae2.OneLevel()(x)
    assert out.reconstruction.shape == x.shape and out.maps.shape[-1] == 16 * 8


def test_band_energies_are_of_the_band():
    log_mel = torch.full((1, 64, 10), -3.0)
    log_mel[:, 5] = 0.0
    found = vqvae2.band_energies(log_mel)
    assert found[0, 5] == 0 and found[0, 4].item() == pytest.approx(-60 / math.log(10))
    louder = vqvae2.band_energies(log_mel + math.log(10) / 20)
    torch.testing.assert_close(louder, found + 1, atol=1e-4, rtol=0)
