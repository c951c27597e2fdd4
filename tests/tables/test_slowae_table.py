"""A cell of each kind of the SlowAE table on small random data, and the pattern of delays."""

import math

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import SlowAE, SlowAEConfig
from course_lib.nets import LanguageModel, LanguageModelConfig
from course_lib.tables import grid, slowae


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Two steps on 12 random clips, the first of them calm."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 40, 60, generator=generator) * torch.arange(12)[:, None, None] / 6 - 4.7
    torch.manual_seed(0)
    shipped = SlowAE(SlowAEConfig(width=8, units=1)).eval()
    monkeypatch.setattr(checkpoints, "load", lambda name: {"slowae": shipped}[name])
    monkeypatch.setattr(slowae, "log_mels", lambda split: x)
    monkeypatch.setattr(slowae, "codes", lambda split: shipped.encode(x))
    monkeypatch.setattr(slowae, "densities", lambda: tuple(map(float, range(12))))
    monkeypatch.setattr(slowae, "STEPS", {"autoencoder": 2, "prior": 2})

    def compute(row):
        job = grid.Job(row, slowae.TABLE.rows[row], 0, tmp_path / row.replace(" ", "_"), None)
        found = slowae.cell(job)
        assert found.keys() == slowae.TABLE.columns.keys()
        return found

    return compute


def test_cells_of_autoencoders(small):
    found = {row: small(row) for row in (slowae.SLOW, slowae.PLAIN)}
    for values in found.values():
        assert values["shorter"] == pytest.approx(250 / values["events"])
        assert 0.5 < values["follows"] <= 1 and 0 <= values["calm"] < 0.5
        assert math.isnan(values["nats"]) and values["mse"] > 0
    assert found[slowae.PLAIN]["events"] > found[slowae.SLOW]["events"]


def test_cells_of_priors_and_aims(small):
    found = {row: small(row) for row in (slowae.EVENTS, slowae.SIDE, slowae.DELAYED)}
    for values in found.values():
        assert 0 < values["nats"] < 4 * 125 * 4 and math.isnan(values["mse"])
    # Untrained, a frame costs about ln 15 for each of its four channels.
    assert found[slowae.SIDE]["nats"] == pytest.approx(500 * math.log(15), rel=0.1)
    assert found[slowae.SIDE]["tokens"] == 125
    assert found[slowae.DELAYED]["tokens"] == pytest.approx(125 * 63 / 60)
    assert small(slowae.AIM)["follows"] == 0.6


def test_delays_keep_every_code():
    codes = torch.arange(24).view(1, 3, 8)
    moved = slowae.delayed(codes, 99)
    assert moved.shape == (1, 3, 10) and (moved == 99).sum() == 6
    assert moved[0, 2].tolist() == [99, 99, *range(16, 24)]
    for channel in range(3):
        assert torch.equal(moved[:, channel, channel : channel + 8], codes[:, channel])


def test_a_delayed_channel_knows_the_ones_before_it():
    """A change of channel 0 changes what is said of channel 1 in the same frame, not before."""
    torch.manual_seed(0)
    model = LanguageModel(LanguageModelConfig(24, 2, width=16, layers=1, heads=1)).eval()
    codes = torch.arange(16).view(1, 2, 8)
    other = codes.clone()
    other[0, 0, 5] = 0
    with torch.no_grad():
        logits = [model(slowae.delayed(x, model.nothing)) for x in (codes, other)]
    changed = ((logits[0] - logits[1]).abs().amax(-1) > 0)[0]  # [2, 9]
    assert changed[1].nonzero()[0] - 1 == 5  # frame 5 of channel 1 stands at place 6
    assert changed[0].nonzero()[0] == 6
