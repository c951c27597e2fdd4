"""Jukebox's upsamplers: the codes of a level, given those of the level above.

Dhariwal et al. 2020 (Jukebox), section 4.1. Taught in notebook 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from course_lib.models.jukebox_labels import (
    JukeboxLabels,
    JukeboxLabelsConfig,
    JukeboxTiming,
    LabelConditioner,
    label,
)
from course_lib.models.jukebox_sampling import check_window, sample_windows
from course_lib.nets import LanguageModel, LanguageModelConfig
from course_lib.nets.dilated_stack import DilatedDecoder
from course_lib.nets.language_model import as_embeddings
from course_lib.quantize.checks import check_codes

if TYPE_CHECKING:
    from course_lib.songbook import Attributes


@dataclass(frozen=True)
class JukeboxUpsamplersConfig:
    """Of both upsamplers: entries V of every level's codebook, `context` in codes, sizes.

    rates: codes a second of the top, middle and bottom levels; each is a whole multiple of the one
    before. condition_width, condition_depth: of the dilated convolutions that read the level above.
    """

    labels: JukeboxLabelsConfig = field(default_factory=JukeboxLabelsConfig)
    entries: int = 512
    rates: tuple[float, ...] = (125.0, 500.0, 2000.0)
    context: int = 512
    width: int = 128
    layers: int = 4
    heads: int = 4
    condition_width: int = 64
    condition_depth: int = 4

    def __post_init__(self):
        positive = min(self.rates, default=0) > 0
        ratios = [b / a for a, b in zip(self.rates, self.rates[1:], strict=False) if positive]
        if len(ratios) != 2 or any(r % 2 or self.context % r for r in ratios):
            raise ValueError(
                f"rates={self.rates} must be three, positive, each an even multiple of the one "
                f"before that divides context={self.context}."
            )
        if self.entries < 1:
            raise ValueError(f"entries={self.entries} must be at least 1.")


class JukeboxUpsampler(nn.Module):
    """p(codes [B, 1, F] | codes of the level above [B, 1, F / ratio], labels, timing).

    The codes above come in through dilated convolutions that see them from both sides and spread
    each over `ratio` frames. Lyrics do not come in: what is sung is in the codes above (the
    lecture's slide draws them here too; the published code has them in the top prior alone). Made
    by `JukeboxUpsamplers`. Taught in notebook 10.
    """

    def __init__(self, config: JukeboxUpsamplersConfig, level: int):
        super().__init__()
        c = config
        self.rate, self.context = c.rates[level], c.context
        self.ratio = int(c.rates[level] / c.rates[level - 1])
        self.above = nn.Embedding(c.entries, c.condition_width)
        self.spread = DilatedDecoder(
            c.width, c.condition_width, c.condition_width, (self.ratio,), c.condition_depth
        )
        self.norm = nn.LayerNorm(c.width)
        self.conditioner = LabelConditioner(c.labels, c.width)
        self.lm = LanguageModel(
            LanguageModelConfig(entries=c.entries, width=c.width, layers=c.layers, heads=c.heads)
        )

    def forward(self, codes: Tensor, above: Tensor, labels: JukeboxLabels, timing: JukeboxTiming):
        """Logits [B, 1, F, V] of a window of codes [B, 1, F], F at most the context.

        above int64 [B, 1, F / ratio]: the codes above of the same window. Raises TypeError where
        they are not int64, ValueError for windows that are too long or do not belong together.
        """
        return self.lm(codes, condition=self._known(codes, above, labels, timing))

    def loss(
        self, codes: Tensor, above: Tensor, labels: JukeboxLabels, timing: JukeboxTiming
    ) -> Tensor:
        """Cross-entropy in nats per code, of what `forward` takes."""
        return self.lm.loss(codes, condition=self._known(codes, above, labels, timing))

    def _known(self, codes, above, labels, timing) -> Tensor:
        check_window(codes, self.context)
        if above.dtype != torch.int64:
            raise TypeError(f"The codes above must be int64, not {above.dtype}.")
        if above.ndim != 3 or above.shape[:2] != (len(codes), 1):
            raise ValueError(
                f"The codes above have shape {list(above.shape)}; expected [{len(codes)}, 1, "
                f"{codes.shape[-1] // self.ratio}]."
            )
        if above.shape[-1] * self.ratio != codes.shape[-1]:
            raise ValueError(
                f"{above.shape[-1]} codes above belong to {above.shape[-1] * self.ratio} codes, "
                f"not {codes.shape[-1]}."
            )
        return self.condition(above, labels, timing)

    def condition(self, above: Tensor, labels: JukeboxLabels, timing: JukeboxTiming) -> Tensor:
        """What the language model is told of each frame, [B, F, D]."""
        x = self.spread(self.above(above[:, 0]).transpose(1, 2))  # [B, D, F]
        frames = x.shape[-1]
        return self.norm(x.transpose(1, 2)) + self.conditioner(labels, timing, frames, self.rate)

    @torch.no_grad()
    def start_from(self, codebook: Tensor, above: Tensor) -> None:
        """Begin with the codebooks [V, d] of this level and the one above as embeddings.

        Raises ValueError for other shapes.
        """
        if above.shape[:-1] != (self.above.num_embeddings,):
            raise ValueError(
                f"The codebook above has shape {list(above.shape)}; expected "
                f"[{self.above.num_embeddings}, d]."
            )
        self.lm.start_from(codebook[None])
        self.above.weight.copy_(as_embeddings(above, self.above.embedding_dim))

    @torch.no_grad()
    def sample(
        self,
        above: Tensor,
        labels: JukeboxLabels,
        prompt: Tensor | None = None,
        hop_fraction: float = 0.5,
        temperature: float = 0.99,
        top_k: int | None = None,
        top_p: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Codes int64 [B, 1, F * ratio] of this level for codes [B, 1, F] of the level above.

        A prompt [B, 1, P] of this level's codes is kept and continued. Windows as in
        `JukeboxTop.sample`. Raises TypeError and ValueError for codes that do not fit, a hop
        outside (0, 1] and a prompt that leaves nothing to sample.
        """
        check_codes(above, self.above.num_embeddings)
        batch, frames = len(above), above.shape[-1] * self.ratio
        if len(labels.style) != batch:
            raise ValueError(f"There are labels of {len(labels.style)} pieces for {batch}.")
        total = torch.zeros_like(labels.style, dtype=torch.float32) + frames / self.rate  # [B]

        def inputs(start: int, length: int) -> dict[str, Tensor]:
            part = above[..., start // self.ratio : (start + length) // self.ratio]
            timing = JukeboxTiming(torch.full_like(total, start / self.rate), total)
            return {"condition": self.condition(part, labels, timing)}

        return sample_windows(
            self.lm,
            frames,
            self.context,
            hop_fraction,
            inputs,
            batch=batch,
            prompt=prompt,
            multiple=self.ratio,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            generator=generator,
        )


class JukeboxUpsamplers(nn.Module):
    """The two upsamplers: `middle` reads the top level's codes, `bottom` the middle level's.

    Taught in notebook 10.
    """

    def __init__(self, config: JukeboxUpsamplersConfig):
        super().__init__()
        self.config = config
        self.middle = JukeboxUpsampler(config, 1)
        self.bottom = JukeboxUpsampler(config, 2)

    def labels(self, pieces: "Sequence[Attributes | None]") -> JukeboxLabels:
        """Labels of pieces by their attributes, None for one of which nothing is known.

        Raises ValueError for an unknown style.
        """
        device = self.middle.norm.weight.device
        return label(self.config.labels, pieces, device)
