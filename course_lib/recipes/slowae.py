"""SlowAE: 40 bands of log-mel as 4 channels that change 75 times a second. Notebook 05b.

About 12 minutes on one CPU core, once the songbook is rendered.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.audio import LogMel
from course_lib.evaluation.event_rate import event_rate, onset_density, rank_correlation
from course_lib.models import SlowAE, SlowAEConfig, slowae_loss
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.training import Draws
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

MEL = LogMel(n_fft=512, hop=128, n_mels=40)
FRAMES = 256  # of a clip that a training step hears: 2 s
CONFIG = SlowAEConfig()


def data(split: str, size: str, parents: Parents) -> Songbook:
    return load(split, size)


def loss(model: SlowAE, audio: Tensor, draws: Draws) -> dict[str, Tensor]:
    """Squared error and slowness on a random part of every clip."""
    part = crop(audio, draws, (FRAMES - 1) * MEL.hop)
    x = MEL.to(audio.device)(part)
    with native_bfloat16(x.device):
        return slowae_loss(model, x)


def test(model: SlowAE, clips: Songbook) -> dict[str, float]:
    """Errors of log-mel reconstructions, events per second, and whether they follow the music.

    "shorter": numbers written frame by frame over numbers written as events, two for each.
    "follows": rank correlation of a clip's events per second with its notes' onsets per second.
    """
    device, rate = next(model.parameters()).device, model.config.frame_rate
    mel = MEL.to(device)
    squares, distances, rates = [], [], []
    for indices in torch.arange(len(clips)).split(16):
        x = mel(clips.batch(indices).to(device))
        codes = model.encode(x)
        y = model.decode_codes(codes)
        squares.append(F.mse_loss(y, x, reduction="none").mean((1, 2)).cpu())
        distances.append(F.l1_loss(y, x, reduction="none").mean((1, 2)).cpu())
        rates.append(event_rate(codes, rate).cpu())
    rates = torch.cat(rates)
    density = [onset_density(clip) for clip in clips]
    events = rates.mean().item()
    return {
        "log_mel_mse": torch.cat(squares).mean().item(),
        "log_mel_l1": torch.cat(distances).mean().item(),
        "events_per_second": events,
        "shorter": model.config.channels * rate / (2 * events),
        "follows": rank_correlation(rates, density),
        "slowness": model.slowness.item(),
    }


RECIPE = Recipe(
    model=lambda: SlowAE(CONFIG),
    data=data,
    loss=loss,
    test=test,
    steps=3000,
    size="full",
    batch_size=16,
    lr=3e-3,
    warmup=50,
    average=0.995,
    int8=True,
)
