"""Feature fusion: a tower that hears a long clip at once, from afar and in three places closely.

Wu et al. 2023 (LAION-CLAP), section 3.3; attentional feature fusion is Dai et al. 2021. Taught in
notebook 13b.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.clap import AudioTower, AudioTowerConfig

PLACES = 3  # parts of a clip that are heard closely: front, middle, back


class AttentionalFusion(nn.Module):
    """Two maps [B, C, H, W] -> alpha * a + (1 - alpha) * b, alpha in (0, 1) from both.

    What decides is each place (the local branch) and the mean over all places (the global one).
    Without the batch norms of the source, which would let clips hear each other in training.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.near, self.far = (
            nn.Sequential(
                nn.Conv2d(channels, channels // 4, 1),
                nn.GELU(),
                nn.Conv2d(channels // 4, channels, 1),
            )
            for _ in range(2)
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        both = a + b
        alpha = (self.near(both) + self.far(both.mean((2, 3), keepdim=True))).sigmoid()
        return alpha * a + (1 - alpha) * b


class FusedAudioTower(AudioTower):
    """An AudioTower for clips longer than its segment: spectrogram [B, mels, F] -> [B, D].

    The whole clip, squeezed in time to the length of a segment, and a segment from each third of it
    pass the first convolution; the three, joined and squeezed likewise, are then fused with the
    whole, and all else is as in the tower. In training the segments lie anywhere in their thirds, a
    batch's all in the same places (LAION-CLAP draws for each clip), else in the middle of them;
    close and far share the first convolution, where LAION-CLAP has one for each. A clip no longer
    than a segment is heard as by AudioTower. In CLAP it takes the place of `audio`. Taught in
    notebook 13b.
    """

    def __init__(self, config: AudioTowerConfig):
        super().__init__(config)
        channels = config.channels[0]
        self.join = nn.Conv2d(channels, channels, (1, PLACES), stride=(1, PLACES))
        self.fusion = AttentionalFusion(channels)

    def segments(self, spectrogram: Tensor) -> list[Tensor]:
        """The clip as a whole."""
        return [spectrogram]

    def places(self, frames: int) -> list[int]:
        """Where the segments of a clip of `frames` begin."""
        spare, third = frames - self.frames, frames / PLACES
        if self.training:
            drawn = torch.rand(PLACES).tolist()
        else:
            drawn = [0.5] * PLACES
        starts = (third * (i + u) - self.frames / 2 for i, u in enumerate(drawn))
        return [min(max(round(start), 0), spare) for start in starts]

    def first(self, spectrogram: Tensor) -> Tensor:
        """What the first convolution makes of it, fused where it is longer than a segment."""
        stem, frames = self.convolutions[:3], spectrogram.shape[-1]
        if frames <= self.frames:
            return stem(spectrogram[:, None])
        whole = stem(F.adaptive_avg_pool1d(spectrogram, self.frames)[:, None])
        near = [
            stem(spectrogram[:, None, :, start : start + self.frames])
            for start in self.places(frames)
        ]
        return self.fusion(whole, self.join(torch.cat(near, dim=3)))

    def forward(self, spectrogram: Tensor) -> Tensor:
        return self.summary(self.convolutions[3:](self.first(spectrogram)))
