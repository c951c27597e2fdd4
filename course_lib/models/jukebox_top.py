"""Jukebox's top prior: the coarsest codes of a piece, given labels, timing and lyrics.

Dhariwal et al. 2020 (Jukebox), sections 4 and 5. Taught in notebook 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from course_lib.models.jukebox_labels import (
    DIMS,
    JukeboxLabels,
    JukeboxLabelsConfig,
    JukeboxTiming,
    LabelConditioner,
    label,
)
from course_lib.models.jukebox_sampling import check_window, sample_windows
from course_lib.nets import LanguageModel, LanguageModelConfig, Transformer, TransformerConfig

if TYPE_CHECKING:
    from course_lib.songbook import Attributes


@dataclass(frozen=True)
class JukeboxTopConfig:
    """entries V of the top level's codebook, `rate` of its codes a second, `context` in codes.

    phonemes: how many there are; lyrics are numbers from 1 to that. lyrics_width, lyrics_layers: of
    the Transformer that reads them. memory_every: cross-attention stands in each such layer,
    counted from the last.
    """

    labels: JukeboxLabelsConfig = field(default_factory=JukeboxLabelsConfig)
    entries: int = 512
    rate: float = 125.0
    context: int = 512
    width: int = 128
    layers: int = 5
    heads: int = 4
    memory_every: int = 2
    phonemes: int = 16
    lyrics_width: int = 64
    lyrics_layers: int = 2

    def __post_init__(self):
        if min(self.entries, self.context, self.phonemes) < 1 or not self.rate > 0:
            raise ValueError(
                f"entries={self.entries}, context={self.context} and phonemes={self.phonemes} must "
                f"be at least 1, rate={self.rate} positive."
            )


def linear_alignment(phonemes: Tensor, total: Tensor) -> Tensor:
    """Seconds [B, L] at which phonemes [B, L] would stand if all lasted equally long.

    phonemes int64, 0 for padding, at the end; total [B] seconds of the pieces.
    """
    count = (phonemes > 0).sum(1, keepdim=True).clamp(min=1)
    order = torch.arange(phonemes.shape[1], device=phonemes.device) + 0.5
    return total[:, None] * (order / count).clamp(max=1)


class LyricsEncoder(nn.Module):
    """Phonemes int64 [B, L], 0 for padding -> memory [B, 1 + L, M] and which of it is valid.

    The memory begins with a token that means "nothing", which is all there is without lyrics. A
    phoneme also says where in the piece it would stand if all lasted equally long: Jukebox's linear
    alignment, which there chooses the lyrics that are read at all.
    """

    def __init__(self, phonemes: int, width: int, layers: int):
        super().__init__()
        self.phonemes = phonemes
        self.embedding = nn.Embedding(phonemes + 1, width)
        self.place = nn.Linear(3 * DIMS, width)
        self.transformer = Transformer(TransformerConfig(width, layers, heads=2, causal=False))

    def forward(self, phonemes: Tensor, total: Tensor, where) -> tuple[Tensor, Tensor]:
        """`where` is LabelConditioner.where."""
        sung = phonemes > 0
        x = self.embedding(phonemes) + self.place(where(linear_alignment(phonemes, total), total))
        nothing = self.embedding.weight[0].expand(len(phonemes), 1, -1)
        valid = torch.cat([torch.ones_like(sung[:, :1]), sung], 1)
        return self.transformer(torch.cat([nothing, x], 1), valid=valid), valid


class JukeboxTop(nn.Module):
    """p(top codes [B, 1, F] | labels, timing, lyrics), F up to `config.context` at once.

    Unlike Jukebox's, the lyrics' encoder has no loss of its own, all lyrics of a piece are read,
    and attention to the past is full. Taught in notebook 10.
    """

    def __init__(self, config: JukeboxTopConfig):
        super().__init__()
        self.config = c = config
        self.conditioner = LabelConditioner(c.labels, c.width)
        self.lyrics = LyricsEncoder(c.phonemes, c.lyrics_width, c.lyrics_layers)
        self.lm = LanguageModel(
            LanguageModelConfig(
                entries=c.entries,
                width=c.width,
                layers=c.layers,
                heads=c.heads,
                memory_width=c.lyrics_width,
                memory_every=c.memory_every,
            )
        )

    def labels(self, pieces: "Sequence[Attributes | None]") -> JukeboxLabels:
        """Labels of pieces by their attributes, None for one of which nothing is known.

        Raises ValueError for an unknown style.
        """
        return label(self.config.labels, pieces, self.lm.embedding.weight.device)

    def forward(
        self,
        codes: Tensor,
        labels: JukeboxLabels,
        timing: JukeboxTiming,
        phonemes: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, 1, F, V] of a window of codes [B, 1, F].

        phonemes int64 [B, L], those of the whole piece, 0 for padding; None for no lyrics. Raises
        ValueError for more frames than `config.context`, TypeError and ValueError for codes and
        phonemes that do not fit; whether phonemes are known is not looked at, since looking would
        read from the device.
        """
        return self.lm(codes, **self._known(codes, labels, timing, phonemes))

    def loss(
        self,
        codes: Tensor,
        labels: JukeboxLabels,
        timing: JukeboxTiming,
        phonemes: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy in nats per code, of what `forward` takes."""
        return self.lm.loss(codes, **self._known(codes, labels, timing, phonemes))

    def _known(self, codes, labels, timing, phonemes) -> dict[str, Tensor]:
        check_window(codes, self.config.context)
        return self._inputs(codes.shape[-1], labels, timing, phonemes)

    def _inputs(self, frames: int, labels, timing, phonemes) -> dict[str, Tensor]:
        """What the language model takes beside the codes of a window."""
        if phonemes is None:
            phonemes = labels.style.new_zeros(len(labels.style), 1)
        condition = self.conditioner(labels, timing, frames, self.config.rate)
        _check_shape(phonemes, len(labels.style))
        memory, valid = self.lyrics(phonemes, timing.total, self.conditioner.where)
        return {"memory": memory, "memory_valid": valid, "condition": condition}

    @torch.no_grad()
    def sample(
        self,
        frames: int,
        labels: JukeboxLabels,
        phonemes: Tensor | None = None,
        prompt: Tensor | None = None,
        hop_fraction: float = 0.125,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Top codes int64 [B, 1, frames] of pieces with these labels [B] and lyrics [B, L].

        A prompt [B, 1, P], the codes of real audio say, is continued. Pieces longer than the
        context are sampled window by window, each beginning `hop_fraction` of a context after the
        one before, whose codes it sees. Raises ValueError for unknown phonemes, a hop outside
        (0, 1], and a prompt that leaves nothing to sample; TypeError for phonemes that are not
        int64.
        """
        if phonemes is not None:
            self.check_phonemes(phonemes, len(labels.style))
        total = torch.zeros_like(labels.style, dtype=torch.float32) + frames / self.config.rate

        def inputs(start: int, length: int) -> dict[str, Tensor]:
            timing = JukeboxTiming(torch.full_like(total, start / self.config.rate), total)
            return self._inputs(length, labels, timing, phonemes)

        return sample_windows(
            self.lm,
            frames,
            self.config.context,
            hop_fraction,
            inputs,
            batch=len(labels.style),
            prompt=prompt,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            generator=generator,
        )

    def attending(
        self, codes: Tensor, labels: JukeboxLabels, timing: JukeboxTiming, phonemes: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The logits, and how much each frame reads each phoneme: [N, B, H, F, L].

        N layers read, with H heads. What is missing to 1 goes to the token that means "nothing".
        Arguments as in `forward`.
        """
        found = []

        def look(module, arguments) -> None:
            found.append(module.weights(*arguments)[..., 1:])

        blocks = [block for block in self.lm.transformer.blocks if block.reads]
        hooks = [block.cross.register_forward_pre_hook(look) for block in blocks]
        try:
            logits = self(codes, labels, timing, phonemes)
        finally:
            for hook in hooks:
                hook.remove()
        return logits, torch.stack(found)

    def check_phonemes(self, phonemes: Tensor, batch: int) -> None:
        """Raise TypeError or ValueError, in words, unless phonemes are int64 [batch, L], known."""
        _check_shape(phonemes, batch)
        low, high = phonemes.min().item(), phonemes.max().item()
        if low < 0 or high > self.config.phonemes:
            raise ValueError(
                f"Phonemes run from {low} to {high}; the model knows 1 to {self.config.phonemes}, "
                "and 0 for padding."
            )
        if ((phonemes[:, 1:] > 0) & (phonemes[:, :-1] == 0)).any():
            raise ValueError("Phonemes follow padding (0) in a row: put all padding at the end.")


def _check_shape(phonemes: Tensor, batch: int) -> None:
    if phonemes.dtype != torch.int64:
        raise TypeError(f"Phonemes must be int64, not {phonemes.dtype}: use phoneme_ids(text).")
    if phonemes.ndim != 2 or len(phonemes) != batch or phonemes.shape[1] == 0:
        raise ValueError(
            f"Phonemes have shape {list(phonemes.shape)}; expected [{batch}, L], a row for "
            "each piece."
        )
