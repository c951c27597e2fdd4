"""The VQ-VAE: log-mel of real clips as 15.6 codes a second of 10 bits. Taught in notebook 03."""

import torch
from torch import Tensor

from course_lib.audio import LogMel
from course_lib.metrics import codebook_usage, entropy_bits, perplexity
from course_lib.models import VQVAE, VQVAEConfig, vqvae_loss
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.training import Draws
from course_lib.training.crop import crop

MEL = LogMel()
FRAMES = 160  # of a clip that a training step hears: 2.56 s
CONFIG = VQVAEConfig()


def data(split: str, size: str, parents: Parents) -> Songbook:
    return load(split, size)


def loss(model: VQVAE, audio: Tensor, draws: Draws) -> dict[str, Tensor]:
    """The three terms of the paper on a random part of every clip."""
    part = crop(audio, draws, (FRAMES - 1) * MEL.hop)
    return vqvae_loss(model, MEL.to(audio.device)(part))


def test(model: VQVAE, clips: Songbook) -> dict[str, float]:
    """Errors of log-mel reconstructions on whole clips, and what the codes say."""
    squares, distances, numbers, codes = 0.0, 0.0, 0, []
    device = next(model.parameters()).device
    mel = MEL.to(device)
    for indices in torch.arange(len(clips)).split(16):
        x = mel(clips.batch(indices).to(device))
        out = model(x)
        error = out.reconstruction - x
        squares += error.square().sum().item()
        distances += error.abs().sum().item()
        numbers += x.numel()
        codes.append(out.codes.cpu())
    codes = torch.cat(codes)
    entries = model.config.entries
    rate = MEL.sample_rate / MEL.hop / model.hop  # codes per second
    return {
        "log_mel_mse": squares / numbers,
        "log_mel_l1": distances / numbers,
        "usage": codebook_usage(codes, entries).item(),
        "perplexity": perplexity(codes, entries).item(),
        "entropy_bits_per_second": rate * entropy_bits(codes, entries).item(),
    }


RECIPE = Recipe(
    model=lambda: VQVAE(CONFIG),
    data=data,
    loss=loss,
    test=test,
    steps=6000,
    batch_size=16,
    lr=1e-3,
    warmup=100,
    average=0.995,
)
