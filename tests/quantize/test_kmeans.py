import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans as SklearnKMeans

from course_lib.quantize import kmeans, nearest


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nearest_agrees_with_all_distances_and_chunks(monkeypatch):
    x, codebook = torch.randn(500, 7, dtype=torch.float64), torch.randn(33, 7, dtype=torch.float64)
    expected = torch.cdist(x, codebook).argmin(1)
    assert torch.equal(nearest(x, codebook), expected)
    monkeypatch.setattr(sys.modules[kmeans.__module__], "CPU_CHUNK", 100)
    assert torch.equal(nearest(x, codebook), expected)


def test_the_first_of_equal_distances_wins():
    codebook = torch.randn(32, 3).repeat(3, 1)  # each entry three times, in blocks of 32
    codebook = codebook[torch.randperm(96)]
    x = torch.randn(200, 3)
    codes = nearest(x, codebook)
    half_norms = codebook.square().sum(1) / 2
    assert torch.equal(codes, torch.addmm(half_norms, x, codebook.T, alpha=-1).argmin(1))
    equal = (codebook[codes][:, None] == codebook).all(2)
    assert torch.equal(codes, equal.int().argmax(1))


def test_lloyd_agrees_with_scikit_learn_from_the_same_start():
    torch.manual_seed(0)
    x = torch.randn(400, 5, dtype=torch.float64)
    start = kmeans(x, 12, iterations=0, generator=generator()).centroids
    ours = kmeans(x, 12, iterations=20, generator=generator())
    theirs = SklearnKMeans(12, init=start.numpy(), n_init=1, max_iter=20, tol=0).fit(x.numpy())
    np.testing.assert_allclose(ours.centroids.numpy(), theirs.cluster_centers_, atol=1e-9)
    assert ours.distortions[-1].item() == pytest.approx(theirs.inertia_ / 400, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 6),
    st.integers(0, 8),
    st.integers(0, 1000),
    st.sampled_from(["kmeans++", "data"]),
    st.booleans(),
)
def test_distortion_never_rises_and_every_centroid_is_finite(n, dim, iterations, seed, init, twins):
    x = torch.randn(n, dim, generator=generator(seed), dtype=torch.float64)
    if twins:  # equal vectors leave clusters empty
        x = x[torch.randint(n, (n,), generator=generator(seed))]
    size = 1 + seed % n
    result = kmeans(x, size, iterations, generator(seed), init)
    assert result.centroids.shape == (size, dim) and result.centroids.isfinite().all()
    assert result.distortions.shape == (iterations + 1,)
    assert (result.distortions.diff() <= 1e-12).all()


def test_an_empty_cluster_is_reseeded():
    # Two equal starts: one of them stays empty until it takes the far vector.
    x = torch.tensor([[0.0], [0.0], [0.0], [9.0]])
    for seed in range(20):
        result = kmeans(x, 2, 3, generator(seed), init="data")
        assert sorted(result.centroids.flatten().tolist()) == [0.0, 9.0]


def test_as_many_centroids_as_vectors_leave_no_distortion():
    x = torch.randn(9, 3)
    assert kmeans(x, 9, 2, generator()).distortions[-1] == 0


def test_spreading_the_start_beats_drawing_it():
    torch.manual_seed(1)
    x = (torch.randn(12, 1, 2) * 20 + torch.randn(12, 40, 2)).flatten(0, 1)
    plain, spread = (
        np.mean([kmeans(x, 12, 0, generator(s), init).distortions[0].item() for s in range(20)])
        for init in ("data", "kmeans++")
    )
    assert spread < 0.5 * plain


def test_the_generator_decides():
    x = torch.randn(50, 3)
    first, second, other = (kmeans(x, 5, 1, generator(s)).centroids for s in (3, 3, 4))
    assert torch.equal(first, second) and not torch.equal(first, other)


@pytest.mark.parametrize(
    ("x", "size", "error", "words"),
    [
        (torch.zeros(4, 2, dtype=torch.int64), 2, TypeError, "floating-point"),
        (torch.zeros(4), 2, ValueError, r"\[N, D\]"),
        (torch.zeros(0, 2), 2, ValueError, r"\[0, 2\]"),
        (torch.tensor([[0.0], [torch.nan]]), 1, ValueError, "NaN"),
        (torch.zeros(4, 2), 5, ValueError, "size=5 on 4 vectors"),
        (torch.zeros(4, 2), 0, ValueError, "size=0"),
    ],
)
def test_bad_input_is_named(x, size, error, words):
    with pytest.raises(error, match=words):
        kmeans(x, size)


def test_bad_options_are_named():
    with pytest.raises(ValueError, match="'uniform' is unknown"):
        kmeans(torch.zeros(4, 2), 2, init="uniform")
    with pytest.raises(ValueError, match="iterations=-1"):
        kmeans(torch.zeros(4, 2), 2, iterations=-1)
