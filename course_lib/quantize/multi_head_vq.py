"""Several heads that look their part of the latent up in one and the same codebook."""

from torch import Tensor, nn

from course_lib.quantize.checks import check_codes, check_divisible, check_latents
from course_lib.quantize.vector_quantizer import Quantized, VectorQuantizer


class MultiHeadVQ(nn.Module):
    """Cuts `dim` numbers into `heads` equal parts, all quantized by one codebook of `size` entries.

    ProductVQ has a codebook for each part; here the parts share one, `dim / heads` wide. `settings`
    are those of its VectorQuantizer. Source: Mama et al. 2021 (NWT), section 3. Taught in notebook
    04.
    """

    def __init__(self, dim: int, size: int, heads: int, **settings):
        super().__init__()
        self.quantizer = VectorQuantizer(check_divisible(dim, heads, "heads"), size, **settings)
        self.dim, self.size, self.n_codebooks = dim, size, heads

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents z [B, D, F] into codes [B, heads, F]; else as VectorQuantizer."""
        q = self.quantizer(self._parts(z))
        return q._replace(
            values=q.values.reshape(z.shape), codes=q.codes.view(len(z), self.n_codebooks, -1)
        )

    def encode(self, z: Tensor) -> Tensor:
        """Codes int64 [B, heads, F] of latents z [B, D, F]. Raises as VectorQuantizer does."""
        return self.quantizer.encode(self._parts(z)).view(len(z), self.n_codebooks, -1)

    def decode(self, codes: Tensor) -> Tensor:
        """Values [B, D, F] of codes int64 [B, heads, F]. Raises as VectorQuantizer does."""
        check_codes(codes, self.size, [self.n_codebooks])
        values = self.quantizer.look_up(codes)  # [B, heads, F, D / heads]
        return values.transpose(2, 3).flatten(1, 2)

    def _parts(self, z: Tensor) -> Tensor:
        """Latents [B, D, F] as [B heads, D / heads, F]."""
        return check_latents(z, self.dim).reshape(len(z) * self.n_codebooks, -1, z.shape[2])
