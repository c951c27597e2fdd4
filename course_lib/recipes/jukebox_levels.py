"""Jukebox's levels: real clips as 2000, 500 and 125 codes a second. Taught in notebook 10."""

import torch
from torch import Tensor

from course_lib.evaluation.jukebox_levels import level_report
from course_lib.models import LEVELS, JukeboxLevel, JukeboxLevels
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.training import Data, Draws, Joined, SpectralConvergenceLoss, relative_error
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

STEPS = 5000  # about 0.36 s each on one core for all three levels: 30 minutes
START = 300  # steps before the codebooks are placed
BATCH = 8
CROPS = {"bottom": 4096, "middle": 8192, "top": 12288}  # samples of a clip that a step hears
LR = 5e-3
BETAS = (0.9, 0.99)
GAINS = (-9.0, 3.0)  # dB, drawn for each item, so that quiet and loud music are coded alike
WEIGHTS = {"error": 1.0, "spectral": 1.0, "peaks": 0.02, "commitment": 0.02}
SPECTRAL = SpectralConvergenceLoss()
CLIPS = 64  # of the test split that are coded for the card


def data(split: str, size: str, parents: Parents) -> Data:
    """Each clip as it is, and to learn from also sung: the top prior writes both."""
    if split == "test":
        return load(split, size)
    return Joined(load(split, size), load(split, size, voice=True))


def level_loss(level: JukeboxLevel, audio: Tensor, quantize: bool = True) -> dict[str, Tensor]:
    """The losses of one level on audio [B, 1, T], their weighted sum under "loss".

    Jukebox's are squared error, spectral convergence, the largest errors ("peaks") and commitment.
    Here squares count relative to the sound's energy. Source: Dhariwal et al. 2020, sections 3.2
    and 3.3, and code.
    """
    with native_bfloat16(audio.device):
        out = level(audio, quantize)
    estimate = out.audio.float()
    losses = {
        "error": relative_error(audio, estimate),
        "spectral": SPECTRAL.to(audio.device)(audio, estimate),
        "peaks": peaks(audio, estimate),
        "commitment": out.commitment,
    }
    return {"loss": sum(WEIGHTS[name] * value for name, value in losses.items())} | losses


def peaks(reference: Tensor, estimate: Tensor, share: float = 0.005) -> Tensor:
    """The mean of the largest squared errors, relative to the energy of each sound [B, 1, T]."""
    energy = reference.square().mean((1, 2)).clamp(min=1e-4)
    errors = (reference - estimate).square().flatten(1)  # [B, T]
    largest = errors.topk(max(1, int(share * errors.shape[1]))).values
    return (largest.mean(1) / energy).mean()


def loss(model: JukeboxLevels, audio: Tensor, draws: Draws):
    """Each level learns by itself, from its own part of every clip."""
    low, high = GAINS
    gain = low + (high - low) * draws.uniform(1, 1, stream="gain")  # [B, 1, 1] dB
    audio = audio * 10 ** (gain / 20)
    for name in LEVELS:
        part = crop(audio, draws, CROPS[name])
        yield name, level_loss(model.level(name), part, quantize=draws.step >= START)


def optimizers(model: JukeboxLevels) -> dict[str, torch.optim.Optimizer]:
    return {
        name: torch.optim.AdamW(model.level(name).parameters(), LR, BETAS, fused=True)
        for name in LEVELS
    }


def test(model: JukeboxLevels, clips: Songbook) -> dict[str, float]:
    """`evaluation.level_report` of each level on the first clips of the test split."""
    count = min(CLIPS, len(clips))
    audio, chords = clips.batch(range(count)), [clips[i].chords for i in range(count)]
    found = {}
    for name in LEVELS:
        report = level_report(model.level(name), audio, chords)
        found |= {f"{metric}_{name}": round(value, 4) for metric, value in report.items()}
    return found


RECIPE = Recipe(
    model=JukeboxLevels,
    data=data,
    loss=loss,
    test=test,
    optimizers=optimizers,
    steps=STEPS,
    size="full",
    batch_size=BATCH,
    warmup=100,
    clip=1.0,
    average=0.999,
    int8=True,
)
