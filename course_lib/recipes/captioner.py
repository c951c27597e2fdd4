"""The captioner: pseudo captions of clips, written from their labels in four manners. Notebook 13b.

LP-MusicCaps lets a large language model write captions from tags; here templates do, anew for each
clip and draft, so that the same labels are said in many ways. It learns from 1,000 clips. About
12 minutes on one CPU core, once the songbook is rendered.
"""

import numpy as np
import torch
from torch import Tensor

from course_lib.metrics.text import attribute_recall, bleu
from course_lib.models.captioner import Captioner, CaptionerConfig
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Attributes, Songbook, load
from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.captions import MANNERS, write_captions
from course_lib.songbook.draw import METRES, MODES, TEMPO_CLASSES
from course_lib.songbook.facts import said_facts, true_facts
from course_lib.songbook.styles import DRAWN, STYLES
from course_lib.songbook.voicing import PITCH_NAMES
from course_lib.text import PADDING, WordTokenizer
from course_lib.training import Draws
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

DRAFTS = 6  # captions of each clip in each manner
HEARD = 225  # frames of a clip that a step hears, 7.2 s
WIDEST = 12  # bands that may be silenced in a step
BATCH = 20


def pseudo_captions(attributes: Attributes, clip: int, drafts: int) -> list[dict[str, str]]:
    """`drafts` times one text in each manner; the same for the same number of the clip."""
    rngs = (np.random.default_rng([clip, draft]) for draft in range(drafts))
    return [write_captions(attributes, rng) for rng in rngs]


def vocabulary() -> tuple[str, ...]:
    """All words that captions of drawn clips can hold: templates filled in with every label."""
    tuned = [name for name, instrument in INSTRUMENTS.items() if instrument.family != "drums"]
    texts: list[str] = []
    for i in range(40 * len(DRAWN)):
        metre, mode = METRES[i % len(METRES)], MODES[i % len(MODES)]
        speed, tonic = list(TEMPO_CLASSES)[i % 3], PITCH_NAMES[i % 12]
        style = DRAWN[i // 40]
        band = tuple(np.random.default_rng(i).permutation(tuned)[:3].tolist())
        row = Attributes(
            style, tonic, mode, metre, 100.0, speed, band, i % 2 == 0, STYLES[style].mood
        )
        texts += [text for draft in pseudo_captions(row, i, 2) for text in draft.values()]
    return WordTokenizer.of(texts).words


def untrained() -> Captioner:
    return Captioner(CaptionerConfig(words=vocabulary()))


class CaptionedClips:
    """Spectrograms float16 [N, 64, F] of clips and captions int16 [N, drafts, L], by manner.

    `batch` gives both, of some clips.
    """

    def __init__(self, clips: Songbook, model: Captioner, drafts: int = DRAFTS):
        parts = torch.arange(len(clips)).split(BATCH)
        rows = [model.spectrogram(clips.batch(part)).half() for part in parts]
        self.spectrograms = torch.cat(rows)
        self.attributes = [clips.attributes(i) for i in range(len(clips))]
        self.texts = [pseudo_captions(row, i, drafts) for i, row in enumerate(self.attributes)]
        self.words = {}
        for manner in MANNERS:
            words = model.encode([draft[manner] for texts in self.texts for draft in texts])
            longest = int((words != PADDING).sum(1).max()) + 1  # with its end
            kept = words[:, :longest].to(torch.int16)
            self.words[manner] = kept.view(len(clips), drafts, -1)

    def __len__(self) -> int:
        return len(self.spectrograms)

    def batch(self, indices: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        words = {manner: rows[indices] for manner, rows in self.words.items()}
        return self.spectrograms[indices], words


def data(split: str, size: str, parents: Parents) -> CaptionedClips:
    return CaptionedClips(load(split, size), untrained())


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
        references = [[draft[manner] for draft in drafts] for drafts in clips.texts]
        for n in (1, 4):
            found[f"{manner}_bleu{n}"] = bleu(texts, references, n)
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
