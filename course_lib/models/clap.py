"""CLAP: audio and text in one space, where what belongs together lies close.

Elizalde et al. 2022 (CLAP); Wu et al. 2023 (LAION-CLAP), section 3; the towers are as small as the
songbook. Taught in notebook 13.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.audio import LogMel
from course_lib.audio.checks import check_second
from course_lib.audio.levels import to_one_level
from course_lib.models.text_tower import TextTower, TextTowerConfig
from course_lib.nets import Transformer, TransformerConfig

SHORTEST = 1.0  # seconds
LARGEST = math.log(100)  # of the scale's logarithm (LAION-CLAP's training/train.py)


@dataclass(frozen=True)
class AudioTowerConfig:
    """channels: of the convolutions, each of which halves time and frequency.

    width, layers, heads: of the Transformer above them; no layers leave a CNN. segment: the seconds
    that are heard at once.
    """

    sample_rate: int = 16000
    mels: int = 80
    channels: tuple[int, ...] = (24, 48, 96)
    width: int = 128
    layers: int = 3
    heads: int = 4
    segment: float = 5.0
    dropout: float = 0.0

    def __post_init__(self):
        if not SHORTEST <= self.segment < math.inf:
            raise ValueError(
                f"segment={self.segment} must be finite and at least {SHORTEST:g} second."
            )
        if self.width < 1:
            raise ValueError(f"width={self.width} must be at least 1.")
        if not self.channels or any(c % 8 or c < 8 for c in self.channels):
            raise ValueError(f"channels={self.channels} must be multiples of 8, at least one.")


@dataclass(frozen=True)
class CLAPConfig:
    """The two towers, and the width E of the space that they share."""

    audio: AudioTowerConfig = field(default_factory=AudioTowerConfig)
    text: TextTowerConfig = field(default_factory=TextTowerConfig)
    embedding: int = 128
    temperature: float = 0.07  # at the start of training

    def __post_init__(self):
        if self.embedding < 1:
            raise ValueError(f"embedding={self.embedding} must be at least 1.")
        if not 0.01 <= self.temperature <= 1:
            raise ValueError(
                f"temperature={self.temperature} must be from 0.01 to 1, within which training "
                "keeps it."
            )


class AudioTower(nn.Module):
    """A segment of sound, as a spectrogram [B, mels, S], to one vector [B, D].

    A log-mel spectrogram, convolutions that halve it in time and frequency, and a Transformer over
    what is left of time: a small relative of CNN14 with AST or HTSAT on top. The vector is mean
    and spread of its states over time. Gain changes nothing above -80 dBFS. Taught in notebook 13.
    """

    def __init__(self, config: AudioTowerConfig):
        super().__init__()
        self.config = c = config
        self.mel = LogMel(c.sample_rate, n_fft=1024, hop=256, n_mels=c.mels)
        self.convolutions = nn.Sequential()
        bands = c.mels
        for before, after in zip((1, *c.channels), c.channels, strict=False):
            convolution = nn.Conv2d(before, after, 3, stride=2, padding=1)
            self.convolutions.extend([convolution, nn.GroupNorm(8, after), nn.GELU()])
            bands = (bands + 1) // 2
        self.mix = nn.Linear(c.channels[-1] * bands, c.width)
        self.transformer = None
        if c.layers:
            self.transformer = Transformer(
                TransformerConfig(c.width, c.layers, c.heads, causal=False, dropout=c.dropout)
            )

    @property
    def dims(self) -> int:
        """D, the numbers of the vector."""
        return 2 * self.config.width

    def spectrogram(self, audio: Tensor) -> Tensor:
        """What the network sees of audio [B, 1, T]: [B, mels, F], roughly from -2 to 2.

        Raises TypeError or ValueError for what is no mono audio, or shorter than a second.
        """
        check_second(audio, self.config.sample_rate, "CLAP")
        return (self.mel(to_one_level(audio)) + 5) / 3

    def segments(self, spectrogram: Tensor) -> list[Tensor]:
        """Parts [B, mels, S] of a spectrogram [B, mels, F]: as few as cover it, evenly spread."""
        frames, length = spectrogram.shape[-1], min(self.frames, spectrogram.shape[-1])
        return [spectrogram[..., start : start + length] for start in covering(frames, length)]

    @property
    def frames(self) -> int:
        """Of a segment's spectrogram."""
        return 1 + round(self.config.segment * self.config.sample_rate) // self.mel.hop

    def forward(self, spectrogram: Tensor) -> Tensor:
        """One segment's spectrogram [B, mels, S] -> its vector [B, D]."""
        return self.summary(self.convolutions(spectrogram[:, None]))

    def summary(self, maps: Tensor) -> Tensor:
        """What the convolutions made, [B, C, bands, frames] -> the vector [B, D]."""
        states = self.mix(maps.flatten(1, 2).transpose(1, 2))  # [B, frames, width]
        states = F.gelu(states) if self.transformer is None else self.transformer(states)
        spread = states.var(1, correction=0).clamp(min=1e-6).sqrt()
        return torch.cat([states.mean(1), spread], dim=-1)


class CLAP(nn.Module):
    """Two towers, two projections, one scale.

    Vectors of clips and sentences have length 1, so that their product is the cosine between them.
    Nothing is left to chance: the same sound always has the same vector. Taught in notebook 13.
    """

    def __init__(self, config: CLAPConfig):
        super().__init__()
        self.config = c = config
        self.audio, self.text = AudioTower(c.audio), TextTower(c.text)
        self.audio_projection = projection(self.audio.dims, c.embedding)
        self.text_projection = projection(c.text.width, c.embedding)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(c.temperature)))

    @property
    def scale(self) -> Tensor:
        """1 / temperature, from 1 to 100, by which cosines are multiplied in the loss.

        It is the parameter itself that is kept within its bounds: a clamp on the way would let it
        wander off and leave it without a gradient.
        """
        with torch.no_grad():
            self.log_scale.clamp_(0, LARGEST)
        return self.log_scale.exp()

    def embed_audio(self, audio: Tensor) -> Tensor:
        """Unit vectors [B, E] of audio [B, 1, T], T of at least a second.

        What is longer than `config.audio.segment` is heard in segments that cover it evenly, and
        the mean of their vectors is brought to length 1. Raises TypeError or ValueError for other
        shapes and dtypes.
        """
        parts = self.audio.segments(self.audio.spectrogram(audio))
        return F.normalize(sum(self.embed_spectrogram(part) for part in parts), dim=-1)

    def embed_spectrogram(self, spectrogram: Tensor) -> Tensor:
        """Unit vectors [B, E] of one segment's spectrogram [B, mels, S]."""
        return F.normalize(self.audio_projection(self.audio(spectrogram)), dim=-1)

    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors [B, E] of texts. Raises as TextTower.encode does."""
        return self.embed_ids(*self.text.encode(texts))

    def embed_ids(self, ids: Tensor, valid: Tensor) -> Tensor:
        """Unit vectors [B, E] of texts that are ids already, as TextTower takes them."""
        return F.normalize(self.text_projection(self.text(ids, valid).pooled), dim=-1)


def covering(whole: int, part: int) -> list[int]:
    """Where as few parts as cover a whole begin, evenly spread from its start to its end.

    >>> covering(10, 4)
    [0, 3, 6]
    """
    count = -(-whole // part)
    return [(whole - part) * i // max(count - 1, 1) for i in range(count)]


def projection(dims: int, embedding: int) -> nn.Sequential:
    """From a tower's vector to the shared space: two layers, as in LAION-CLAP."""
    return nn.Sequential(nn.Linear(dims, embedding), nn.ReLU(), nn.Linear(embedding, embedding))
