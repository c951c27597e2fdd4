"""The STFT discriminator of SoundStream: one complex spectrogram, seen by a residual network."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from course_lib.nets.discriminators.judgement import (
    Judgement,
    check_judged,
    complex_channels,
    same_conv2d,
)

# Output channels, in widths, and stride (time, frequency) of the six units, from figure 5.
UNITS = ((2, (1, 2)), (4, (2, 2)), (4, (1, 2)), (8, (2, 2)), (8, (1, 2)), (16, (2, 2)))


class STFTDiscriminator(nn.Module):
    """Audio [B, C, T] judged by its complex STFT: one row of logits, one for 8 frames.

    A convolution of 7 x 7, six residual units that halve the frequencies, every second one the
    frames too, and one that joins the frequencies left (Zeghidour et al. 2021, section III-E and
    figure 5). The bin at half the sampling rate is left out, so that halves are whole.

    n_fft: a multiple of 128; frames are n_fft / 4 apart. n_fft=1024, width=32: the paper's.
    For a CPU: n_fft=512, width=4, 75 ms forward and backward on 8 x 0.5 s at 16 kHz with one core.
    Raises TypeError or ValueError for audio that is not floating point [B, channels, T].
    Taught in notebook 07.
    """

    def __init__(self, channels: int = 1, width: int = 32, n_fft: int = 1024):
        super().__init__()
        if min(channels, width) < 1 or n_fft < 128 or n_fft % 128:
            raise ValueError(
                f"n_fft={n_fft} must be a multiple of 128, channels={channels} and width={width} "
                "at least 1."
            )
        self.channels, self.n_fft = channels, n_fft
        self.first = weight_norm(same_conv2d(2 * channels, width, (7, 7)))
        units, before = [], 1
        for after, stride in UNITS:
            units.append(Unit(before * width, after * width, stride))
            before = after
        self.units = nn.ModuleList(units)
        self.last = weight_norm(nn.Conv2d(before * width, 1, (1, n_fft // 128)))

    def forward(self, audio: Tensor) -> Judgement:
        check_judged(audio, self.channels)
        x = complex_channels(audio, self.n_fft, self.n_fft // 4)[..., :-1]
        x = self.first(x)
        features = [x]
        for unit in self.units:
            x = unit(x)
            features.append(x)
        return Judgement([self.last(F.elu(x))], [features])


class Unit(nn.Module):
    """[B, C, frames, bins] to [B, out, frames / stride, bins / stride], rounded up."""

    def __init__(self, channels: int, out: int, stride: tuple[int, int]):
        super().__init__()
        self.first = weight_norm(same_conv2d(channels, channels, (3, 3)))
        time, frequency = kernel = tuple(s + 2 for s in stride)
        self.second = weight_norm(nn.Conv2d(channels, out, kernel, stride))
        self.padding = ((frequency - 1) // 2, frequency // 2, (time - 1) // 2, time // 2)
        self.shortcut = weight_norm(nn.Conv2d(channels, out, 1))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(F.elu(x))
        inner = self.second(F.pad(F.elu(inner), self.padding))
        # Skipping first is what stride does to a kernel of 1. torch 2.13 on a CPU (oneDNN) writes
        # outside its memory in the gradient of such a convolution with a stride.
        time, frequency = self.stride
        return self.shortcut(x[..., ::time, ::frequency]) + inner
