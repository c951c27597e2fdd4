"""The multi-band discriminator of DAC: complex spectrograms cut into bands of frequency."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from course_lib.nets.discriminators.judgement import (
    Judgement,
    check_judged,
    complex_channels,
    same_conv2d,
)


class MultiBandDiscriminator(nn.Module):
    """Audio [B, C, T] judged by its complex STFTs, each cut at the fractions `edges` into bands.

    Every band of every window has layers of its own, so that low notes and hiss need not share
    kernels; the last one sees all bands side by side (Kumar et al. 2023, section 3.3). One band
    is edges=(0.0, 1.0). Frames are a quarter of a window apart.

    width=32, three windows, five bands: the paper's. For a CPU: width=8, n_ffts=(1024, 256),
    edges=(0.0, 0.25, 1.0), 100 ms forward and backward on 8 x 0.5 s at 16 kHz with one core.
    Raises TypeError or ValueError for audio that is not floating point [B, channels, T].
    Taught in notebook 09.
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        n_ffts: tuple[int, ...] = (2048, 1024, 512),
        edges: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0),
    ):
        super().__init__()
        if min(channels, width, len(n_ffts)) < 1:
            raise ValueError(
                f"channels={channels}, width={width} and the number of windows in "
                f"n_ffts={n_ffts} must be at least 1."
            )
        self.channels, self.n_ffts = channels, tuple(n_ffts)
        self.scales = nn.ModuleList(Scale(2 * channels, width, n_fft, edges) for n_fft in n_ffts)

    def forward(self, audio: Tensor) -> Judgement:
        check_judged(audio, self.channels)
        logits, features = [], []
        for n_fft, scale in zip(self.n_ffts, self.scales, strict=True):
            judged, activations = scale(complex_channels(audio, n_fft, n_fft // 4))
            logits.append(judged)
            features.append(activations)
        return Judgement(logits, features)


class Scale(nn.Module):
    """One window's bands: [B, 2C, frames, bins] to (logits, activations band by band)."""

    def __init__(self, channels: int, width: int, n_fft: int, edges: tuple[float, ...]):
        super().__init__()
        bins = n_fft // 2 + 1
        cuts = [int(edge * bins) for edge in edges]
        if len(cuts) < 2 or cuts[0] != 0 or cuts[-1] != bins or sorted(set(cuts)) != cuts:
            raise ValueError(
                f"edges={edges} must rise from 0.0 to 1.0, at least a bin apart; they cut the "
                f"{bins} bins of n_fft={n_fft} at {cuts}."
            )
        self.sizes = [after - before for before, after in zip(cuts, cuts[1:], strict=False)]
        self.bands = nn.ModuleList(_band(channels, width) for _ in self.sizes)
        self.last = weight_norm(same_conv2d(width, 1, (3, 3)))

    def forward(self, spectrum: Tensor) -> tuple[Tensor, list[Tensor]]:
        features, ends = [], []
        for x, band in zip(spectrum.split(self.sizes, -1), self.bands, strict=True):
            for convolution in band:
                x = F.leaky_relu(convolution(x), 0.1)
                features.append(x)
            ends.append(x)
        return self.last(torch.cat(ends, -1)), features


def _band(channels: int, width: int) -> nn.ModuleList:
    convolutions = [same_conv2d(channels, width, (3, 9))]
    convolutions += [same_conv2d(width, width, (3, 9), (1, 2)) for _ in range(3)]
    convolutions.append(same_conv2d(width, width, (3, 3)))
    return nn.ModuleList(weight_norm(convolution) for convolution in convolutions)
