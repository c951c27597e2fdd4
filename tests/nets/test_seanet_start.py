"""How SEANet starts: a signal keeps its size on the way through, with weight norm and without."""

import pytest
import torch

from course_lib.nets.seanet import SEANetConfig

WIDTHS = {"widths": (32, 64, 128), "strides": (4, 5), "lstm": 0, "units": 2}


@pytest.mark.parametrize("norm", [None, "weight"])
@pytest.mark.parametrize("conv_shortcut", [False, True])
def test_a_signal_keeps_its_size_within_a_factor_of_three(norm, conv_shortcut):
    torch.manual_seed(0)
    config = SEANetConfig(norm=norm, conv_shortcut=conv_shortcut, **WIDTHS)
    encoder, decoder = config.encoder(1, 32), config.decoder(1, 32)
    with torch.no_grad():
        z = encoder(torch.randn(4, 1, 4000))
        y = decoder(z)
    assert 1 / 3 < z.std() < 3 and 1 / 3 < y.std() / z.std() < 3
    assert abs(z.mean()) < z.std() and abs(y.mean()) < y.std()


def test_what_comes_out_depends_on_what_went_in():
    """PyTorch's own draw lets biases drown the signal: two sounds would come out alike."""
    torch.manual_seed(0)
    config = SEANetConfig(norm=None, conv_shortcut=False, **WIDTHS)
    stack = torch.nn.Sequential(config.encoder(1, 32), config.decoder(1, 32))
    with torch.no_grad():
        one, other = stack(torch.randn(2, 1, 4000))
    alike = torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0)
    assert alike.abs() < 0.3
