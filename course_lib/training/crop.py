"""A random part of every item of a batch: another one in each step."""

import torch
from torch import Tensor

from course_lib.training.draws import Draws


def crop(x: Tensor, draws: Draws, length: int) -> Tensor:
    """`length` consecutive samples or frames of each item of x [B, C, T], from a drawn place on.

    What is not longer than that is returned whole. Raises ValueError for a length below 1.
    """
    if length < 1:
        raise ValueError(f"length={length}: a part needs at least one sample or frame.")
    spare = x.shape[-1] - length
    if spare <= 0:
        return x
    start = draws.integers(spare + 1, 1, 1, stream="crop")  # [B, 1, 1]
    places = start + torch.arange(length, device=x.device)
    return x.gather(-1, places.expand(*x.shape[:2], length))
