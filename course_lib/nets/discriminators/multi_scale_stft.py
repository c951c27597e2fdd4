"""The multi-scale STFT discriminator of EnCodec: complex spectrograms of several windows."""

from torch import Tensor, nn

from course_lib.nets.discriminators.judgement import (
    Judgement,
    Layers,
    check_judged,
    complex_channels,
    same_conv2d,
)


class MultiScaleSTFTDiscriminator(nn.Module):
    """Audio [B, C, T] judged by its complex STFTs, one network for each window of `n_ffts`.

    Each has kernels of 3 frames by 9 bins, three of them with stride 2 in frequency and dilations
    1, 2, 4 in time, then two of 3 x 3 (Défossez et al. 2022, section 3.4 and figure 2). Stereo
    enters as 4 channels. Frames are a quarter of a window apart.

    width=32 and five windows: the paper's. For a CPU: width=8, n_ffts=(1024, 256),
    95 ms forward and backward on 8 x 0.5 s at 16 kHz with one core, half of it for each window.
    Raises TypeError or ValueError for audio that is not floating point [B, channels, T].
    Taught in notebook 08.
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        n_ffts: tuple[int, ...] = (2048, 1024, 512, 256, 128),
    ):
        super().__init__()
        if min(channels, width, len(n_ffts)) < 1:
            raise ValueError(
                f"channels={channels}, width={width} and the number of windows in "
                f"n_ffts={n_ffts} must be at least 1."
            )
        self.channels, self.n_ffts = channels, tuple(n_ffts)
        self.scales = nn.ModuleList(_network(2 * channels, width) for _ in n_ffts)

    def forward(self, audio: Tensor) -> Judgement:
        check_judged(audio, self.channels)
        logits, features = [], []
        for n_fft, scale in zip(self.n_ffts, self.scales, strict=True):
            judged, activations = scale(complex_channels(audio, n_fft, n_fft // 4))
            logits.append(judged)
            features.append(activations)
        return Judgement(logits, features)


def _network(channels: int, width: int) -> Layers:
    convolutions = [same_conv2d(channels, width, (3, 9))]
    for dilation in (1, 2, 4):
        convolutions.append(same_conv2d(width, width, (3, 9), (1, 2), (dilation, 1)))
    convolutions += [same_conv2d(width, width, (3, 3)), same_conv2d(width, 1, (3, 3))]
    return Layers(convolutions, slope=0.2)
