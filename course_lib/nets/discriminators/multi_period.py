"""The multi-period discriminator of HiFi-GAN and DAC: every p-th sample beside the others."""

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.discriminators.judgement import Judgement, Layers, check_judged


class MultiPeriodDiscriminator(nn.Module):
    """Audio [B, C, T] judged as pictures of p columns, one network for each p of `periods`.

    A wave of period p becomes stripes, whatever its shape: kernels run down the columns alone, 5
    long with stride 3, the last of `widths` with stride 1 (Kong et al. 2020, HiFi-GAN, section
    2.3). The end is padded with zeros to a whole number of rows. The columns of an item are p
    entries of the batch: a feature is [B * p, width, rows].

    widths=(32, 128, 512, 1024, 1024): the paper's. For a CPU: widths=(8, 16, 32, 64, 64), 40 ms
    forward and backward on 8 x 0.5 s at 16 kHz with one core.
    Raises TypeError or ValueError for audio that is not floating point [B, channels, T].
    Taught in notebook 09.
    """

    def __init__(
        self,
        channels: int = 1,
        widths: tuple[int, ...] = (32, 128, 512, 1024, 1024),
        periods: tuple[int, ...] = (2, 3, 5, 7, 11),
    ):
        super().__init__()
        if not widths or not periods or min(channels, *widths, *periods) < 1:
            raise ValueError(
                f"channels={channels}, widths={widths} and periods={periods} must be at least 1, "
                "with at least one width and one period."
            )
        self.channels, self.periods = channels, tuple(periods)
        self.networks = nn.ModuleList(_network(channels, widths) for _ in periods)

    def forward(self, audio: Tensor) -> Judgement:
        check_judged(audio, self.channels)
        logits, features = [], []
        for period, network in zip(self.periods, self.networks, strict=True):
            picture = F.pad(audio, (0, -audio.shape[-1] % period)).unflatten(-1, (-1, period))
            columns = picture.permute(0, 3, 1, 2).flatten(0, 1)  # [B * p, C, ceil(T / p)]
            judged, activations = network(columns)
            logits.append(judged)
            features.append(activations)
        return Judgement(logits, features)


def _network(channels: int, widths: tuple[int, ...]) -> Layers:
    convolutions = []
    for i, width in enumerate(widths):
        stride = 1 if i == len(widths) - 1 else 3
        convolutions.append(nn.Conv1d(channels, width, 5, stride, padding=2))
        channels = width
    return Layers([*convolutions, nn.Conv1d(channels, 1, 3, padding=1)], slope=0.1)
