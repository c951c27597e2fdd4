"""VQ-VAE-2 on log-mel of 64 bands: 500 bit/s at the top, 1,500 at the bottom. Notebook 05."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.audio import LogMel
from course_lib.evaluation import chroma_correlation, mel_chroma
from course_lib.metrics import codebook_usage, perplexity
from course_lib.models import VQVAE2, VQVAE2Config, vqvae2_loss
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.training import Draws
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

MEL = LogMel(n_mels=64)
FRAMES = 64  # of a clip that a training step sees: 1.02 s
CONFIG = VQVAE2Config()


def data(split: str, size: str, parents: Parents) -> Songbook:
    return load(split, size)


def loss(model: VQVAE2, audio: Tensor, draws: Draws) -> dict[str, Tensor]:
    """The terms of the paper on a random part of every clip, some without their bottom map."""
    x = MEL.to(audio.device)(crop(audio, draws, (FRAMES - 1) * MEL.hop))
    kept = draws.uniform(stream="bottom") >= model.config.dropout  # [B]
    with native_bfloat16(audio.device):
        return vqvae2_loss(model, x, kept=kept)


def test(model: VQVAE2, clips: Songbook) -> dict[str, float]:
    """Errors of whole clips with both maps, and with one zeroed; what each leaves of the harmony.

    "chroma" is the mean correlation with the original's.
    """
    device = next(model.parameters()).device
    mel = MEL.to(device)
    squares: dict[str, list[Tensor]] = {}
    kept: dict[str, list[Tensor]] = {}
    maps = []
    for indices in torch.arange(len(clips)).split(16):
        x = mel(clips.batch(indices).to(device))
        top, bottom = model.encode(x)
        maps.append((top.cpu(), bottom.cpu()))
        heard = mel_chroma(x, mel)
        for name, codes in {
            "both": (top, bottom),
            "top": (top, None),
            "bottom": (None, bottom),
        }.items():
            y = model.decode_codes(*codes, x.shape[-1])
            squares.setdefault(name, []).append(F.mse_loss(y, x, reduction="none").mean((1, 2)))
            kept.setdefault(name, []).append(chroma_correlation(heard, mel_chroma(y, mel)))
    found = {f"log_mel_mse_{name}": torch.cat(rows).mean().item() for name, rows in squares.items()}
    found |= {f"chroma_{name}": torch.cat(rows).mean().item() for name, rows in kept.items()}
    sizes = {"top": model.config.top_entries, "bottom": model.config.bottom_entries}
    for (name, size), parts in zip(sizes.items(), zip(*maps, strict=True), strict=True):
        codes = torch.cat([part.flatten(1)[:, None] for part in parts])  # [N, 1, codes of a clip]
        found[f"usage_{name}"] = codebook_usage(codes, size).item()
        found[f"perplexity_{name}"] = perplexity(codes, size).item()
    return {name: round(value, 4) for name, value in found.items()}


RECIPE = Recipe(
    model=lambda: VQVAE2(CONFIG),
    data=data,
    loss=loss,
    test=test,
    steps=6000,
    size="full",
    batch_size=16,
    lr=2e-3,
    warmup=100,
    average=0.995,
    int8=True,
)
