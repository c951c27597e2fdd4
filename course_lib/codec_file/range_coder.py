"""Codes through a range coder, by the probabilities that a model gives them.

Coder and decoder must use equal probabilities to the last bit: one difference, and every later code
is another. So logits are rounded to a grid much coarser than any rounding error, and from the grid
on there are only whole numbers, the same on every machine. Taught in notebook 08b.
"""

from collections.abc import Callable
from decimal import Decimal

import numpy as np

STEPS = 8  # of the grid per nat: coding by rounded logits costs 0.001 bits a code
TOTAL = 1 << 24  # weights below 1 are what the coder gives every code in any case

# exp(-i / STEPS) in units of 1 / TOTAL, computed with whole numbers (libraries differ in last bits)
_WEIGHTS = np.array(
    [int((Decimal(-i) / STEPS).exp() * TOTAL) for i in range(STEPS * 17)] + [0], dtype=np.float64
)

Predict = Callable[[np.ndarray | None], np.ndarray]
"""The codes [K] of the last frame (None before the first) -> logits float64 [K, V] of the next."""


def weights(logits: np.ndarray) -> np.ndarray:
    """Logits [K, V] as whole numbers up to 2^24 in float64, proportional to the probabilities.

    Raises ValueError where logits are NaN or all infinite.
    """
    highest = logits.max(-1, keepdims=True)
    if not np.isfinite(highest).all():
        raise ValueError(
            "The language model gives NaN or infinite logits: its weights are broken, train it "
            "again or code without it."
        )
    below = np.rint((highest - logits) * STEPS)
    return _WEIGHTS[np.minimum(below, len(_WEIGHTS) - 1).astype(np.int64)]


def encode(codes: np.ndarray, predict: Predict) -> bytes:
    """Codes [K, F] as bytes, each frame coded by what `predict` says after the frames before."""
    from constriction import stream

    coder, last = stream.queue.RangeEncoder(), None
    family = stream.model.Categorical(perfect=False)
    for frame in codes.T.astype(np.int32):  # [K]
        coder.encode(np.ascontiguousarray(frame), family, weights(predict(last)))
        last = frame
    return coder.get_compressed().astype("<u4").tobytes()


def decode(data: bytes, codebooks: int, frames: int, predict: Predict) -> np.ndarray:
    """Codes int64 [K, F] from what `encode` made of them with an equal `predict`.

    With another, or with other bytes, they are other codes. Raises ValueError where no codes fit.
    """
    from constriction import stream

    if len(data) % 4:
        raise ValueError(f"{len(data)} bytes of range-coded codes; expected a multiple of 4.")
    coder = stream.queue.RangeDecoder(np.frombuffer(data, "<u4").astype(np.uint32))
    family, last = stream.model.Categorical(perfect=False), None
    codes = np.empty((frames, codebooks), np.int64)
    for frame in codes:
        try:
            last = coder.decode(family, weights(predict(last)))
        except AssertionError as error:
            raise ValueError(f"No codes fit the range-coded bytes ({error}).") from None
        frame[:] = last
    return codes.T
