"""The codec before its adversarial phase: reconstruction losses alone. Taught in notebook 07."""

import torch
from torch import Tensor

from course_lib import checkpoints
from course_lib.evaluation import codec_report
from course_lib.models import PRESETS, Codec
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.training import CodecTraining, Draws, MultiScaleMelLoss, draw_kept
from course_lib.training.crop import crop

CONFIG = PRESETS["course_16khz"]
STEPS = 24_000
START = 400  # steps before the codebooks are placed
BATCH = 8
LR = 1e-3
BETAS = (0.8, 0.99)
CROP = 8000  # samples of a clip that a step hears
GAINS = (-9.0, 3.0)  # dB, drawn for each item, so that quiet and loud music are coded alike
WEIGHTS = {"error": 2.0, "mel": 1.0, "commitment": 0.25}
CLIPS = 200  # of the test split that are coded for the card


def data(split: str, size: str, parents: Parents) -> Songbook:
    return load(split, size)


def part(audio: Tensor, draws: Draws, samples: int = CROP) -> Tensor:
    """A random part of every clip at a random level."""
    low, high = GAINS
    gain = low + (high - low) * draws.uniform(1, 1, stream="gain")  # [B, 1, 1] dB
    return crop(audio, draws, samples) * 10 ** (gain / 20)


def kept(codec: Codec, draws: Draws) -> Tensor:
    """The codebooks each item may use, int64 [B], as the codec's configuration draws them."""
    c = codec.config
    return draw_kept(draws, c.n_codebooks, c.levels, c.dropout)


def training(codec: Codec, parents: Parents) -> CodecTraining:
    return CodecTraining(codec, MultiScaleMelLoss.dac(codec.sample_rate), WEIGHTS)


def loss(model: CodecTraining, audio: Tensor, draws: Draws):
    quantize = draws.step >= START
    return model.step(part(audio, draws), kept(model.codec, draws), quantize)


def test(codec: Codec, clips: Songbook) -> dict[str, float]:
    """The report of `evaluation.codec_report` on the first clips of the test split."""
    chosen = clips.batch(torch.arange(min(CLIPS, len(clips))))
    found = codec_report(codec, chosen, checkpoints.load("analyser"))
    return {name: round(value, 4) for name, value in found.items()}


def optimizers(model: CodecTraining) -> dict[str, torch.optim.Optimizer]:
    return model.optimizers(LR, betas=BETAS)


RECIPE = Recipe(
    model=lambda: Codec(CONFIG),
    data=data,
    loss=loss,
    test=test,
    training=training,
    optimizers=optimizers,
    steps=STEPS,
    size="full",
    batch_size=BATCH,
    warmup=200,
    clip=1.0,
    average=0.999,
    int8=True,
)
