import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_lib.nets.discriminators import (
    MultiBandDiscriminator,
    MultiPeriodDiscriminator,
    MultiScaleSTFTDiscriminator,
    Panel,
    STFTDiscriminator,
    WaveDiscriminator,
)
from course_lib.nets.discriminators.judgement import Layers, complex_channels

SMALL = {
    "wave": lambda channels=1: WaveDiscriminator(channels, width=4, most=16),
    "stft": lambda channels=1: STFTDiscriminator(channels, width=2, n_fft=256),
    "multi_scale_stft": lambda channels=1: MultiScaleSTFTDiscriminator(channels, 4, (256, 64)),
    "multi_period": lambda channels=1: MultiPeriodDiscriminator(channels, (4, 8, 8), (2, 3, 11)),
    "multi_band": lambda channels=1: MultiBandDiscriminator(channels, 4, (128, 64)),
}
ENTRIES = {"wave": 3, "stft": 1, "multi_scale_stft": 2, "multi_period": 3, "multi_band": 2}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def same(a, b):
    pairs = zip(a.logits, b.logits, strict=False)
    return len(a.logits) == len(b.logits) and all(
        x.shape == y.shape and torch.allclose(x, y) for x, y in pairs
    )


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_layer_is_seen_and_learns(name, channels):
    network = SMALL[name](channels)
    audio = torch.randn(2, channels, 501, requires_grad=True)
    judgement = network(audio)
    assert len(judgement.logits) == len(judgement.features) == ENTRIES[name]
    for logits, features in zip(judgement.logits, judgement.features, strict=True):
        assert logits.dtype == torch.float32 and len(features) >= 3
        assert not any(feature is logits for feature in features)
    sum(logits.square().sum() for logits in judgement.logits).backward()
    assert audio.grad.abs().amax((1, 2)).min() > 0
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=12, deadline=None)
@given(length=st.integers(1, 300))
def test_any_length_is_judged_item_by_item(name, length):
    torch.manual_seed(length)
    network, audio = SMALL[name](), torch.randn(3, 1, length)
    together, alone = network(audio), network(audio[1:2])
    for logits, own in zip(together.logits, alone.logits, strict=True):
        per_item = logits.reshape(3, -1)
        assert per_item.shape[1] >= 1 and per_item.isfinite().all()
        torch.testing.assert_close(per_item[1], own.flatten(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_a_frozen_network_passes_the_gradient_on(name):
    network = SMALL[name]().requires_grad_(False)
    audio = torch.randn(1, 1, 400, requires_grad=True)
    sum(x.sum() for x in network(audio).logits).backward()
    assert audio.grad.abs().sum() > 0
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_what_is_no_audio_is_named(name):
    network = SMALL[name]()
    with pytest.raises(ValueError, match=r"\[2, 2, 50\]; expected \[B, 1, T\]"):
        network(torch.zeros(2, 2, 50))
    with pytest.raises(ValueError, match=r"\[2, 1, 0\]"):
        network(torch.zeros(2, 1, 0))
    with pytest.raises(TypeError, match="int16"):
        network(torch.zeros(2, 1, 50, dtype=torch.int16))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (WaveDiscriminator, [{"width": 8}, {"most": 16}, {"scales": 2}]),
        (STFTDiscriminator, [{"width": 4}, {"n_fft": 256}]),
        (MultiScaleSTFTDiscriminator, [{"width": 6}, {"n_ffts": (64, 128)}]),
        (MultiPeriodDiscriminator, [{"widths": (8, 4)}, {"periods": (2, 5)}]),
        (MultiBandDiscriminator, [{"width": 6}, {"n_ffts": (128,)}, {"edges": (0.0, 0.3, 1.0)}]),
    ],
)
def test_every_option_changes_the_verdict(make, options):
    base = {
        WaveDiscriminator: {"width": 4, "most": 32},
        STFTDiscriminator: {"width": 2, "n_fft": 128},
        MultiScaleSTFTDiscriminator: {"width": 4, "n_ffts": (128, 64)},
        MultiPeriodDiscriminator: {"widths": (4, 8), "periods": (2, 3)},
        MultiBandDiscriminator: {"width": 4, "n_ffts": (128, 64), "edges": (0.0, 0.5, 1.0)},
    }[make]
    audio = torch.randn(1, 1, 512)

    def judge(settings):
        torch.manual_seed(1)
        return make(**settings)(audio)

    assert same(judge(base), judge(base))
    for option in options:
        assert not same(judge(base), judge(base | option)), option


def test_papers_widths_are_the_defaults():
    wave, stft = WaveDiscriminator(), STFTDiscriminator()
    assert [c.out_channels for c in wave.scales[0].convolutions] == [
        16,
        64,
        256,
        1024,
        1024,
        1024,
        1,
    ]
    assert [c.groups for c in wave.scales[0].convolutions] == [1, 4, 16, 64, 256, 1, 1]
    assert [unit.second.out_channels for unit in stft.units] == [64, 128, 128, 256, 256, 512]
    judged = stft(torch.randn(1, 1, 4096))
    assert judged.logits[0].shape == (1, 1, math.ceil(17 / 8), 1)
    assert [f.shape[-1] for f in judged.features[0]] == [512, 256, 128, 64, 32, 16, 8]
    assert sum(p.numel() for p in MultiPeriodDiscriminator().parameters()) > 40e6


def test_the_wave_is_judged_at_three_rates():
    judged = WaveDiscriminator(width=4, most=16)(torch.randn(1, 1, 1024))
    assert [logits.shape[-1] for logits in judged.logits] == [4, 2, 1]
    constant = F.avg_pool1d(F.pad(torch.ones(1, 1, 64), (1, 2)), 4, 2)
    assert torch.equal(constant[..., 1:-1], torch.ones(1, 1, 30))


def test_period_networks_are_hifigans():
    """A column is every p-th sample; the same weights as (5, 1) kernels on the picture."""
    network = MultiPeriodDiscriminator(widths=(4, 8), periods=(3,))
    audio = torch.randn(2, 1, 30)
    picture = audio.view(2, 1, 10, 3)
    x = picture
    for i, convolution in enumerate(network.networks[0].convolutions):
        kernel, pad = convolution.weight[..., None], convolution.padding[0]
        x = F.conv2d(x, kernel, convolution.bias, (convolution.stride[0], 1), (pad, 0))
        x = F.leaky_relu(x, 0.1) if i < 2 else x
    ours = network(audio).logits[0].unflatten(0, (2, 3)).permute(0, 2, 3, 1)
    torch.testing.assert_close(ours, x)
    striped = torch.tensor([0.1, 0.2, 0.3]).repeat(10).view(1, 1, 30)
    columns = network(striped).features[0][0]
    assert torch.allclose(columns[..., 1:2], columns[..., 1:-1].expand_as(columns[..., 1:-1]))


def test_bands_share_nothing_but_the_last_layer():
    network = MultiBandDiscriminator(width=4, n_ffts=(128,), edges=(0.0, 0.25, 1.0))
    spectrum = torch.randn(1, 2, 9, 65)
    changed = spectrum.clone()
    changed[..., 40] += 1.0
    (_, before), (_, after) = network.scales[0](spectrum), network.scales[0](changed)
    differs = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert differs == [False] * 5 + [True] * 5
    assert network.scales[0].sizes == [16, 49]


def test_spectra_are_complex_and_of_one_level():
    noise = torch.randn(1, 1, 40000)
    levels = [complex_channels(noise, n, n // 4).square().mean().item() for n in (128, 512, 2048)]
    assert max(levels) / min(levels) < 1.1
    assert abs(levels[0] - 0.5) < 0.03  # real and imaginary part of white noise of power 1
    shifted = complex_channels(noise.roll(1, -1), 128, 32)
    assert not torch.allclose(shifted, complex_channels(noise, 128, 32), atol=0.1)  # phase counts
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert complex_channels(noise, 128, 32).dtype == torch.float32


def test_a_panel_is_its_members_and_hears_no_loudness():
    wave, stft = SMALL["wave"](), SMALL["stft"]()
    audio = torch.randn(2, 1, 300)
    both = Panel(wave, stft)(audio)
    assert len(both.logits) == len(both.features) == 4
    assert torch.equal(both.logits[3], stft(audio).logits[0])
    assert not same(Panel(wave)(audio), Panel(wave)(0.1 * audio))
    level = Panel(wave, level=True)
    assert same(level(audio), level(0.1 * audio + 0.02))
    assert level(torch.zeros(1, 1, 50)).logits[0].isfinite().all()
    with pytest.raises(ValueError, match="at least one"):
        Panel()


@pytest.mark.parametrize("name", SMALL)
def test_noise_is_told_from_tones(name):
    """Within 100 steps each tells a tone from a tone with noise, on average by 1 and more."""
    network = STFTDiscriminator(width=4, n_fft=256) if name == "stft" else SMALL[name]()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(2)
    time = torch.arange(600) / 16000
    margin, steps = torch.zeros(()), 0
    while margin < 1 and steps < 100:
        pitch = 200 + 400 * torch.rand(4, 1, 1, generator=generator)
        tone = 0.3 * torch.sin(2 * torch.pi * pitch * time)
        noisy = tone + 0.1 * torch.randn(tone.shape, generator=generator)
        pairs = list(zip(network(tone).logits, network(noisy).logits, strict=True))
        margin = sum((t.mean() - n.mean()).detach() for t, n in pairs) / len(pairs)
        loss = sum(F.relu(1 - t).mean() + F.relu(1 + n).mean() for t, n in pairs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    assert margin >= 1, steps


def test_sizes_that_make_no_network_are_named():
    for make in (
        lambda: WaveDiscriminator(width=6),
        lambda: WaveDiscriminator(width=16, most=8),
        lambda: STFTDiscriminator(n_fft=500),
        lambda: MultiScaleSTFTDiscriminator(n_ffts=()),
        lambda: MultiPeriodDiscriminator(periods=(0, 2)),
        lambda: MultiPeriodDiscriminator(widths=()),
        lambda: MultiBandDiscriminator(edges=(0.0, 0.5)),
        lambda: MultiBandDiscriminator(edges=(0.0, 0.5, 0.5, 1.0)),
        lambda: MultiBandDiscriminator(width=0),
    ):
        with pytest.raises(ValueError, match=r"must (be|rise)"):
            make()


def test_weights_come_back_under_their_names():
    for make in SMALL.values():
        torch.manual_seed(3)
        first, audio = make(), torch.randn(1, 1, 200)
        torch.manual_seed(4)
        second = make()
        assert not same(first(audio), second(audio))
        second.load_state_dict(first.state_dict())
        assert same(first(audio), second(audio))
        assert isinstance(second, nn.Module)


@pytest.mark.parametrize("slope", [0.1, 0.2])
def test_layers_start_by_keeping_the_variance(slope):
    """As PyTorch draws them, seven layers would leave a fiftieth of a difference of two inputs."""
    torch.manual_seed(0)
    layers = Layers([nn.Conv1d(16, 16, 9, padding=4) for _ in range(7)], slope)
    one, other = torch.randn(2, 8, 16, 200)
    with torch.no_grad():
        logits = layers(one)[0] - layers(other)[0]
    assert 0.5 < logits.std() / (one - other).std() < 2
