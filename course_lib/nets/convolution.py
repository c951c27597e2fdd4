"""Convolutions over time whose lengths are exact for every input length.

Padding is counted in Python integers. `Conv1d` makes ceil(T / stride) frames of T, and
`ConvTranspose1d` makes T * stride of T, so that down, up and a cut at T gives back T:

    stride 1, kernel 3, same           0 [a b c d] 0      each frame sees one to either side
    stride 1, kernel 3, causal       0 0 [a b c d]        each frame sees itself and the past
    stride 2, kernel 4, causal       0 0 [a b c d e] 0    a frame is (a b), (c d), (e .)
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Conv1d(nn.Conv1d):
    """Convolution [B, C, T] -> [B, out, ceil(T / stride)], zero-padded "same" or causally.

    Causal: a frame sees its own `stride` samples and earlier ones. Raises ValueError for an empty
    input. Taught in notebook 03.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int,
        stride: int = 1,
        dilation: int = 1,
        causal: bool = False,
    ):
        super().__init__(channels, out, kernel, stride, dilation=dilation)
        reach = (kernel - 1) * dilation + 1
        spare = max(0, reach - stride)  # what a frame sees beyond its own samples
        self.reach, self.step = reach, stride
        self.left = spare if causal else spare // 2

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        if length == 0:
            raise ValueError(f"Nothing to convolve: the input has shape {list(x.shape)}.")
        frames = -(-length // self.step)
        total = max(0, (frames - 1) * self.step + self.reach - length)
        return super().forward(F.pad(x, (self.left, max(0, total - self.left))))


class ConvTranspose1d(nn.ConvTranspose1d):
    """Transposed convolution [B, C, F] -> [B, out, F * stride], cut "same" or causally.

    Causal: sample t sees frames up to t // stride. `kernel` must be at least `stride`, or there
    would be samples that no frame reaches (ValueError). Taught in notebook 03.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, causal: bool = False):
        if kernel < stride:
            raise ValueError(f"kernel={kernel} must be at least stride={stride}.")
        super().__init__(channels, out, kernel, stride)
        self.step = stride
        self.left = 0 if causal else (kernel - stride) // 2

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1] * self.step
        if length == 0:
            raise ValueError(f"Nothing to convolve: the input has shape {list(x.shape)}.")
        return super().forward(x)[..., self.left : self.left + length]


class ResidualUnit(nn.Module):
    """x + what a dilated and a pointwise convolution add to it, [B, C, T] -> [B, C, T].

    The unit of SEANet and SoundStream's coders (Zeghidour et al. 2021, figure 3), without norms.
    """

    def __init__(self, channels: int, dilation: int = 1, kernel: int = 3, causal: bool = False):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ELU(),
            Conv1d(channels, channels, kernel, dilation=dilation, causal=causal),
            nn.ELU(),
            Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)
