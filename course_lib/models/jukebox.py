"""Jukebox (Dhariwal et al. 2020): codes of three levels, and what writes them from the top down."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from course_lib.models.jukebox_levels import JukeboxLevels
from course_lib.models.jukebox_top import JukeboxTop
from course_lib.models.jukebox_upsamplers import JukeboxUpsamplers

if TYPE_CHECKING:
    from course_lib.songbook import Attributes


class Jukebox(nn.Module):
    """The whole system: levels that code audio, a prior for the top one, two upsamplers.

        jukebox = Jukebox(load("jukebox_levels"), load("jukebox_top"), load("jukebox_upsamplers"))
        candidates = jukebox.compose([None] * 4, seconds=4)           # [4, 1, 500] top codes
        rough = jukebox.decode(candidates, "top")                      # hear them, keep one
        audio = jukebox.decode(jukebox.upsample(candidates[:1], [None])[0])

    levels alone are enough to encode and decode. Raises ValueError where a prior was made for
    levels of other rates or codebooks. Taught in notebook 10.
    """

    def __init__(
        self,
        levels: JukeboxLevels,
        top: JukeboxTop | None = None,
        upsamplers: JukeboxUpsamplers | None = None,
    ):
        super().__init__()
        self.levels, self.top, self.upsamplers = levels, top, upsamplers
        rates = tuple(levels.sample_rate / hop for hop in reversed(levels.hops))  # top first
        entries = {name: level.config.entries for name, level in levels.named_children()}
        made_for = {}
        if top is not None:
            made_for["top prior"] = ((top.config.rate,), rates[:1], top.config.entries)
        if upsamplers is not None:
            c = upsamplers.config
            made_for["upsamplers"] = (c.rates, rates, c.entries)
        for name, (wanted, found, size) in made_for.items():
            if tuple(wanted) != found or {size} != set(entries.values()):
                raise ValueError(
                    f"The {name} write {size} codes at {tuple(wanted)} a second; these levels have "
                    f"{entries} at {found}: load those that were trained together."
                )

    def encode(self, audio: Tensor) -> list[Tensor]:
        """Codes [bottom, middle, top] of audio [B, 1, T], int64 [B, 1, F_level].

        Raises ValueError for audio shorter than one hop of the top level; see `JukeboxLevels`.
        """
        return self.levels.encode(audio)

    def decode(self, codes: Tensor, level: str = "bottom", length: int | None = None) -> Tensor:
        """Audio [B, 1, length] of one level's codes int64 [B, 1, F], by default all of them."""
        return self.levels.decode(codes, level, length)

    def frames(self, seconds: float) -> int:
        """The top codes that `seconds` take, rounded up.

        Raises ValueError unless they are positive and finite.
        """
        if not 0 < seconds < math.inf:
            raise ValueError(f"seconds={seconds} must be positive and finite, such as 4.")
        return -(-round(seconds * self.levels.sample_rate) // self.levels.top.hop)

    @torch.no_grad()
    def compose(
        self,
        pieces: "Sequence[Attributes | None]",
        seconds: float,
        phonemes: Tensor | None = None,
        prompt: Tensor | None = None,
        temperature: float = 1.0,
        hop_fraction: float = 0.125,
        **sampling,
    ) -> Tensor:
        """Top codes int64 [B, 1, F] of `seconds` for pieces with these attributes, or None.

        phonemes int64 [B, L]: what is sung. prompt: audio [B, 1, P] that the pieces begin with, or
        [1, 1, P] for all. sampling: top_k, top_p, generator, as `nets.sample` takes them. Raises
        ValueError without a top prior and for prompts that are shorter than a hop or leave nothing
        to write.
        """
        top = self._having(self.top, "top prior")
        known = None if prompt is None else self._prompt(prompt, len(pieces))[2]
        frames, labels = self.frames(seconds), top.labels(pieces)
        return top.sample(frames, labels, phonemes, known, hop_fraction, temperature, **sampling)

    @torch.no_grad()
    def upsample(
        self,
        codes: Tensor,
        pieces: "Sequence[Attributes | None]",
        prompt: Tensor | None = None,
        temperature: float = 0.99,
        hop_fraction: float = 0.5,
        **sampling,
    ) -> list[Tensor]:
        """Codes [bottom, middle, top] below top codes int64 [B, 1, F]: middle first, then bottom.

        Each level reads the one above it alone, and labels; lyrics reach it through the codes. The
        prompt is the audio that `compose` was given. Raises as `compose`.
        """
        upsamplers = self._having(self.upsamplers, "upsamplers")
        known = [None] * 3 if prompt is None else self._prompt(prompt, len(pieces))
        labels = upsamplers.labels(pieces)
        settings = {"hop_fraction": hop_fraction, "temperature": temperature, **sampling}
        middle = upsamplers.middle.sample(codes, labels, prompt=known[1], **settings)
        bottom = upsamplers.bottom.sample(middle, labels, prompt=known[0], **settings)
        return [bottom, middle, codes]

    def generate(
        self,
        pieces: "Sequence[Attributes | None]",
        seconds: float,
        phonemes: Tensor | None = None,
        prompt: Tensor | None = None,
        **sampling,
    ) -> Tensor:
        """Audio [B, 1, T] of `seconds`, rounded up to whole top codes: all three levels in turn.

        Arguments as in `compose`, without temperature and hop fraction. Raises as `compose`.
        """
        codes = self.compose(pieces, seconds, phonemes, prompt, **sampling)
        return self.decode(self.upsample(codes, pieces, prompt, **sampling)[0])

    def _prompt(self, audio: Tensor, batch: int) -> list[Tensor]:
        """Codes of the whole top codes of a prompt, for each piece."""
        whole = audio.shape[-1] // self.levels.top.hop * self.levels.top.hop
        codes = self.encode(audio[..., : whole or None])
        return [x.expand(batch, -1, -1) if len(x) == 1 else x for x in codes]

    def _having(self, part: nn.Module | None, name: str) -> nn.Module:
        if part is None:
            raise ValueError(f"This Jukebox was built without {name}: it can only code audio.")
        return part
