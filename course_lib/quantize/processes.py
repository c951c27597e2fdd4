"""What a quantizer asks of the other processes of a training run; alone, it asks nothing.

The global batch is that of process 0, then that of process 1, and so on.
"""

import torch
import torch.distributed as dist
from torch import Tensor


def several() -> bool:
    """Whether this is one of several processes of a training run."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def sum_(x: Tensor) -> Tensor:
    """`x` summed over all processes, in place."""
    if several():
        dist.all_reduce(x)
    return x


def place_of(count: Tensor | int, device: torch.device) -> tuple[Tensor | int, Tensor | int]:
    """Index of the first of this process's `count` rows in the global batch, and how many it has.

    With several processes both are tensors, so that nothing is read back from the device.
    """
    if not several():
        return 0, count
    sizes = torch.zeros(dist.get_world_size(), dtype=torch.int64, device=device)
    sizes[dist.get_rank()] = count
    ends = sum_(sizes).cumsum(0)
    return ends[dist.get_rank()] - count, ends[-1]


def gather(rows: Tensor) -> Tensor:
    """The rows [N, D] of the global batch. Reads sizes back from the device: not for every step."""
    if not several():
        return rows
    sizes = torch.zeros(dist.get_world_size(), dtype=torch.int64, device=rows.device)
    sizes[dist.get_rank()] = len(rows)
    sizes = sum_(sizes).tolist()
    padded = rows.new_zeros(max(sizes), rows.shape[1])
    padded[: len(rows)] = rows
    parts = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(parts, padded)
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


def from_first(*tensors: Tensor) -> None:
    """Replace tensors, in place, by those of process 0."""
    if several():
        for tensor in tensors:
            dist.broadcast(tensor, src=0)


def draws(seed: int, step: Tensor, count: int) -> Tensor:
    """`count` integers in [0, 2^32), a pure function of (seed, step, place): int64 [count].

    `step` is an int64 scalar on any device, where it stays. A hash rather than a generator: it has
    no state to save, and every process and every device draws the same.
    """
    places = torch.arange(count, device=step.device) * 0x9E3779B9 & 0xFFFFFFFF
    key = _mix(_mix(torch.full_like(step, seed & 0xFFFFFFFF)) ^ (step & 0xFFFFFFFF))
    return _mix(places ^ key)


def _mix(x: Tensor) -> Tensor:
    """A 32-bit integer hash (the constants are from hash-prospector); products stay below 2^63."""
    x = (x ^ x >> 16) * 0x21F0AAAD & 0xFFFFFFFF
    x = (x ^ x >> 15) * 0x735A2D97 & 0xFFFFFFFF
    return x ^ x >> 15
