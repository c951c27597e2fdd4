"""How often the right one is found among many. Taught in notebook 13.

Each query has one right answer: of query i that is item i, or item `target[i]`. An item as similar
as the right one counts as found before it, so that a model that says the same of everything finds
nothing. So do items that are the same: captions that come twice stand behind each other; give each
once and say by `target` which is right. Chance levels are those of an order drawn at random.
"""

import torch
from torch import Tensor


def ranks(similarity: Tensor, target: Tensor | None = None) -> Tensor:
    """At which place, from 1 on, the right item of each query stands: int64 [Q].

    similarity [Q, N] of queries to items, target int64 [Q]. Raises TypeError or ValueError for
    other shapes and dtypes, and for NaN.
    """
    if not isinstance(similarity, Tensor) or not similarity.is_floating_point():
        raise TypeError(
            f"similarity is {getattr(similarity, 'dtype', type(similarity).__name__)}; expected "
            "floats [Q, N]."
        )
    if similarity.ndim != 2 or similarity.numel() == 0 or similarity.isnan().any():
        raise ValueError(
            f"similarity has shape {list(similarity.shape)}; expected [Q, N], not empty and "
            "without NaN."
        )
    queries, items = similarity.shape
    if target is None:
        target = torch.arange(queries, device=similarity.device)
    if not isinstance(target, Tensor) or target.dtype != torch.int64:
        raise TypeError(
            f"target is {getattr(target, 'dtype', type(target).__name__)}; expected int64 [Q]."
        )
    if target.shape != (queries,):
        raise ValueError(
            f"target has shape {list(target.shape)}; expected an item for each of {queries} "
            "queries."
        )
    low, high = int(target.min()), int(target.max())
    if not 0 <= low <= high < items:
        raise ValueError(f"target runs from {low} to {high}; there are items 0 to {items - 1}.")
    right = similarity.gather(1, target[:, None])
    return (similarity >= right).sum(1)


def recall_at(k: int, similarity: Tensor, target: Tensor | None = None) -> float:
    """R@k: the share of queries whose right item is among the first k. Raises as `ranks` does."""
    _check(k)
    return float((ranks(similarity, target) <= k).double().mean())


def mean_average_precision_at_10(similarity: Tensor, target: Tensor | None = None) -> float:
    """mAP@10: the mean of 1 / rank, 0 beyond the tenth. Raises as `ranks` does.

    With one right item a query, its average precision is that (Wu et al. 2023, table 2).
    """
    place = ranks(similarity, target).double()
    return float(torch.where(place <= 10, 1 / place, 0.0).mean())


def chance_recall_at(k: int, items: int) -> float:
    """R@k of guessing among `items`. Raises ValueError for k or items below 1."""
    _check(k, items)
    return min(k / items, 1.0)


def chance_map_at_10(items: int) -> float:
    """mAP@10 of guessing among `items`. Raises ValueError for items below 1."""
    _check(items)
    return sum(1 / place for place in range(1, min(10, items) + 1)) / items


def _check(*numbers: int) -> None:
    if min(numbers) < 1:
        raise ValueError(f"{numbers} must be at least 1.")
