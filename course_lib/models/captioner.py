"""A captioner: hears a clip and writes about it, in the manner it is asked for.

Log-mel spectrogram -> convolutions -> Transformer, whose states a second Transformer reads while it
writes word after word: BART's shape, as in LP-MusicCaps (Doh et al. 2023, section 4), a hundredth
of its size. What is learnt from are pseudo captions: sentences that another program made of tags.
Taught in notebook 13b.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.audio import LogMel
from course_lib.audio.checks import check_second
from course_lib.audio.levels import to_one_level
from course_lib.nets import (
    LanguageModel,
    LanguageModelConfig,
    Transformer,
    TransformerConfig,
    generate,
)
from course_lib.songbook.captions import MANNERS
from course_lib.text import PADDING, WordTokenizer
from course_lib.text.tokenizer import SPECIAL

HOP, BANDS = 512, 64  # of the spectrogram
STRIDES = ((2, 2), (2, 2), (2, 1))  # of the convolutions, in bands and frames
SMOOTHING = 0.1  # of the words to be written
IGNORED = -100  # stands where no word is learnt


@dataclass(frozen=True)
class CaptionerConfig:
    """words: the vocabulary, as WordTokenizer takes it; manners: what can be asked for.

    longest: tokens of a caption, its end counted; channels: of the convolutions.
    """

    words: tuple[str, ...]
    manners: tuple[str, ...] = MANNERS
    longest: int = 72
    sample_rate: int = 16000
    channels: tuple[int, ...] = (16, 32, 56)
    width: int = 96
    heads: int = 4
    listening_layers: int = 2
    writing_layers: int = 2
    dropout: float = 0.1

    def __post_init__(self):
        fits = len(self.channels) == len(STRIDES) and all(c % 8 == 0 < c for c in self.channels)
        if not self.manners or self.longest < 1 or not fits:
            raise ValueError(
                f"There must be manners ({len(self.manners)}), longest={self.longest} must be "
                f"positive, and channels={self.channels} be {len(STRIDES)} multiples of 8."
            )


class Captioner(nn.Module):
    """Audio [B, 1, T] of at least a second to texts, or p(words | audio, manner).

    A caption is int64 [B, L] ids of `tokenizer`, without its start, 0 after its last word: the
    first 0 is its end and is learnt, the others are not. Gain changes nothing above -80 dBFS.
    Raises TypeError or ValueError for audio of other shapes and dtypes. Taught in notebook 13b.
    """

    def __init__(self, config: CaptionerConfig):
        super().__init__()
        self.config = c = config
        self.tokenizer = WordTokenizer(c.words)
        self.mel = LogMel(c.sample_rate, n_fft=1024, hop=HOP, n_mels=BANDS)
        channels = (1, *c.channels)
        self.convolutions = nn.Sequential(
            *[
                nn.Sequential(nn.Conv2d(a, b, 3, stride, 1), nn.GroupNorm(8, b), nn.GELU())
                for a, b, stride in zip(channels, channels[1:], STRIDES, strict=False)
            ]
        )
        self.first = nn.Linear(channels[-1] * BANDS // 2 ** len(STRIDES), c.width)
        self.listener = Transformer(
            TransformerConfig(c.width, c.listening_layers, c.heads, causal=False, dropout=c.dropout)
        )
        self.manner = nn.Embedding(len(c.manners), c.width)
        self.writer = LanguageModel(
            LanguageModelConfig(
                entries=len(self.tokenizer),
                width=c.width,
                layers=c.writing_layers,
                heads=c.heads,
                memory_width=c.width,
                dropout=c.dropout,
            )
        )

    def spectrogram(self, audio: Tensor) -> Tensor:
        """The log-mel spectrogram [B, 64, F'] of audio at one loudness, F' = 1 + T // 512."""
        check_second(audio, self.config.sample_rate, "the captioner")
        return self.mel(to_one_level(audio))

    def listen(self, log_mel: Tensor) -> Tensor:
        """What is heard in spectrograms [B, 64, F']: a memory [B, F, D], F = ceil(F' / 4)."""
        x = self.convolutions((log_mel[:, None] + 5) / 3)  # [B, C, 8, F]
        return self.listener(self.first(x.flatten(1, 2).transpose(1, 2)))

    def forward(self, log_mel: Tensor, captions: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits [B, L, V] of each word of captions [B, L], after those before it, by manner.

        log_mel [B, 64, F'] from `spectrogram`, heard once. Raises ValueError for an unknown manner
        and for no captions.
        """
        if not captions:
            raise ValueError("There are no captions: give those of at least one manner.")
        memory = self.listen(log_mel)
        return {
            manner: self.writer(
                words[:, None], memory, condition=self._asked(manner, *words.shape)
            )[:, 0]
            for manner, words in captions.items()
        }

    def loss(self, log_mel: Tensor, captions: Mapping[str, Tensor]) -> Tensor:
        """Cross-entropy in nats per word with label smoothing 0.1, of what `forward` takes."""
        logits = self(log_mel, captions)
        flat = torch.cat([logits[manner].flatten(0, 1) for manner in captions]).float()
        known = [words.masked_fill(after_end(words), IGNORED) for words in captions.values()]
        return F.cross_entropy(
            flat,
            torch.cat([words.flatten() for words in known]),
            ignore_index=IGNORED,
            label_smoothing=SMOOTHING,
        )

    def _asked(self, manner: str, items: int, length: int) -> Tensor:
        """The manner as a condition [B, L, D] of every word."""
        if manner not in self.config.manners:
            known = ", ".join(self.config.manners)
            raise ValueError(f"manner={manner!r}: choose one of {known}.")
        asked = self.manner.weight[self.config.manners.index(manner)]
        return asked.expand(items, length, -1)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Captions int64 [B, `config.longest`] of texts; what is longer is cut off."""
        ids, _ = self.tokenizer.encode(texts, self.config.longest)
        return F.pad(ids[:, 1:], (0, self.config.longest + 1 - ids.shape[1]))

    def decode(self, words: Tensor) -> list[str]:
        """Texts of captions [B, L], up to the end of each, written as people would."""
        rows = words.masked_fill(after_end(words), PADDING).tolist()
        return [written([self._word(i) for i in row if i != PADDING]) for row in rows]

    def _word(self, i: int) -> str:
        return "?" if i < SPECIAL else self.tokenizer.words[i - SPECIAL]

    def write(
        self,
        audio: Tensor,
        manner: str = "description",
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> list[str]:
        """A text about each clip of audio [B, 1, T] at `config.sample_rate`.

        temperature 0 takes the likeliest word each time; above, words are drawn with `generator`.
        Raises ValueError for an unknown manner. Taught in notebook 13b.
        """
        return self.describe(self.spectrogram(audio), manner, temperature, generator)

    @torch.no_grad()
    def describe(
        self,
        log_mel: Tensor,
        manner: str = "description",
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> list[str]:
        """As `write`, of spectrograms [B, 64, F']."""
        longest = self.config.longest
        condition = self._asked(manner, len(log_mel), longest)
        training = self.training
        self.eval()
        try:
            words = generate(
                self.writer,
                longest,
                memory=self.listen(log_mel),
                temperature=temperature,
                generator=generator,
                condition=condition,
            )
        finally:
            self.train(training)
        return self.decode(words[:, 0])


def after_end(words: Tensor) -> Tensor:
    """Where captions [B, L] are already over: bool, False up to and at the first 0."""
    ends = words == PADDING
    return ends.cumsum(1) - ends.long() > 0


def written(words: Sequence[str]) -> str:
    """Tokens as a text: digits joined, signs where they belong, sentences and keys in capitals.

    >>> written(["a", "lo", "-", "fi", "track", "in", "c", "#", "minor", ",", "8", "7", "bpm", "."])
    'A lo-fi track in C# minor, 87 bpm.'
    """
    text = " ".join(words)
    text = re.sub(r"(?<=\d) (?=\d)| (?=[.,:#])| ?([-/]) ?", r"\1", text)
    key = r"\b([a-g])(#|b)?(?= (?:major|minor|dorian|mixolydian)\b(?! key))"
    text = re.sub(key, lambda m: m[0].capitalize(), text).replace("french", "French")
    return re.sub(r"(^|\. )([a-z])", lambda m: m[1] + m[2].upper(), text)
