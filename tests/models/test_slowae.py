import sys
from dataclasses import replace

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import SlowAE, SlowAEConfig, slowae_loss
from course_lib.models.slowae import slowness_penalty
from course_lib.quantize import count_changes, hysteresis_round
from course_lib.training import Tensors, fit

SMALL = SlowAEConfig(bands=6, mean=0.0, scale=1.0, width=8, units=1, channels=3, levels=7)


def make(**options) -> SlowAE:
    torch.manual_seed(0)
    return SlowAE(replace(SMALL, **options))


def sounds(items: int, frames: int = 60) -> torch.Tensor:
    """Random walks that rest now and then."""
    generator = torch.Generator().manual_seed(0)
    steps = torch.randn(items, 6, frames, generator=generator)
    return (steps * (torch.rand(items, 1, frames, generator=generator) > 0.7)).cumsum(-1)


def test_the_default_is_the_course_s():
    model = SlowAE().eval()
    assert 0.2e6 < sum(p.numel() for p in model.parameters()) < 0.5e6
    with torch.no_grad():
        out = model(torch.randn(1, 40, 63) - 4.7)
    assert out.reconstruction.shape == (1, 40, 63) and out.codes.shape == (1, 4, 63)


def test_codes_are_levels_and_come_back():
    model = make().eval()
    for frames in (1, 2, 41):
        x = 5 * torch.randn(2, 6, frames)
        out = model(x)
        assert out.codes.shape == (2, 3, frames) and out.codes.dtype == torch.int64
        assert out.codes.min() >= 0 and out.codes.max() < 7
        assert torch.equal(model.encode(x), out.codes)
        torch.testing.assert_close(model.decode_codes(out.codes), out.reconstruction)
        assert torch.equal(hysteresis_round(out.z, 0.5).long() + 3, out.codes)


def test_every_weight_learns_and_gradients_pass_the_rounding():
    model = make()
    slowae_loss(model, sounds(4))["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    model.zero_grad(set_to_none=True)
    out = model(sounds(4))
    out.reconstruction.square().mean().backward()
    assert model.encoder.layers[0].weight.grad.abs().sum() > 0


def test_the_penalty_by_hand():
    z = torch.tensor([[[0.0, 3.0, 3.0, 3.0], [0.0, 4.0, 4.0, 2.0]]])
    assert slowness_penalty(z).item() == pytest.approx((5 + 0 + 2) / 3, abs=1e-3)
    apart = torch.tensor([[[0.0, 3.0, 3.0, 3.0], [0.0, 0.0, 4.0, 4.0]]])
    together = torch.tensor([[[0.0, 3.0, 3.0, 3.0], [0.0, 4.0, 4.0, 4.0]]])
    assert slowness_penalty(together) < slowness_penalty(apart)
    still = torch.ones(1, 2, 5, requires_grad=True)
    slowness_penalty(still).backward()
    assert still.grad.isfinite().all()
    assert slowness_penalty(torch.ones(1, 2, 1)) == 0


@pytest.mark.parametrize("target", [2.0, 20.0, 200.0])
def test_the_weight_goes_where_the_rate_is_wrong(target):
    model = make(target=target)
    codes = torch.zeros(2, 3, 126, dtype=torch.int64)  # 1 s from the first frame to the last
    codes[:, 0, 10:] = 1
    codes[:, 1, 20::2] = 3  # 106 changes
    before = model.slowness.clone()
    assert model.steer(codes) == pytest.approx(107.0)
    assert (model.slowness > before) == (107 > target)
    expected = min(4.0, max(0.25, 107 / target)) ** model.config.steering
    assert (model.slowness / before).item() == pytest.approx(expected)
    model.eval()
    held = model.slowness.clone()
    model.steer(codes)
    assert model.slowness == held


def test_training_goes_to_the_target():
    x, rates = sounds(16), {}
    for target in (10.0, 100.0):
        model = make(target=target, slowness=0.1, steering=0.1)
        fit(
            model, Tensors(x), lambda m, b, d: slowae_loss(m, b), steps=80, batch_size=16,
            lr=1e-2, progress=False, device="cpu",
        )  # fmt: skip
        rates[target] = count_changes(model.encode(x)).float().mean().item() * 125 / 59
    assert 4 < rates[10.0] < 20 and rates[100.0] > 2 * rates[10.0]


def test_no_penalty_stays_none():
    model = make(slowness=0.0)
    losses = slowae_loss(model, sounds(2))
    assert losses["loss"] == losses["reconstruction"] and model.slowness == 0


def test_a_step_reads_nothing(host_reads):
    model = make()
    with host_reads() as counter:
        slowae_loss(model, sounds(2))["loss"].backward()
    assert not counter.reads


def test_a_stopped_run_goes_on_with_its_weight(tmp_path, monkeypatch):
    """The weight of the penalty is part of the state: bit for bit the undisturbed run."""

    def run(folder, steps):
        model = make()
        fit(
            model, Tensors(sounds(8)), lambda m, b, d: slowae_loss(m, b), steps=steps,
            batch_size=4, folder=folder, save_seconds=0, progress=False, device="cpu",
        )  # fmt: skip
        return model

    # The rate of a shorter run would fall earlier.
    monkeypatch.setattr(sys.modules["course_lib.training.fit"], "warmup_cosine", lambda *a: 1.0)
    run(tmp_path / "a", 5)
    resumed, whole = run(tmp_path / "a", 9), run(tmp_path / "b", 9)
    assert resumed.slowness == whole.slowness != make().slowness
    for one, other in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_brings_back_the_same_model(tmp_path):
    model = make()
    slowae_loss(model, sounds(2))
    path = checkpoints.save(tmp_path, "slow", model.eval(), {})
    loaded = checkpoints.read(path)
    assert loaded.config == model.config and loaded.slowness == model.slowness
    assert torch.equal(loaded.encode(sounds(2)), model.encode(sounds(2)))


@pytest.mark.parametrize(
    "options, words",
    [
        ({"levels": 8}, "levels=8 odd"),
        ({"levels": 1}, "levels=1 odd"),
        ({"channels": 0}, "channels=0"),
        ({"target": 0.0}, "target=0.0"),
        ({"margin": -1.0}, "margin=-1.0"),
        ({"slowness": -1.0}, "slowness=-1.0"),
        ({"width": 0}, "width=0"),
    ],
)
def test_bad_configurations_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **options)


def test_a_model_in_float64_computes_in_float64():
    model, x = make().double().eval(), sounds(2).double()
    out = model(x)
    assert out.z.dtype == out.reconstruction.dtype == torch.float64
    torch.testing.assert_close(model.decode_codes(model.encode(x)), out.reconstruction)
    with torch.autocast("cpu", torch.bfloat16):
        assert make()(sounds(2)).z.dtype == torch.float32


def test_bad_input_is_named():
    model = make().eval()
    with pytest.raises(ValueError, match=r"\[1, 5, 9\]; expected \[B, 6, T\]"):
        model(torch.zeros(1, 5, 9))
    with pytest.raises(ValueError, match="NaN"):
        model.encode(torch.full((1, 6, 9), torch.nan))
    with pytest.raises(ValueError, match="the codebook has 0 to 6"):
        model.decode_codes(torch.full((1, 3, 4), 7))
    with pytest.raises(ValueError, match=r"\[1, 4, 4\]; expected \[B, 3, F\]"):
        model.decode_codes(torch.zeros(1, 4, 4, dtype=torch.int64))
    with pytest.raises(TypeError, match="float32"):
        model.decode_codes(torch.zeros(1, 3, 4))
