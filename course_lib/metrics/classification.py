"""How often a classifier is right, each class counting the same. Taught in notebook 00."""

import torch


def balanced_accuracy(predicted: torch.Tensor, target: torch.Tensor) -> float:
    """Mean over the classes of `target` `[N]` of the share of their clips in `predicted` `[N]`.

    A classifier that always says the same gets 1 / classes, however unequal they are. Equal to
    `sklearn.metrics.balanced_accuracy_score`. Raises TypeError or ValueError for other shapes.
    """
    _check(predicted, target, dimensions=(1,))
    right = predicted == target
    return float(torch.stack([right[target == c].double().mean() for c in target.unique()]).mean())


def macro_f1(predicted: torch.Tensor, target: torch.Tensor) -> float:
    """Mean over classes of F1 = 2 TP / (2 TP + FP + FN), for classes `[N]` or labels `[N, L]`.

    `[N]` holds class numbers, and every class that occurs in either counts; `[N, L]` holds 0 or 1
    (or bool) for each of L labels, and one that never occurs counts 0. Equal to
    `sklearn.metrics.f1_score(average="macro", zero_division=0)`. Raises TypeError or ValueError for
    other shapes.
    """
    _check(predicted, target, dimensions=(1, 2))
    if target.ndim == 1:
        classes = torch.cat([predicted, target]).unique()
        predicted = predicted[:, None] == classes  # [N, L]
        target = target[:, None] == classes
    predicted, target = predicted.bool(), target.bool()
    both = (predicted & target).sum(0).double()
    either = (predicted.sum(0) + target.sum(0)).double()  # 2 TP + FP + FN
    return float((2 * both / either.clamp(min=1)).mean())


def _check(predicted, target, dimensions: tuple[int, ...]) -> None:
    for name, x in (("predicted", predicted), ("target", target)):
        if not isinstance(x, torch.Tensor) or x.is_floating_point():
            raise TypeError(
                f"{name} is {getattr(x, 'dtype', type(x).__name__)}; expected an integer or bool "
                "tensor: take argmax of logits, or compare probabilities with a threshold."
            )
    if predicted.shape != target.shape or target.ndim not in dimensions or target.numel() == 0:
        expected = " or ".join(["[N]", "[N, L]"][: len(dimensions)])
        raise ValueError(
            f"predicted has shape {list(predicted.shape)} and target {list(target.shape)}; "
            f"expected the same {expected}, not empty."
        )
