"""The encoder and decoder of DAC (improved RVQGAN): residual units with Snake, not causal."""

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from course_lib.nets.padded_convolution import PaddedConv1d, PaddedConvTranspose1d
from course_lib.nets.snake import Snake


@dataclass(frozen=True)
class DACStackConfig:
    """The default is DAC's at 24 kHz (Kumar et al. 2023, section 3.1 and appendix A).

    width: channels of the encoder at the audio's rate, doubled by each stride; decoder_width: of
        the decoder at the lowest rate, halved by each.
    strides: of the encoder, in order; a strided kernel spans two strides.
    dilations: one residual unit for each, before each stride of the encoder.
    activation: "snake", or "relu" as in the paper's ablation.
    norm: "weight" for training (Salimans & Kingma 2016), or None.
    whole_strides: transposed convolutions of odd strides make whole strides of samples. Published
        DAC models leave one sample out at each of them, so that their output is too short; False
        does as they do.

    Raises ValueError for sizes that make no network. Taught in notebook 09.
    """

    width: int = 64
    decoder_width: int = 1536
    strides: tuple[int, ...] = (2, 4, 5, 8)
    dilations: tuple[int, ...] = (1, 3, 9)
    activation: Literal["snake", "relu"] = "snake"
    norm: Literal["weight"] | None = "weight"
    whole_strides: bool = True

    def __post_init__(self):
        if not self.strides or min(self.width, *self.strides, *self.dilations) < 1:
            raise ValueError(
                f"width={self.width}, strides={self.strides} and dilations={self.dilations} must "
                "be at least 1, with at least one stride."
            )
        if self.decoder_width < 1 or self.decoder_width % 2 ** len(self.strides):
            raise ValueError(
                f"decoder_width={self.decoder_width} must be a multiple of "
                f"{2 ** len(self.strides)}: each of {len(self.strides)} strides halves it."
            )
        for name, value, known in (
            ("activation", self.activation, ("snake", "relu")),
            ("norm", self.norm, ("weight", None)),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r} is unknown: choose from {known}.")

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

    def encoder(self, channels: int, dim: int) -> "DACEncoder":
        """The encoder, [B, channels, T] -> [B, dim, F]."""
        return DACEncoder(self, channels, dim)

    def decoder(self, channels: int, dim: int) -> "DACDecoder":
        """The decoder, [B, dim, F] -> [B, channels, F * hop]."""
        return DACDecoder(self, channels, dim)


class DACEncoder(nn.Module):
    """[B, channels, T] -> latents [B, dim, ceil(T / hop)]. Taught in notebook 09."""

    def __init__(self, config: DACStackConfig, channels: int, dim: int):
        super().__init__()
        c, width = config, config.width
        layers: list[nn.Module] = [_conv(c, channels, width, 7)]
        for stride in c.strides:
            layers += [DACUnit(c, width, dilation) for dilation in c.dilations]
            layers += [_activation(c, width), _conv(c, width, 2 * width, 2 * stride, stride)]
            width *= 2
        layers += [_activation(c, width), _conv(c, width, dim, 3)]
        self.layers = nn.Sequential(*layers)
        self.hop, self.streams = c.hop, c.streams

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class DACDecoder(nn.Module):
    """Latents [B, dim, F] -> [B, channels, F * hop] between -1 and 1. Taught in notebook 09."""

    def __init__(self, config: DACStackConfig, channels: int, dim: int):
        super().__init__()
        c, width = config, config.decoder_width
        layers: list[nn.Module] = [_conv(c, dim, width, 7)]
        for stride in c.strides[::-1]:
            layers += [_activation(c, width), _conv_up(c, width, width // 2, stride)]
            width //= 2
            layers += [DACUnit(c, width, dilation) for dilation in c.dilations]
        layers += [_activation(c, width), _conv(c, width, channels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.hop, self.streams = c.hop, c.streams

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class DACUnit(nn.Module):
    """x + Snake, dilated convolution of 7, Snake, pointwise convolution; [B, D, T] -> same."""

    def __init__(self, config: DACStackConfig, width: int, dilation: int):
        super().__init__()
        self.layers = nn.Sequential(
            _activation(config, width),
            _conv(config, width, width, 7, dilation=dilation),
            _activation(config, width),
            _conv(config, width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class ShortConvTranspose1d(PaddedConvTranspose1d):
    """[B, C, F] -> [B, out, F * stride - stride % 2]: published DAC's, a sample short if odd."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y[..., : y.shape[-1] - self.stride[0] % 2]


def _activation(c: DACStackConfig, width: int) -> nn.Module:
    return Snake(width) if c.activation == "snake" else nn.ReLU()


def _conv(c: DACStackConfig, channels: int, out: int, kernel: int, stride=1, dilation=1):
    return PaddedConv1d(channels, out, kernel, stride, dilation, causal=False, norm=c.norm)


def _conv_up(c: DACStackConfig, channels: int, out: int, stride: int):
    kind = PaddedConvTranspose1d if c.whole_strides else ShortConvTranspose1d
    return kind(channels, out, 2 * stride, stride, causal=False, norm=c.norm)
