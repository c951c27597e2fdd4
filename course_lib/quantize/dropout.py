"""Quantizer dropout: training items do with fewer codebooks, so that fewer suffice later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class QuantizerDropout:
    """How many of `n_codebooks` a training item keeps.

    A `share` of the items keeps as many as a uniform draw from `levels` (default 1 to n_codebooks)
    says, the others keep all. `per` "item" draws for each (Kumar et al. 2023, section 3.3), "batch"
    once for all (Défossez et al. 2022, section 3.2). Taught in notebook 04.
    """

    n_codebooks: int
    share: float = 0.0
    per: Literal["item", "batch"] = "item"
    levels: Sequence[int] | None = None

    def __post_init__(self):
        if self.n_codebooks < 1:
            raise ValueError(f"n_codebooks={self.n_codebooks} must be at least 1.")
        if not 0 <= self.share <= 1:
            raise ValueError(f"dropout={self.share} must be in [0, 1].")
        if self.per not in ("item", "batch"):
            raise ValueError(f"dropout_per={self.per!r} is unknown: choose 'item' or 'batch'.")
        levels = tuple(self.levels or range(1, self.n_codebooks + 1))
        if not all(1 <= level <= self.n_codebooks for level in levels):
            raise ValueError(f"dropout_levels={levels} must lie in 1 to {self.n_codebooks}.")
        object.__setattr__(self, "levels", levels)

    def draw(self, batch: int, device: torch.device | None = None) -> Tensor:
        """Codebooks kept by each of `batch` items, int64 [B], drawn from torch's generator."""
        draws = 1 if self.per == "batch" else batch
        levels = torch.tensor(self.levels)
        kept = levels[torch.randint(len(levels), (draws,))]
        kept = kept.where(torch.rand(draws) < self.share, self.n_codebooks)
        return kept.expand(batch).to(device)

    def given(self, kept: Tensor | None, z: Tensor, training: bool) -> Tensor | None:
        """`kept` int64 [B] where the caller gives it, else a draw in training, else None: all.

        Raises ValueError where `kept` is not one int64 for each item of z [B, D, F].
        """
        if kept is None:
            return self.draw(len(z), z.device) if training and self.share > 0 else None
        if kept.shape != (len(z),) or kept.dtype != torch.int64:
            raise ValueError(
                f"kept is {kept.dtype} {list(kept.shape)}; expected int64 [{len(z)}], the number "
                "of codebooks of each item."
            )
        return kept

    def count(self, n_codebooks: int | None) -> int:
        """`n_codebooks`, all by default; ValueError where there are not so many."""
        count = self.n_codebooks if n_codebooks is None else n_codebooks
        if not 1 <= count <= self.n_codebooks:
            raise ValueError(f"n_codebooks={count} must lie in 1 to {self.n_codebooks}.")
        return count
