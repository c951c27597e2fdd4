"""MusicLDM's mixup against copying: a diffusion model that has few clips to learn from.

Denoisers of 0.9 M weights learn 16 clips of nearly one tempo, 2 s from one of their beats on: so
few, for so long that without mixup they copy. In half of the items another of the clips is mixed
in, from one of its beats on or from anywhere; as latents, a new pair in each step, or as audio,
from a stock that is encoded before. The model reads both captions then. What is written for the
captions of those clips looks for the piece of them most like it: by cosine in CLAP's space, the
analyser's, and of the latents themselves, at any shift. Held-out clips through the autoencoder say
how near other music lies; pieces of the clips themselves, begun at any frame, how near a copy would
lie. Fréchet distance, KL and CLAP score are of what is written for the captions of 100 test clips.
Taught in notebook 16b.
"""

import math
from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.evaluation.analysis import analyse
from course_lib.evaluation.variety import beyond, nearest, nearest_latents
from course_lib.models import Condition, Known, LatentDenoiser
from course_lib.recipes.diffusion import TIMES
from course_lib.tables import small_diffusions as small
from course_lib.tables import small_mixtures as mixtures
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.small_musicgens import SOUND
from course_lib.training import Draws, Tensors, generator
from course_lib.training.mixup import windows

STEPS = 1200
TIMES_WRITTEN = 3  # for each caption of a training clip
HOP = 25  # frames between the pieces that similarity is looked for in


# --- The denoiser ---------------------------------------------------------------------------------


def loss(
    model: LatentDenoiser, clips: Tensor, draws: Draws, mixing: str | None, seed: int
) -> Tensor:
    """The error of clips int64 [B] and what they are mixed with.

    Draws are the same for all ways of mixing, as far as these have them.
    """
    at_home = Draws(draws.seed, draws.step, draws.items, torch.device("cpu"))
    if mixing == "audio":
        drawn, latents = mixtures.from_stock(clips.cpu(), at_home, seed)
    else:
        drawn = mixtures.draw(clips.cpu(), at_home, mixing)
        latents = mixtures.mixed_latents(drawn)
    told = Condition(*(x.to(model.device) for x in mixtures.asked(drawn, at_home)))
    part = small.drawn(model, latents.to(model.device), told, draws)
    return part.loss(model, Known.nothing(part.latents), False, slice(None))


# --- How near it comes ----------------------------------------------------------------------------


class Sounding(NamedTuple):
    """Pieces by what they are compared by: vectors [N, E] of CLAP and the analyser, latents."""

    clap: Tensor
    analyser: Tensor
    latents: Tensor


@torch.no_grad()
def sounding(latents: Tensor) -> Sounding:
    """Latents [N, K, FRAMES] and what is heard in them."""
    autoencoder, clap, analyser = small.listeners()
    audio = small.decoded(autoencoder, latents)
    seen = torch.cat([clap.embed_audio(some) for some in audio.split(small.AT_ONCE)])
    return Sounding(seen, analyse(audio, analyser).embeddings, latents)


@lru_cache(maxsize=1)
def bank() -> Sounding:
    """Pieces of the learnt clips, one every HOP frames; their latents whole, for every shift."""
    pieces = mixtures.few().latents.unfold(-1, small.FRAMES, HOP).movedim(2, 1).flatten(0, 1)
    return sounding(pieces)._replace(latents=mixtures.few().latents)


def similarities(of: Sounding) -> dict[str, Tensor]:
    """How near each is to the nearest piece of the learnt clips, [N] by each measure."""
    return {
        "near_latents": nearest_latents(of.latents, bank().latents)[0],
        "near_clap": nearest(of.clap, bank().clap)[0],
        "near_analyser": nearest(of.analyser, bank().analyser)[0],
    }


@lru_cache(maxsize=1)
def held_out() -> dict[str, Tensor]:
    """The similarities of test clips."""
    return similarities(sounding(small.encoded("test").latents[..., : small.FRAMES]))


def compared(found: dict[str, Tensor]) -> dict[str, float]:
    """Mean similarities, and the share beyond 95 % of the held-out clips."""
    means = {name: values.mean().item() for name, values in found.items()}
    return means | {f"{name}_beyond": beyond(found[name], held_out()[name]) for name in found}


def copies(seed: int) -> dict[str, Tensor]:
    """The similarities of pieces of the learnt clips themselves, begun at any frame."""
    random = generator(seed, 0, stream="copies")
    latest = mixtures.few().latents.shape[-1] - small.FRAMES
    rows = torch.arange(mixtures.FEW).repeat(TIMES_WRITTEN)
    begin = torch.randint(latest + 1, (len(rows),), generator=random)
    return similarities(sounding(windows(mixtures.few().latents[rows], begin, small.FRAMES)))


@torch.no_grad()
def error(model: LatentDenoiser, clips: small.Encoded, seed: int) -> float:
    """The mean squared error of the first 2 s of clips given their captions, over all times."""
    clips = small.Encoded(*(x.to(model.device) for x in clips))
    latents, told = clips.latents[..., : small.FRAMES], clips.asked(1 % clips.states.shape[1])
    errors = []
    for time in torch.linspace(0, len(model.schedule) - 1, TIMES).long():
        random = generator(seed, int(time), stream="error")
        noise = torch.randn(latents.shape, generator=random).to(model.device)
        t = time.to(model.device).expand(len(latents))
        part = small.Part(latents, told, noise, t)
        for rows in torch.arange(len(latents)).split(small.AT_ONCE):
            some = slice(int(rows[0]), int(rows[-1]) + 1)
            value = part.loss(model, Known.nothing(latents), False, some)
            errors.append(value.item() * len(rows) / len(latents) / TIMES)
    return math.fsum(errors)


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    if job.row == HELD_OUT:
        found = compared(held_out()) | small.through_autoencoder()
    elif job.row == COPIES:
        found = compared(copies(job.seed))
    else:
        found = denoiser(job)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def denoiser(job: Job) -> dict[str, float]:
    """What a denoiser of a cell has learnt by heart, and how it sounds."""
    model = small.untrained(job.seed, mixtures.few().latents.shape[1])
    taught = partial(loss, mixing=job.settings["mixing"], seed=job.seed)
    small.trained(job, model, Tensors(torch.arange(mixtures.FEW)), taught, STEPS)
    repeated = mixtures.few().take(torch.arange(mixtures.FEW).repeat(TIMES_WRITTEN))
    written = small.generated(model, repeated, job.seed)
    test = small.encoded("test")
    sounds = small.decoded(small.listeners()[0], small.generated(model, test, job.seed))
    errors = [error(model, clips, job.seed) for clips in (test, mixtures.few())]
    return (
        compared(similarities(sounding(written)))
        | small.heard(sounds)
        | {"gap": errors[0] - errors[1]}
    )


# --- The table ------------------------------------------------------------------------------------

HELD_OUT, COPIES = "held-out clips", "pieces of the clips learnt"
NONE, ANYWHERE = "no mixup", "latent mixup from anywhere"
LATENT, AUDIO = "latent mixup on beats", "audio mixup on beats"

TABLE = Table(
    title=f"Mixup on beats against copying: {mixtures.FEW} clips to learn from",
    source="Chen et al. 2023 (MusicLDM), beat-synchronous mixup",
    rows={
        HELD_OUT: {},
        COPIES: {},
        NONE: {"mixing": None},
        ANYWHERE: {"mixing": "anywhere"},
        LATENT: {"mixing": "latents"},
        AUDIO: {"mixing": "audio"},
    },
    columns={
        "near_latents": "nearest cosine, latents",
        "near_clap": "nearest cosine, CLAP",
        "near_analyser": "nearest cosine, analyser",
        "near_latents_beyond": "beyond 95 % of held-out clips, latents",
        "near_clap_beyond": "beyond 95 % of held-out clips, CLAP",
        "near_analyser_beyond": "beyond 95 % of held-out clips, analyser",
        "gap": "error on test clips less that on the clips learnt",
        "frechet": SOUND["frechet"],
        "kl": SOUND["kl"],
        "clap": SOUND["clap"],
    },
    cell=cell,
    claims=(
        Claim(
            "Without mixup, what is written for captions of few clips comes nearer to them than "
            "held-out music does.",
            "near_latents_beyond", "higher", NONE, HELD_OUT, smallest=0.2,
        ),
        Claim(
            "Latent mixup on beats makes what is written less like the nearest piece of the clips "
            "learnt.",
            "near_latents", "lower", LATENT, NONE, smallest=0.02,
        ),
        Claim(
            "CLAP hears that, too.",
            "near_clap", "lower", LATENT, NONE, smallest=0.01,
        ),
        Claim(
            "Fewer clips lie beyond 95 % of held-out music.",
            "near_latents_beyond", "lower", LATENT, NONE, smallest=0.1,
        ),
        Claim(
            "It narrows the gap between clips learnt and others.",
            "gap", "lower", LATENT, NONE, smallest=0.01,
        ),
        Claim(
            "It costs little of how much test captions sound like real clips.",
            "frechet", "same", LATENT, NONE, smallest=0.1, relative=True,
        ),
        Claim(
            "Mixtures that beat together teach to sound more like real clips than others do.",
            "frechet", "lower", LATENT, ANYWHERE, smallest=0.02, relative=True,
        ),
        Claim(
            "Latents mixed anew in each step sound more like real clips than audio mixed before.",
            "frechet", "lower", LATENT, AUDIO, smallest=0.02, relative=True,
        ),
        Claim(
            "Mixing audio on beats is against copying, too.",
            "near_latents", "lower", AUDIO, NONE, smallest=0.02,
        ),
        Claim(
            "Listeners find music learnt with mixup newer and no worse.",
            impossible="it takes listeners",
        ),
    ),
    artefacts=("autoencoder", "clap", "analyser"),
)  # fmt: skip
