"""Jukebox's encoder and decoder: a strided convolution, then residual units with growing reach."""

import math

from torch import Tensor, nn

from course_lib.nets.variance import keep_variance


class DilatedUnit(nn.Module):
    """x + what a dilated and a pointwise convolution add to it, [B, C, T] -> [B, C, T]."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class DilatedEncoder(nn.Module):
    """[B, channels, F * hop] -> [B, dim, F], hop = product of `strides`, each of them even.

    Each stride is a convolution of twice its length, then `depth` residual units with dilations 1,
    growth, growth^2, ...: none of it is causal, and none of it works at the rate before the first
    stride, where every layer costs most. Lengths are exact for whole frames alone, so the caller
    pads. Source: Dhariwal et al. 2020 (Jukebox), appendix B.1 and code. Taught in notebook 10.
    """

    def __init__(
        self,
        channels: int,
        dim: int,
        width: int,
        strides: tuple[int, ...],
        depth: int = 4,
        growth: int = 3,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        for stride in strides:
            layers.append(nn.Conv1d(channels, width, 2 * stride, stride, padding=stride // 2))
            layers += [DilatedUnit(width, growth**i) for i in range(depth)]
            channels = width
        layers.append(nn.Conv1d(width, dim, 3, padding=1))
        self.layers = nn.Sequential(*layers)
        self.hop = math.prod(strides)
        _draw(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class DilatedDecoder(nn.Module):
    """[B, dim, F] -> [B, channels, F * hop]: the encoder mirrored, dilations falling."""

    def __init__(
        self,
        channels: int,
        dim: int,
        width: int,
        strides: tuple[int, ...],
        depth: int = 4,
        growth: int = 3,
    ):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(dim, width, 3, padding=1)]
        for i, stride in reversed(list(enumerate(strides))):
            out = width if i else channels
            layers += [DilatedUnit(width, growth**i) for i in reversed(range(depth))]
            layers.append(nn.ConvTranspose1d(width, out, 2 * stride, stride, padding=stride // 2))
        self.layers = nn.Sequential(*layers)
        self.hop = math.prod(strides)
        _draw(self)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


def _draw(stack: nn.Module) -> None:
    units = [module for module in stack.modules() if isinstance(module, DilatedUnit)]
    keep_variance(stack, quiet=[unit.layers[-1] for unit in units])
