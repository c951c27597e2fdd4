"""The captioner: pseudo captions of clips, written from their labels in four manners. Notebook 13b.

LP-MusicCaps lets a large language model write captions from tags; here templates do, anew for each
clip and draft, so that the same labels are said in many ways. It learns from 1,000 clips. About
12 minutes on one CPU core, once the songbook is rendered.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from course_lib.metrics.text import attribute_recall, bleu
from course_lib.models.captioner import Captioner, CaptionerConfig
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Attributes, Songbook, load
from course_lib.songbook.captions import MANNERS, vocabulary
from course_lib.songbook.facts import said_facts, true_facts
from course_lib.text import PADDING
from course_lib.training import Draws
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

DRAFTS = 6  # captions of each clip in each manner
HEARD = 225  # frames of a clip that a step hears, 7.2 s
WIDEST = 12  # bands that may be silenced in a step
BATCH = 20


class CaptionedClips:
    """Spectrograms float16 [N, 64, F] of clips and captions int16 [N, drafts, L], by manner.

    texts: for each manner the drafts of each clip. `batch` gives spectrograms and captions of some
    clips.
    """

    def __init__(
        self,
        spectrograms: Tensor,
        texts: Mapping[str, Sequence[Sequence[str]]],
        attributes: Sequence[Attributes],
        model: Captioner,
    ):
        self.spectrograms, self.texts, self.attributes = spectrograms, texts, attributes
        self.words = {manner: coded(model, rows) for manner, rows in texts.items()}

    def __len__(self) -> int:
        return len(self.spectrograms)

    def batch(self, indices: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        words = {manner: rows[indices] for manner, rows in self.words.items()}
        return self.spectrograms[indices], words


def coded(model: Captioner, texts: Sequence[Sequence[str]]) -> Tensor:
    """Captions int16 [N, drafts, L] of the drafts of N clips, L no longer than they need."""
    words = model.encode([text for drafts in texts for text in drafts])
    longest = int((words != PADDING).sum(1).max()) + 1  # with its end
    return words[:, :longest].to(torch.int16).view(len(texts), -1, min(longest, words.shape[1]))


def spectrograms(clips: Songbook, model: Captioner) -> Tensor:
    """What the model sees of all clips, float16 [N, 64, F]."""
    parts = torch.arange(len(clips)).split(BATCH)
    return torch.cat([model.spectrogram(clips.batch(part)).half() for part in parts])


def captioned(clips: Songbook, model: Captioner, drafts: int = DRAFTS) -> CaptionedClips:
    """The clips of a songbook with their captions in all manners."""
    written = [clips.captions(i, drafts) for i in range(len(clips))]
    texts = {m: [[draft[m] for draft in drafts] for drafts in written] for m in MANNERS}
    attributes = [clips.attributes(i) for i in range(len(clips))]
    return CaptionedClips(spectrograms(clips, model), texts, attributes, model)


def untrained() -> Captioner:
    return Captioner(CaptionerConfig(words=vocabulary()))


def data(split: str, size: str, parents: Parents) -> CaptionedClips:
    return captioned(load(split, size), untrained())


def loss(model: Captioner, batch: tuple[Tensor, dict[str, Tensor]], draws: Draws) -> Tensor:
    """Nats per word of one draft in each manner, after a part of each clip."""
    log_mel, words = batch
    log_mel = silenced(crop(log_mel.float(), draws, HEARD), draws)
    drafts = next(iter(words.values())).shape[1]
    draft = draws.integers(drafts, stream="draft")  # [B]
    items = torch.arange(len(log_mel), device=log_mel.device)
    captions = {manner: rows[items, draft].long() for manner, rows in words.items()}
    with native_bfloat16(log_mel.device):
        return model.loss(log_mel, captions)


def silenced(log_mel: Tensor, draws: Draws) -> Tensor:
    """Spectrograms [B, 64, F] without up to WIDEST neighbouring bands (SpecAugment)."""
    bands = torch.arange(log_mel.shape[1], device=log_mel.device)
    width = draws.integers(WIDEST + 1, 1, stream="width")
    start = (draws.uniform(1, stream="start") * (len(bands) - width)).long()
    gone = (bands >= start) & (bands < start + width)  # [B, 64]
    return torch.where(gone[..., None], log_mel.mean((1, 2), keepdim=True), log_mel)


def test(model: Captioner, clips: CaptionedClips) -> dict[str, float]:
    """BLEU of each manner against the drafts of a clip; recall and precision of descriptions.

    "recall_another" is that of descriptions of the clip before: what guessing reaches.
    """
    found: dict[str, float] = {}
    for manner in MANNERS:
        texts = captions_of(model, clips.spectrograms, manner)
        for n in (1, 4):
            found[f"{manner}_bleu{n}"] = bleu(texts, clips.texts[manner], n)
        if manner == "description":
            said = [said_facts(text) for text in texts]
    wanted = [true_facts(row) for row in clips.attributes]
    recall = attribute_recall(said, wanted)
    found |= {f"recall_{name}": value for name, value in recall.items()}
    found["precision_mean"] = attribute_recall(wanted, said)["mean"] if any(said) else 0.0
    found["recall_another"] = attribute_recall([*said[1:], said[0]], wanted)["mean"]
    return {name: round(value, 4) for name, value in found.items()}


def captions_of(model: Captioner, spectrograms: Tensor, manner: str) -> list[str]:
    """A text in one manner about each of spectrograms [N, 64, F]."""
    device = model.manner.weight.device
    parts = spectrograms.split(BATCH)
    return [text for part in parts for text in model.describe(part.float().to(device), manner)]


RECIPE = Recipe(
    model=untrained,
    data=data,
    loss=loss,
    test=test,
    steps=2000,
    size="full",
    batch_size=20,
    lr=2e-3,
    warmup=100,
    average=0.995,
    int8=True,
)
