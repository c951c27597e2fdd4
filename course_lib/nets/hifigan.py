"""The encoder and decoder of HiFi-Codec: HiFi-GAN's generator, and its mirror image."""

import math
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.padded_convolution import PaddedConv1d, PaddedConvTranspose1d

SLOPE = 0.1  # of the leaky ReLUs


@dataclass(frozen=True)
class HiFiGANConfig:
    """The default is HiFi-Codec's at 24 kHz, 75 frames/s (Yang et al. 2023, section 3.1).

    width: channels of the encoder at the audio's rate, doubled by each stride; decoder_width: of
        the decoder at the lowest rate, halved by each.
    strides: of the encoder, in order; a strided kernel spans two, and is odd where the stride is.
    kernels, dilations: of the residual blocks whose mean follows each stride; a block of every
        kernel has a unit of every dilation.
    norm: "weight" for training (Salimans & Kingma 2016), or None.

    Raises ValueError for sizes that make no network. Taught in notebook 09.
    """

    width: int = 32
    decoder_width: int = 512
    strides: tuple[int, ...] = (2, 4, 5, 8)
    kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)
    norm: Literal["weight"] | None = "weight"

    def __post_init__(self):
        sizes = (self.width, *self.strides, *self.kernels, *self.dilations)
        if not self.strides or not self.kernels or min(sizes) < 1:
            raise ValueError(
                f"width={self.width}, strides={self.strides}, kernels={self.kernels} and "
                f"dilations={self.dilations} must be at least 1, with a stride and a kernel."
            )
        if self.decoder_width < 1 or self.decoder_width % 2 ** len(self.strides):
            raise ValueError(
                f"decoder_width={self.decoder_width} must be a multiple of "
                f"{2 ** len(self.strides)}: each of {len(self.strides)} strides halves it."
            )
        if self.norm not in ("weight", None):
            raise ValueError(f"norm={self.norm!r} is unknown: choose from ('weight', None).")

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.strides)

    @property
    def streams(self) -> bool:
        """Whether `nets.streaming` can take it: no, each frame needs what comes after it."""
        return False

    @property
    def padding(self) -> str:
        """What stands beyond the edges, as in PaddedConv1d."""
        return "constant"

    def encoder(self, channels: int, dim: int) -> "HiFiGANEncoder":
        """The encoder, [B, channels, T] -> [B, dim, F]."""
        return HiFiGANEncoder(self, channels, dim)

    def decoder(self, channels: int, dim: int) -> "HiFiGANDecoder":
        """The decoder, [B, dim, F] -> [B, channels, F * hop]."""
        return HiFiGANDecoder(self, channels, dim)


class HiFiGANEncoder(nn.Module):
    """[B, channels, T] -> latents [B, dim, ceil(T / hop)]. Taught in notebook 09.

    After each stride a group norm, as in HiFi-Codec's code: it joins what is far apart in time.
    """

    def __init__(self, config: HiFiGANConfig, channels: int, dim: int):
        super().__init__()
        c, width = config, config.width
        layers: list[nn.Module] = [_conv(c, channels, width, 7)]
        for stride in c.strides:
            layers += [
                nn.LeakyReLU(SLOPE),
                _conv(c, width, 2 * width, 2 * stride + stride % 2, stride),
                MultiReceptiveField(c, 2 * width),
                nn.GroupNorm(math.gcd(max(1, width // 8), 2 * width), 2 * width, eps=1e-6),
            ]
            width *= 2
        layers += [nn.LeakyReLU(SLOPE), _conv(c, width, dim, 3)]
        self.layers = nn.Sequential(*layers)
        self.hop, self.streams = c.hop, c.streams

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class HiFiGANDecoder(nn.Module):
    """Latents [B, dim, F] -> [B, channels, F * hop] between -1 and 1. Taught in notebook 09.

    HiFi-GAN's generator (Kong et al. 2020, section 2.2).
    """

    def __init__(self, config: HiFiGANConfig, channels: int, dim: int):
        super().__init__()
        c, width = config, config.decoder_width
        layers: list[nn.Module] = [_conv(c, dim, width, 7)]
        for stride in c.strides[::-1]:
            kernel = 2 * stride + stride % 2
            layers += [
                nn.LeakyReLU(SLOPE),
                PaddedConvTranspose1d(width, width // 2, kernel, stride, False, c.norm),
                MultiReceptiveField(c, width // 2),
            ]
            width //= 2
        layers += [nn.LeakyReLU(SLOPE), _conv(c, width, channels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.hop, self.streams = c.hop, c.streams

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class MultiReceptiveField(nn.Module):
    """The mean of residual blocks of several kernels, [B, D, T] -> [B, D, T].

    Patterns of several lengths are seen side by side (Kong et al. 2020, section 2.2).
    """

    def __init__(self, config: HiFiGANConfig, width: int):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(*(HiFiGANUnit(config, width, kernel, d) for d in config.dilations))
            for kernel in config.kernels
        )

    def forward(self, x: Tensor) -> Tensor:
        return sum(block(x) for block in self.blocks) / len(self.blocks)


class HiFiGANUnit(nn.Module):
    """x + what a dilated and a plain convolution add to it, [B, D, T] -> [B, D, T]."""

    def __init__(self, config: HiFiGANConfig, width: int, kernel: int, dilation: int):
        super().__init__()
        self.first = _conv(config, width, width, kernel, dilation=dilation)
        self.second = _conv(config, width, width, kernel)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(F.leaky_relu(x, SLOPE))
        return x + self.second(F.leaky_relu(inner, SLOPE))


def _conv(c: HiFiGANConfig, channels: int, out: int, kernel: int, stride=1, dilation=1):
    return PaddedConv1d(channels, out, kernel, stride, dilation, causal=False, norm=c.norm)
