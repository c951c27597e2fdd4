"""Hinge, least squares and feature matching, by hand and by who receives which gradient."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib import training

REAL = [torch.tensor([[0.5, 2.0]]), torch.tensor([-1.0])]
FAKE = [torch.tensor([[-2.0, 0.0]]), torch.tensor([0.5])]


def test_hinge_by_hand():
    """(max(0, 1 - 0.5) + 0) / 2 + (0 + 1) / 2 = 0.75 and 2 + 1.5 = 3.5, averaged."""
    assert training.hinge_discriminator_loss(REAL, FAKE) == pytest.approx((0.75 + 3.5) / 2)
    assert training.hinge_generator_loss(FAKE) == pytest.approx(((3 + 1) / 2 + 0.5) / 2)


def test_least_squares_by_hand():
    """(0.25 + 1) / 2 + (4 + 0) / 2 = 2.625 and 4 + 0.25, added."""
    assert training.least_squares_discriminator_loss(REAL, FAKE) == pytest.approx(2.625 + 4.25)
    assert training.least_squares_generator_loss(FAKE) == pytest.approx((9 + 1) / 2 + 0.25)


def test_hinge_asks_no_more_beyond_the_margin():
    real = torch.tensor([1.5, 0.5], requires_grad=True)
    fake = torch.tensor([-1.5, -0.5], requires_grad=True)
    training.hinge_discriminator_loss([real], [fake]).backward()
    assert real.grad.tolist() == [0, -0.5] and fake.grad.tolist() == [0, 0.5]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=4), st.data())
def test_what_the_discriminator_wants_the_generator_does_not(values, data):
    """A fake logit a little higher costs the judge no less and the generator no more."""
    fake = torch.tensor(values)
    higher = fake + data.draw(st.floats(0, 1))
    real = [torch.zeros(1)]
    judge, make = training.hinge_discriminator_loss, training.hinge_generator_loss
    assert judge(real, [higher]) >= judge(real, [fake]) - 1e-6
    assert make([higher]) <= make([fake]) + 1e-6


def test_feature_matching_by_hand():
    real = [[torch.tensor([2.0, -4.0]), torch.tensor([1.0])], [torch.tensor([10.0])]]
    fake = [[torch.tensor([1.0, -4.0]), torch.tensor([3.0])], [torch.tensor([5.0])]]
    assert training.feature_matching(real, fake) == pytest.approx((0.5 + 2 + 5) / 3)
    relative = training.feature_matching(real, fake, relative=True)
    assert relative == pytest.approx((0.5 / 3 + 2 + 0.5) / 3)


@given(st.floats(0.01, 100))
def test_relative_feature_matching_knows_no_scale(scale):
    real, fake = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([0.5, -2.0, 2.0])
    one = training.feature_matching([[real]], [[fake]], relative=True)
    other = training.feature_matching([[scale * real]], [[scale * fake]], relative=True)
    assert one.item() == pytest.approx(other.item(), rel=1e-5)
    plain = training.feature_matching([[scale * real]], [[scale * fake]])
    assert plain.item() == pytest.approx(scale * 2.5 / 3 * 0.6, rel=1e-5)


def test_no_gradient_reaches_the_features_of_real_sound():
    real = torch.ones(3, requires_grad=True)
    fake = torch.zeros(3, requires_grad=True)
    training.feature_matching([[real]], [[fake]], relative=True).backward()
    assert real.grad is None and fake.grad is not None


def test_silent_features_do_not_divide_by_nothing():
    zero = torch.zeros(3)
    assert training.feature_matching([[zero]], [[zero]], relative=True) == 0


def test_frozen_lets_gradients_through_and_thaws():
    judge = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    judge[0].bias.requires_grad_(False)
    x = torch.ones(1, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="stop"):
        with training.frozen(judge):
            judge(x).sum().backward()
            raise RuntimeError("stop")
    assert x.grad is not None and all(p.grad is None for p in judge.parameters())
    assert [p.requires_grad for p in judge.parameters()] == [True, False, True, True]


def test_outputs_that_do_not_pair_are_refused():
    with pytest.raises(ValueError, match="gave 2 outputs for real sound and 1 for fake"):
        training.hinge_discriminator_loss(REAL, FAKE[:1])
    with pytest.raises(ValueError, match="0 outputs"):
        training.feature_matching([], [])
