"""Finite scalar quantization: round a few bounded numbers, and no codebook is left to learn."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_lib.quantize.checks import check_codes, check_finite, check_latents
from course_lib.quantize.straight_through import straight_through
from course_lib.quantize.vector_quantizer import Quantized


class FSQ(nn.Module):
    """Bounds each of len(levels) numbers by tanh and rounds it to one of `levels[i]` values.

    The code is the number with those digits, the first the lowest, so that every one of
    prod(levels) combinations is an entry, and there is nothing to learn, to revive or to commit to:
    both losses are 0. Where `dim` is given and is not len(levels), linear maps lead there and back.
    Values lie in [-1, 1] before the map back. The gradient goes straight through the rounding.

    Source: Mentzer et al. 2023, section 3 and appendix A.1. Taught in notebook 04.
    """

    n_codebooks = 1

    def __init__(self, levels: Sequence[int], dim: int | None = None):
        super().__init__()
        if not levels or min(levels) < 3:
            raise ValueError(f"levels={list(levels)} must each be at least 3: LFQ has two levels.")
        self.levels, self.dim = tuple(levels), len(levels) if dim is None else dim
        self.size = math.prod(levels)
        count = torch.tensor(self.levels)
        self.register_buffer("count", count, persistent=False)
        self.register_buffer("places", count.cumprod(0) // count, persistent=False)
        # An even number of levels has no middle one: 4 are rounded to -2 … 1.
        reach = (count - 1) * (1 + 1e-3) / 2
        offset = torch.where(count % 2 == 0, 0.5, 0.0)
        self.register_buffer("reach", reach, persistent=False)
        self.register_buffer("offset", offset, persistent=False)
        self.register_buffer("shift", (offset / reach).atanh(), persistent=False)
        self.project_in = self.project_out = nn.Identity()
        if self.dim != len(levels):
            self.project_in = nn.Linear(self.dim, len(levels))
            self.project_out = nn.Linear(len(levels), self.dim)

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents z [B, D, F]: codes [B, 1, F]. Raises as VectorQuantizer does."""
        with torch.autocast(z.device.type, enabled=False):
            bounded = self._bounded(z)  # [B, F, L]
            digits = bounded.detach().round() + self.count // 2  # 0 … levels - 1
            values = self._values(digits)
            if bounded.requires_grad:
                values = straight_through(bounded / (self.count // 2), values)
            values = self.project_out(values).transpose(1, 2).to(z.dtype)  # [B, D, F]
            codes = (digits.long() * self.places).sum(-1)[:, None]
        zero = torch.zeros((), dtype=bounded.dtype, device=z.device)
        return Quantized(values, codes, zero, zero)

    @torch.no_grad()
    def encode(self, z: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of latents z [B, D, F]. Raises as VectorQuantizer does."""
        with torch.autocast(z.device.type, enabled=False):
            digits = self._bounded(check_finite(z)).round() + self.count // 2
        return (digits.long() * self.places).sum(-1)[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        """Values [B, D, F] of codes int64 [B, 1, F]. Raises as VectorQuantizer does."""
        check_codes(codes, self.size)
        digits = codes[:, 0, :, None] // self.places % self.count  # [B, F, L]
        return self.project_out(self._values(digits.to(self.reach.dtype))).transpose(1, 2)

    def _bounded(self, z: Tensor) -> Tensor:
        frames = check_latents(z, self.dim).transpose(1, 2).to(self.reach.dtype)  # [B, F, D]
        return (self.project_in(frames) + self.shift).tanh() * self.reach - self.offset

    def _values(self, digits: Tensor) -> Tensor:
        middle = self.count // 2
        return (digits - middle) / middle
