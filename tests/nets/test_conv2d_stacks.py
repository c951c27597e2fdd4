import math

import pytest
import torch

from course_lib.nets.conv2d_stacks import Conv2dDecoder, Conv2dEncoder, Residual2d


@pytest.mark.parametrize("strides", [((2, 2),), ((2, 2), (2, 2)), ((1, 4),), ((2, 1), (4, 2))])
def test_strided_down_and_up(strides):
    x = torch.randn(2, 3, 16, 24)
    z = Conv2dEncoder(3, 8, strides)(x)
    high, wide = (math.prod(s[i] for s in strides) for i in range(2))
    assert z.shape == (2, 8, 16 // high, 24 // wide)
    assert Conv2dDecoder(8, 5, 8, strides)(z).shape == (2, 5, 16, 24)


def test_other_strides_are_refused():
    with pytest.raises(ValueError, match=r"stride=\(3, 1\)"):
        Conv2dEncoder(1, 4, ((3, 1),))


def test_the_variance_stays():
    torch.manual_seed(0)
    x = torch.randn(4, 1, 64, 64)
    z = Conv2dEncoder(1, 64, ((2, 2), (1, 4)), units=0)(x)
    assert 0.2 < z.square().mean() < 5
    y = Conv2dDecoder(64, 1, 64, ((2, 2), (1, 4)), units=0)(z)
    assert 0.2 < y.var() < 5


def test_a_residual_unit_adds():
    unit = Residual2d(4, 2)
    torch.nn.init.zeros_(unit.layers[-1].weight)
    torch.nn.init.zeros_(unit.layers[-1].bias)
    x = torch.randn(1, 4, 5, 6)
    assert torch.equal(unit(x), x)
