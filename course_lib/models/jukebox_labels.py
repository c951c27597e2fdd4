"""What Jukebox's priors are told of a piece: its style, its instruments, and where in it they are.

Dhariwal et al. 2020, section 4.2: labels take the place of the start, timing is added to every
frame. Taught in notebook 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from course_lib.nets.positions import sinusoidal

if TYPE_CHECKING:
    from course_lib.songbook import Attributes

DIMS = 32  # sines and cosines of each of the three numbers that say where a frame is
PER_SECOND = 20.0  # radians: the fastest wave of seconds takes a third of one
PER_PIECE = 100.0  # radians from the first frame of a piece to its last


@dataclass(frozen=True)
class JukeboxLabelsConfig:
    """The styles and instruments there are, and how many seconds the longest piece lasts."""

    styles: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    seconds: float = 10.0

    def __post_init__(self):
        if not self.seconds > 0:
            raise ValueError(f"seconds={self.seconds} must be positive.")


class JukeboxLabels(NamedTuple):
    """style int64 [B], 0 where unknown; instruments float32 [B, I], 1 for those that play."""

    style: Tensor
    instruments: Tensor

    def take(self, rows: Tensor) -> "JukeboxLabels":
        """The labels of some items, by int64 [N] or bool [B]."""
        return JukeboxLabels(self.style[rows], self.instruments[rows])


class JukeboxTiming(NamedTuple):
    """start, total float32 [B]: where a window begins in its piece, and how long that is, in s."""

    start: Tensor
    total: Tensor


def label(
    config: JukeboxLabelsConfig, pieces: Sequence["Attributes | None"], device=None
) -> JukeboxLabels:
    """Labels of pieces by their `attributes`; None is a piece of which nothing is known.

    Instruments that the model doesn't know are left out. Raises ValueError for an unknown style and
    for no pieces.
    """
    if not pieces:
        raise ValueError(
            "There are no pieces to label: give at least one, None for an unknown one."
        )
    known = {name: i + 1 for i, name in enumerate(config.styles)}
    for piece in pieces:
        if piece is not None and piece.style not in known:
            raise ValueError(
                f"The model knows no style {piece.style!r}: choose one of {', '.join(known)}."
            )
    styles = [0 if piece is None else known[piece.style] for piece in pieces]
    rows = [
        [float(piece is not None and name in piece.instruments) for name in config.instruments]
        for piece in pieces
    ]
    instruments = torch.tensor(rows, device=device).view(len(rows), len(config.instruments))
    return JukeboxLabels(torch.tensor(styles, device=device), instruments)


class LabelConditioner(nn.Module):
    """Labels and timing as a condition [B, F, D] for `LanguageModel`.

    The style's vector and the mean of the instruments' are added at a window's first frame, where
    the language model has its start. Every frame is told the length of the piece, its own second
    and the fraction of the piece before it; lengths and seconds beyond `config.seconds`, which
    training never showed, count as that. Taught in notebook 10.
    """

    def __init__(self, config: JukeboxLabelsConfig, width: int):
        super().__init__()
        self.config = config
        self.style = nn.Embedding(len(config.styles) + 1, width)
        self.instruments = nn.Parameter(torch.empty(len(config.instruments), width))
        self.timing = nn.Linear(3 * DIMS, width)
        for weight in (self.style.weight, self.instruments, self.timing.weight):
            nn.init.normal_(weight, std=0.02)
        nn.init.zeros_(self.timing.bias)

    def forward(
        self, labels: JukeboxLabels, timing: JukeboxTiming, frames: int, rate: float
    ) -> Tensor:
        """Condition [B, frames, D] of a window at `rate` frames a second.

        Raises ValueError where labels and timing are of different numbers of pieces.
        """
        if not len(labels.style) == len(timing.start) == len(timing.total):
            raise ValueError(
                f"There are labels of {len(labels.style)} pieces, starts of {len(timing.start)} "
                f"and lengths of {len(timing.total)}; expected as many of each."
            )
        count = labels.instruments.sum(1, keepdim=True).clamp(min=1)
        start = self.style(labels.style) + (labels.instruments / count) @ self.instruments  # [B, D]
        seconds = torch.arange(frames, device=start.device) / rate + timing.start[:, None]  # [B, F]
        spread = self.timing(self.where(seconds, timing.total))  # [B, F, D]
        first = torch.arange(frames, device=start.device) == 0
        return spread + first[:, None] * start[:, None]

    def where(self, seconds: Tensor, total: Tensor) -> Tensor:
        """Features [B, F, 96] of the seconds [B, F] of pieces that last `total` [B]."""
        longest = self.config.seconds
        fraction = seconds / total[:, None].clamp(min=1e-3)
        numbers = (
            PER_SECOND * total[:, None].expand_as(seconds).clamp(max=longest),
            PER_SECOND * seconds.clamp(max=longest),
            PER_PIECE * fraction.clamp(max=1),
        )
        return torch.cat([sinusoidal(number, DIMS) for number in numbers], dim=-1)
