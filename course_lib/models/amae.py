"""Argmax autoencoder (Dieleman, van den Oord & Simonyan 2018): codes without a codebook."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.quantize import straight_through
from course_lib.quantize.checks import check_codes


class Argmaxed(NamedTuple):
    """values: one-hot [B, V, F], codes int64 [B, 1, F], and two losses, means over all numbers."""

    values: Tensor
    codes: Tensor
    commitment: Tensor
    diversity: Tensor


class ArgmaxBottleneck(nn.Module):
    """The encoder's V channels are made a distribution and replaced by its nearest corner.

    ReLU, divided by the sum over channels, then the one-hot vector of the largest, with a
    straight-through gradient. `diversity` is the mean over channels of (V p - 1)^2 with p the
    channel's mean over the batch: 0 where all are used alike, V - 1 where one is. Nothing can die,
    since there is no codebook. Taught in notebook 03b.
    """

    def __init__(self, entries: int):
        super().__init__()
        if entries < 2:
            raise ValueError(f"entries={entries} must be at least 2.")
        self.entries = entries

    def forward(self, z: Tensor) -> Argmaxed:
        """z [B, V, F] with V = entries. Raises ValueError for another shape."""
        shares = self._shares(z)
        codes = shares.argmax(1)  # [B, F]
        corner = F.one_hot(codes, self.entries).transpose(1, 2).to(shares)  # [B, V, F]
        diversity = (self.entries * shares.mean((0, 2)) - 1).square().mean()
        commitment = F.mse_loss(shares, corner)
        values = straight_through(shares, corner) if torch.is_grad_enabled() else corner
        return Argmaxed(values, codes[:, None], commitment, diversity)

    def encode(self, z: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of z [B, V, F]."""
        return self._shares(z).argmax(1, keepdim=True)

    def decode(self, codes: Tensor) -> Tensor:
        """One-hot values float32 [B, V, F] of codes int64 [B, 1, F]. Raises as VectorQuantizer."""
        check_codes(codes, self.entries)
        return F.one_hot(codes[:, 0], self.entries).transpose(1, 2).float()

    def _shares(self, z: Tensor) -> Tensor:
        if z.ndim != 3 or z.shape[1] != self.entries or z.numel() == 0:
            raise ValueError(
                f"z has shape {list(z.shape)}; expected [B, {self.entries}, F] with B, F >= 1."
            )
        positive = z.float().relu() + 1e-5  # a frame of zeros becomes the uniform distribution
        return positive / positive.sum(1, keepdim=True)
