"""Tokens against latents: MusicGen and diffusion of one size, trained for the same time.

Both have 0.85 to 0.87 M weights (of MusicGen's, 0.6 M are embeddings of its codes and their head),
learn from the same 400 clips of 4 s and their captions, as the same text tower reads them, 8 clips
a step, and then make 4 s for the same 96 prompts. Codes and latents come from one encoder; what
either loses stands in the rows of real clips.

Seconds of training are made equal by steps: RATES were measured in the loop of `fit` on one CPU
core, and the steps are what they give in SECONDS, so that a run stopped goes on as it would have
and another machine trains the same models. What the loop really took is a column of its own, and
its equality a claim: where the two differ in it, as they may on a GPU or beside other work, so does
what they were given.

The two shipped models are in other rows. They aren't equal in weights, in clips or in seconds, and
the prefix "shipped" says no more than that. Taught in notebook 16.
"""

import math
import time
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib import checkpoints
from course_lib.evaluation.generating import generated, through_codec
from course_lib.metrics import frechet_interval
from course_lib.models import (
    CLAP,
    Codec,
    Condition,
    ContinuousAutoencoder,
    Known,
    LatentDenoiser,
    LatentDenoiserConfig,
    LatentDiffusion,
    MusicGen,
    MusicGenLM,
    MusicGenLMConfig,
)
from course_lib.nets import UNet1dConfig
from course_lib.nets.interleaving import delay
from course_lib.tables import diffused, prompted
from course_lib.tables import small_musicgens as small
from course_lib.tables.claims import Claim
from course_lib.tables.diffused import NEARNESS, Compared, compared, embedded, nearness
from course_lib.tables.grid import Job, Table
from course_lib.training import Draws, History, fit

CLIPS = 96  # prompts of a seed
FRAMES, BATCH, UNREAD = 200, 8, 0.3  # 4 s
SECONDS = 200  # of training
RATES = {"tokens": 7.5, "latents": 9.7}  # steps a second
LR = {"tokens": small.LR, "latents": 2e-3}
STEPS = {system: round(SECONDS * rate) for system, rate in RATES.items()}


class Pieces(NamedTuple):
    """sound [N, K, F], codes or latents; states [N, captions, L, M] and valid of their texts."""

    sound: Tensor
    states: Tensor
    valid: Tensor

    def texts(self, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
        """One caption of each clip, states and valid, and which of them are read at all."""
        rows = torch.arange(len(self.sound), device=self.sound.device)
        caption = draws.integers(self.states.shape[1], stream="caption")
        kept = draws.uniform(stream="unread") >= UNREAD
        return self.states[rows, caption], self.valid[rows, caption], kept


class Described:
    """Clips as codes or latents, with what the text tower makes of their captions."""

    def __init__(self, pieces: Pieces):
        self.pieces = pieces

    def __len__(self) -> int:
        return len(self.pieces.sound)

    def batch(self, indices: Tensor) -> Pieces:
        return Pieces(*(x[indices] for x in self.pieces))


@lru_cache(maxsize=2)
def clips(system: str) -> Described:
    """The training clips of `small_musicgens`."""
    coded = small.clips("train")
    sound = coded.captioned.codes
    if system == "latents":
        autoencoder: ContinuousAutoencoder = checkpoints.load("autoencoder")
        parts = torch.arange(len(coded)).split(BATCH)
        sound = torch.cat([autoencoder.encode(coded.clips.batch(part)) for part in parts])
    return Described(Pieces(sound[..., :FRAMES], coded.captioned.states, coded.captioned.valid))


def tokens_untrained() -> MusicGenLM:
    """A small MusicGen, which begins with the codec's codebooks."""
    codec, clap = checkpoints.load("codec"), checkpoints.load("clap")
    model = MusicGenLM(
        MusicGenLMConfig(
            text=None, text_width=clap.text.config.width, entries=codec.config.entries,
            pattern=delay(small.CODEBOOKS), context=FRAMES, width=72, layers=3, heads=4,
            melody=False,
        )
    )  # fmt: skip
    stages = codec.quantizer.stages[: small.CODEBOOKS]
    model.lm.start_from(torch.stack([stage.codebook for stage in stages]))
    return model


def latents_untrained() -> LatentDenoiser:
    """A small denoiser, which reads what the small MusicGen reads."""
    autoencoder, clap = checkpoints.load("autoencoder"), checkpoints.load("clap")
    kept, memory = autoencoder.config.kept, clap.text.config.width
    net = UNet1dConfig(kept, 2 * kept + 1, 80, (1, 1, 1), attends=(1, 2), memory_width=memory)
    return LatentDenoiser(LatentDenoiserConfig(kept, autoencoder.frame_rate, FRAMES, net=net))


def tokens_loss(model: MusicGenLM, batch: Pieces, draws: Draws) -> Tensor:
    """Nats per code, given a caption or nothing."""
    states, valid, kept = batch.texts(draws)
    return model.loss(batch.sound, model.reading(states, valid).where(kept))


def latents_loss(model: LatentDenoiser, batch: Pieces, draws: Draws) -> Tensor:
    """Mean squared error of the prediction, given a caption or nothing, and no music."""
    states, valid, kept = batch.texts(draws)
    noise = draws.normal(*batch.sound.shape[1:], stream="noise")
    t = draws.integers(len(model.schedule), stream="time")
    condition, known = Condition(states, valid).where(kept), Known.nothing(batch.sound)
    return model.loss(batch.sound, condition, known, noise, t)


UNTRAINED = {"tokens": tokens_untrained, "latents": latents_untrained}
LOSSES = {"tokens": tokens_loss, "latents": latents_loss}


def trained(job: Job) -> tuple[MusicGenLM | LatentDenoiser, History]:
    """The model of a cell, trained in its folder, and the course of its run."""
    system = job.settings["system"]
    torch.manual_seed(job.seed)
    model = UNTRAINED[system]()
    history = fit(
        model,
        clips(system),
        LOSSES[system],
        steps=job.settings["steps"],
        batch_size=BATCH,
        lr=LR[system],
        average=0.99,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    return model.eval(), history


def whole(model: MusicGenLM | LatentDenoiser) -> MusicGen | LatentDiffusion:
    """A trained model with what reads for it and what makes its codes or latents sound."""
    clap: CLAP = checkpoints.load("clap")
    if isinstance(model, LatentDenoiser):
        return LatentDiffusion(checkpoints.load("autoencoder"), clap, model).eval()
    model.text = clap.text  # whose states it learnt from
    codec: Codec = checkpoints.load("codec")
    return MusicGen(codec, model).eval()


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    to = compared(job.seed, CLIPS)
    if job.row == FLOOR:
        found = {"frechet": to.floor}
    elif job.row == ENCODED:
        found = _near(diffused.through_autoencoder(to.audio), to, job.seed)
    elif job.row == CODED:
        found = _near(through_codec(prompted.system(), to.audio), to, job.seed)
    elif job.row in SHIPPED:
        name = SHIPPED[job.row]
        card = checkpoints.card(name)
        system = diffused.system() if name == "diffusion" else prompted.system()
        found = _made(system, to, job)
        found |= {"parameters": card["parameters"] / 1e6, "trained_seconds": card["seconds"]}
        found |= {"steps": card["steps"]}
    else:
        model, history = trained(job)
        count = sum(p.numel() for p in model.parameters())
        found = _made(whole(model), to, job)
        found |= {"parameters": count / 1e6, "trained_seconds": history.seconds}
        found |= {"steps": history.steps}
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def _made(system: MusicGen | LatentDiffusion, to: Compared, job: Job) -> dict[str, float]:
    """What a system makes of the prompts: how near it is, and what it takes, texts to audio."""
    system.to(diffused.device(job))
    sampling = {"guidance": diffused.GUIDANCE}
    if isinstance(system, LatentDiffusion):
        sampling |= {"steps": diffused.STEPS, "solver": diffused.SOLVER}
    began = time.monotonic()
    audio = generated(system, to.texts, diffused.SECONDS, job.seed, **sampling).cpu()
    seconds = time.monotonic() - began
    return {"slowness": seconds / (audio.numel() / system.sample_rate)} | _near(audio, to, job.seed)


def _near(audio: Tensor, to: Compared, seed: int) -> dict[str, float]:
    low, high = frechet_interval(to.embeddings, embedded(audio), seed=seed)
    return nearness(audio, to) | {"frechet_low": low, "frechet_high": high}


TOKENS, LATENTS = "tokens: small MusicGen", "latents: small diffusion"
SHIPPED = {"tokens: shipped MusicGen": "musicgen", "latents: shipped diffusion": "diffusion"}
SHIPPED_TOKENS, SHIPPED_LATENTS = SHIPPED
CODED, ENCODED = "real clips through four codebooks", "real clips through the autoencoder"
FLOOR = "real clips against others"

# The table of JEN-1, on MusicCaps: models a hundred times these, and not of one size either.
PAPER = {
    SHIPPED_TOKENS: {"FAD": 3.8, "KL": 1.22, "CLAP": 0.31, "quality": 83.8, "alignment": 79.5},
    SHIPPED_LATENTS: {"FAD": 2.0, "KL": 1.29, "CLAP": 0.33, "quality": 85.7, "alignment": 82.8},
}

TABLE = Table(
    title="Tokens against latents at equal weights and equal seconds of training",
    source="Li et al. 2023 (JEN-1), section 5, comparison with MusicGen",
    rows={
        TOKENS: {"system": "tokens", "steps": STEPS["tokens"]},
        LATENTS: {"system": "latents", "steps": STEPS["latents"]},
        SHIPPED_TOKENS: {},
        SHIPPED_LATENTS: {},
        CODED: {},
        ENCODED: {},
        FLOOR: {},
    },
    columns={
        "parameters": "weights (M)",
        "steps": "steps of training",
        "trained_seconds": "seconds of training",
        "slowness": "seconds of computing a second of music",
        "frechet": NEARNESS["frechet"],
        "frechet_low": "its interval over clips, from",
        "frechet_high": "its interval over clips, to",
        **{name: words for name, words in NEARNESS.items() if name != "frechet"},
    },
    cell=cell,
    claims=(
        Claim(
            "Both learnt for the same time, within a fifth.",
            "trained_seconds", "same", LATENTS, TOKENS, smallest=0.2, relative=True,
        ),
        Claim(
            "At equal weights and seconds, latents sound more like real music than tokens.",
            "frechet", "lower", LATENTS, TOKENS, smallest=0.1, relative=True,
        ),
        Claim(
            "At equal weights and seconds, latents obey better than tokens.",
            "adherence", "higher", LATENTS, TOKENS, smallest=0.05,
        ),
        Claim(
            "At equal weights and seconds, latents have the higher CLAP score.",
            "clap", "higher", LATENTS, TOKENS, smallest=0.02,
        ),
        Claim(
            "Twenty steps for all frames are made sooner than a step for each of 200 frames.",
            "slowness", "lower", LATENTS, TOKENS, smallest=0.2, relative=True,
        ),
        Claim(
            "Real clips keep more in latents than in four codebooks.",
            "frechet", "lower", ENCODED, CODED, smallest=0.1, relative=True,
        ),
        Claim(
            "The shipped diffusion sounds more like real music than the shipped MusicGen.",
            "frechet", "lower", SHIPPED_LATENTS, SHIPPED_TOKENS, smallest=0.1, relative=True,
        ),
        Claim(
            "Listeners prefer latents in sound and in what they do of the text.",
            impossible="it takes listeners",
        ),
    ),
    paper=PAPER,
    artefacts=("codec", "autoencoder", "clap", "analyser", "musicgen", "diffusion", "judge"),
)  # fmt: skip
