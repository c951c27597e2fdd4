"""The wave discriminator of SoundStream: the waveform itself, at three sampling rates."""

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.discriminators.judgement import Judgement, Layers, check_judged


class WaveDiscriminator(nn.Module):
    """Audio [B, C, T] judged at 1x, 1/2x and 1/4x the sampling rate by one network each.

    Each is a plain convolution of 15, four grouped ones of 41 that make every 4 frames one of 4
    times as many channels (`most` at most), and two plain ones (Zeghidour et al. 2021, section
    III-E and figure 4; the network is MelGAN's, Kumar et al. 2019).

    width=16, most=1024: the papers'. For a CPU: width=4, most=64, 65 ms forward and
    backward on 8 x 0.5 s at 16 kHz with one core.
    Raises TypeError or ValueError for audio that is not floating point [B, channels, T].
    Taught in notebook 07.
    """

    def __init__(self, channels: int = 1, width: int = 16, most: int = 1024, scales: int = 3):
        super().__init__()
        if min(channels, width, scales) < 1 or most < width or width % 4 or most % 4:
            raise ValueError(
                f"width={width} and most={most} must be multiples of 4, most not below width; "
                f"channels={channels} and scales={scales} at least 1."
            )
        self.channels = channels
        self.scales = nn.ModuleList(_network(channels, width, most) for _ in range(scales))

    def forward(self, audio: Tensor) -> Judgement:
        check_judged(audio, self.channels)
        logits, features = [], []
        for scale in self.scales:
            judged, activations = scale(audio)
            logits.append(judged)
            features.append(activations)
            audio = F.avg_pool1d(F.pad(audio, (1, 2)), 4, 2)  # [B, C, ceil(T / 2)]
        return Judgement(logits, features)


def _network(channels: int, width: int, most: int) -> Layers:
    convolutions = [nn.Conv1d(channels, width, 15, padding=7)]
    for _ in range(4):
        wider = min(4 * width, most)
        convolutions.append(nn.Conv1d(width, wider, 41, 4, padding=20, groups=width // 4))
        width = wider
    wider = min(2 * width, most)
    convolutions += [nn.Conv1d(width, wider, 5, padding=2), nn.Conv1d(wider, 1, 3, padding=1)]
    return Layers(convolutions, slope=0.2)
