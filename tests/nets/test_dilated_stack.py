import pytest
import torch

from course_lib.nets.dilated_stack import DilatedDecoder, DilatedEncoder


@pytest.mark.parametrize("strides", [(8,), (8, 4), (8, 4, 4), (2, 2)])
def test_whole_frames_have_exact_lengths(strides):
    encoder, decoder = DilatedEncoder(1, 5, 6, strides, 2), DilatedDecoder(1, 5, 6, strides, 2)
    for frames in (1, 2, 7):
        z = encoder(torch.randn(2, 1, frames * encoder.hop))
        assert z.shape == (2, 5, frames)
        assert decoder(z).shape == (2, 1, frames * decoder.hop)


def test_a_frame_sees_both_sides_as_far_as_dilations_reach():
    torch.manual_seed(0)
    encoder = DilatedEncoder(1, 2, 8, (4,), depth=3, growth=3)
    x = torch.randn(1, 1, 400, requires_grad=True)
    encoder(x)[0, :, 50].sum().backward()
    seen = x.grad[0, 0].nonzero()[:, 0]
    reach = 1 + 3 + 9 + 1  # frames: three units and the last convolution
    assert seen.min() == 4 * (50 - reach) - 2 and seen.max() == 4 * (50 + reach) + 5


def test_the_decoder_s_dilations_fall():
    decoder = DilatedDecoder(1, 2, 4, (4, 2), depth=3, growth=2)
    dilations = [c.dilation[0] for c in decoder.modules() if isinstance(c, torch.nn.Conv1d)]
    assert [d for d in dilations if d > 1] == [4, 2, 4, 2]


def test_signals_keep_their_variance():
    torch.manual_seed(0)
    encoder, decoder = DilatedEncoder(1, 16, 32, (8, 4)), DilatedDecoder(1, 16, 32, (8, 4))
    with torch.no_grad():
        z = encoder(torch.randn(8, 1, 4096))
        assert 0.5 < z.std() < 3
        assert 0.5 < decoder(torch.randn(8, 16, 128)).std() < 3
