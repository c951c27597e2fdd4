"""The priors of VQ-VAE-2: the top map, and the bottom map given the top. Taught in notebook 05.

Their parent is `vqvae2`, whose encoder makes the maps and whose codebooks they start from.
"""

import math

import torch
from torch import Tensor

from course_lib.models import VQVAE2, Maps, VQVAE2Priors, VQVAE2PriorsConfig
from course_lib.models.vqvae2 import BOTTOM
from course_lib.recipes import Parents, Recipe
from course_lib.recipes.vqvae2 import MEL
from course_lib.songbook import load
from course_lib.training import Draws

CONFIG = VQVAE2PriorsConfig()
BATCH = 16


class MappedClips:
    """Both maps of every clip, computed once and kept, a byte a code: `batch` gives int64 Maps."""

    def __init__(self, autoencoder: VQVAE2, clips):
        parts = [
            autoencoder.encode(MEL(clips.batch(part)))
            for part in torch.arange(len(clips)).split(BATCH)
        ]
        self.top, self.bottom = (
            torch.cat(maps).to(torch.uint8) for maps in zip(*parts, strict=True)
        )

    def __len__(self) -> int:
        return len(self.top)

    def batch(self, indices: Tensor) -> Maps:
        return Maps(self.top[indices].long(), self.bottom[indices].long())


@torch.no_grad()
def data(split: str, size: str, parents: Parents) -> MappedClips:
    return MappedClips(parents["vqvae2"], load(split, size))


def training(model: VQVAE2Priors, parents: Parents) -> VQVAE2Priors:
    """Their embeddings begin as the autoencoder's codebooks."""
    model.start_from(parents["vqvae2"])
    return model


def loss(model: VQVAE2Priors, maps: Maps, draws: Draws) -> dict[str, Tensor]:
    """Nats per code on a random part of every clip, as long as the priors reach."""
    return model.loss(*part(Maps(*maps), model.config.columns, draws))


def part(maps: Maps, columns: int, draws: Draws) -> Maps:
    """`columns` consecutive columns of each top map, from a drawn one on, and what lies below."""
    finer = maps.bottom.shape[-1] // maps.top.shape[-1]
    spare = maps.top.shape[-1] - columns
    if spare <= 0:
        return maps
    start = draws.integers(spare + 1, 1, 1, stream="part")  # [B, 1, 1]
    cut = []
    for codes, times in ((maps.top, 1), (maps.bottom, finer)):
        places = times * start + torch.arange(times * columns, device=codes.device)
        cut.append(codes.gather(-1, places.expand(*codes.shape[:2], -1)))
    return Maps(*cut)


def test(model: VQVAE2Priors, clips: MappedClips) -> dict[str, float]:
    """Nats per code of each map and bits per second of both, in parts as long as the priors reach.

    "bottom_other_top" is what the bottom costs below the top map of another clip.
    """
    columns, device = model.config.columns, model.top_bands.device
    high, wide = model.config.coarser
    sums = dict.fromkeys(("top", "bottom", "bottom_other_top"), 0.0)
    count = 0
    for indices in torch.arange(len(clips)).split(BATCH):
        top, bottom = (codes.to(device) for codes in clips.batch(indices))
        for place in range(0, top.shape[-1] - columns + 1, columns):
            above = top[..., place : place + columns]
            below = bottom[..., wide * place : wide * (place + columns)]
            own, other = model.loss(above, below), model.loss(above.roll(1, 0), below)
            found = {
                "top": own["top"],
                "bottom": own["bottom"],
                "bottom_other_top": other["bottom"],
            }
            for name, nats in found.items():
                sums[name] += nats.item() * len(indices)
            count += len(indices)
    nats = {name: value / count for name, value in sums.items()}
    second = MEL.sample_rate / MEL.hop / (BOTTOM * wide) * model.config.rows  # top codes
    bits = second * (nats["top"] + high * wide * nats["bottom"]) / math.log(2)
    found = {f"nats_{name}": value for name, value in nats.items()} | {"bits_per_second": bits}
    return {name: round(value, 4) for name, value in found.items()}


RECIPE = Recipe(
    model=lambda: VQVAE2Priors(CONFIG),
    data=data,
    loss=loss,
    test=test,
    training=training,
    steps=2500,
    size="full",
    batch_size=4,
    lr=2e-3,
    warmup=100,
    average=0.99,
    parents=("vqvae2",),
    int8=True,
)
