"""VQ-VAE (van den Oord, Vinyals & Kavukcuoglu 2017): an autoencoder that speaks in codes."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets import ConvDecoder, ConvEncoder
from course_lib.quantize import VectorQuantizer


@dataclass(frozen=True)
class VQVAEConfig:
    """The default codes log-mel: 80 bands at 62.5 frames/s become 15.6 codes/s of 10 bits.

    channels: 80 for log-mel, 1 for a waveform (then mean=0, scale=0.1 and, for one code every
        64 samples, strides=(4, 4, 4)).
    mean, scale: of the input's numbers, which the networks see as (x - mean) / scale.
    width: channels of the networks; units: residual units between strides.
    dim, entries: of the codebook; codebook, decay, gradient, dead: as in VectorQuantizer.
    """

    channels: int = 80
    mean: float = -4.0
    scale: float = 2.0
    width: int = 128
    strides: tuple[int, ...] = (2, 2)
    units: int = 2
    causal: bool = False
    dim: int = 64
    entries: int = 1024
    codebook: Literal["ema", "gradient"] = "ema"
    decay: float = 0.99
    gradient: Literal["straight_through", "rotation"] = "straight_through"
    dead: float = 0.1

    def __post_init__(self):
        check_stack(self.channels, self.width, self.strides, self.units, self.scale)


class VQVAEOutput(NamedTuple):
    """reconstruction [B, C, T] in the input's units; codes int64 [B, 1, F]; two losses."""

    reconstruction: Tensor
    codes: Tensor
    commitment: Tensor
    codebook_loss: Tensor


class VQVAE(nn.Module):
    """x [B, C, T] -> codes [B, 1, F] -> x again, F = ceil(T / hop) for any T >= 1.

    Taught in notebooks 03 and 03b.
    """

    def __init__(self, config: VQVAEConfig | None = None):
        super().__init__()
        self.config = c = config or VQVAEConfig()
        stack = (c.channels, c.dim, c.width, c.strides, c.units, c.causal)
        self.encoder = ConvEncoder(*stack)
        self.quantizer = VectorQuantizer(
            c.dim, c.entries, c.codebook, c.decay, c.gradient, dead=c.dead
        )
        self.decoder = ConvDecoder(*stack)

    @property
    def hop(self) -> int:
        """Input frames or samples per code."""
        return math.prod(self.config.strides)

    def forward(self, x: Tensor) -> VQVAEOutput:
        """Code x [B, C, T] and rebuild it; in training mode the codebook learns.

        Raises TypeError where x is not floating point, ValueError where it is not [B, C, T].
        """
        q = self.quantizer(self.latents(x))
        y = self._decode(q.values, x.shape[-1])
        return VQVAEOutput(y, q.codes, q.commitment, q.codebook_loss)

    def latents(self, x: Tensor) -> Tensor:
        """Latents [B, dim, F] of x [B, C, T], before quantization."""
        check_input(x, self.config.channels)
        return self.encoder((x - self.config.mean) / self.config.scale)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of x [B, C, T]. Raises as `forward`; ValueError for NaN."""
        return self.quantizer.encode(self.latents(x))

    def decode_codes(self, codes: Tensor, length: int | None = None) -> Tensor:
        """x [B, C, length] of codes int64 [B, 1, F]; length is F * hop where it isn't given.

        Raises ValueError where the codes are not [B, 1, F], are out of range, or do not reach
        `length`, and TypeError where they are not int64.
        """
        values = self.quantizer.decode(codes)
        return self._decode(values, check_length(codes.shape[-1], self.hop, length))

    def _decode(self, values: Tensor, length: int) -> Tensor:
        y = self.decoder(values)[..., :length]
        return y * self.config.scale + self.config.mean


def vqvae_loss(model: VQVAE, x: Tensor, commitment: float = 0.25) -> dict[str, Tensor]:
    """The three terms of the paper (equation 3) and their sum under "loss".

    -log p(x|z) of a Gaussian is, up to constants, the squared error, here a mean over all numbers
    in units of the input's scale.
    """
    out = model(x)
    reconstruction = F.mse_loss(out.reconstruction.float(), x) / model.config.scale**2
    return {
        "loss": reconstruction + out.codebook_loss + commitment * out.commitment,
        "reconstruction": reconstruction,
        "commitment": out.commitment,
        "codebook": out.codebook_loss,
    }


def check_input(x: Tensor, channels: int) -> None:
    """Raise TypeError or ValueError, in words, unless x is floating point [B, channels, T]."""
    if not x.is_floating_point():
        raise TypeError(f"The input must be floating point, not {x.dtype}.")
    if x.ndim != 3 or x.shape[1] != channels or x.numel() == 0:
        raise ValueError(
            f"The input has shape {list(x.shape)}; expected [B, {channels}, T] with B, T >= 1."
        )


def check_length(codes: int, hop: int, length: int | None) -> int:
    """The length to decode to, all of it by default; ValueError, in words, if codes don't fit."""
    full = codes * hop
    length = full if length is None else length
    if not full - hop < length <= full:
        raise ValueError(
            f"{codes} codes of {hop} make between {full - hop + 1} and {full} frames, not "
            f"length={length}."
        )
    return length


def check_stack(channels: int, width: int, strides: tuple, units: int, scale: float) -> None:
    """Raise ValueError, in words, for sizes that make no network."""
    if min(channels, width, *strides) < 1 or units < 0 or not scale > 0:
        raise ValueError(
            f"channels={channels}, width={width} and strides={strides} must be at least 1, "
            f"units={units} at least 0, scale={scale} positive."
        )
