"""Autoregressive discrete autoencoder (Dieleman, van den Oord & Simonyan 2018), small.

An encoder makes slow codes of a fast sequence of symbols, a WaveNet predicts the symbols from each
other and the codes. The symbols may be the 256 mu-law levels of audio, or the codes of another such
autoencoder, which stacks them.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.amae import ArgmaxBottleneck
from course_lib.models.vqvae import check_stack
from course_lib.nets import ConvEncoder, WaveNet
from course_lib.quantize import VectorQuantizer


@dataclass(frozen=True)
class AutoregressiveAutoencoderConfig:
    """levels: of the symbols it codes; strides: their product is symbols per code.

    bottleneck: "vq", with `entries` of `dim` numbers, or "argmax", without a codebook.
    width, units: of the encoder; channels, layers, cycle: of the WaveNet.
    """

    levels: int = 256
    strides: tuple[int, ...] = (4, 2)
    width: int = 64
    units: int = 1
    bottleneck: Literal["vq", "argmax"] = "vq"
    dim: int = 64
    entries: int = 256
    channels: int = 64
    layers: int = 10
    cycle: int = 10

    def __post_init__(self):
        check_stack(self.levels, self.width, self.strides, self.units, 1.0)
        if self.bottleneck not in ("vq", "argmax"):
            raise ValueError(f"bottleneck={self.bottleneck!r}: choose 'vq' or 'argmax'.")


class AutoregressiveOutput(NamedTuple):
    """logits [B, levels, T] of each symbol; codes int64 [B, 1, F]; losses of the bottleneck."""

    logits: Tensor
    codes: Tensor
    commitment: Tensor
    codebook_loss: Tensor  # of the argmax bottleneck: its diversity loss


class AutoregressiveAutoencoder(nn.Module):
    """Symbols int64 [B, 1, T] -> codes [B, 1, ceil(T / hop)] -> symbols, one after the other.

    Taught in notebook 03b.
    """

    def __init__(self, config: AutoregressiveAutoencoderConfig | None = None):
        super().__init__()
        self.config = c = config or AutoregressiveAutoencoderConfig()
        dim = c.dim if c.bottleneck == "vq" else c.entries
        self.embedding = nn.Embedding(c.levels, c.width)
        self.encoder = ConvEncoder(c.width, dim, c.width, c.strides, c.units)
        if c.bottleneck == "vq":
            self.quantizer = VectorQuantizer(c.dim, c.entries)
        else:
            self.quantizer = ArgmaxBottleneck(c.entries)
        self.decoder = WaveNet(c.levels, dim, self.hop, c.channels, c.layers, c.cycle)

    @property
    def hop(self) -> int:
        """Symbols per code."""
        return math.prod(self.config.strides)

    def forward(self, symbols: Tensor) -> AutoregressiveOutput:
        """Code symbols int64 [B, 1, T] and predict each from the earlier ones and the codes."""
        values, codes, commitment, other = self.quantizer(self._latents(symbols))
        return AutoregressiveOutput(self.decoder(symbols, values), codes, commitment, other)

    @torch.no_grad()
    def encode(self, symbols: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of symbols int64 [B, 1, T]."""
        return self.quantizer.encode(self._latents(symbols))

    def decode_codes(
        self,
        codes: Tensor,
        length: int | None = None,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Symbols int64 [B, 1, length] drawn given codes int64 [B, 1, F]; by default F * hop."""
        length = codes.shape[-1] * self.hop if length is None else length
        return self.decoder.generate(self.quantizer.decode(codes), length, temperature, generator)

    def _latents(self, symbols: Tensor) -> Tensor:
        if symbols.dtype != torch.int64:
            raise TypeError(f"Symbols must be int64, not {symbols.dtype}.")
        if symbols.ndim != 3 or symbols.shape[1] != 1 or symbols.numel() == 0:
            raise ValueError(
                f"Symbols have shape {list(symbols.shape)}; expected [B, 1, T] with B, T >= 1."
            )
        return self.encoder(self.embedding(symbols[:, 0]).transpose(1, 2))


def autoregressive_loss(
    model: AutoregressiveAutoencoder, symbols: Tensor, commitment: float = 0.25
) -> dict[str, Tensor]:
    """Cross-entropy in nats per symbol, and the losses of the bottleneck, with their sum."""
    out = model(symbols)
    prediction = F.cross_entropy(out.logits.float(), symbols[:, 0])
    return {
        "loss": prediction + commitment * out.commitment + out.codebook_loss,
        "prediction": prediction,
        "commitment": out.commitment,
        "codebook": out.codebook_loss,
    }
