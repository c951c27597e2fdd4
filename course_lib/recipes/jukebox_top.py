"""Jukebox's top prior: top codes of sung and unsung clips, their labels and lyrics. Notebook 10.

As in the paper lyrics come without times. What the paper's scale finds by itself, one head of each
reading layer is shown here: to look near the phonemes that would be sung if all lasted equally long
(guided attention, Tachibana et al. 2017, with the linear alignment of Jukebox's section 5). Where
it looks among those is learned from the codes. About 16 minutes on one CPU core, once the songbook
is rendered and, in 3 more, its clips are coded.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.evaluation.alignment import alignment_error, linear_attention
from course_lib.models import (
    JukeboxLabels,
    JukeboxLabelsConfig,
    JukeboxTiming,
    JukeboxTop,
    JukeboxTopConfig,
)
from course_lib.models.jukebox_labels import label
from course_lib.models.jukebox_levels import JukeboxLevel
from course_lib.models.jukebox_top import linear_alignment
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.styles import DRAWN
from course_lib.songbook.voice_lyrics import VOICE
from course_lib.songbook.voice_phonemes import PHONEMES, phoneme_ids
from course_lib.training import Draws
from course_lib.training.precision import native_bfloat16

LABELS = JukeboxLabelsConfig(styles=DRAWN, instruments=(*INSTRUMENTS, VOICE), seconds=10.0)
CONFIG = JukeboxTopConfig(LABELS, phonemes=len(PHONEMES))
UNKNOWN, UNSUNG = 0.1, 0.15  # shares of training items without labels, without lyrics
REACH, GUIDED = 0.4, 0.1  # seconds from the linear alignment that are near; weight of that loss
BATCH = 8


class Pieces(NamedTuple):
    """Codes int64 [B, 1, F] of whole clips; labels; phonemes [B, L] and their middles in s."""

    codes: Tensor
    labels: JukeboxLabels
    phonemes: Tensor
    times: Tensor

    def take(self, rows: Tensor) -> "Pieces":
        return Pieces(
            self.codes[rows].long(), self.labels.take(rows), self.phonemes[rows], self.times[rows]
        )


class CodedPieces:
    """Top codes, labels and lyrics of clips, computed once and kept. `batch` gives Pieces."""

    def __init__(self, level: JukeboxLevel, *songbooks: Songbook):
        codes, labels, lyrics = [], [], []
        for clips in songbooks:
            parts = torch.arange(len(clips)).split(BATCH)
            codes += [level.encode(clips.batch(part)).to(torch.int16) for part in parts]
            labels += [clips.attributes(i) for i in range(len(clips))]
            lyrics += [
                clips.lyrics(i).phonemes if clips.job.voice else () for i in range(len(clips))
            ]
        longest = max(1, *map(len, lyrics))
        phonemes = torch.zeros(len(lyrics), longest, dtype=torch.int64)
        times = torch.zeros(len(lyrics), longest)
        for row, sung in enumerate(lyrics):
            phonemes[row, : len(sung)] = phoneme_ids(sung)
            times[row, : len(sung)] = torch.tensor([(a + b) / 2 for a, b, _ in sung])
        self.pieces = Pieces(torch.cat(codes), label(LABELS, labels), phonemes, times)

    def __len__(self) -> int:
        return len(self.pieces.codes)

    def batch(self, indices: Tensor) -> Pieces:
        return self.pieces.take(torch.as_tensor(indices))


def data(split: str, size: str, parents: Parents) -> CodedPieces:
    """Each clip twice: sung, and as it is."""
    level = parents["jukebox_levels"].top
    return CodedPieces(level, load(split, size, voice=True), load(split, size))


def training(model: JukeboxTop, parents: Parents) -> JukeboxTop:
    """Embeddings and head begin as the level's codebook."""
    model.lm.start_from(parents["jukebox_levels"].top.quantizer.codebook[None])
    return model


class Place(NamedTuple):
    """A piece drawn within each clip, and a window within the piece, int64 [B], in codes."""

    first: Tensor  # of the piece
    frames: Tensor  # of the piece
    start: Tensor  # of the window, from the beginning of the piece


def place(draws: Draws, frames: int, window: int) -> Place:
    """Pieces of `window` to `frames` codes of clips of `frames`, so that lengths differ."""
    length = window + draws.integers(frames - window + 1, stream="frames")
    first = (draws.uniform(stream="first") * (frames - length + 1)).long()
    start = (draws.uniform(stream="start") * (length - window + 1)).long()
    return Place(first, length, start)


def sung_within(pieces: Pieces, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Phonemes [B, L] with middles between `begin` and `end` [B], moved to the left; those s.

    Padding stays 0, at the end, wherever its times are.
    """
    inside = (pieces.times >= begin[:, None]) & (pieces.times < end[:, None])
    order = (~inside).to(torch.int8).argsort(dim=1, stable=True)
    kept = inside.gather(1, order)
    return pieces.phonemes.gather(1, order) * kept, pieces.times.gather(1, order)


def loss(model: JukeboxTop, pieces: Pieces, draws: Draws) -> dict[str, Tensor]:
    """Nats per code of a window of each clip, and how far the guided heads look away."""
    c = model.config
    window = min(c.context, pieces.codes.shape[-1])
    first, length, start = place(draws, pieces.codes.shape[-1], window)
    places = (first + start)[:, None] + torch.arange(window, device=first.device)
    codes = pieces.codes.gather(2, places[:, None])
    timing = JukeboxTiming(start / c.rate, length / c.rate)
    phonemes, _ = sung_within(pieces, first / c.rate, (first + length) / c.rate)
    phonemes = phonemes * (draws.uniform(1, stream="unsung") >= UNSUNG)
    known = draws.uniform(stream="unknown") >= UNKNOWN
    labels = JukeboxLabels(pieces.labels.style * known, pieces.labels.instruments * known[:, None])
    with native_bfloat16(codes.device):
        logits, attention = model.attending(codes, labels, timing, phonemes)
    nats = F.cross_entropy(logits.flatten(0, 2).float(), codes.flatten())
    away = looking_away(attention[:, :, 0], phonemes, timing, c.rate)
    return {"loss": nats + GUIDED * away, "nats": nats, "away": away}


def looking_away(attention: Tensor, phonemes: Tensor, timing: JukeboxTiming, rate: float) -> Tensor:
    """-log of the attention [N, B, F, L] within REACH of the linear alignment, a mean over frames.

    Frames without a phoneme so near are left out.
    """
    frames = torch.arange(attention.shape[2], device=attention.device) / rate
    seconds = timing.start[:, None, None] + frames[:, None]  # [B, F, 1]
    distance = (seconds - linear_alignment(phonemes, timing.total)[:, None]).abs()
    near = (distance <= REACH) & (phonemes > 0)[:, None]  # [B, F, L]
    inside = (attention.float() * near).sum(-1).clamp(min=1e-4).log()
    counted = near.any(-1)
    return -(inside * counted).sum() / (len(attention) * counted.sum()).clamp(min=1)


@torch.no_grad()
def test(model: JukeboxTop, clips: CodedPieces) -> dict[str, float]:
    """Nats per code of the first window of each test clip, by what the model is told.

    "sung" clips with their own lyrics, with none, with those of the clip before; "unsung" ones;
    and how far (s) attention is from the truth, beside the linear alignment.
    """
    sung = (clips.pieces.phonemes > 0).any(1)
    found: dict[str, list[float]] = {}
    for name, chosen in (("sung", sung), ("unsung", ~sung)):
        for rows in chosen.nonzero()[:, 0].split(BATCH):
            for key, value in report(model, clips.batch(rows), name).items():
                found.setdefault(key, []).extend([value] * len(rows))
    return {name: round(sum(v) / len(v), 4) for name, v in found.items()}


def report(model: JukeboxTop, pieces: Pieces, name: str = "sung") -> dict[str, float]:
    """Means over one batch; see `test`."""
    device = model.lm.embedding.weight.device
    codes = pieces.codes[..., : model.config.context].to(device)
    labels = JukeboxLabels(*(x.to(device) for x in pieces.labels))
    total = torch.full((len(codes),), pieces.codes.shape[-1] / model.config.rate, device=device)
    timing = JukeboxTiming(torch.zeros_like(total), total)
    if name != "sung":
        return {f"nats_{name}": model.loss(codes, labels, timing).item()}
    phonemes = pieces.phonemes.to(device)
    found = {
        "nats_sung": model.loss(codes, labels, timing, phonemes).item(),
        "nats_sung_no_lyrics": model.loss(codes, labels, timing).item(),
        "nats_sung_other_lyrics": model.loss(codes, labels, timing, phonemes.roll(1, 0)).item(),
    }
    attention = model.attending(codes, labels, timing, phonemes)[1][-1, :, 0]  # [B, F, L]
    rate, times = model.config.rate, pieces.times.to(device)
    found["alignment_error"] = alignment_error(attention, phonemes, times, rate)
    linear = linear_attention(phonemes, total, attention.shape[1], rate)
    found["linear_error"] = alignment_error(linear, phonemes, times, rate)
    return found


RECIPE = Recipe(
    model=lambda: JukeboxTop(CONFIG),
    data=data,
    loss=loss,
    test=test,
    training=training,
    steps=800,
    size="full",
    batch_size=8,
    lr=2e-3,
    warmup=60,
    average=0.99,
    parents=("jukebox_levels",),
    int8=True,
)
