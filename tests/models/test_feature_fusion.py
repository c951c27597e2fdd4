"""Feature fusion: what is heard of a long clip, in training and after."""

import pytest
import torch

from course_lib.models import AudioTower, AudioTowerConfig
from course_lib.models.feature_fusion import AttentionalFusion, FusedAudioTower

SMALL = AudioTowerConfig(mels=16, channels=(8, 8), width=8, layers=1, heads=2, segment=1.0)


def tower() -> FusedAudioTower:
    torch.manual_seed(0)
    return FusedAudioTower(SMALL).eval()


def noise(frames, seed=0):
    return torch.randn(2, 16, frames, generator=torch.Generator().manual_seed(seed))


def test_alpha_weighs_two_maps():
    torch.manual_seed(0)
    fusion = AttentionalFusion(8)
    a, b = torch.randn(2, 8, 4, 5), torch.randn(2, 8, 4, 5)
    torch.testing.assert_close(fusion(a, a), a)
    fused = fusion(a, b)
    assert (fused >= torch.minimum(a, b) - 1e-6).all()
    assert (fused <= torch.maximum(a, b) + 1e-6).all()
    assert not torch.allclose(fused, (a + b) / 2)


@torch.no_grad()
def test_a_short_clip_is_heard_as_by_the_plain_tower():
    fused = tower()
    plain = AudioTower(SMALL).eval()
    plain.load_state_dict({k: v for k, v in fused.state_dict().items() if k in plain.state_dict()})
    for frames in (fused.frames, 40):
        torch.testing.assert_close(fused(noise(frames)), plain(noise(frames)))
    assert fused(noise(200)).shape == (2, fused.dims)


@torch.no_grad()
@pytest.mark.parametrize("alone", ["whole", "near"])
@pytest.mark.parametrize("frames", [64, 65, 100, 189, 300])
def test_every_third_is_heard_from_afar_and_closely(frames, alone):
    class One(torch.nn.Module):
        def forward(self, whole, near):
            return whole if alone == "whole" else near

    fused = tower()
    starts = fused.places(frames)
    assert len(starts) == 3 and starts == sorted(starts)
    assert all(0 <= start <= frames - fused.frames for start in starts)
    fused.fusion = One()
    x = noise(frames)
    before = fused(x)
    for third in range(3):
        other = x.clone()
        other[..., frames * third // 3 + frames // 6] += 3
        assert not torch.allclose(fused(other), before, atol=1e-5)
    torch.testing.assert_close(fused(x), before)  # nothing is drawn


def test_in_training_places_are_drawn_within_their_thirds():
    fused = tower().train()
    torch.manual_seed(0)
    drawn = torch.tensor([fused.places(600) for _ in range(50)])  # [50, 3]
    middles = drawn + fused.frames / 2
    assert all(len(set(column.tolist())) > 20 for column in drawn.T)
    for third in range(3):
        assert (middles[:, third] >= 200 * third - 1).all() or third == 0
        assert (middles[:, third] <= 200 * (third + 1) + 1).all() or third == 2
    assert (drawn >= 0).all() and (drawn <= 600 - fused.frames).all()


def test_all_parts_learn():
    fused = tower()
    fused(noise(200)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in fused.parameters())
