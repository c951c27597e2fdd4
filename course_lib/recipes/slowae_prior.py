"""The Transformer over SlowAE's events, value by value and length by length. Notebook 05b.

Its parent is `slowae`, whose encoder makes the channels. About 17 minutes on one CPU core, once the
songbook is rendered.
"""

import torch
from torch import Tensor

from course_lib.models import RunLengthTransformer, RunLengthTransformerConfig, SlowAE
from course_lib.quantize import Events, run_length_encode, stack_events
from course_lib.recipes import Parents, Recipe, slowae
from course_lib.songbook import Songbook, load
from course_lib.training import Draws

CONFIG = RunLengthTransformerConfig()
FRAMES = 500  # of a window: 4 s
WINDOWS = 3  # of a clip, overlapping where it is shorter than three of them
BATCH = 16


class Windows:
    """Codes [N, C, FRAMES] of windows of clips, 1 byte each, and their events as `batch` gives."""

    def __init__(self, codes: Tensor, longest: int):
        self.codes, self.longest = codes.to(torch.uint8), longest

    def __len__(self) -> int:
        return len(self.codes)

    def batch(self, indices: Tensor) -> Events:
        chosen = self.codes[indices].long()
        return stack_events([run_length_encode(codes, self.longest) for codes in chosen])


@torch.no_grad()
def windows_of(model: SlowAE, clips: Songbook) -> Tensor:
    """Codes uint8 [N * WINDOWS, C, FRAMES]; those of a clip follow each other.

    Of clips not longer than a window there is one each, of their own length.
    """
    device = next(model.parameters()).device
    parts = []
    for indices in torch.arange(len(clips)).split(BATCH):
        codes = model.encode(slowae.MEL.to(device)(clips.batch(indices).to(device))).cpu()
        spare = max(0, codes.shape[-1] - FRAMES)
        starts = sorted({spare * i // (WINDOWS - 1) for i in range(WINDOWS)})
        cut = [codes[..., start : start + FRAMES] for start in starts]
        parts.append(torch.stack(cut, 1).flatten(0, 1).to(torch.uint8))
    return torch.cat(parts)


def data(split: str, size: str, parents: Parents) -> Windows:
    return Windows(windows_of(parents["slowae"], load(split, size)), CONFIG.longest)


def loss(model: RunLengthTransformer, events: Events, draws: Draws) -> Tensor:
    """Nats per event."""
    return model.loss(events)


def test(model: RunLengthTransformer, windows: Windows) -> dict[str, float]:
    """Nats per second of music and per event, on the windows of test clips."""
    device = next(model.parameters()).device
    nats = events = 0.0
    for indices in torch.arange(len(windows)).split(BATCH):
        batch = Events(*(part.to(device) for part in windows.batch(indices)))
        nats += model.nats(batch).sum().item()
        events += (batch.lengths > 0).sum().item()
    seconds = windows.codes[:, 0].numel() / slowae.CONFIG.frame_rate
    return {
        "nats_per_second": nats / seconds,
        "nats_per_event": nats / events,
        "events_per_second": events / seconds,
    }


RECIPE = Recipe(
    model=lambda: RunLengthTransformer(CONFIG),
    data=data,
    loss=loss,
    test=test,
    steps=1200,
    size="full",
    batch_size=16,
    lr=2e-3,
    warmup=100,
    average=0.99,
    parents=("slowae",),
    int8=True,
)
