"""Grouped residual quantization: each part of the latent has a residual stack of its own."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from course_lib.quantize.checks import (
    check_codes,
    check_divisible,
    check_finite,
    check_latents,
)
from course_lib.quantize.dropout import QuantizerDropout
from course_lib.quantize.residual_vq import DROPPED, ResidualVQ
from course_lib.quantize.vector_quantizer import Quantized


class GroupedResidualVQ(nn.Module):
    """Cuts `dim` numbers into `groups` equal parts and gives each its own ResidualVQ.

    `n_codebooks` counts all of them. Codes go stage by stage, in each stage group by group: code k
    belongs to group k % groups. So n codebooks, n a multiple of `groups`, are the first stages of
    every group, while fewer than `groups` leave the other parts 0. `dropout` and `settings` are
    those of ResidualVQ; losses are summed over stages and averaged over groups.

    Source: Yang et al. 2023 (HiFi-Codec), section 3.1. Taught in notebook 04.
    """

    def __init__(
        self,
        dim: int,
        size: int,
        n_codebooks: int,
        groups: int,
        *,
        dropout: float = 0.0,
        dropout_per: Literal["item", "batch"] = "item",
        dropout_levels: Sequence[int] | None = None,
        seed: int = 0,
        **settings,
    ):
        super().__init__()
        if groups < 1 or n_codebooks < 1 or n_codebooks % groups:
            raise ValueError(
                f"n_codebooks={n_codebooks} cannot be shared out evenly among groups={groups}."
            )
        part, stages = check_divisible(dim, groups, "groups"), n_codebooks // groups
        self.dropout = QuantizerDropout(n_codebooks, dropout, dropout_per, dropout_levels)
        self.dim, self.size, self.n_codebooks = dim, size, n_codebooks
        self.groups = nn.ModuleList(
            ResidualVQ(part, size, stages, seed=seed + group * stages, **settings)
            for group in range(groups)
        )

    def forward(
        self, z: Tensor, n_codebooks: int | None = None, kept: Tensor | None = None
    ) -> Quantized:
        """Quantize latents z [B, D, F]; arguments, results and errors as ResidualVQ's."""
        parts = check_latents(z, self.dim).chunk(len(self.groups), 1)
        count = self.dropout.count(n_codebooks)
        kept = self.dropout.given(kept, z, self.training)
        made = [
            group(part, stages, None if kept is None else self._stages(kept, g))
            if (stages := self._stages(count, g))
            else _nothing(part)
            for g, (group, part) in enumerate(zip(self.groups, parts, strict=True))
        ]
        values, codes, commitment, codebook_loss = zip(*made, strict=True)
        return Quantized(
            torch.cat(values, 1),
            self._in_order(codes),
            torch.stack(commitment).mean(),
            torch.stack(codebook_loss).mean(),
        )

    def encode(self, z: Tensor, n_codebooks: int | None = None) -> Tensor:
        """Codes int64 [B, K, F] of latents z [B, D, F]. Raises as ResidualVQ does."""
        return self.encode_unchecked(check_finite(z), n_codebooks)

    def encode_unchecked(self, z: Tensor, n_codebooks: int | None = None) -> Tensor:
        """`encode` without looking for NaN, and so without reading from the device."""
        parts = check_latents(z, self.dim).chunk(len(self.groups), 1)
        count = self.dropout.count(n_codebooks)
        return self._in_order(
            [
                group.encode_unchecked(part, stages)
                for g, (group, part) in enumerate(zip(self.groups, parts, strict=True))
                if (stages := self._stages(count, g))
            ]
        )

    def decode(self, codes: Tensor) -> Tensor:
        """Values [B, D, F] of codes int64 [B, K, F]. Raises as ResidualVQ does."""
        check_codes(codes, self.size, range(1, self.n_codebooks + 1), low=DROPPED)
        return self.decode_unchecked(codes)

    def decode_unchecked(self, codes: Tensor) -> Tensor:
        """`decode` of codes known to be in range, which reads nothing from the device."""
        groups = len(self.groups)
        values = [
            group.decode_unchecked(codes[:, g::groups])
            for g, group in enumerate(self.groups)
            if g < codes.shape[1]
        ]
        values += [torch.zeros_like(values[0])] * (groups - len(values))
        return torch.cat(values, 1)

    def _stages(self, count: int | Tensor, group: int) -> int | Tensor:
        """How many of the first `count` codebooks are stages of `group`."""
        return (count - group + len(self.groups) - 1) // len(self.groups)

    def _in_order(self, codes: Sequence[Tensor]) -> Tensor:
        """Codes [B, K_g, F] of each group, stage by stage: [B, K, F]."""
        stages = codes[0].shape[1]
        return torch.stack(
            [part[:, stage] for stage in range(stages) for part in codes if stage < part.shape[1]],
            1,
        )


def _nothing(z: Tensor) -> Quantized:
    zero = z.new_zeros(())
    return Quantized(torch.zeros_like(z), z.new_zeros(len(z), 0, z.shape[2]).long(), zero, zero)
