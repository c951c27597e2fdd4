import pytest
import torch
from torch import nn

from course_lib.nets import (
    DiffusionTransformer,
    DiffusionTransformerConfig,
    UNet1d,
    UNet1dConfig,
)
from course_lib.nets.denoiser_conditions import Conditions
from course_lib.nets.unet1d import ResidualBlock, TwoWayConv1d

FRAMES = 21  # odd on two levels
NETWORKS = ["unet", "transformer"]


def make(kind: str, **options) -> nn.Module:
    """A small network with every weight at random, so that nothing hides behind a zero."""
    torch.manual_seed(0)
    options = {"channels": 3, "inputs": 5, "width": 16, "heads": 2} | options
    if kind == "unet":
        net = UNet1d(UNet1dConfig(**{"multipliers": (1, 2, 2), "attends": (1, 2)} | options))
    else:
        net = DiffusionTransformer(DiffusionTransformerConfig(**{"layers": 2} | options))
    for weight in net.parameters():
        nn.init.normal_(weight, std=0.3 if weight.ndim == 1 else weight[0].numel() ** -0.5)
    return net.eval()


def signal(batch: int = 2, frames: int = FRAMES) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(batch, 5, frames), torch.randint(0, 1000, (batch,))


@pytest.mark.parametrize("kind", NETWORKS)
def test_causal_frames_see_no_later_frame_and_the_others_do(kind):
    net, (z, t) = make(kind, memory_width=6), signal()
    memory = torch.randn(2, 4, 6)
    with torch.no_grad():
        before = {causal: net(z, t, memory, causal=causal) for causal in (True, False)}
        for frame in range(1, FRAMES):
            later = z.clone()
            later[..., frame:] += torch.randn(2, 5, FRAMES - frame)
            after = net(later, t, memory, causal=True)
            assert torch.equal(after[..., :frame], before[True][..., :frame])
            assert (after[..., frame] - before[True][..., frame]).abs().max() > 1e-3
            after = net(later, t, memory)
            first = (after - before[False])[..., 0].abs().max()
            assert first > 1e-5  # the very first frame knows of it


@pytest.mark.parametrize("kind", NETWORKS)
def test_causal_frames_are_the_same_whatever_follows_them(kind):
    net, (z, t) = make(kind), signal()
    with torch.no_grad():
        whole = net(z, t, causal=True)
        for frames in range(1, FRAMES):
            alone = net(z[..., :frames], t, causal=True)
            torch.testing.assert_close(alone, whole[..., :frames], rtol=0, atol=2e-5)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("causal", [False, True])
def test_a_frame_of_a_convolution_sees_its_neighbours_or_its_past(stride, causal):
    conv = TwoWayConv1d(1, 1, stride=stride)
    nn.init.ones_(conv.weight)
    nn.init.zeros_(conv.bias)
    for frames in (1, 2, 7, 8):
        seen = conv(torch.eye(frames)[:, None], causal)[:, 0].T != 0  # [out, in]
        places = stride * torch.arange(-(-frames // stride))[:, None]
        ahead = torch.arange(frames) - places  # [out, in]
        wanted = (ahead >= -2) & (ahead <= 0) if causal else ahead.abs() <= 1
        assert torch.equal(seen, wanted)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("causal", [False, True])
def test_any_number_of_frames(kind, causal):
    net = make(kind, **({"blocks": 2} if kind == "unet" else {}))
    for frames in (1, 2, 3, 4, 5, 7, 8, 33):
        z, t = signal(frames=frames)
        out = net(z, t, causal=causal)
        assert out.shape == (2, 3, frames) and out.isfinite().all()


@pytest.mark.parametrize("kind", NETWORKS)
def test_padding_of_the_memory_is_not_read(kind):
    net, (z, t) = make(kind, memory_width=6), signal()
    memory, other = torch.randn(2, 2, 4, 6)
    valid = torch.tensor([[True, True, False, False], [True, True, True, False]])
    with torch.no_grad():
        heard = net(z, t, memory, valid)
        padded = torch.where(valid[..., None], memory, other)
        torch.testing.assert_close(net(z, t, padded, valid), heard)
        torch.testing.assert_close(net(z[:1], t[:1], memory[:1, :2]), heard[:1])
        changed = net(z, t, other, valid) - heard
    assert changed.abs().amax((1, 2)).min() > 1e-3


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_memory_of_padding_alone_is_no_memory(kind):
    net, (z, t) = make(kind, memory_width=6), signal()
    memory = torch.randn(2, 4, 6)
    valid = torch.tensor([[True] * 4, [False] * 4])
    out = net(z, t, memory, valid)
    torch.testing.assert_close(out[1:], net(z[1:], t[1:]))
    assert (out[0] - net(z, t)[0]).abs().max() > 1e-3
    out[1].square().sum().backward()
    gradients = {name: weight.grad for name, weight in net.named_parameters()}
    assert all(grad.isfinite().all() for grad in gradients.values())
    assert all(not grad.any() for name, grad in gradients.items() if "reader.attention" in name)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_time_and_the_vector_reach_every_frame(kind):
    net, (z, t) = make(kind, vector_width=4), signal()
    vector = torch.randn(2, 4)
    with torch.no_grad():
        plain = net(z, t)
        torch.testing.assert_close(net(z, t, vector=torch.zeros(2, 4)), plain)
        assert ((net(z, t, vector=vector) - plain).abs().amax(1) > 1e-5).all()
        assert ((net(z, (t + 300) % 1000) - plain).abs().amax(1) > 1e-5).all()
        # Each item has its own time and vector.
        torch.testing.assert_close(
            net(z[1:], t[1:], vector=vector[1:]), net(z, t, vector=vector)[1:]
        )


def test_attention_knows_the_order_of_frames():
    """Without positions, frames turned round would come out as they did, turned round."""
    unet, transformer = make("unet"), make("transformer")
    z, t = signal()
    x, seen = torch.randn(2, 32, 9), Conditions(torch.zeros(2, 16), None, None, None, causal=False)
    attend = unet.middle.attend
    with torch.no_grad():
        for f, given in ((lambda x: attend(x, seen), x), (lambda z: transformer(z, t), z)):
            assert (f(given.flip(-1)).flip(-1) - f(given)).abs().max() > 1e-3


def test_the_conditions_scale_and_shift_a_block_of_the_unet():
    torch.manual_seed(0)
    block, summary = ResidualBlock(4, 6, 5), torch.randn(2, 5)
    nn.init.normal_(block.conv2.weight)
    x, seen = torch.randn(2, 4, 7), Conditions(summary, None, None, None, causal=False)
    within = block.norm2(block.conv1(nn.functional.silu(block.norm1(x)), False))  # [B, 6, F]
    scale, shift = block.film(summary)[:, :6, None], block.film(summary)[:, 6:, None]
    added = block.conv2(nn.functional.silu(within * (1 + scale) + shift), False)
    torch.testing.assert_close(block(x, seen), block.skip(x) + added)


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_starts_at_zero_and_learns(kind):
    torch.manual_seed(0)
    options = {"channels": 5, "inputs": 5, "width": 16, "heads": 2}
    if kind == "unet":
        net = UNet1d(UNet1dConfig(multipliers=(1, 2), attends=(1,), **options))
    else:
        net = DiffusionTransformer(DiffusionTransformerConfig(layers=2, **options))
    z, t = signal(4)
    wanted = z.roll(1, -1)  # a neighbour, which a frame must look for
    assert not net(z, t).any()
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        losses.append((net(z, t) - wanted).square().mean())
        optimiser.zero_grad()
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.5 * losses[0]
    assert all(weight.grad.any() for weight in net.parameters())


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("causal", [False, True])
def test_nothing_is_read_from_the_device(kind, causal, host_reads):
    net, (z, t) = make(kind, memory_width=6, vector_width=4), signal()
    memory, valid = torch.randn(2, 4, 6), torch.ones(2, 4, dtype=torch.bool)
    with host_reads() as counter:
        net(z, t, memory, valid, torch.randn(2, 4), causal).sum().backward()
    assert counter.reads == []


@pytest.mark.parametrize("kind", NETWORKS)
def test_double_and_half_precision(kind):
    net, (z, t) = make(kind, memory_width=6, vector_width=4), signal()
    memory, vector = torch.randn(2, 4, 6), torch.randn(2, 4)
    valid = torch.tensor([[True] * 4, [False] * 4])
    with torch.no_grad():
        single = net(z, t, memory, valid, vector)
        with torch.autocast("cpu", torch.bfloat16):
            half = net(z, t, memory, valid, vector).float()
        double = net.double()(z.double(), t, memory.double(), valid, vector.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-4)
    assert (half - single).norm() < 0.1 * single.norm()


def test_both_have_two_million_weights_by_default():
    sizes = {"channels": 32, "inputs": 65, "memory_width": 128}
    for net in (
        UNet1d(UNet1dConfig(**sizes)),
        DiffusionTransformer(DiffusionTransformerConfig(**sizes)),
    ):
        assert 2.3e6 < sum(weight.numel() for weight in net.parameters()) < 2.36e6


@pytest.mark.parametrize("kind", NETWORKS)
def test_bad_calls_are_named(kind):
    net, (z, t) = make(kind, memory_width=6), signal()
    memory = torch.randn(2, 4, 6)
    for message, args in {
        r"\[2, 4, 21\]; expected \[B, 5, F\]": (z[:, :4], t),
        r"\[2, 5, 0\]; expected": (z[..., :0], t),
        r"int64 \[2\], not torch.float32": (z, t.float()),
        r"int64 \[2\], not torch.int64 \[1\]": (z, t[:1]),
        r"memory has shape \[2, 4, 5\]; expected \[2, L, 6\]": (z, t, memory[..., :5]),
        r"memory has shape \[2, 0, 6\]": (z, t, memory[:, :0]),
        r"memory_valid needs": (z, t, None, torch.ones(2, 4, dtype=torch.bool)),
        r"memory_valid must be bool \[2, 4\]": (z, t, memory, torch.ones(2, 3, dtype=torch.bool)),
        r"without a vector": (z, t, None, None, torch.randn(2, 4)),
    }.items():
        with pytest.raises(ValueError, match=message):
            net(*args)


def test_bad_configurations_are_named():
    for message, options in {
        r"multipliers=\(1, 0\) must be": {"multipliers": (1, 0)},
        r"multipliers=\(\) must be": {"multipliers": ()},
        "levels from 0 to 1": {"multipliers": (1, 2), "attends": (2,)},
        "width=20 must be divisible by 2 . heads=8": {"width": 20},
        "heads must be positive": {"heads": 0},
    }.items():
        with pytest.raises(ValueError, match=message):
            UNet1dConfig(3, 5, **options)
    with pytest.raises(ValueError, match="inputs=0 must be positive"):
        DiffusionTransformerConfig(3, 0)
    with pytest.raises(ValueError, match="width=20 must be divisible"):
        DiffusionTransformerConfig(3, 5, width=20)
