"""A few clips of nearly one tempo, and mixtures of two of them, beat on beat.

As latents they are mixed in each step; as audio once, and encoded, for that takes longer.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.models import Condition
from course_lib.recipes.diffusion import UNREAD
from course_lib.tables import small_diffusions as small
from course_lib.training import Draws
from course_lib.training.mixup import Beats, mixup, shares, windows

FEW, TEMPI = 16, (100, 109)  # clips, and what beats a minute they have
MIXED = 0.5  # share of the items that are mixed
STOCK = 12  # mixtures of each clip as audio


class Mixture(NamedTuple):
    """Clips int64 [B] and their partners, frames where both begin, the share of the first [B]."""

    clips: Tensor
    partners: Tensor
    begin: Tensor
    partners_begin: Tensor
    share: Tensor


@lru_cache(maxsize=1)
def learnt() -> tuple[int, ...]:
    """The places in the training split of the clips that are learnt."""
    clips, (slowest, fastest) = small.sounding("train"), TEMPI
    every = range(len(clips))
    return tuple(i for i in every if slowest <= clips.attributes(i).tempo <= fastest)[:FEW]


@lru_cache(maxsize=1)
def few() -> small.Encoded:
    """The clips that are learnt."""
    return small.encoded("train").take(torch.tensor(learnt()))


@lru_cache(maxsize=1)
def beats() -> Beats:
    """Where their beats are, as far as 2 s follow."""
    clips = small.sounding("train")
    rate = small.listeners()[0].frame_rate
    latest = few().latents.shape[-1] - small.FRAMES
    tempi = [clips.attributes(i).tempo for i in learnt()]
    return Beats.of([clips[i].beats for i in learnt()], tempi, rate, latest)


def draw(clips: Tensor, draws: Draws, mixing: str | None) -> Mixture:
    """What a step makes of some clips int64 [B]: share 1 where nothing is mixed in."""
    known, latest = beats(), few().latents.shape[-1] - small.FRAMES
    partners = known.partner(clips, draws)
    partners_begin = known.start(partners, draws, "partner's begin")
    if mixing == "anywhere":
        partners_begin = draws.integers(latest + 1, stream="partner's begin")
    mixed = (draws.uniform(stream="mixed") < MIXED) & (partners != clips)
    if mixing is None:
        mixed = torch.zeros_like(mixed)
    begin = known.start(clips, draws, "begin")
    return Mixture(clips, partners, begin, partners_begin, shares(draws).where(mixed, 1.0))


def mixed_latents(drawn: Mixture) -> Tensor:
    """The latents [B, K, FRAMES] of mixtures."""
    first, second = (
        windows(few().latents[clips], begin, small.FRAMES)
        for clips, begin in ((drawn.clips, drawn.begin), (drawn.partners, drawn.partners_begin))
    )
    return mixup(first, second, drawn.share)


@torch.no_grad()
def mixed_audio(drawn: Mixture) -> Tensor:
    """The latents [B, K, FRAMES] of clips that were mixed as audio, with what sounds before."""
    model = small.listeners()[0]
    audio = small.sounding("train").batch(learnt())  # [FEW, 1, T]
    later = (drawn.begin - drawn.partners_begin) * model.hop
    second = [x.roll(int(by), -1) for x, by in zip(audio[drawn.partners], later, strict=True)]
    mixed = mixup(audio[drawn.clips], torch.stack(second), drawn.share)
    return windows(model.encode(mixed), drawn.begin, small.FRAMES)


@lru_cache(maxsize=1)
def stock(seed: int) -> tuple[Mixture, Tensor]:
    """Mixtures [STOCK, FEW] as audio, and their latents [STOCK, FEW, K, FRAMES]."""
    every, found = torch.arange(FEW), []
    for i in range(STOCK):
        draws = Draws(seed, i, range(FEW), torch.device("cpu"))
        drawn = draw(every, draws, "audio")
        found.append((drawn, mixed_audio(drawn)))
    drawn = Mixture(*(torch.stack(x) for x in zip(*(d for d, _ in found), strict=True)))
    return drawn, torch.stack([latents for _, latents in found])


def from_stock(clips: Tensor, draws: Draws, seed: int) -> tuple[Mixture, Tensor]:
    """Mixtures as audio of clips int64 [B], and their latents [B, K, FRAMES]."""
    stored, latents = stock(seed)
    which = draws.integers(STOCK, stream="stock")
    return Mixture(*(x[which, clips] for x in stored)), latents[which, clips]


def asked(drawn: Mixture, draws: Draws) -> Condition:
    """Both captions of a mixture, one of a clip alone, or nothing."""
    clips = few()
    which = draws.integers(clips.states.shape[1], stream="caption")
    a, b = (clips.take(rows).asked(which) for rows in (drawn.clips, drawn.partners))
    mixed = (drawn.share < 1)[:, None]
    both = Condition(
        torch.cat([a.memory, b.memory], 1),
        torch.cat([a.valid, b.valid & mixed], 1),
        F.normalize(mixup(a.vector, b.vector, drawn.share), dim=1),
    )
    return both.where(draws.uniform(stream="unread") >= UNREAD)
