"""MusicGen's language model: codes of K codebooks in one Transformer, given a text and a melody.

Copet et al. 2023 (MusicGen), section 2. Taught in notebook 15.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.asking import check_guidance, texts_of
from course_lib.models.text_tower import TextTower, TextTowerConfig
from course_lib.nets import LanguageModel, LanguageModelConfig, sample
from course_lib.nets.evaluating import evaluating
from course_lib.nets.guided_steps import GuidedSteps
from course_lib.nets.interleaving import Pattern, deinterleave, delay, interleave
from course_lib.quantize.checks import check_codes

UNKNOWN = -1  # stands where a code is still to be written


@dataclass(frozen=True)
class MusicGenLMConfig:
    """The default is the course's own model, on the first four codebooks of its codec.

    text: the tower that reads prompts, or None where their states of `text_width` numbers come
    from elsewhere (T5, in interop). pattern: in which step each code is written. context: frames
    that it is trained on at once, `frame_rate` of them a second. melody: whether it can be given
    one. channels: 2 where odd codebooks are those of the left channel, even ones of the right.
    """

    text: TextTowerConfig | None = field(default_factory=TextTowerConfig)
    text_width: int | None = None
    entries: int = 1024
    pattern: Pattern = delay(4)
    context: int = 200
    frame_rate: float = 50.0
    width: int = 192
    layers: int = 6
    heads: int = 4
    hidden: int | None = None
    dropout: float = 0.0
    melody: bool = True
    channels: int = 1

    def __post_init__(self):
        if (self.text is None) == (self.text_width is None):
            raise ValueError(
                f"text={self.text} and text_width={self.text_width}: give one of them, a tower or "
                "the width of the states that come from elsewhere."
            )
        if min(self.entries, self.context) < 1 or not self.frame_rate > 0:
            raise ValueError(
                f"entries={self.entries} and context={self.context} must be at least 1, "
                f"frame_rate={self.frame_rate} positive."
            )
        if self.channels not in (1, 2) or self.codebooks % self.channels:
            raise ValueError(
                f"channels={self.channels} must be 1 or 2, and divide {self.codebooks} codebooks."
            )

    @property
    def codebooks(self) -> int:
        """K."""
        return self.pattern.codebooks


class Reading(NamedTuple):
    """What cross-attention reads: memory [B, L, D]; valid bool [B, L], False for padding.

    The memory of what is not valid is 0; an item of which nothing is valid asks for nothing.
    """

    memory: Tensor
    valid: Tensor

    def where(self, kept: Tensor) -> "Reading":
        """The same where `kept` bool [B], and nothing in other items."""
        valid = self.valid & kept[:, None]
        return Reading(self.memory * valid[..., None], valid)


class MusicGenLM(nn.Module):
    """p(codes [B, K, F] | text, melody): one Transformer over the steps of a pattern.

    Each step's input is the sum of K embeddings, its output K distributions; cross-attention reads
    the text in every layer. Nothing to read is a memory of zeros: without biases its values are
    zeros too, and cross-attention adds nothing. The melody is added to the inputs frame by frame,
    which tells the model at once what it would have to learn from a prefix, as in the paper: which
    place of the melody sounds when. Taught in notebook 15.
    """

    def __init__(self, config: MusicGenLMConfig):
        super().__init__()
        self.config = c = config
        self.text = None if c.text is None else TextTower(c.text)
        text_width = c.text_width if c.text is None else c.text.width
        same = text_width == c.width  # as in transformers, nothing is projected then
        self.project = nn.Identity() if same else nn.Linear(text_width, c.width)
        self.melody = nn.Linear(12, c.width, bias=False) if c.melody else None
        self.lm = LanguageModel(
            LanguageModelConfig(
                entries=c.entries,
                codebooks=c.codebooks,
                width=c.width,
                layers=c.layers,
                heads=c.heads,
                positions="cosines_first",
                memory_width=c.width,
                dropout=c.dropout,
                block="musicgen",
                hidden=c.hidden,
            )
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.lm.embedding.weight.device

    def read(self, prompts: Sequence[str | None]) -> Reading:
        """What prompts ask for; None and blank ones ask for nothing.

        A prompt longer than the tower reads is cut there. Raises TypeError for what is no list of
        texts, ValueError for none, and where no text encoder is there.
        """
        texts, asks = texts_of(prompts)
        if self.text is None:
            raise ValueError(
                "This model has no text encoder of its own: give `text` one, or use `reading` with "
                "the states that you have."
            )
        states, valid, *_ = self.text.read(texts)
        return self.reading(states, valid & torch.tensor(asks, device=valid.device)[:, None])

    def reading(self, states: Tensor, valid: Tensor) -> Reading:
        """States [B, L, M] of a text encoder, valid bool [B, L], as cross-attention reads them."""
        return Reading(self.project(states) * valid[..., None], valid)

    def nothing(self, batch: int) -> Reading:
        """What `batch` items read that ask for nothing."""
        memory = self.lm.embedding.weight.new_zeros(batch, 1, self.config.width)
        return Reading(memory, torch.zeros(batch, 1, dtype=torch.bool, device=memory.device))

    def forward(self, codes: Tensor, reading: Reading, melody: Tensor | None = None) -> Tensor:
        """Logits [B, K, F, V] of codes int64 [B, K, F], each made of what is written before it.

        melody [B, 12, F], as `models.melody_of` hears it, zeros for none. Raises TypeError and
        ValueError for what does not fit.
        """
        sequence = interleave(codes, self.config.pattern, self.lm.nothing)
        condition = self._condition(melody, codes.shape[-1], len(codes))
        logits = self.lm(sequence, *reading, condition)  # [B, K, S, V]
        steps = self.config.pattern.steps(codes.shape[-1], codes.device)
        return logits.gather(2, steps[None, :, :, None].expand(*codes.shape, logits.shape[-1]))

    def loss(self, codes: Tensor, reading: Reading, melody: Tensor | None = None) -> Tensor:
        """Cross-entropy in nats per code: of every code of every frame, and of nothing else."""
        sequence = interleave(codes, self.config.pattern, self.lm.nothing)
        condition = self._condition(melody, codes.shape[-1], len(codes))
        return self.lm.loss(sequence, *reading, condition)

    def nats(self, codes: Tensor, reading: Reading, melody: Tensor | None = None) -> Tensor:
        """Cross-entropy of each codebook [B, K] in nats, a mean over frames."""
        logits = self(codes, reading, melody).float()
        return F.cross_entropy(logits.permute(0, 3, 1, 2), codes, reduction="none").mean(2)

    @torch.no_grad()
    def sample(
        self,
        frames: int,
        reading: Reading,
        melody: Tensor | None = None,
        known: Tensor | None = None,
        guidance: float = 3.0,
        temperature: float = 1.0,
        top_k: int | None = 250,
        top_p: float | None = None,
        generator: torch.Generator | None = None,
        heard: Callable[[Tensor], None] | None = None,
    ) -> Tensor:
        """Codes int64 [B, K, frames] for what is read, the known ones [B, K, P] first where given.

        guidance s: logits are u + s (c - u), with c those for what is read and u those for nothing
        (Ho and Salimans 2022); both are made in one batch, and 1 makes c alone. temperature, top_k,
        top_p, generator: as in `nets.sample`. heard(codes [B, K, f]) gets new frames as soon as all
        their codes are written. Raises ValueError for known codes that do not fit or leave nothing
        to write and an infinite guidance, TypeError for one that is no number, and what
        `nets.sample` raises.
        """
        check_guidance(guidance)
        pattern, batch = self.config.pattern, len(reading.memory)
        given = self._check_known(known, batch, frames)
        template = self._template(frames, batch, known)  # [B, K, S]
        first = [pattern.first(frames, k) for k in range(pattern.codebooks)]
        ends = pattern.steps(frames).amax(0).tolist()  # the step that completes each frame
        places = pattern.steps(frames, template.device).expand(batch, -1, -1)  # [B, K, F]
        with evaluating(self):
            filling = fill(
                self.lm,
                template,
                min(first) + pattern.stride * given,
                *reading,
                condition=self._condition(melody, frames, batch),
                guidance=guidance,
                draw=lambda logits: sample(logits, temperature, top_k, top_p, generator),
            )
            done = given
            for step in filling:
                ready = bisect_right(ends, step)
                if heard is not None and ready > done:
                    heard(template.gather(2, places[..., done:ready]))
                    done = ready
        return deinterleave(template, pattern, frames)

    def _template(self, frames: int, batch: int, known: Tensor | None) -> Tensor:
        """The steps of a piece [B, K, S]: known codes, nothing in holes, UNKNOWN elsewhere."""
        c = self.config
        codes = torch.full((batch, c.codebooks, frames), UNKNOWN, device=self.device)
        if known is not None:
            codes[..., : known.shape[-1]] = known
        return interleave(codes, c.pattern, self.lm.nothing)

    def _condition(self, melody: Tensor | None, frames: int, batch: int) -> Tensor | None:
        """What is added to each step's input, [B, S, D]: the melody of the newest frame in it."""
        if melody is None:
            return None
        if self.melody is None:
            raise ValueError("This model was built without a melody: it can't be given one.")
        if melody.shape != (batch, 12, frames):
            raise ValueError(
                f"The melody has shape {list(melody.shape)}; expected {[batch, 12, frames]}."
            )
        pattern = self.config.pattern
        numbers = torch.arange(frames, device=melody.device).expand(1, pattern.codebooks, -1)
        newest = interleave(numbers, pattern, -1)[0].amax(0)  # [S]
        heard = melody.transpose(1, 2)[:, newest].to(self.melody.weight.dtype)
        return self.melody(heard)  # [B, S, 12] -> [B, S, D]

    def _check_known(self, known: Tensor | None, batch: int, frames: int) -> int:
        """How many frames are known."""
        if known is None or known.shape[-1] == 0:
            return 0
        check_codes(known, self.config.entries, (self.config.codebooks,))
        if len(known) != batch:
            raise ValueError(f"Known codes are of {len(known)} items; expected {batch}.")
        if known.shape[-1] >= frames:
            raise ValueError(f"{known.shape[-1]} known frames leave nothing to write of {frames}.")
        return known.shape[-1]


def fill(
    lm: LanguageModel,
    template: Tensor,
    begin: int,
    memory: Tensor,
    valid: Tensor,
    condition: Tensor | None,
    guidance: float,
    draw: Callable[[Tensor], Tensor],
) -> Iterator[int]:
    """Write what is UNKNOWN in the steps [B, K, S] in place from `begin` on; yield each step.

    draw: logits [B, K, V] -> codes [B, K]. Nothing is read back from the device.
    """
    start = template.new_full((*template.shape[:2], 1), lm.nothing)
    steps = GuidedSteps(lm, template.shape[-1], memory, valid, guidance)
    inputs = torch.cat([start, template[..., :begin]], 2)  # what comes before `begin`
    for step in range(begin, template.shape[-1]):
        here = None if condition is None else condition[:, step + 1 - inputs.shape[-1] : step + 1]
        column = template[..., step]
        column = torch.where(column == UNKNOWN, draw(steps(inputs, here)), column)
        template[..., step] = column
        inputs = column[..., None]
        yield step
