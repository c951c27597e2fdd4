"""Residual vector quantization: each stage quantizes what the stages before left over."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from course_lib.quantize.checks import check_codes, check_finite
from course_lib.quantize.dropout import QuantizerDropout
from course_lib.quantize.factorised_vq import FactorisedVQ
from course_lib.quantize.vector_quantizer import Quantized, VectorQuantizer

DROPPED = -1  # the code of a stage that an item does without


class ResidualVQ(nn.Module):
    """`n_codebooks` quantizers in a row: latents become the sum of one entry of each.

    With r_0 = z, stage k replaces r_{k-1} by its nearest entry q_k and leaves r_k = r_{k-1} - q_k;
    the value is q_1 + ... + q_K, and any first n of the stages are a coarser code of the same
    frame. One straight-through step goes around the whole stack, so that the gradient that
    reaches z is that of the value, once, and every stage's commitment reaches z too.

    dropout: the share of training items (of batches where `dropout_per` is "batch") that do with
        fewer stages, as many as a uniform draw from `dropout_levels` says (default 1 to
        n_codebooks). The draws come from torch's generator, or from the caller as `kept`.
    code_dim: where given, each stage is a FactorisedVQ, which looks up `code_dim` numbers (DAC);
        the gradient then passes through every stage's projections.
    cosine: whether lookups compare angles.
    settings: those of each stage's VectorQuantizer.

    Stages are placed by k-means on the first training batch, each on what the stages before leave.
    Source: Zeghidour et al. 2021 (SoundStream), section III.C; Kumar et al. 2023 for dropout by
    item. Taught in notebook 04.
    """

    def __init__(
        self,
        dim: int,
        size: int,
        n_codebooks: int,
        *,
        dropout: float = 0.0,
        dropout_per: Literal["item", "batch"] = "item",
        dropout_levels: Sequence[int] | None = None,
        code_dim: int | None = None,
        cosine: bool = False,
        seed: int = 0,
        **settings,
    ):
        super().__init__()
        self.dropout = QuantizerDropout(n_codebooks, dropout, dropout_per, dropout_levels)
        self.dim, self.size, self.n_codebooks = dim, size, n_codebooks
        self.projects = code_dim is not None
        if self.projects:
            stages = [
                FactorisedVQ(dim, size, code_dim, cosine, seed=seed + k, **settings)
                for k in range(n_codebooks)
            ]
        else:
            lookup = "cosine" if cosine else "euclidean"
            stages = [
                VectorQuantizer(dim, size, lookup=lookup, seed=seed + k, **settings)
                for k in range(n_codebooks)
            ]
        self.stages = nn.ModuleList(stages)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, size={self.size}, n_codebooks={self.n_codebooks}"

    def forward(
        self, z: Tensor, n_codebooks: int | None = None, kept: Tensor | None = None
    ) -> Quantized:
        """Quantize latents z [B, D, F] with the first `n_codebooks` stages (default all).

        `kept` int64 [B] says how many of those stages each item uses. In training mode with
        dropout it is drawn where it is not given. Codes are int64 [B, K, F], -1 where a stage was
        not used; losses are summed over stages. In training mode the stages learn from the items
        that use them. Raises as VectorQuantizer does, and ValueError for n_codebooks or kept out
        of place.
        """
        frames = self.stages[0].frames(z)  # [B, F, D]
        count = self.dropout.count(n_codebooks)
        kept = self.dropout.given(kept, z, self.training)
        with torch.autocast(z.device.type, enabled=False):
            rows = frames.flatten(0, 1)  # [N, D]
            if self.training:
                self._initialise(rows.detach())
            residual, total = rows, torch.zeros_like(rows)
            codes, commitment, codebook_loss = [], rows.new_zeros(()), rows.new_zeros(())
            for k, stage in enumerate(self.stages[:count]):
                used = None if kept is None else (kept > k).repeat_interleave(frames.shape[1])
                q = stage.quantize_rows(residual, used)
                commitment = commitment + q.commitment
                codebook_loss = codebook_loss + q.codebook_loss
                residual = residual - q.values
                total = total + (q.values if used is None else q.values * used[:, None])
                chosen = q.codes if used is None else q.codes.where(used, DROPPED)
                codes.append(chosen.view(frames.shape[:2]))
            values = total
            if rows.requires_grad and torch.is_grad_enabled() and not self.projects:
                values = self.stages[0].pass_gradient(rows, total)
        values = values.view_as(frames).transpose(1, 2).to(z.dtype)  # [B, D, F]
        return Quantized(values, torch.stack(codes, 1), commitment, codebook_loss)

    def encode(self, z: Tensor, n_codebooks: int | None = None) -> Tensor:
        """Codes int64 [B, K, F] of latents z [B, D, F] by the first `n_codebooks` stages.

        Raises as `forward` does, and ValueError where z contains NaN or infinity.
        """
        return self.encode_unchecked(check_finite(z), n_codebooks)

    @torch.no_grad()
    def encode_unchecked(self, z: Tensor, n_codebooks: int | None = None) -> Tensor:
        """`encode` without looking for NaN, and so without reading from the device."""
        frames = self.stages[0].frames(z)
        codes = []
        with torch.autocast(z.device.type, enabled=False):
            residual = frames.flatten(0, 1)  # [N, D]
            for stage in self.stages[: self.dropout.count(n_codebooks)]:
                chosen = stage.search(residual)
                residual = residual - stage.look_up(chosen)
                codes.append(chosen.view(frames.shape[:2]))
        return torch.stack(codes, 1)

    def decode(self, codes: Tensor) -> Tensor:
        """Values [B, D, F] of codes int64 [B, K, F] of the first K stages; -1 adds nothing.

        Raises TypeError where codes are not int64 and ValueError where they are not [B, K, F] with
        K from 1 to n_codebooks, or lie outside [-1, size).
        """
        check_codes(codes, self.size, range(1, self.n_codebooks + 1), low=DROPPED)
        return self.decode_unchecked(codes)

    def decode_unchecked(self, codes: Tensor) -> Tensor:
        """`decode` of codes known to be in range, which reads nothing from the device."""
        total = 0.0
        for stage, chosen in zip(self.stages, codes.unbind(1), strict=False):
            values = stage.look_up(chosen.clamp(min=0))  # [B, F, D]
            total = total + values * (chosen >= 0)[..., None]
        return total.transpose(1, 2)

    @torch.no_grad()
    def _initialise(self, rows: Tensor) -> None:
        if all(stage.is_initialised() for stage in self.stages):
            return
        for stage in self.stages:
            if not stage.is_initialised():
                stage.initialise(rows)
            rows = rows - stage.look_up(stage.search(rows))
