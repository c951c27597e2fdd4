"""Mixing clips that beat together, so that none is learnt by heart (MusicLDM).

Two clips at once are a clip that nobody has heard, and where both have the same tempo and their
beats coincide, it is still music. Taught in notebook 16b.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.training.draws import Draws

WITHIN = 0.1  # by which the tempi of two clips that are mixed may differ


def mixup(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """share a + (1 - share) b of clips or latents [B, ...], with share [B] (Zhang et al. 2018)."""
    share = share.view(-1, *[1] * (a.ndim - 1)).to(a.dtype)
    return share * a + (1 - share) * b


def shares(draws: Draws) -> Tensor:
    """Shares [B] from Beta(5, 5), as MusicLDM draws them: mostly near a half.

    The fifth of nine uniform numbers in order has that distribution.
    """
    return draws.uniform(9, stream="share").median(1).values


@dataclass(frozen=True)
class Beats:
    """Where the beats of N clips are: starts int64 [N, M] in frames, count [N] of them; tempi [N].

    Taught in notebook 16b.
    """

    starts: Tensor
    count: Tensor
    tempi: Tensor

    @classmethod
    def of(
        cls, beats: Sequence[Sequence[float]], tempi: Sequence[float], rate: float, latest: int
    ) -> "Beats":
        """From beats in seconds of each clip, at `rate` frames a second, up to frame `latest`.

        A clip without a beat until then begins at frame 0. Raises ValueError where the numbers of
        clips differ, for none, and for tempi that are not positive.
        """
        if len(beats) != len(tempi) or not tempi or min(tempi) <= 0:
            raise ValueError(
                f"There are beats of {len(beats)} clips and {len(tempi)} tempi; expected a "
                "positive tempo for each clip, at least one."
            )
        frames = [
            [f for beat in each if 0 <= (f := round(beat * rate)) <= latest] for each in beats
        ]
        frames = [each or [0] for each in frames]
        longest = max(map(len, frames))
        padded = [each + [0] * (longest - len(each)) for each in frames]
        count = torch.tensor([len(each) for each in frames])
        return cls(torch.tensor(padded), count, torch.tensor(tempi, dtype=torch.float32))

    def start(self, clips: Tensor, draws: Draws, stream: str) -> Tensor:
        """The frame of one of the beats of each of some clips int64 [B], drawn: int64 [B]."""
        which = (draws.uniform(stream=stream) * self.count[clips]).long()
        return self.starts[clips, which]

    def partner(self, clips: Tensor, draws: Draws) -> Tensor:
        """Another clip of nearly the tempo of each of some, drawn; itself where there is none."""
        ratio = self.tempi[clips][:, None] / self.tempi  # [B, N]
        fits = (ratio < 1 + WITHIN) & (ratio > 1 / (1 + WITHIN))
        fits[torch.arange(len(clips)), clips] = False
        score = draws.uniform(len(self.tempi), stream="partner").where(fits, -1.0)
        return score.argmax(1).where(fits.any(1), clips)


def windows(x: Tensor, start: Tensor, length: int) -> Tensor:
    """`length` frames of each of x [B, C, F] from start int64 [B] on: [B, C, length].

    Raises ValueError where that reaches beyond the end.
    """
    if len(start) != len(x) or (start + length > x.shape[-1]).any() or (start < 0).any():
        raise ValueError(
            f"Windows of {length} from {start.tolist()} on do not fit into {list(x.shape)}."
        )
    places = start[:, None, None] + torch.arange(length, device=x.device)
    return x.gather(-1, places.expand(-1, x.shape[1], -1))
