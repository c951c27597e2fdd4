"""Jukebox's upsamplers: middle codes given top codes, bottom codes given middle ones. Notebook 10.

Both are trained side by side, each on windows of its own. About 14 minutes on one CPU core, once
the songbook is rendered and, in 3 more, its clips are coded.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.models import (
    JukeboxLabels,
    JukeboxLevels,
    JukeboxTiming,
    JukeboxUpsampler,
    JukeboxUpsamplers,
    JukeboxUpsamplersConfig,
)
from course_lib.models.jukebox_labels import label
from course_lib.models.jukebox_levels import LEVELS
from course_lib.recipes import Parents, Recipe
from course_lib.recipes.jukebox_top import LABELS, UNKNOWN, place
from course_lib.songbook import Songbook, load
from course_lib.training import Draws
from course_lib.training.precision import native_bfloat16

CONFIG = JukeboxUpsamplersConfig(LABELS)
CLIPS = 300  # of a songbook that are coded, sung and unsung: 12 million bottom codes
TESTED = 40
BATCH = 8


class LevelCodes(NamedTuple):
    """Codes int64 [B, 1, F_level] of whole clips, and labels."""

    bottom: Tensor
    middle: Tensor
    top: Tensor
    labels: JukeboxLabels


class CodedLevels:
    """The codes of all levels of clips, computed once and kept. `batch` gives LevelCodes."""

    def __init__(self, levels: JukeboxLevels, clips: int, *songbooks: Songbook):
        parts, labels = [], []
        for songbook in songbooks:
            chosen = torch.arange(min(clips, len(songbook)))
            for some in chosen.split(BATCH):
                codes = levels.encode(songbook.batch(some))
                parts.append([x.to(torch.int16) for x in codes])
            labels += [songbook.attributes(int(i)) for i in chosen]
        self.codes = [torch.cat(level) for level in zip(*parts, strict=True)]
        self.labels = label(LABELS, labels)

    def __len__(self) -> int:
        return len(self.codes[0])

    def batch(self, indices: Tensor) -> LevelCodes:
        indices = torch.as_tensor(indices)
        return LevelCodes(*(x[indices].long() for x in self.codes), self.labels.take(indices))


def data(split: str, size: str, parents: Parents) -> CodedLevels:
    clips = TESTED if split == "test" else CLIPS
    songbooks = load(split, size, voice=True), load(split, size)
    return CodedLevels(parents["jukebox_levels"], clips, *songbooks)


def training(model: JukeboxUpsamplers, parents: Parents) -> JukeboxUpsamplers:
    """Embeddings and heads begin as the codebooks of the levels."""
    bottom, middle, top = (
        parents["jukebox_levels"].level(name).quantizer.codebook for name in LEVELS
    )
    model.middle.start_from(middle, above=top)
    model.bottom.start_from(bottom, above=middle)
    return model


def loss(model: JukeboxUpsamplers, clips: LevelCodes, draws: Draws) -> dict[str, Tensor]:
    """Nats per code of the middle and of the bottom level, each on a window of each clip."""
    known = draws.uniform(stream="unknown") >= UNKNOWN
    labels = JukeboxLabels(clips.labels.style * known, clips.labels.instruments * known[:, None])
    with native_bfloat16(known.device):
        middle = nats(model.middle, clips.middle, clips.top, labels, draws)
        bottom = nats(model.bottom, clips.bottom, clips.middle, labels, draws)
    return {"loss": middle + bottom, "middle": middle, "bottom": bottom}


def nats(
    model: JukeboxUpsampler, codes: Tensor, above: Tensor, labels: JukeboxLabels, draws: Draws
) -> Tensor:
    """Cross-entropy of a window of codes [B, 1, F] given its part of those above."""
    rate = model.rate / model.ratio  # of the codes above, in which windows are drawn
    window = min(model.context // model.ratio, above.shape[-1])
    first, length, start = place(draws, above.shape[-1], window)
    timing = JukeboxTiming(start / rate, length / rate)
    begin = (first + start)[:, None]
    over = above.gather(2, (begin + torch.arange(window, device=begin.device))[:, None])
    frames = torch.arange(window * model.ratio, device=begin.device)
    part = codes.gather(2, (begin * model.ratio + frames)[:, None])
    return model.loss(part, over, labels, timing)


@torch.no_grad()
def test(model: JukeboxUpsamplers, clips: CodedLevels) -> dict[str, float]:
    """Nats per code of both levels on windows of test clips; and given the codes of another clip.

    Windows are drawn, the same in every call.
    """
    found: dict[str, list[float]] = {}
    device = model.middle.norm.weight.device
    for step, rows in enumerate(torch.arange(len(clips)).split(BATCH)):
        some = clips.batch(rows)
        labels = JukeboxLabels(*(x.to(device) for x in some.labels))
        bottom, middle, top = (x.to(device) for x in some[:3])
        draws = Draws(0, step, range(len(rows)), device)
        for name, upsampler, codes, above in (
            ("middle", model.middle, middle, top),
            ("bottom", model.bottom, bottom, middle),
        ):
            for key, over in ((name, above), (f"{name}_other_above", above.roll(1, 0))):
                value = nats(upsampler, codes, over, labels, draws).item()
                found.setdefault(f"nats_{key}", []).extend([value] * len(rows))
    return {name: round(sum(v) / len(v), 4) for name, v in found.items()}


RECIPE = Recipe(
    model=lambda: JukeboxUpsamplers(CONFIG),
    data=data,
    loss=loss,
    test=test,
    training=training,
    steps=700,
    size="full",
    batch_size=8,
    lr=2e-3,
    warmup=60,
    average=0.99,
    parents=("jukebox_levels",),
    int8=True,
)
