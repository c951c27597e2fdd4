"""SlowAE at the course's scale: events that follow the music, and a prior of events or of frames.

Small autoencoders learn from 4 s clips, the same steps, clips and order in every row. Priors of one
size learn the channels of the shipped `slowae`, all hearing the same music: as events, or frame by
frame with the channels side by side or one after another (channel c comes c frames later, so that
it knows the ones before). The row of aims holds what was to be reached, not a measurement. Taught
in notebook 05b.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import checkpoints, songbook
from course_lib.evaluation.event_rate import event_rate, onset_density, rank_correlation
from course_lib.models import (
    RunLengthTransformer,
    RunLengthTransformerConfig,
    SlowAE,
    SlowAEConfig,
    slowae_loss,
)
from course_lib.nets import LanguageModel, LanguageModelConfig
from course_lib.recipes.slowae import FRAMES, MEL
from course_lib.recipes.slowae_prior import Windows
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.training import Tensors, fit
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

SIZE = songbook.Size(train=400, validation=1, test=100, seconds=4.0)
SMALL = {"width": 48, "units": 3, "steering": 0.1}
PRIOR = {"width": 64, "layers": 3, "heads": 4}
STEPS = {"autoencoder": 1500, "prior": 300}
LONGEST = 128


@lru_cache(maxsize=2)
def log_mels(split: str) -> Tensor:
    """Log-mel [N, 40, F] of the clips of a split."""
    clips = songbook.load(split, SIZE, progress=False)
    return torch.cat([MEL(clips.batch(part)) for part in torch.arange(len(clips)).split(50)])


@lru_cache(maxsize=2)
def codes(split: str) -> Tensor:
    """What the shipped SlowAE makes of them, int64 [N, C, F]."""
    model = checkpoints.load("slowae")
    return torch.cat([model.encode(part) for part in log_mels(split).split(50)])


@lru_cache(maxsize=1)
def densities() -> tuple[float, ...]:
    """Onsets per second of the test clips."""
    return tuple(onset_density(clip) for clip in songbook.load("test", SIZE, progress=False))


def cell(job: Job) -> dict[str, float]:
    """One row with one seed: an autoencoder, a prior, or the aims."""
    settings = dict(job.settings)
    if "aim" in settings:
        found = settings["aim"]
    elif "prior" in settings:
        found = _prior(settings["prior"], job)
    else:
        found = _autoencoder(settings, job)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def _autoencoder(settings: dict, job: Job) -> dict[str, float]:
    torch.manual_seed(job.seed)
    model = SlowAE(SlowAEConfig(**SMALL, **settings))

    def loss(model, x, draws):
        with native_bfloat16(x.device):
            return slowae_loss(model, crop(x, draws, FRAMES))

    _fit(model, Tensors(log_mels("train")), loss, STEPS["autoencoder"], 3e-3, job)
    x = log_mels("test")
    with torch.no_grad():
        coded = model.encode(x)
        error = F.mse_loss(model.decode_codes(coded), x).item()
    rates = event_rate(coded, model.config.frame_rate)
    order = torch.tensor(densities()).argsort()
    quarter = len(order) // 4
    events = rates.mean().item()
    return {
        "mse": error,
        "events": events,
        "shorter": model.config.channels * model.config.frame_rate / (2 * events),
        "follows": rank_correlation(rates, densities()),
        "calm": (rates[order[:quarter]].mean() / rates[order[-quarter:]].mean()).item(),
    }


def _prior(kind: str, job: Job) -> dict[str, float]:
    torch.manual_seed(job.seed)
    train, test = codes("train"), codes("test")
    channels, levels = train.shape[1], checkpoints.load("slowae").config.levels
    seconds = test[:, 0].numel() / checkpoints.load("slowae").config.frame_rate
    if kind == "events":
        config = RunLengthTransformerConfig(channels, levels, LONGEST, **PRIOR)
        model = RunLengthTransformer(config)
        _fit(model, Windows(train, LONGEST), _loss, STEPS["prior"], 2e-3, job)
        windows = Windows(test, LONGEST)
        batches = [windows.batch(part) for part in torch.arange(len(test)).split(20)]
        with torch.no_grad():
            nats = sum(model.nats(batch).sum().item() for batch in batches)
        tokens = sum((batch.lengths > 0).sum().item() for batch in batches)
    else:
        model = LanguageModel(LanguageModelConfig(levels, channels, **PRIOR))
        if kind == "delayed":
            train, test = (delayed(x, model.nothing) for x in (train, test))
        _fit(model, Tensors(train), _loss, STEPS["prior"], 2e-3, job)
        nats = 0.0
        with torch.no_grad():
            for part in test.split(20):
                nats += model.loss(part).item() * (part != model.nothing).sum().item()
        tokens = test[:, 0].numel()
    return {"nats": nats / seconds, "tokens": tokens / seconds}


def delayed(codes: Tensor, nothing: int) -> Tensor:
    """Codes [B, C, F] with channel c moved c frames later: [B, C, F + C - 1], holes "nothing".

    A model that predicts the channels of a frame side by side then knows, for each number, those of
    the same frame in the channels before it.
    """
    batch, channels, frames = codes.shape
    moved = codes.new_full((batch, channels, frames + channels - 1), nothing)
    for channel in range(channels):
        moved[:, channel, channel : channel + frames] = codes[:, channel]
    return moved


def _loss(model, batch, draws):
    return model.loss(batch)


def _fit(model, data, loss, steps: int, lr: float, job: Job) -> None:
    fit(
        model, data, loss, steps=steps, batch_size=8, lr=lr, average=0.98, seed=job.seed,
        folder=job.folder, device=job.device, progress=False,
    )  # fmt: skip
    model.cpu()


SLOW, FEW, MANY = (f"slow, {rate} events/s" for rate in (75, 40, 150))
PLAIN, FREE, AIM = "slow, plain rounding", "no penalty", "aims"
EVENTS, SIDE, DELAYED = (
    "prior of events",
    "prior of frames, side by side",
    "prior of frames, in turn",
)

TABLE = Table(
    title="SlowAE: events per second, and what a second costs a prior",
    source="Dieleman et al. 2021",
    rows={
        SLOW: {},
        FEW: {"target": 40.0},
        MANY: {"target": 150.0},
        PLAIN: {"margin": 0.0},
        FREE: {"slowness": 0.0},
        AIM: {"aim": {"shorter": 2.0, "follows": 0.6, "calm": 0.5}},
        EVENTS: {"prior": "events"},
        SIDE: {"prior": "frames"},
        DELAYED: {"prior": "delayed"},
    },
    columns={
        "mse": "error (MSE of log-mel)",
        "events": "events per second",
        "shorter": "numbers as frames / as events",
        "follows": "rank correlation with onsets",
        "calm": "events, calm clips / busy clips",
        "nats": "nats per second",
        "tokens": "tokens per second",
    },
    cell=cell,
    claims=(
        Claim(
            "The event rate follows the onsets of the notes: a rank correlation above 0.6.",
            "follows", "higher", SLOW, AIM, smallest=0.01,
        ),
        Claim(
            "The quarter of clips with fewest onsets takes less than half the events of the "
            "quarter with most.",
            "calm", "lower", SLOW, AIM, smallest=0.01,
        ),
        Claim(
            "Written as events, two numbers each, a clip is less than half as long as frame by "
            "frame.",
            "shorter", "higher", SLOW, AIM, smallest=0.1,
        ),
        Claim(
            "At the same event rate, hysteresis errs less than plain rounding, by 2 % or more.",
            "mse", "lower", SLOW, PLAIN, smallest=0.02, relative=True,
        ),
        Claim(
            "More events, less error: 150 a second against 40, by 5 % or more.",
            "mse", "lower", MANY, FEW, smallest=0.05, relative=True,
        ),
        Claim(
            "Without the penalty the channels change at least twice as often.",
            "events", "higher", FREE, SLOW, smallest=1.0, relative=True,
        ),
        Claim(
            "A prior of events needs fewer nats a second than one of frames side by side.",
            "nats", "lower", EVENTS, SIDE, smallest=0.02, relative=True,
        ),
        Claim(
            "A prior of events needs fewer nats a second than one of frames that takes the "
            "channels in turn.",
            "nats", "lower", EVENTS, DELAYED, smallest=0.02, relative=True,
        ),
        Claim(
            "The prior continues speech in grammatical sentences.",
            impossible="it takes recordings of speech and listeners",
        ),
    ),
    artefacts=("slowae",),
)  # fmt: skip
