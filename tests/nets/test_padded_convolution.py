import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_lib.nets import PaddedConv1d, PaddedConvTranspose1d, folded_state
from course_lib.nets.padded_convolution import pad


@settings(max_examples=80, deadline=None)
@given(
    length=st.integers(1, 70),
    stride=st.integers(1, 8),
    more=st.integers(0, 8),
    dilation=st.integers(1, 4),
    causal=st.booleans(),
    padding=st.sampled_from(["constant", "reflect"]),
)
def test_lengths_are_exact(length, stride, more, dilation, causal, padding):
    conv = PaddedConv1d(2, 3, stride + more, stride, dilation, causal, padding)
    y = conv(torch.randn(1, 2, length))
    assert y.shape == (1, 3, -(-length // stride))
    up = PaddedConvTranspose1d(3, 2, stride + more, stride, causal)
    assert up(y).shape == (1, 2, y.shape[-1] * stride)


def test_lengths_above_two_to_the_24th_are_right():
    length = 2**24 + 1  # float32 would count 2^24
    with torch.device("meta"):
        x = torch.empty(1, 1, length)
        assert PaddedConv1d(1, 1, 4, 2)(x).shape[-1] == 2**23 + 1
        assert PaddedConv1d(1, 1, 7, padding="reflect")(x).shape[-1] == length
        up = PaddedConvTranspose1d(1, 1, 4, 2)(x[..., : 2**23 + 1])
    assert up.shape[-1] == 2**24 + 2


def test_reflection_is_torch_s_and_short_signals_are_lengthened_first():
    x = torch.arange(1.0, 6).view(1, 1, 5)
    assert pad(x, 2, 1, "reflect").flatten().tolist() == [3, 2, 1, 2, 3, 4, 5, 4]
    assert pad(x[..., :2], 3, 1, "reflect").flatten().tolist() == [0, 0, 2, 1, 2, 0]
    assert pad(x[..., :1], 0, 1, "reflect").flatten().tolist() == [1, 0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 6), st.integers(1, 5), st.integers(1, 3), st.integers(0, 5))
def test_causal_sees_no_future(more, stride, dilation, at):
    def last_seen(module, x):
        (gradient,) = torch.autograd.grad(module(x)[0, :, at].sum(), x)
        return gradient[0, 0].nonzero().max()

    conv = PaddedConv1d(1, 1, stride + more, stride, dilation).double()
    x = torch.randn(1, 1, 6 * stride + 20, dtype=torch.float64, requires_grad=True)
    assert last_seen(conv, x) == at * stride + stride - 1
    up = PaddedConvTranspose1d(1, 1, stride + more, stride).double()
    assert last_seen(up, x) == at // stride


def test_folding_changes_nothing_but_the_names():
    torch.manual_seed(0)

    def stack(norm):
        return nn.Sequential(
            PaddedConv1d(2, 4, 4, 2, norm=norm), PaddedConvTranspose1d(4, 2, 4, 2, norm=norm)
        )

    normed, plain = stack("weight"), stack(None)
    for parameter in normed.parameters():
        nn.init.normal_(parameter)
    plain.load_state_dict(folded_state(normed))
    x = torch.randn(2, 2, 21)
    assert torch.equal(plain(x), normed(x))
    assert len(list(plain.parameters())) < len(list(normed.parameters()))


def test_group_norm_comes_before_the_cut():
    up = PaddedConvTranspose1d(2, 3, 4, 2, causal=False, norm="group")
    whole = up.norm(up.convolve(x := torch.randn(1, 2, 9)))
    assert torch.equal(up(x), whole[..., 1:19])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"\[1, 2, 0\]"):
        PaddedConv1d(2, 3, 5)(torch.zeros(1, 2, 0))
    with pytest.raises(ValueError, match=r"\[1, 2, 0\]"):
        PaddedConvTranspose1d(2, 3, 4, 2)(torch.zeros(1, 2, 0))
    with pytest.raises(ValueError, match="kernel=2 must reach over stride=4"):
        PaddedConv1d(2, 3, 2, 4)
    with pytest.raises(ValueError, match="kernel=2 must reach over stride=4"):
        PaddedConvTranspose1d(2, 3, 2, 4)
