"""A codebook on the unit sphere, searched by angle."""

import torch.nn.functional as F
from torch import Tensor

from course_lib.quantize.vector_quantizer import VectorQuantizer


class CosineVQ(VectorQuantizer):
    """A VectorQuantizer of directions: latents and entries are scaled to length 1.

    For unit vectors |z - e|^2 = 2 - 2 cos(z, e), so the nearest entry is that of the least angle,
    and no latent can run away from the codebook by growing. Values have length 1, and the
    commitment is that of the scaled latents. Entries are running averages, scaled to length 1 after
    each step. `settings` are those of VectorQuantizer but for codebook="gradient".

    Source: Yu et al. 2021 (ViT-VQGAN), section 3.2. Taught in notebook 04.
    """

    def __init__(self, dim: int, size: int, **settings):
        super().__init__(dim, size, **settings)
        if self.learns_by_gradient:
            raise ValueError("codebook='gradient' does not keep entries at length 1: use 'ema'.")
        self.codebook.copy_(self.placed(self.codebook))
        self.sums.copy_(self.codebook)

    def frames(self, z: Tensor) -> Tensor:
        """Latents [B, D, F] as frames [B, F, D] of length 1."""
        return F.normalize(super().frames(z), dim=-1, eps=1e-6)

    def placed(self, entries: Tensor) -> Tensor:
        """Entries [V, D] scaled to length 1."""
        return F.normalize(entries, dim=-1, eps=1e-6)
