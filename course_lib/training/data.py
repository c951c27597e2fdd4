"""What `fit` asks of a data set, and which items are in which batch."""

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import Any, Protocol

import torch
from torch import Tensor

from course_lib.training import draws


class Data(Protocol):
    """A data set: `songbook.load(...)` is one, `Tensors` another."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> Any:
        """The items at int64 indices [B]: a tensor [B, ...], or a dict or tuple of such."""


class Tensors:
    """A data set held in memory: one tensor [N, ...], or several of the same length N.

    `batch` gives a tensor for one, a tuple for several. Raises ValueError where lengths differ.
    """

    def __init__(self, *tensors: Tensor):
        if not tensors or len({len(t) for t in tensors}) != 1:
            lengths = [len(t) for t in tensors]
            raise ValueError(f"Tensors need one length; these have {lengths}.")
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors[0])

    def batch(self, indices: Tensor) -> Any:
        rows = tuple(t[indices] for t in self.tensors)
        return rows[0] if len(rows) == 1 else rows


class Joined:
    """Data sets whose items are tensors of one shape, one after another.

    Raises ValueError for none, IndexError for an index beyond the last item.
    """

    def __init__(self, *parts: Data):
        if not parts:
            raise ValueError("There is nothing to join: give at least one data set.")
        self.parts, self.ends = parts, list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self.ends[-1]

    def batch(self, indices: Tensor) -> Tensor:
        rows = []
        for index in torch.as_tensor(indices).tolist():
            if not 0 <= index < len(self):
                raise IndexError(f"Item {index} does not exist: there are {len(self)}.")
            k = bisect_right(self.ends, index)
            place = torch.tensor([index - self.ends[k] + len(self.parts[k])])
            rows.append(self.parts[k].batch(place))
        return torch.cat(rows)


def indices(seed: int, step: int, batch_size: int, items: int) -> Tensor:
    """The items of the global batch of a step, int64 [batch_size]: a pure function.

    Every item comes once in each epoch, in an order of its own.
    """
    first = step * batch_size
    parts = []
    while len(parts) == 0 or first < (step + 1) * batch_size:
        epoch, place = divmod(first, items)
        count = min(items - place, (step + 1) * batch_size - first)
        parts.append(_order(seed, epoch, items)[place : place + count])
        first += count
    return torch.cat(parts)


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, items: int) -> Tensor:
    return torch.randperm(items, generator=draws.generator(seed, epoch, stream="order"))
