"""The learning rate over a run: linear warm-up, then half a cosine."""

import math


def warmup_cosine(step: int, steps: int, warmup: int, last: float = 0.0) -> float:
    """The factor on the learning rate in `step` (from 0) of `steps`.

    It climbs in equal parts to 1 over the first `warmup` steps and falls along half a cosine
    towards `last` (Loshchilov and Hutter 2017, without restarts).
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - warmup)
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
