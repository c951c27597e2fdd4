"""CLAP: clips and captions of the songbook in one space. Taught in notebook 13.

A clip has captions in four manners, each in several drafts; a step draws one of them for each clip
of the batch, and a part of its sound. About 12 minutes on one CPU core, once the songbook is
rendered.
"""

import torch
from torch import Tensor

from course_lib.evaluation.zero_shot import zero_shot_scores
from course_lib.metrics import chance_map_at_10, mean_average_precision_at_10, recall_at
from course_lib.models import CLAP, AudioTower, CLAPConfig, TextTowerConfig
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.songbook.captions import MANNERS, vocabulary
from course_lib.text import PADDING
from course_lib.training import Draws, symmetric_contrastive_loss
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

DRAFTS = 8  # of the captions of a training clip
BATCH = 25  # clips that are heard at once when measured


class CaptionedClips:
    """Clips and their captions: `batch` gives spectrograms [B, mels, F] and ids [B, captions, L].

    Spectrograms are computed once and kept in float16, as the tower of `config` sees them; ids are
    int64, 0 for padding; a clip's captions are in the order of MANNERS, draft after draft.
    """

    def __init__(self, clips: Songbook, config: CLAPConfig, drafts: int = 1):
        self.clips, tower = clips, AudioTower(config.audio)
        parts = torch.arange(len(clips)).split(BATCH)
        self.seen = torch.cat([tower.spectrogram(clips.batch(part)).half() for part in parts])
        self.texts = captions(clips, drafts)
        flat = [text for texts in self.texts for text in texts]
        ids, _ = config.text.tokenizer.encode(flat, config.text.longest)
        self.ids = ids.to(torch.int16).unflatten(0, (len(clips), -1))  # [N, captions, L]

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, indices: Tensor) -> dict[str, Tensor]:
        return {"seen": self.seen[indices].float(), "ids": self.ids[indices].long()}


def captions(clips: Songbook, drafts: int = 1) -> list[list[str]]:
    """The texts about each clip, draft after draft, each in the order of MANNERS."""
    return [
        [draft[manner] for draft in clips.captions(i, drafts) for manner in MANNERS]
        for i in range(len(clips))
    ]


def config() -> CLAPConfig:
    return CLAPConfig(text=TextTowerConfig(words=vocabulary()))


def data(split: str, size: str, parents: Parents) -> CaptionedClips:
    drafts = DRAFTS if split == "train" else 1
    return CaptionedClips(load(split, size), config(), drafts)


def loss(model: CLAP, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
    """The symmetric contrastive loss of a part of each clip and one of its captions."""
    seen = crop(batch["seen"], draws, model.audio.frames)  # [B, mels, S]
    drawn = draws.integers(batch["ids"].shape[1], 1, 1, stream="caption")  # [B, 1, 1]
    ids = batch["ids"].gather(1, drawn.expand(-1, -1, batch["ids"].shape[2]))[:, 0]  # [B, L]
    with native_bfloat16(seen.device):
        heard, read = model.embed_spectrogram(seen), model.embed_ids(ids, ids != PADDING)
    value = symmetric_contrastive_loss(heard, read, model.scale)
    return {"loss": value, "scale": model.scale.detach()}


@torch.no_grad()
def test(model: CLAP, clips: CaptionedClips) -> dict[str, float]:
    """Retrieval among the test clips by their captions in each manner, and zero-shot accuracy."""
    heard = embed_clips(model, clips.clips)
    found = {"chance_map10": chance_map_at_10(len(clips))}
    for i, manner in enumerate(MANNERS):
        read = model.embed_text([texts[i] for texts in clips.texts]).to(heard.device)
        for way, similarity in (
            ("audio_to_text", heard @ read.T),
            ("text_to_audio", read @ heard.T),
        ):
            found[f"{manner}_{way}_map10"] = mean_average_precision_at_10(similarity)
            if manner == "description":
                found |= {f"{way}_r{k}": recall_at(k, similarity) for k in (1, 5, 10)}
    attributes = [clips.clips.attributes(i) for i in range(len(clips))]
    found |= {f"zero_shot_{n}": v for n, v in zero_shot_scores(model, heard, attributes).items()}
    return {name: round(value, 4) for name, value in found.items()}


@torch.no_grad()
def embed_clips(model: CLAP, clips: Songbook) -> Tensor:
    """The vectors of all clips, [N, E]."""
    device = model.log_scale.device
    parts = torch.arange(len(clips)).split(BATCH)
    return torch.cat([model.embed_audio(clips.batch(part).to(device)) for part in parts])


RECIPE = Recipe(
    model=lambda: CLAP(config()),
    data=data,
    loss=loss,
    test=test,
    steps=900,
    size="full",
    batch_size=64,
    lr=1e-3,
    warmup=50,
    average=0.99,
    int8=True,
)
