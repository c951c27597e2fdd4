"""A quantizer that learns nothing: random projections, random codebooks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.quantize.checks import check_finite, check_latents


class RandomProjectionQuantizer(nn.Module):
    """Names the direction of a random projection: the code of the nearest of `size` random entries.

    Each frame is shifted and scaled to mean 0 and variance 1 over its `dim` numbers, mapped to
    `code_dim` numbers by a fixed Xavier-normal matrix and compared, by angle, with fixed random
    entries; `n_codebooks` such pairs give as many codes. Similar frames get equal codes, which is
    enough for targets of masked prediction; there is no way back to a latent. The draws depend on
    `seed` alone.

    Source: Chiu et al. 2022 (BEST-RQ), section 3. Taught in notebook 04.
    """

    def __init__(self, dim: int, size: int, code_dim: int, n_codebooks: int = 1, seed: int = 0):
        super().__init__()
        if min(dim, size, code_dim, n_codebooks) < 1:
            raise ValueError(
                f"dim={dim}, size={size}, code_dim={code_dim} and n_codebooks={n_codebooks} must "
                "all be at least 1."
            )
        self.dim, self.size, self.n_codebooks = dim, size, n_codebooks
        generator = torch.Generator().manual_seed(seed)
        spread = (2 / (dim + code_dim)) ** 0.5
        projections = torch.randn(n_codebooks, dim, code_dim, generator=generator) * spread
        codebooks = torch.randn(n_codebooks, size, code_dim, generator=generator)
        self.register_buffer("projections", projections)
        self.register_buffer("codebooks", F.normalize(codebooks, dim=-1))

    @torch.no_grad()
    def forward(self, z: Tensor) -> Tensor:
        """Codes int64 [B, K, F] of latents z [B, D, F]. Raises as VectorQuantizer does."""
        frames = check_latents(z, self.dim).transpose(1, 2).to(self.projections.dtype)
        with torch.autocast(z.device.type, enabled=False):
            rows = F.layer_norm(frames.flatten(0, 1), (self.dim,))  # [N, D]
            projected = F.normalize(rows @ self.projections, dim=-1)  # [K, N, E]
            codes = (projected @ self.codebooks.transpose(1, 2)).argmax(-1)  # [K, N]
        return codes.view(self.n_codebooks, len(z), -1).transpose(0, 1)

    def encode(self, z: Tensor) -> Tensor:
        """`forward`, but ValueError where z contains NaN or infinity."""
        return self(check_finite(z))
