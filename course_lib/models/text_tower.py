"""The text tower: a sentence as a sequence of states, and as one vector.

The part that BERT or RoBERTa plays in CLAP (Wu et al. 2023, section 3.1) and T5 in MusicGen (Copet
et al. 2023, section 2.3), at the size of the songbook's language. Taught in notebook 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from torch import Tensor, nn

from course_lib.nets import Transformer, TransformerConfig
from course_lib.text import PADDING, WordTokenizer


@dataclass(frozen=True)
class TextTowerConfig:
    """words: the vocabulary (see WordTokenizer); width M; longest: in tokens, the start counted."""

    words: tuple[str, ...] = ()
    width: int = 128
    layers: int = 2
    heads: int = 4
    longest: int = 96
    dropout: float = 0.0

    def __post_init__(self):
        if self.longest < 1:
            raise ValueError(f"longest={self.longest} must be at least 1, for the start.")

    @cached_property
    def tokenizer(self) -> WordTokenizer:
        """What turns texts into this tower's ids."""
        return WordTokenizer(self.words)


class TextStates(NamedTuple):
    """states [B, L, M] of the tokens; valid bool [B, L], False for padding; pooled [B, M]."""

    states: Tensor
    valid: Tensor
    pooled: Tensor


class TextTower(nn.Module):
    """Ids int64 [B, L] -> states of all tokens [B, L, M] and of the sentence [B, M].

    Tokens see each other both ways; the sentence's state is that of its start, as in BERT (Devlin
    et al. 2019). What stands in padding changes nothing. Taught in notebook 13.
    """

    def __init__(self, config: TextTowerConfig):
        super().__init__()
        self.config = c = config
        self.embedding = nn.Embedding(len(c.tokenizer), c.width, padding_idx=PADDING)
        self.transformer = Transformer(
            TransformerConfig(c.width, c.layers, c.heads, causal=False, dropout=c.dropout)
        )

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids int64 [B, L] of texts and which are valid, bool [B, L], on this tower's device.

        A text of more than `config.longest` tokens is cut there; an empty one is its start alone.
        Raises as WordTokenizer.encode does.
        """
        ids, valid = self.config.tokenizer.encode(texts, self.config.longest)
        device = self.embedding.weight.device
        return ids.to(device), valid.to(device)

    def forward(self, ids: Tensor, valid: Tensor) -> TextStates:
        """Raises ValueError for ids and valid that do not fit each other."""
        states = self.transformer(self.embedding(ids), valid=valid)
        return TextStates(states, valid, states[:, 0])

    def read(self, texts: Sequence[str]) -> TextStates:
        """The states of texts. Raises as `encode` does."""
        return self(*self.encode(texts))
