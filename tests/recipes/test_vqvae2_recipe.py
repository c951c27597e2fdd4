import math

import pytest
import torch

from course_lib import recipes
from course_lib.models import (
    VQVAE2,
    Maps,
    VQVAE2Config,
    VQVAE2Priors,
    VQVAE2PriorsConfig,
)
from course_lib.recipes import vqvae2, vqvae2_priors
from course_lib.training import Draws

CPU = torch.device("cpu")


class Clips:
    """Decaying tones, 1.6 s: 101 frames."""

    def __len__(self):
        return 6

    def batch(self, indices):
        t = torch.arange(25_600) / 16_000
        pitch = 220 * 2 ** (torch.as_tensor(indices)[:, None, None] / 12)
        return 0.3 * torch.sin(2 * torch.pi * pitch * t) * torch.exp(-2 * (t % 0.5))


def small(**options) -> VQVAE2:
    torch.manual_seed(0)
    return VQVAE2(
        VQVAE2Config(width=8, units=1, dim=4, top_entries=16, bottom_entries=16, **options)
    )


def test_the_loss_sees_another_part_in_each_step_and_hides_some_bottoms(monkeypatch):
    seen = []
    monkeypatch.setattr(vqvae2, "vqvae2_loss", lambda model, x, kept: seen.append((x, kept)) or {})
    for step in (1, 1, 2):
        audio = Clips().batch(torch.arange(200) % 6)
        vqvae2.loss(small(dropout=0.25), audio, Draws(0, step, range(200), CPU))
    (x, kept), (again, _), (other, _) = seen
    assert x.shape == (200, 64, vqvae2.FRAMES)
    assert torch.equal(x, again) and not torch.equal(x, other)
    assert 0.6 < kept.float().mean() < 0.9


def test_the_metrics_are_those_of_whole_clips():
    model, clips = small(), Clips()
    x = vqvae2.MEL(clips.batch(range(6)))
    model(x)
    with torch.no_grad():
        metrics = vqvae2.test(model.eval(), clips)
        out = model(x)
        top_alone = model.decode_codes(out.maps.top, None, x.shape[-1])
    expected = (out.reconstruction - x).square().mean().item()
    assert metrics["log_mel_mse_both"] == pytest.approx(expected, abs=1e-3)
    expected = (top_alone - x).square().mean().item()
    assert metrics["log_mel_mse_top"] == pytest.approx(expected, abs=1e-3)
    assert metrics["usage_top"] == pytest.approx(out.maps.top.unique().numel() / 16, abs=1e-3)
    assert -1 <= metrics["chroma_bottom"] <= metrics["chroma_both"] + 1 <= 2


def test_parts_of_the_two_maps_lie_above_each_other():
    columns = torch.arange(12).expand(3, 2, 12)
    quarters = torch.arange(48).expand(3, 2, 48)
    top, bottom = vqvae2_priors.part(Maps(columns, quarters), 5, Draws(0, 0, range(3), CPU))
    assert top.shape == (3, 2, 5) and bottom.shape == (3, 2, 20)
    assert torch.equal(bottom[:, 0, ::4], 4 * top[:, 0])
    assert len({row[0].item() for row in top[:, 0]}) > 1  # another part in each item
    whole = vqvae2_priors.part(Maps(columns, quarters), 12, Draws(0, 0, range(3), CPU))
    assert torch.equal(whole.top, columns)


def test_priors_are_measured_on_the_maps_of_clips(monkeypatch):
    torch.manual_seed(0)
    autoencoder = small()
    autoencoder(vqvae2.MEL(Clips().batch(range(6))))
    monkeypatch.setattr(vqvae2_priors, "load", lambda split, size: Clips())
    maps = vqvae2_priors.data("test", "quick", {"vqvae2": autoencoder.eval()})
    top, bottom = autoencoder.encode(vqvae2.MEL(Clips().batch([4])))
    assert torch.equal(maps.batch(torch.tensor([4])).top, top)
    assert torch.equal(maps.batch(torch.tensor([4])).bottom, bottom)
    config = VQVAE2PriorsConfig(16, 16, columns=3, width=8, heads=2, top_layers=1, bottom_layers=1)
    priors = vqvae2_priors.training(VQVAE2Priors(config), {"vqvae2": autoencoder}).eval()
    with torch.no_grad():
        for part in (priors.above[2], priors.bottom.head):  # untrained they hardly say anything
            part.weight.normal_()
        loss = vqvae2_priors.loss(priors, maps.batch(torch.arange(4)), Draws(0, 0, range(4), CPU))
        metrics = vqvae2_priors.test(priors, maps)
    assert loss["top"] > 0
    rate = 16000 / 256 / 16 * 16  # top codes a second
    bits = rate * (metrics["nats_top"] + 4 * metrics["nats_bottom"]) / math.log(2)
    assert metrics["bits_per_second"] == pytest.approx(bits, rel=1e-3)
    assert metrics["nats_bottom"] != metrics["nats_bottom_other_top"]


def test_the_recipes_are_those_of_the_default_models():
    recipe = recipes.find("vqvae2")
    assert recipe.model().config == VQVAE2Config()
    recipe = recipes.find("vqvae2_priors")
    assert recipe.model().config == VQVAE2PriorsConfig() and recipe.parents == ("vqvae2",)
    ours, theirs = VQVAE2Config(), VQVAE2PriorsConfig()
    assert ours.top_entries == theirs.top_entries <= 256  # a byte a code
    assert ours.bottom_entries == theirs.bottom_entries <= 256
    assert VQVAE2Config().bands // VQVAE2Config().top_code[0] == VQVAE2PriorsConfig().rows
    assert VQVAE2Config().coarser == VQVAE2PriorsConfig().coarser
