"""k-means: the codebook that a batch of vectors asks for (Lloyd 1957, 1982)."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

CHUNK = 2**24  # distances held at once: 64 MiB in float32
CPU_CHUNK = 2**20  # 4 MiB, which stay in the cache until the smallest is found
BLOCK = 32


class KMeans(NamedTuple):
    """Centroids [V, D], and the mean squared distance before each iteration and after the last."""

    centroids: Tensor
    distortions: Tensor


def nearest(x: Tensor, codebook: Tensor) -> Tensor:
    """Index of the row of `codebook` [V, D] nearest to each row of `x` [N, D], int64 [N].

    |x - c|^2 = |x|^2 - 2 x.c + |c|^2, and |x|^2 is the same for every c, so that one matrix product
    finds the smallest. The first of equal distances wins. Taught in notebook 01.
    """
    half_norms = codebook.square().sum(1) / 2  # [V]
    rows = max(1, (CPU_CHUNK if x.device.type == "cpu" else CHUNK) // len(codebook))
    codes = [
        _argmin(torch.addmm(half_norms, part, codebook.T, alpha=-1))  # [rows]
        for part in x.split(rows)
    ]
    return codes[0] if len(codes) == 1 else torch.cat(codes)


def _argmin(x: Tensor) -> Tensor:
    """Column of the first smallest number of each row of x [N, V]: x.argmin(1).

    On a CPU `amin` is several times as fast as `argmin`, so there it finds the BLOCK numbers among
    which argmin need look.
    """
    if x.device.type != "cpu" or x.shape[1] % BLOCK:
        return x.argmin(1)
    blocks = x.view(len(x), -1, BLOCK)
    block = blocks.amin(2).argmin(1)  # [N]
    rows = torch.arange(len(x))
    return block * BLOCK + blocks[rows, block].argmin(1)


def kmeans(
    x: Tensor,
    size: int,
    iterations: int = 10,
    generator: torch.Generator | None = None,
    init: Literal["kmeans++", "data"] = "kmeans++",
) -> KMeans:
    """`size` centroids of the rows of `x` [N, D] by Lloyd's iterations.

    The first centroids are rows of `x`: spread out by k-means++ (Arthur & Vassilvitskii 2007) or
    drawn uniformly ("data"). A cluster that loses all its vectors is re-seeded with the vector
    farthest from its centroid, so the distortion never rises. `distortions` has iterations + 1
    entries, each the mean over rows of the squared distance. Computed in float32, or in float64
    where `x` is. Draws come from `generator` (on the CPU), by default from torch's own.

    Raises TypeError where `x` is not floating point and ValueError where it is not [N, D], is
    empty, is not finite, or has fewer rows than `size`. Taught in notebook 01.
    """
    x = _checked(x)
    if not 1 <= size <= len(x):
        raise ValueError(
            f"k-means with size={size} on {len(x)} vectors: choose a size from 1 to the number of "
            "vectors."
        )
    if iterations < 0:
        raise ValueError(f"iterations={iterations} must not be negative.")
    if init not in ("kmeans++", "data"):
        raise ValueError(f"init={init!r} is unknown: choose 'kmeans++' or 'data'.")
    start = _spread_rows if init == "kmeans++" else _random_rows
    centroids = start(x, size, generator)  # [V, D]
    distortions = []
    for _ in range(iterations):
        codes = nearest(x, centroids)
        distances = _squared_distances(x, centroids, codes)
        distortions.append(distances.mean())
        centroids = _update(x, codes, distances, size)
    distortions.append(_squared_distances(x, centroids, nearest(x, centroids)).mean())
    return KMeans(centroids, torch.stack(distortions))


def _checked(x: Tensor) -> Tensor:
    if not x.is_floating_point():
        raise TypeError(f"k-means needs floating-point vectors, not {x.dtype}.")
    if x.ndim != 2 or x.numel() == 0:
        raise ValueError(f"k-means needs vectors [N, D] with N, D >= 1, not shape {list(x.shape)}.")
    if not x.isfinite().all():
        raise ValueError("The vectors for k-means contain NaN or infinity: remove those first.")
    return x.detach() if x.dtype == torch.float64 else x.detach().float()


def _squared_distances(x: Tensor, centroids: Tensor, codes: Tensor) -> Tensor:
    return (x - centroids[codes]).square().sum(1)  # [N]


def _update(x: Tensor, codes: Tensor, distances: Tensor, size: int) -> Tensor:
    sums = x.new_zeros(size, x.shape[1]).index_add_(0, codes, x)  # [V, D]
    counts = x.new_zeros(size).index_add_(0, codes, torch.ones_like(distances))  # [V]
    means = sums / counts.clamp(min=1)[:, None]
    # The first empty cluster takes the farthest vector, the second the next, without asking the
    # device how many there are.
    empty = counts == 0
    farthest = distances.topk(size).indices  # [V]
    place = (empty.cumsum(0) - 1).clamp(min=0)
    return torch.where(empty[:, None], x[farthest[place]], means)


def _random_rows(x: Tensor, size: int, generator: torch.Generator | None) -> Tensor:
    return x[torch.randperm(len(x), generator=generator)[:size].to(x.device)]


def _spread_rows(x: Tensor, size: int, generator: torch.Generator | None) -> Tensor:
    """k-means++: each next row is drawn in proportion to its squared distance from the chosen."""
    draws = torch.rand(size, generator=generator).to(x)
    norms = x.square().sum(1)  # [N]
    rows = [(draws[0] * len(x)).long().clamp(max=len(x) - 1)]
    distances = torch.full_like(norms, torch.inf)  # to the nearest chosen row
    for draw in draws[1:]:
        last = rows[-1]
        to_last = torch.addmv(norms + norms[last], x, x[last], alpha=-2).clamp(min=0)
        distances = torch.minimum(distances, to_last)
        below = distances.cumsum(0)
        row = torch.searchsorted(below, draw * below[-1], right=True)
        rows.append(row.clamp(max=len(x) - 1))
    return x[torch.stack(rows)]
