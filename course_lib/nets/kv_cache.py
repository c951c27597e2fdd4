"""Keys and values of the past, so that a new token costs one token."""

import torch
from torch import Tensor


class KVCache:
    """Room for `length` positions in every layer: fixed tensors, written in place.

    `keys`, `values` [layers, B, H, length, d]; `position`, an int64 tensor [1], is the next place
    to be written. It stays on the device and shapes never change, so that a step neither waits for
    the device nor looks different from the step before. Cross-attention's keys and values are
    computed once, when the cache is made. Made by `Transformer.cache`. Taught in notebook 03b.
    """

    def __init__(self, layers: int, batch: int, heads: int, length: int, dim: int, like: Tensor):
        if length < 1 or batch < 1:
            raise ValueError(f"A cache for {batch} sequences of {length} positions holds nothing.")
        self.keys = like.new_zeros(layers, batch, heads, length, dim)
        self.values = torch.zeros_like(self.keys)
        self.position = torch.zeros(1, dtype=torch.int64, device=like.device)
        self.length = length
        self.written = 0  # the same number for Python, which checks that there is room
        self.cross: dict[int, tuple[Tensor, Tensor]] = {}  # by layer, [B, H, L, d] each
        self.cross_mask: Tensor | None = None  # [B, 1, 1, L]

    def places(self, frames: int) -> Tensor:
        """Positions int64 [frames] that the next `frames` tokens take; ValueError if full."""
        if self.written + frames > self.length:
            raise ValueError(
                f"The cache has {self.length} positions, {self.written} of them written; "
                f"{frames} more do not fit. Make it longer."
            )
        return self.position + torch.arange(frames, device=self.position.device)

    def write(self, layer: int, places: Tensor, keys: Tensor, values: Tensor) -> None:
        """Store keys and values [B, H, F, d] of one layer."""
        self.keys[layer].index_copy_(2, places, keys)
        self.values[layer].index_copy_(2, places, values)

    def advance(self, frames: int) -> None:
        """Count `frames` tokens as written, after every layer wrote them."""
        self.position += frames
        self.written += frames
