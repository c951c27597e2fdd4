"""Clocks of the benchmarks, and the time of one call by them."""

import statistics
import time
from collections.abc import Callable

import torch


def finished() -> float:
    """The clock once the GPU has done what it was given."""
    torch.cuda.synchronize()
    return time.perf_counter()


def clock_of(threads: int, device: str) -> Callable[[], float]:
    """Of the processor on one thread, which other work disturbs least; of the wall otherwise."""
    if device != "cpu":
        return finished
    return time.process_time if threads == 1 else time.perf_counter


def seconds_of(function: Callable, clock: Callable, times: int = 5) -> float:
    """The median of a few calls, after one that is not counted."""
    found = []
    for _ in range(times + 1):
        start = clock()
        function()
        found.append(clock() - start)
    return statistics.median(found[1:])
