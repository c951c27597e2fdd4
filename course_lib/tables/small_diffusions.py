"""Latent diffusions small enough to train many of them: what their tables share.

The clips and captions of `small_musicgens`, 2 s at a time, as latents of the shipped autoencoder;
the shipped CLAP reads the captions once and isn't trained along. Denoisers have 0.9 M weights. What
is generated for a caption of each of 100 test clips is heard as there, so that tokens and latents
stand beside each other.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import checkpoints, songbook
from course_lib.evaluation.analysis import analyse
from course_lib.models import (
    CLAP,
    Analyser,
    Condition,
    ContinuousAutoencoder,
    Known,
    LatentDenoiser,
    LatentDenoiserConfig,
)
from course_lib.nets import UNet1dConfig
from course_lib.recipes.clap import captions
from course_lib.recipes.diffusion import UNREAD
from course_lib.tables import small_musicgens as musicgens
from course_lib.tables.grid import Job
from course_lib.training import Data, Draws, fit, generator
from course_lib.training.crop import crop
from course_lib.training.fit import Loss

WIDTH = 80
FRAMES = musicgens.FRAMES  # of a part: 2 s
BATCH, LR = 16, 3e-3
SAMPLING, GUIDANCE = 10, 3.0  # steps of the second-order solver
AT_ONCE = 25  # clips that are sampled together


class Encoded(NamedTuple):
    """latents [N, K, F]; states [N, captions, L, M], valid [N, captions, L], vectors [..., E]."""

    latents: Tensor
    states: Tensor
    valid: Tensor
    vectors: Tensor

    def take(self, rows: Tensor) -> "Encoded":
        return Encoded(*(x[rows] for x in self))

    def asked(self, caption: Tensor | int) -> Condition:
        """What one caption of each clip asks for, or caption [N]."""
        rows = torch.arange(len(self.latents), device=self.latents.device)
        return Condition(*(x[rows, caption] for x in self[1:]))


class Clips:
    """Encoded clips as a data set for `fit`."""

    def __init__(self, encoded: Encoded):
        self.encoded = encoded

    def __len__(self) -> int:
        return len(self.encoded.latents)

    def batch(self, indices: Tensor) -> Encoded:
        return self.encoded.take(indices)


def listeners() -> tuple[ContinuousAutoencoder, CLAP, Analyser]:
    """The shipped models that the tables load."""
    return tuple(checkpoints.load(name) for name in ("autoencoder", "clap", "analyser"))


def sounding(split: str) -> songbook.Songbook:
    """The clips of a split, 4 s each."""
    return songbook.load(split, musicgens.SIZE, progress=False)


@lru_cache(maxsize=2)
@torch.no_grad()
def encoded(split: str) -> Encoded:
    """The latents of a split and what CLAP reads in its captions."""
    (autoencoder, clap, _), clips = listeners(), sounding(split)
    parts = torch.arange(len(clips)).split(BATCH)
    latents = torch.cat([autoencoder.encode(clips.batch(part)) for part in parts])
    read = clap.text.read([text for texts in captions(clips) for text in texts])
    vectors = F.normalize(clap.text_projection(read.pooled), dim=-1)
    shape = (len(clips), -1)
    return Encoded(latents, *(x.unflatten(0, shape) for x in (read.states, read.valid, vectors)))


def untrained(seed: int, latents: int) -> LatentDenoiser:
    """A denoiser of this many numbers a frame, drawn by its seed."""
    torch.manual_seed(seed)
    autoencoder, clap, _ = listeners()
    net = UNet1dConfig(
        latents, 2 * latents + 1, WIDTH, (1, 1, 1), attends=(1, 2),
        memory_width=clap.text.config.width, vector_width=clap.config.embedding,
    )  # fmt: skip
    config = LatentDenoiserConfig(latents, autoencoder.frame_rate, FRAMES, net=net)
    return LatentDenoiser(config)


class Part(NamedTuple):
    """What a step learns from: latents and noise [B, K, F], texts, times int64 [B]."""

    latents: Tensor
    asked: Condition
    noise: Tensor
    t: Tensor

    def loss(self, model: LatentDenoiser, known: Known, causal: bool, rows: slice) -> Tensor:
        """The mean squared error of some of the items."""
        asked, known = Condition(*(x[rows] for x in self.asked)), Known(*(x[rows] for x in known))
        return model.loss(self.latents[rows], asked, known, self.noise[rows], self.t[rows], causal)


def part(model: LatentDenoiser, batch: Encoded, draws: Draws) -> Part:
    """2 s of each clip and one of its captions or nothing."""
    latents = crop(batch.latents, draws, FRAMES)
    asked = batch.asked(draws.integers(batch.states.shape[1], stream="caption"))
    asked = asked.where(draws.uniform(stream="unread") >= UNREAD)
    return drawn(model, latents, asked, draws)


def drawn(model: LatentDenoiser, latents: Tensor, asked: Condition, draws: Draws) -> Part:
    """Latents [B, K, F] and texts with the noise and the times of a step."""
    noise = draws.normal(*latents.shape[1:], stream="noise")
    return Part(latents, asked, noise, draws.integers(len(model.schedule), stream="time"))


def trained(job: Job, model: LatentDenoiser, data: Data, loss: Loss, steps: int) -> LatentDenoiser:
    """The model of a cell, trained in its folder."""
    fit(
        model,
        data,
        loss,
        steps=steps,
        batch_size=BATCH,
        lr=LR,
        average=0.99,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    return model.eval()


@torch.no_grad()
def generated(
    model: LatentDenoiser,
    clips: Encoded,
    seed: int,
    known: Tensor | None = None,
    causal: bool = False,
) -> Tensor:
    """Latents [N, K, FRAMES] for a caption of each clip, on the CPU.

    known bool [FRAMES]: frames of the clip that the model is given and keeps.
    """
    found = []
    for rows in torch.arange(len(clips.latents)).split(AT_ONCE):
        some = Encoded(*(x.to(model.device) for x in clips.take(rows)))
        latents = some.latents[..., :FRAMES]
        given = None
        if known is not None:
            there = known.to(model.device).expand(len(rows), -1)
            given = Known(latents * there[:, None], there)
        random = generator(seed, int(rows[0]), stream="generated")
        noise = torch.randn(latents.shape, generator=random).to(model.device)
        asked = some.asked(1 % some.states.shape[1])  # the sentence, of the captions' manners
        found.append(model.sample(noise, asked, given, SAMPLING, GUIDANCE, causal=causal).cpu())
    return torch.cat(found)


@torch.no_grad()
def decoded(autoencoder: ContinuousAutoencoder, latents: Tensor) -> Tensor:
    """Audio [N, 1, T] of latents [N, K, F]."""
    return torch.cat([autoencoder.decode(some) for some in latents.split(AT_ONCE)])


def heard(sounds: Tensor) -> dict[str, float]:
    """How near sounds [N, 1, T] for the test clips' captions are to real clips and captions."""
    return musicgens.heard(analyse(sounds, listeners()[2]), sounds)


def through_autoencoder() -> dict[str, float]:
    """The same for the real clips, after the autoencoder: the best that latents allow."""
    return heard(decoded(listeners()[0], encoded("test").latents[..., :FRAMES]))
