"""Low-dimensional codes: project, look up few numbers, project back."""

import torch
from torch import Tensor, nn

from course_lib.quantize.checks import check_codes, check_finite, check_latents
from course_lib.quantize.vector_quantizer import Quantized, VectorQuantizer


class FactorisedVQ(nn.Module):
    """Looks codes up in `code_dim` numbers, to which and from which two linear maps lead.

    In few dimensions every entry has latents near it, so that more of them are used. With `cosine`
    the lookup compares angles, while the entries keep their lengths. The codebook is learned by
    gradient unless `settings`, those of the VectorQuantizer inside, say codebook="ema". The
    gradient goes straight through the lookup and on through both maps.

    Source: Yu et al. 2021 (ViT-VQGAN), section 3.2; Kumar et al. 2023 (DAC), section 3.2. Taught in
    notebook 04.
    """

    n_codebooks = 1

    def __init__(self, dim: int, size: int, code_dim: int, cosine: bool = True, **settings):
        super().__init__()
        if dim < 1:
            raise ValueError(f"dim={dim} must be at least 1.")
        lookup = "cosine" if cosine else "euclidean"
        self.dim, self.size, self.code_dim = dim, size, code_dim
        self.lookup = VectorQuantizer(
            code_dim, size, **{"codebook": "gradient", "lookup": lookup, **settings}
        )
        self.project_in = nn.Linear(dim, code_dim)
        self.project_out = nn.Linear(code_dim, dim)

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents z [B, D, F]; in training mode, also let the codebook learn.

        The two losses are those of the `code_dim` numbers. Raises as VectorQuantizer does.
        """
        frames = self.frames(z)  # [B, F, D]
        with torch.autocast(z.device.type, enabled=False):
            values, codes, commitment, codebook_loss = self.quantize_rows(frames.flatten(0, 1))
        values = values.view_as(frames).transpose(1, 2).to(z.dtype)  # [B, D, F]
        return Quantized(values, codes.view(len(z), 1, -1), commitment, codebook_loss)

    def quantize_rows(self, rows: Tensor, used: Tensor | None = None) -> Quantized:
        """`forward` on rows [N, D]; those not `used` (bool [N]) count for nothing."""
        low = self._low(rows)  # [N, code_dim]
        q = self.lookup.quantize_rows(low, used)
        entries = q.values
        if low.requires_grad:
            entries = self.lookup.pass_gradient(low, entries)
        return q._replace(values=self.project_out(entries.to(self.project_out.weight.dtype)))

    def encode(self, z: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of latents z [B, D, F]. Raises as VectorQuantizer does."""
        frames = check_finite(self.frames(z))
        with torch.no_grad(), torch.autocast(z.device.type, enabled=False):
            return self.search(frames.flatten(0, 1)).view(len(z), 1, -1)

    def decode(self, codes: Tensor) -> Tensor:
        """Values [B, D, F] of codes int64 [B, 1, F]. Raises as VectorQuantizer does."""
        check_codes(codes, self.size)
        return self.look_up(codes[:, 0]).transpose(1, 2)

    def search(self, rows: Tensor) -> Tensor:
        """Codes int64 [N] of rows [N, D]."""
        return self.lookup.search(self._low(rows))

    def look_up(self, codes: Tensor) -> Tensor:
        """Values [..., D] of codes int64 [...], known to be in range."""
        return self.project_out(self.lookup.look_up(codes))

    def frames(self, z: Tensor) -> Tensor:
        """Latents [B, D, F] as frames [B, F, D], in the precision of the maps."""
        return check_latents(z, self.dim).transpose(1, 2).to(self.project_in.weight.dtype)

    def is_initialised(self) -> bool:
        return self.lookup.is_initialised()

    def initialise(self, rows: Tensor) -> None:
        """k-means on the projections of rows [N, D] of the first batch."""
        self.lookup.initialise(self._low(rows).detach())

    def _low(self, rows: Tensor) -> Tensor:
        """Rows [N, D] as what is looked up, [N, code_dim], in the precision of distances."""
        return self.project_in(rows).to(self.lookup.entries().dtype)
