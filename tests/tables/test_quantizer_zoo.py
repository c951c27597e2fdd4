"""The table of quantizers on data that take no time."""

import dataclasses
import math

import pytest
import torch

from course_lib import quantize
from course_lib.tables import quantizer_zoo as zoo
from course_lib.tables.grid import Job


@pytest.fixture
def tiny(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    data = {split: torch.randn(24, 80, 250, generator=generator) - 4 for split in ("train", "test")}
    vectors = {split: torch.randn(24, 64, 20, generator=generator) for split in ("train", "test")}
    monkeypatch.setattr(zoo, "log_mels", lambda split: data[split])
    monkeypatch.setattr(zoo, "latents", lambda: vectors)
    monkeypatch.setattr(zoo, "SIZE", dataclasses.replace(zoo.SIZE, train=24))
    for name, value in (("STEPS", 12), ("PRIOR_STEPS", 2), ("JOINT_STEPS", 2)):
        monkeypatch.setattr(zoo, name, value)


@pytest.mark.parametrize(
    "row",
    ["VQ by gradient, orthogonal", "cosine", "LFQ, 10 bits", "random projection",
     "grouped residual, 4 × 1024"],
)  # fmt: skip
def test_a_cell_measures_every_column(row, tiny, tmp_path):
    found = zoo.cell(Job(row, zoo.TABLE.rows[row], 0, tmp_path, None))
    assert found.keys() >= zoo.TABLE.columns.keys()
    assert found["nats"] > 0 and found["ms"] > 0 and 0 < found["usage"] <= 1
    whole = row == "grouped residual, 4 × 1024"
    assert math.isnan(found["half"]) != whole
    if row == "random projection":
        assert math.isnan(found["error"]) and math.isnan(found["joint_mse"])
    else:
        assert found["error"] > 0 and found["joint_mse"] > 0
    if whole:
        assert found["half"] > found["error"]


@pytest.mark.parametrize("row", zoo.TABLE.rows)
def test_every_row_is_a_quantizer_of_the_width_asked_for(row):
    settings = dict(zoo.TABLE.rows[row])
    settings.pop("orthogonal", None)
    quantizer = zoo.build(dim=16, **settings)
    assert quantizer.dim == 16
    bits = quantizer.n_codebooks * math.log2(quantizer.size)
    assert bits == pytest.approx(40 if "4 × 1024" in row else 10, abs=0.04)


def test_losses_are_weighted_as_usual():
    torch.manual_seed(0)
    z = torch.randn(2, 4, 9)
    vq = quantize.VectorQuantizer(4, 8, codebook="gradient", init="random")
    q = vq(z)
    plain = zoo.losses(vq, q, False)
    torch.testing.assert_close(plain, 0.25 * q.commitment + q.codebook_loss)
    extra = zoo.losses(vq, q, True) - plain
    torch.testing.assert_close(extra, 10 * quantize.orthogonal_loss(vq.codebook))
    lfq = quantize.LFQ(4)
    q = lfq(z)
    torch.testing.assert_close(
        zoo.losses(lfq, q, False), 0.25 * q.commitment + 0.1 * q.codebook_loss
    )


def test_the_prior_learns_a_pattern():
    codes = torch.arange(40).remainder(4).expand(32, 1, 40)
    assert zoo.prior_nats(codes, codes[:25], 4, 0) < math.log(4) / 3
