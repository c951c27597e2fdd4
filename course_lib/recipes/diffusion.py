"""The diffusion model: latents of clips from noise, given captions. Taught in notebook 16.

Half of each batch is seen both ways and half causally; in each half some items are wholly to be
made, and the others have a hole (both ways) or a beginning (causally): the four tasks of JEN-1 in
one network. Each clip is encoded twice, the second time begun half a frame later, as in the recipe
of MusicGen. About 50 minutes on one CPU core, once the songbook is rendered and, in 4 more, its
clips are encoded.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from course_lib import checkpoints
from course_lib.models import (
    CLAP,
    Condition,
    Known,
    LatentDenoiser,
    LatentDenoiserConfig,
)
from course_lib.recipes import Parents, Recipe
from course_lib.recipes.clap import captions
from course_lib.songbook import Songbook, load
from course_lib.text import PADDING
from course_lib.training import Draws
from course_lib.training.precision import native_bfloat16

CONFIG = LatentDenoiserConfig()
SHIFTS, DRAFTS = 2, 4  # times that a training clip is encoded; drafts of its captions
UNREAD = 0.15  # share of training items without a text
WHOLE = 0.5  # share of items of which nothing is known
PARTS = (0.2, 0.8)  # of a piece that is to be made where the rest is known (JEN-1, section 3.4)
BATCH, LR = 16, 1e-3


class Latents(NamedTuple):
    """Clips: latents float16 [B, S, K, F] of S shifts; ids int16 [B, captions, L]."""

    latents: Tensor
    ids: Tensor


class EncodedClips:
    """Latents and captions of clips, computed once and kept. `batch` gives Latents."""

    def __init__(self, clips: Songbook, parents: Parents, shifts: int, drafts: int):
        autoencoder, tower = parents["autoencoder"], parents["clap"].text.config
        step = autoencoder.hop // shifts
        found = []
        for part in torch.arange(len(clips)).split(BATCH):
            audio = clips.batch(part)  # [B, 1, T]
            shifted = [F.pad(audio[..., i * step :], (0, i * step)) for i in range(shifts)]
            found.append(torch.stack([autoencoder.encode(x) for x in shifted], 1).half())
        flat = [text for each in captions(clips, drafts) for text in each]
        ids, _ = tower.tokenizer.encode(flat, tower.longest)
        ids = ids.to(torch.int16).unflatten(0, (len(clips), -1))
        self.pieces = Latents(torch.cat(found), ids)

    def __len__(self) -> int:
        return len(self.pieces.latents)

    def batch(self, indices: Tensor) -> Latents:
        return Latents(*(x[indices] for x in self.pieces))


class Reader(nn.Module):
    """A denoiser that learns, and CLAP, which reads for it and does not."""

    def __init__(self, denoiser: LatentDenoiser, clap: CLAP):
        super().__init__()
        self.denoiser, self.clap = denoiser, clap.requires_grad_(False)

    @torch.no_grad()
    def read(self, ids: Tensor) -> Condition:
        """What captions of ids int64 [B, L] ask for."""
        return read(self.clap, ids)


def read(clap: CLAP, ids: Tensor) -> Condition:
    """States and vector of captions of ids int64 [B, L], as `LatentDiffusion.read` gives them."""
    states, valid, pooled = clap.text(ids, ids != PADDING)
    return Condition(states, valid, F.normalize(clap.text_projection(pooled), dim=-1))


def data(split: str, size: str, parents: Parents) -> EncodedClips:
    shifts, drafts = (SHIFTS, DRAFTS) if split == "train" else (1, 1)
    return EncodedClips(load(split, size), parents, shifts, drafts)


def training(model: LatentDenoiser, parents: Parents) -> Reader:
    return Reader(model, parents["clap"])


def optimizers(model: Reader) -> dict[str, AdamW]:
    settings = {"lr": LR, "betas": (0.9, 0.99), "weight_decay": 0.01, "fused": True}
    return {"model": AdamW(model.denoiser.parameters(), **settings)}


def hole(draws: Draws, frames: int) -> Tensor:
    """Frames to be made, bool [B, F]: 20 to 80 % of them, anywhere."""
    low, high = PARTS
    length = (frames * (low + (high - low) * draws.uniform(1, stream="length"))).ceil()  # [B, 1]
    start = ((frames - length + 1) * draws.uniform(1, stream="hole")).floor()
    places = torch.arange(frames, device=start.device)
    return (places >= start) & (places < start + length)


def ending(draws: Draws, frames: int) -> Tensor:
    """Frames to be made, bool [B, F]: the last 20 to 80 % of them."""
    low, high = PARTS
    length = frames * (low + (high - low) * draws.uniform(1, stream="length"))
    return torch.arange(frames, device=length.device) >= frames - length


def loss(model: Reader, pieces: Latents, draws: Draws) -> dict[str, Tensor]:
    """Both modes, half of the batch each, of a part of each clip."""
    c, device = model.denoiser.config, pieces.latents.device
    rows = torch.arange(len(pieces.latents), device=device)
    shift = draws.integers(pieces.latents.shape[1], stream="shift")
    caption = draws.integers(pieces.ids.shape[1], stream="caption")
    frames = min(c.context, pieces.latents.shape[-1])
    start = draws.integers(pieces.latents.shape[-1] - frames + 1, 1, stream="start")
    places = (start + torch.arange(frames, device=device))[:, None].expand(-1, c.latents, -1)
    latents = pieces.latents[rows, shift].gather(2, places).float()
    noise = draws.normal(c.latents, frames, stream="noise")
    t = draws.integers(len(model.denoiser.schedule.alpha), stream="time")
    whole = (draws.uniform(stream="whole") < WHOLE)[:, None]  # [B, 1]
    half = len(rows) // 2
    made = torch.cat([hole(draws, frames)[:half], ending(draws, frames)[half:]]) | whole
    known = Known(latents, ~made)
    asked = model.read(pieces.ids[rows, caption].long())
    asked = asked.where(draws.uniform(stream="unread") >= UNREAD)
    found = []
    with native_bfloat16(device):
        for causal, part in ((False, slice(half)), (True, slice(half, None))):
            here = (
                latents[part],
                Condition(*(None if x is None else x[part] for x in asked)),
                Known(*(x[part] for x in known)),
            )
            found.append(model.denoiser.loss(*here, noise[part], t[part], causal))
    both = dict(zip(("both_ways", "causal"), found, strict=True))
    return {"loss": sum(found) / 2, **both}


TIMES = 8  # noise levels at which a test clip's error is taken, evenly from the first to the last


@torch.no_grad()
def test(model: LatentDenoiser, clips: EncodedClips) -> dict[str, float]:
    """Mean squared error of the first part of each test clip, a mean over noise levels.

    Given its own caption in each manner in turn, none, or that of the clip before; its own and the
    first half of the clip, causally; its own and all but the middle half, both ways.
    """
    clap = checkpoints.load("clap").to(model.device)
    found: dict[str, list[Tensor]] = {}
    for rows in torch.arange(len(clips)).split(BATCH):
        for name, error in report(model, clap, clips.batch(rows), rows).items():
            found.setdefault(name, []).append(error * len(rows))
    return {name: round(float(sum(e)) / len(clips), 4) for name, e in found.items()}


def report(model: LatentDenoiser, clap: CLAP, pieces: Latents, numbers: Tensor) -> dict:
    """The errors, each a scalar, of clips with these numbers; see `test`."""
    c, device = model.config, model.device
    latents = pieces.latents[:, 0, :, : c.context].float().to(device)
    frames, rows = latents.shape[-1], torch.arange(len(latents))
    ids = pieces.ids[rows, numbers % pieces.ids.shape[1]].long().to(device)
    own, other = read(clap, ids), read(clap, ids.roll(1, 0))
    unread = own.where(torch.zeros(len(rows), dtype=torch.bool, device=device))
    first = torch.arange(frames, device=device).expand(len(rows), -1) < frames // 2
    sides = first.roll(frames // 4, 1).logical_not()  # all but the middle half
    nothing = Known.nothing(latents)
    asked = {
        "error": (own, nothing, False),
        "error_unread": (unread, nothing, False),
        "error_other_caption": (other, nothing, False),
        "error_causal": (own, nothing, True),
        "error_continuing": (own, Known(latents, first), True),
        "error_inpainting": (own, Known(latents, sides), False),
    }
    random = torch.Generator().manual_seed(int(numbers[0]))
    total = len(model.schedule.alpha)
    errors = dict.fromkeys(asked, 0.0)
    for time in torch.linspace(0, total - 1, TIMES).long():
        noise = torch.randn(latents.shape, generator=random).to(device)
        t = time.to(device).expand(len(rows))
        for name, (text, known, causal) in asked.items():
            errors[name] += model.loss(latents, text, known, noise, t, causal).cpu() / TIMES
    return errors


RECIPE = Recipe(
    model=lambda: LatentDenoiser(CONFIG),
    data=data,
    loss=loss,
    test=test,
    training=training,
    optimizers=optimizers,
    steps=6500,
    size="full",
    batch_size=BATCH,
    lr=LR,
    warmup=200,
    average=0.999,
    parents=("autoencoder", "clap"),
    int8=True,
)
