"""A recogniser of sung phonemes: convolutions over a log-mel spectrogram, and CTC.

Every frame says how likely each phoneme is, or none ("blank"); CTC sums over all ways of lining
phonemes up with frames, so that training needs their order alone and no times. What it still
mistakes on real clips is the floor when sung words of a model are measured with it.

Source: Graves et al., "Connectionist Temporal Classification", ICML 2006. Taught in notebook 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.audio import LogMel
from course_lib.audio.checks import check_mono
from course_lib.audio.levels import to_one_level
from course_lib.nets import Conv1d
from course_lib.songbook import PHONEMES

BLANK = 0
GROUPS = 8  # of channels that are normalised together


@dataclass(frozen=True)
class PhonemeRecogniserConfig:
    """Phonemes in the order of their numbers (the first is 1), and the size of the network."""

    phonemes: tuple[str, ...] = PHONEMES
    sample_rate: int = 16000
    width: int = 104
    layers: int = 8
    dropout: float = 0.1

    def __post_init__(self):
        if not self.phonemes or self.width < GROUPS or self.width % GROUPS or self.layers < 0:
            raise ValueError(
                f"There must be phonemes ({len(self.phonemes)}), width={self.width} must be a "
                f"multiple of {GROUPS} and layers={self.layers} not negative."
            )


class PhonemeRecogniser(nn.Module):
    """Audio [B, 1, T] to log probabilities [B, F, phonemes + 1], F = 31.25 a second at 16 kHz.

    Number 0 is the blank. Gain and colour (a factor for each band) change nothing. Raises TypeError
    or ValueError for other shapes and dtypes. Taught in notebook 10.
    """

    def __init__(self, config: PhonemeRecogniserConfig = PhonemeRecogniserConfig()):
        super().__init__()
        self.config = config
        self.mel = LogMel(config.sample_rate, n_fft=1024, hop=256, n_mels=80)
        self.first = Conv1d(self.mel.n_mels, config.width, 5, stride=2)
        self.layers = nn.ModuleList(
            [Block(config.width, 2 ** (i % 4), config.dropout) for i in range(config.layers)]
        )
        self.norm = nn.GroupNorm(GROUPS, config.width)
        self.head = Conv1d(config.width, len(config.phonemes) + 1, 1)

    def forward(self, audio: Tensor) -> Tensor:
        return self.listen(self.spectrogram(audio))

    def spectrogram(self, audio: Tensor) -> Tensor:
        """The log-mel spectrogram [B, 80, F'] of audio at one loudness, F' = 1 + T // 256."""
        check_mono(audio, finite=False)
        return self.mel(to_one_level(audio))

    def listen(self, log_mel: Tensor) -> Tensor:
        """Log probabilities [B, ceil(F' / 2), phonemes + 1] of a `spectrogram` [B, 80, F']."""
        x = self.first((log_mel - log_mel.mean(-1, keepdim=True)) / 2)  # [B, W, F]
        for layer in self.layers:
            x = layer(x)
        logits = self.head(F.gelu(self.norm(x)))  # [B, phonemes + 1, F]
        return logits.float().log_softmax(1).transpose(1, 2)

    def loss(self, log_mel: Tensor, ids: Tensor) -> Tensor:
        """CTC, nats per phoneme: spectrograms [B, 80, F'], phonemes int64 [B, L], padded with 0."""
        return ctc(self.listen(log_mel), ids)

    @torch.no_grad()
    def recognise(self, audio: Tensor) -> list[tuple[str, ...]]:
        """What is sung in each of audio [B, 1, T]: the likeliest symbol of each frame, merged."""
        best = self(audio).argmax(-1)  # [B, F]
        return [self.symbols(row) for row in merged(best)]

    def symbols(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Numbers as phonemes."""
        return tuple(self.config.phonemes[i - 1] for i in ids)


class Block(nn.Module):
    """x + what a dilated and a pointwise convolution add to it, [B, W, F] -> [B, W, F]."""

    def __init__(self, width: int, dilation: int, dropout: float):
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(GROUPS, width),
            nn.GELU(),
            Conv1d(width, width, 3, dilation=dilation),
            nn.GELU(),
            nn.Dropout(dropout),
            Conv1d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def ctc(log_probabilities: Tensor, ids: Tensor) -> Tensor:
    """Minus the log probability of phonemes int64 [B, L] given frames [B, F, V], per phoneme.

    ids are padded with 0 at the end. An item that its frames cannot hold, since a phoneme twice in
    a row takes a blank between, adds nothing to the sum. Raises ValueError where L, padding
    included, is more than F.
    """
    lengths = (ids != BLANK).sum(1)
    frames = log_probabilities.shape[1]
    if ids.shape[1] > frames:
        raise ValueError(f"{ids.shape[1]} phonemes cannot lie in {frames} frames: cut the lyrics.")
    total = F.ctc_loss(
        log_probabilities.transpose(0, 1),  # [F, B, V]
        ids,
        torch.full_like(lengths, frames),
        lengths,
        blank=BLANK,
        reduction="sum",
        zero_infinity=True,
    )
    return total / lengths.sum().clamp(min=1)


def merged(best: Tensor) -> list[list[int]]:
    """Frames [B, F] with runs of one number joined and blanks left out, as CTC reads them."""
    rows = []
    for row in best.tolist():
        changes = [now for before, now in zip([BLANK, *row], row, strict=False) if now != before]
        rows.append([number for number in changes if number != BLANK])
    return rows
