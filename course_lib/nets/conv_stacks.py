"""Convolutional encoder and decoder: strided down, transposed up, residual units between."""

import math

from torch import Tensor, nn

from course_lib.nets.convolution import Conv1d, ConvTranspose1d, ResidualUnit


class ConvEncoder(nn.Module):
    """[B, channels, T] -> [B, dim, ceil(T / hop)], hop = product of `strides`.

    Each stride is a convolution of twice its length, then `units` residual units with dilations
    1, 3, 9, ... Rounded up once per stride, and ceil(ceil(T / a) / b) = ceil(T / ab).
    """

    def __init__(
        self,
        channels: int,
        dim: int,
        width: int,
        strides: tuple[int, ...],
        units: int = 2,
        causal: bool = False,
    ):
        super().__init__()
        layers: list[nn.Module] = [Conv1d(channels, width, 7, causal=causal)]
        for stride in strides:
            layers += [ResidualUnit(width, 3**i, causal=causal) for i in range(units)]
            layers += [nn.ELU(), Conv1d(width, width, 2 * stride, stride, causal=causal)]
        layers += [ResidualUnit(width, 3**i, causal=causal) for i in range(units)]
        layers += [nn.ELU(), Conv1d(width, dim, 3, causal=causal)]
        self.layers = nn.Sequential(*layers)
        self.hop = math.prod(strides)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class ConvDecoder(nn.Module):
    """[B, dim, F] -> [B, channels, F * hop]: the encoder mirrored."""

    def __init__(
        self,
        channels: int,
        dim: int,
        width: int,
        strides: tuple[int, ...],
        units: int = 2,
        causal: bool = False,
    ):
        super().__init__()
        layers: list[nn.Module] = [Conv1d(dim, width, 3, causal=causal)]
        layers += [ResidualUnit(width, 3**i, causal=causal) for i in range(units)]
        for stride in reversed(strides):
            layers += [nn.ELU(), ConvTranspose1d(width, width, 2 * stride, stride, causal)]
            layers += [ResidualUnit(width, 3**i, causal=causal) for i in range(units)]
        layers += [nn.ELU(), Conv1d(width, channels, 7, causal=causal)]
        self.layers = nn.Sequential(*layers)
        self.hop = math.prod(strides)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)
