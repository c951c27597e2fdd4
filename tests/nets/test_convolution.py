import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_lib.nets import Conv1d, ConvDecoder, ConvEncoder, ConvTranspose1d, ResidualUnit


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(1, 9), st.integers(1, 8), st.integers(1, 4), st.booleans())
def test_lengths_are_exact(length, kernel, stride, dilation, causal):
    x = torch.randn(1, 2, length)
    y = Conv1d(2, 3, kernel, stride, dilation, causal)(x)
    assert y.shape == (1, 3, -(-length // stride))
    up = ConvTranspose1d(3, 2, kernel + stride, stride, causal)(y)
    assert up.shape == (1, 2, y.shape[-1] * stride)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("strides", [(4,), (2, 3), (5, 2, 2)])
def test_stacks_give_back_the_length(strides, causal):
    encoder = ConvEncoder(1, 6, 8, strides, causal=causal)
    decoder = ConvDecoder(1, 6, 8, strides, causal=causal)
    for length in (1, encoder.hop - 1, encoder.hop, encoder.hop + 1, 101):
        z = encoder(torch.randn(2, 1, length))
        assert z.shape == (2, 6, -(-length // encoder.hop))
        assert decoder(z).shape == (2, 1, z.shape[-1] * encoder.hop)


def reach(function, length, at):
    """The inputs that output `at` depends on."""
    x = torch.randn(1, 1, length, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(function(x)[0, :, at].sum(), x)
    return gradient[0, 0].nonzero().flatten()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 7), st.integers(1, 5), st.integers(1, 3), st.integers(0, 5))
def test_causal_sees_no_future(kernel, stride, dilation, at):
    conv = Conv1d(1, 1, kernel, stride, dilation, causal=True).double()
    length = 6 * stride + 20
    assert reach(conv, length, at).max() <= at * stride + stride - 1
    up = ConvTranspose1d(1, 1, kernel + stride, stride, causal=True).double()
    assert reach(up, 6, at).max() <= at // stride
    stack = nn.Sequential(
        ConvEncoder(1, 3, 4, (stride, 2), causal=True),
        ConvDecoder(1, 3, 4, (stride, 2), causal=True),
    ).double()
    hop = 2 * stride
    assert reach(stack, 12 * hop, at).max() < (at // hop + 1) * hop


def test_same_convolution_is_torch_s():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 31)
    ours = Conv1d(3, 4, 5, dilation=2)
    theirs = nn.Conv1d(3, 4, 5, dilation=2, padding="same")
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))


def test_a_residual_unit_starts_from_its_input():
    unit = ResidualUnit(4, dilation=3)
    nn.init.zeros_(unit.layers[-1].weight), nn.init.zeros_(unit.layers[-1].bias)
    x = torch.randn(2, 4, 17)
    assert torch.equal(unit(x), x)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"\[1, 2, 0\]"):
        Conv1d(2, 3, 5)(torch.zeros(1, 2, 0))
    with pytest.raises(ValueError, match=r"\[1, 2, 0\]"):
        ConvTranspose1d(2, 3, 4, 2)(torch.zeros(1, 2, 0))
    with pytest.raises(ValueError, match="kernel=2 must be at least stride=4"):
        ConvTranspose1d(2, 3, 2, 4)
