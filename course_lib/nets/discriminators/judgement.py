"""What every discriminator gives, and what they are built of."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from course_lib.audio import stft


class Judgement(NamedTuple):
    """One entry for each sub-discriminator: its logits, and the activations of its layers.

    Logits are high where the sound passes for recorded, at every place the network looks at: their
    shape differs between networks, and losses take means. `features` are those that feature
    matching compares, first layer first, without the logits.
    """

    logits: list[Tensor]
    features: list[list[Tensor]]


class Panel(nn.Module):
    """Several discriminators as one: audio [B, C, T] to the Judgements of all, one after another.

    level: takes the mean of each item away and scales its peak to 0.8 first, so that nobody judges
        by loudness (DAC's discriminators, Kumar et al. 2023).
    Taught in notebook 09.
    """

    def __init__(self, *members: nn.Module, level: bool = False):
        super().__init__()
        if not members:
            raise ValueError("A panel needs at least one discriminator.")
        self.members = nn.ModuleList(members)
        self.level = level

    def forward(self, audio: Tensor) -> Judgement:
        if self.level:
            audio = audio - audio.mean(-1, keepdim=True)
            peak = audio.abs().amax((1, 2), keepdim=True)
            audio = 0.8 * audio / (peak + 1e-9)
        judgements = [member(audio) for member in self.members]
        return Judgement(
            [logits for judgement in judgements for logits in judgement.logits],
            [features for judgement in judgements for features in judgement.features],
        )


class Layers(nn.Module):
    """Weight-normalised convolutions, a leaky ReLU after each but the last, which gives logits.

    Their weights are drawn so that signals keep their variance (He et al. 2015). PyTorch's own draw
    takes most of it in six layers, and what is left of the difference between recorded and decoded
    sound is too faint for the discriminator ever to keep up with a codec.
    """

    def __init__(self, convolutions: list[nn.Module], slope: float):
        super().__init__()
        for convolution in convolutions:
            nn.init.kaiming_normal_(convolution.weight, slope)
            nn.init.zeros_(convolution.bias)
        self.convolutions = nn.ModuleList(weight_norm(c) for c in convolutions)
        self.slope = slope

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """x to (logits, activations before them)."""
        features = []
        for convolution in self.convolutions[:-1]:
            x = F.leaky_relu(convolution(x), self.slope)
            features.append(x)
        return self.convolutions[-1](x), features


def same_conv2d(
    channels: int,
    out: int,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
) -> nn.Conv2d:
    """Convolution of odd kernel, padded so that each axis of length n gives ceil(n / stride)."""
    padding = tuple((k - 1) * d // 2 for k, d in zip(kernel, dilation, strict=True))
    return nn.Conv2d(channels, out, kernel, stride, padding, dilation)


def complex_channels(audio: Tensor, n_fft: int, hop: int) -> Tensor:
    """Audio [B, C, T] to the real and imaginary parts of its STFT [B, 2C, frames, n_fft // 2 + 1].

    In float32 under autocast too. Divided by the window's norm, so that white noise has the same
    level at every n_fft.
    """
    with torch.autocast(audio.device.type, enabled=False):
        spectrum = stft(audio.float(), n_fft, hop) / (0.375 * n_fft) ** 0.5  # [B, C, bins, frames]
        parts = torch.view_as_real(spectrum).permute(0, 1, 4, 3, 2)  # [B, C, 2, frames, bins]
        return parts.flatten(1, 2)


def check_judged(audio: Tensor, channels: int) -> None:
    """Raise TypeError or ValueError, in words, unless audio is floating point [B, channels, T]."""
    if not audio.is_floating_point():
        raise TypeError(f"The audio to judge must be floating point, not {audio.dtype}.")
    if audio.ndim != 3 or audio.shape[1] != channels or audio.numel() == 0:
        raise ValueError(
            f"The audio to judge has shape {list(audio.shape)}; expected [B, {channels}, T] with "
            "B, T >= 1."
        )
