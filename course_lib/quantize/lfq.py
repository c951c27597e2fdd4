"""Lookup-free quantization: the signs of a few numbers are the bits of the code."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.quantize.checks import check_codes, check_finite, check_latents
from course_lib.quantize.straight_through import straight_through
from course_lib.quantize.vector_quantizer import Quantized


class LFQ(nn.Module):
    """Replaces each of `bits` numbers by its sign; the code has the bit 1 where that is +1.

    The 2^bits entries are the corners of a cube. Nothing draws latents to all of them, so a loss
    must: it stands in `codebook_loss` and is E[H(p(c|z))] - diversity * H(E[p(c|z)]), with p the
    softmax over all corners c of 2 `sharpness` z.c: each latent sure of its corner, all corners
    sought by some. The usual weight is 0.1. Where `dim` is given and is not `bits`, linear maps
    lead there and back.

    Source: Yu et al. 2023 (MAGVIT-v2), section 3.1. Taught in notebook 04.
    """

    n_codebooks = 1

    def __init__(
        self,
        bits: int,
        dim: int | None = None,
        diversity: float = 1.0,
        sharpness: float = 100.0,
    ):
        super().__init__()
        if not 1 <= bits <= 20:
            raise ValueError(f"bits={bits} must be in 1 to 20.")
        self.bits, self.dim, self.size = bits, bits if dim is None else dim, 2**bits
        self.diversity, self.sharpness = diversity, sharpness
        self.register_buffer("places", 2 ** torch.arange(bits).flip(0), persistent=False)
        self.project_in = self.project_out = nn.Identity()
        if self.dim != bits:
            self.project_in = nn.Linear(self.dim, bits)
            self.project_out = nn.Linear(bits, self.dim)

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents z [B, D, F]: codes [B, 1, F]. Raises as VectorQuantizer does.

        `commitment` is that of the `bits` numbers, `codebook_loss` the entropy loss, in nats; it
        is 0 outside training.
        """
        with torch.autocast(z.device.type, enabled=False):
            low = self._low(z)  # [B, F, bits]
            signs = _signs(low.detach() > 0, low.dtype)
            values = straight_through(low, signs) if low.requires_grad else signs
            values = self.project_out(values).transpose(1, 2).to(z.dtype)  # [B, D, F]
            entropy = low.new_zeros(())
            if self.training:
                entropy = self.entropy_loss(low.flatten(0, 1))
        codes = ((signs > 0) * self.places).sum(-1)[:, None]
        return Quantized(values, codes, F.mse_loss(low, signs), entropy)

    def entropy_loss(self, low: Tensor) -> Tensor:
        """E[H(p(c|z))] - diversity * H(E[p(c|z)]) of rows [N, bits], in nats.

        p is a product over bits, sigmoid(4 sharpness z_i) that bit i is 1. So the first entropy is
        a sum over bits, and the mean over rows of p a matrix product of two halves of the bits,
        without the [N, 2^bits] probabilities.
        """
        logits = 4 * self.sharpness * low
        log_one, log_zero = F.logsigmoid(logits), F.logsigmoid(-logits)
        one = log_one.exp()
        each = -(one * log_one + (1 - one) * log_zero).sum(1).mean()
        half = self.bits // 2
        left, right = _corner_shares(one[:, :half]), _corner_shares(one[:, half:])
        shares = left.T @ right / len(low)  # [2^half, 2^(bits - half)]
        return each - self.diversity * torch.special.entr(shares.clamp(min=1e-20)).sum()

    @torch.no_grad()
    def encode(self, z: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of latents z [B, D, F]. Raises as VectorQuantizer does."""
        with torch.autocast(z.device.type, enabled=False):
            return ((self._low(check_finite(z)) > 0) * self.places).sum(-1)[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        """Values [B, D, F] of codes int64 [B, 1, F]. Raises as VectorQuantizer does."""
        check_codes(codes, self.size)
        ones = codes[:, 0, :, None] // self.places % 2 == 1  # [B, F, bits]
        return self.project_out(_signs(ones, self._dtype())).transpose(1, 2)

    def _low(self, z: Tensor) -> Tensor:
        frames = check_latents(z, self.dim).transpose(1, 2)  # [B, F, D]
        return self.project_in(frames.to(self._dtype(frames)))

    def _dtype(self, z: Tensor | None = None) -> torch.dtype:
        if isinstance(self.project_in, nn.Linear):
            return self.project_in.weight.dtype
        return torch.float64 if z is not None and z.dtype == torch.float64 else torch.float32


def _signs(ones: Tensor, dtype: torch.dtype) -> Tensor:
    return ones.to(dtype) * 2 - 1


def _corner_shares(one: Tensor) -> Tensor:
    """Probability of each corner, [N, 2^b], of b independent bits that are 1 with `one` [N, b]."""
    shares = one.new_ones(len(one), 1)
    for bit in one.unbind(1):
        both = torch.stack([1 - bit, bit], 1)  # [N, 2]
        shares = (shares[:, :, None] * both[:, None]).flatten(1)
    return shares
