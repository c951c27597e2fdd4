"""Fréchet distance, its interval and floor, and KL, against scipy and closed forms."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics


def gaussian(n, d, seed, scale=1.0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, d, generator=generator, dtype=torch.float64) + shift


def by_scipy(a, b):
    from scipy.linalg import sqrtm

    a, b = a.numpy(), b.numpy()
    sa, sb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.real(sqrtm(sa @ sb))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sa + sb - 2 * root)


@pytest.mark.parametrize("d", [2, 16, 64])
def test_frechet_equals_scipys_matrix_root(d):
    a = gaussian(10 * d, d, 0) @ gaussian(d, d, 1)
    b = gaussian(12 * d, d, 2) @ gaussian(d, d, 3) + 0.5
    assert metrics.frechet_distance(a, b) == pytest.approx(by_scipy(a, b), rel=1e-6)
    assert metrics.frechet_distance(a.float(), b.float()) == pytest.approx(by_scipy(a, b), rel=1e-4)


def test_frechet_in_closed_form():
    """Along one axis: (mu - mu')^2 + (sigma - sigma')^2."""
    a = torch.tensor([[-1.0], [1.0]]).repeat(500, 1)
    sigma = float(a.std())
    assert metrics.frechet_distance(a, 3 * a + 4) == pytest.approx(16 + (2 * sigma) ** 2)


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 5))
def test_frechet_is_symmetric_and_zero_for_itself(shift, scale):
    a, b = gaussian(60, 4, 0), gaussian(50, 4, 1, scale, shift)
    there, back = metrics.frechet_distance(a, b), metrics.frechet_distance(b, a)
    assert there == pytest.approx(back, rel=1e-6, abs=1e-9) and there > 0
    assert metrics.frechet_distance(b, b) == pytest.approx(0, abs=1e-6 * scale**2)


def test_few_samples_warn_and_one_is_refused():
    with pytest.warns(UserWarning, match="8 samples of 8 dimensions.*at least 80"):
        metrics.frechet_distance(gaussian(8, 8, 0), gaussian(100, 8, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.frechet_distance(gaussian(9, 8, 0), gaussian(100, 8, 1))
    with pytest.raises(ValueError, match="1 and 100 samples"):
        metrics.frechet_distance(gaussian(1, 8, 0), gaussian(100, 8, 1))


def test_the_interval_holds_the_true_distance_about_as_often_as_it_says():
    truth = 4 * 0.5**2 + 4 * 0.5**2  # 4 axes: means 0.5 apart, deviations 1 and 1.5
    held = 0
    for seed in range(40):
        a, b = gaussian(80, 4, 2 * seed), gaussian(80, 4, 2 * seed + 1, 1.5, 0.5)
        low, high = metrics.frechet_interval(a, b, draws=100, seed=seed)
        assert 0 <= low < high
        held += low <= truth <= high
    assert 34 <= held <= 40


def test_the_interval_is_reproducible():
    a, b = gaussian(50, 3, 0), gaussian(50, 3, 1)
    assert metrics.frechet_interval(a, b, draws=20) == metrics.frechet_interval(a, b, draws=20)
    with pytest.raises(ValueError, match="draws is 5"):
        metrics.frechet_interval(a, b, draws=5)


def test_the_floor_falls_with_samples_and_lies_below_a_real_difference():
    few, many = (metrics.frechet_floor(gaussian(n, 4, 0)) for n in (100, 1600))
    assert 0 < many < few / 4
    assert metrics.frechet_distance(gaussian(800, 4, 1), gaussian(800, 4, 2, shift=0.5)) > 5 * many
    with pytest.raises(ValueError, match="real has 3 samples"):
        metrics.frechet_floor(gaussian(3, 2, 0))


@pytest.mark.parametrize(
    "a, error, words",
    [
        (torch.zeros(9), ValueError, r"\[N, D\]"),
        (torch.zeros(9, 3), ValueError, "from one network"),
        (torch.zeros(9, 4).long(), TypeError, "int64"),
        (torch.full((9, 4), math.nan), ValueError, "NaN"),
    ],
)
@pytest.mark.parametrize("call", [metrics.frechet_distance, metrics.frechet_interval])
def test_wrong_embeddings_are_named(call, a, error, words):
    with pytest.raises(error, match=words):
        call(a, gaussian(9, 4, 0))


def test_kl_equals_scipys_entropy():
    from scipy.stats import entropy

    p, q = gaussian(20, 6, 0).softmax(-1), gaussian(20, 6, 1).softmax(-1)
    ours = metrics.kl(p, q, eps=0)
    assert np.allclose(ours.numpy(), entropy(p.numpy(), q.numpy(), axis=-1))
    assert torch.allclose(metrics.kl(p, q), ours, rtol=1e-3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), sharpness=st.floats(0, 200))
def test_kl_is_finite_never_negative_and_zero_for_equal_rows(seed, sharpness):
    p, q = ((sharpness * gaussian(5, 4, seed + s)).softmax(-1).float() for s in (0, 1000))
    values = metrics.kl(p, q)
    assert torch.isfinite(values).all() and (values >= -1e-12).all()
    assert metrics.kl(p, p).abs().max() < 1e-12


def test_kl_of_certain_but_different_classes_is_bounded_by_eps():
    p, q = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert float(metrics.kl(p, q)) == pytest.approx(-math.log(1e-6), rel=1e-3)


@pytest.mark.parametrize(
    "p, q, error, words",
    [
        (torch.ones(2, 2), torch.ones(2, 2) / 2, ValueError, "reference has rows"),
        (torch.ones(2, 2) / 2, torch.ones(3, 2) / 2, ValueError, "generated has shape"),
        (torch.ones(2) / 2, torch.ones(2) / 2, ValueError, r"\[N, C\]"),
        (torch.tensor([[1.5, -0.5]]), torch.ones(1, 2) / 2, ValueError, "softmax"),
        (torch.ones(1, 1).long(), torch.ones(1, 1), TypeError, "reference must be"),
        (torch.ones(1, 2) / 2, torch.full((1, 2), math.nan), ValueError, "generated has rows"),
    ],
)
def test_wrong_posteriors_are_named(p, q, error, words):
    with pytest.raises(error, match=words):
        metrics.kl(p, q)
