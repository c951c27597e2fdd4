"""Spectral losses against the papers' formulas and against the metrics of the same names."""

import math

import pytest
import torch

from course_lib import metrics
from course_lib.audio import mel_filters
from course_lib.training import MultiScaleMelLoss, SpectralConvergenceLoss, STFTLoss

T = 3000


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    x = 0.2 * torch.randn(2, 1, T, generator=generator)
    return x, 0.5 * x + 0.05 * torch.randn(2, 1, T, generator=generator)


def mels(x, window, bands):
    """By hand: frames of the reflected sound, windowed, transformed, filtered."""
    padded = torch.nn.functional.pad(x[:, 0], (window // 2, window // 2), mode="reflect")
    frames = padded.unfold(-1, window, window // 4) * torch.hann_window(window)
    return mel_filters(16000, window, bands) @ torch.fft.rfft(frames).abs().transpose(1, 2)


def test_dac_is_the_mel_distance(pair):
    x, y = pair
    expected = metrics.mel_distance(x, y).mean()
    assert MultiScaleMelLoss.dac(16000)(x, y).item() == pytest.approx(expected.item(), rel=1e-5)


def test_stft_loss_is_the_stft_distance(pair):
    x, y = pair
    expected = metrics.stft_distance(x, y).mean()
    assert STFTLoss()(x, y).item() == pytest.approx(expected.item(), rel=1e-5)


def test_one_scale_of_dac(pair):
    x, y = pair
    s, e = (mels(a, 512, 80).clamp(min=1e-5).log10() for a in (x, y))
    found = MultiScaleMelLoss.dac(16000, {512: 80})(x, y)
    assert found.item() == pytest.approx((s - e).abs().mean().item(), rel=1e-4)


def test_soundstream_by_its_formula(pair):
    x, y = pair
    expected = 0.0
    for i in range(6, 12):
        s, e = mels(x, 2**i, 64), mels(y, 2**i, 64)
        one = (s - e).abs().sum(1)
        logs = (s.clamp(min=1e-5).log() - e.clamp(min=1e-5).log()).square().sum(1).sqrt()
        expected += (one + math.sqrt(2**i / 2) * logs).mean().item()
    found = MultiScaleMelLoss.soundstream(16000)(x, y)
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_encodec_by_its_formula(pair):
    x, y = pair
    expected = 0.0
    for i in range(5, 12):
        energy = torch.hann_window(2**i).norm()
        s, e = mels(x, 2**i, 64) / energy, mels(y, 2**i, 64) / energy
        logs = (s + 1e-5).log10() - (e + 1e-5).log10()
        expected += ((s - e).abs().mean() + logs.square().mean()).item() / 14
    found = MultiScaleMelLoss.encodec(16000)(x, y)
    assert found.item() == pytest.approx(expected, rel=1e-4)


LOSSES = {
    "soundstream": lambda: MultiScaleMelLoss.soundstream(16000),
    "encodec": lambda: MultiScaleMelLoss.encodec(16000),
    "dac": lambda: MultiScaleMelLoss.dac(16000),
    "stft": STFTLoss,
}


@pytest.mark.parametrize("name", LOSSES)
def test_copies_cost_nothing_and_silence_has_a_gradient(name, pair):
    loss, (x, _) = LOSSES[name](), pair
    assert loss(x, x) == 0
    silence = torch.zeros_like(x, requires_grad=True)
    loss(x, silence).backward()
    assert silence.grad.isfinite().all()
    assert loss(torch.zeros_like(x), torch.zeros_like(x)) == 0
    assert not loss.state_dict()  # nothing of it belongs in a checkpoint


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_leads_to_the_reference(name, pair):
    loss, (x, y) = LOSSES[name](), pair
    found = y.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([found], lr=5e-3)
    for _ in range(15):
        optimizer.zero_grad()
        loss(x, found).backward()
        optimizer.step()
    assert loss(x, found) < 0.8 * loss(x, y)


def test_half_precision_is_computed_in_float32(pair):
    x, y = pair
    loss = MultiScaleMelLoss.dac(16000)
    assert loss(x, y.half()).dtype == torch.float32


def test_several_channels_count_alike(pair):
    x, y = pair
    loss = MultiScaleMelLoss.dac(16000)
    both = loss(x.view(1, 2, T), y.view(1, 2, T))
    assert both.item() == pytest.approx(loss(x, y).item(), rel=1e-5)


def test_spectral_convergence_is_its_metric_s_ratio(pair):
    x, y = pair
    loss = SpectralConvergenceLoss((1024, 256))
    expected = sum(10 ** (metrics.spectral_convergence(x, y, w) / 20) for w in (1024, 256)) / 2
    assert loss(x, y).item() == pytest.approx(expected.mean().item(), rel=1e-5)
    assert loss(x, -x).item() < 1e-3


def test_spectral_convergence_of_silence_is_finite_and_has_a_gradient():
    x = torch.zeros(1, 1, T)
    estimate = 1e-3 * torch.randn(1, 1, T, generator=torch.Generator().manual_seed(0))
    estimate.requires_grad_()
    value = SpectralConvergenceLoss()(x, estimate)
    value.backward()
    assert 0.05 < value.item() < 0.2  # -60 dBFS against the floor of -40
    assert estimate.grad.isfinite().all() and estimate.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "loss", [MultiScaleMelLoss.dac(16000), STFTLoss(), SpectralConvergenceLoss((2048,))]
)
def test_sounds_that_do_not_fit_are_named(loss, pair):
    x, y = pair
    with pytest.raises(ValueError, match="expected the same"):
        loss(x[:1], y)  # would count for the whole batch
    with pytest.raises(ValueError, match="1024 samples; a window of 2048 needs more than 1024"):
        loss(x[..., :1024], y[..., :1024])
