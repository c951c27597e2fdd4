"""Towers of CLAP: what an audio tower is worth, and a text tower that reads for something else.

Six small CLAPs learn from 1,000 clips with captions in four manners and are asked to find 200 test
clips by their captions, and the reverse; figures are means over the manners. The text tower that
does not fit was trained to tell in which manner a caption is written, and then frozen: it knows
how captions are written, not what they say. It stands for the text encoder of CLIP, which has
read captions of pictures. Taught in notebook 13.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.metrics import mean_average_precision_at_10
from course_lib.models import CLAP, AudioTowerConfig, CLAPConfig, TextTower, TextTowerConfig
from course_lib.recipes import clap as recipe
from course_lib.songbook import load
from course_lib.songbook.captions import MANNERS, vocabulary
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.text import PADDING
from course_lib.training import Tensors, fit

STEPS, BATCH, LR = 240, 48, 2e-3
READING_STEPS = 60  # of the text tower that does not fit, in which it learns what it is asked
SEGMENT = 3.0  # seconds

AUDIO = {
    "weak": {"channels": (8, 16), "width": 32, "layers": 0},
    "stronger": {"channels": (16, 32, 64), "width": 96, "layers": 2},
}
TEXT = {
    "frozen": {"width": 96, "layers": 2},
    "small": {"width": 32, "layers": 1, "heads": 2},
    "larger": {"width": 96, "layers": 2},
}


def config(audio: str, text: str) -> CLAPConfig:
    return CLAPConfig(
        AudioTowerConfig(segment=SEGMENT, **AUDIO[audio]),
        TextTowerConfig(words=vocabulary(), **TEXT[text]),
        embedding=64,
    )


@lru_cache(maxsize=2)
def clips(split: str) -> recipe.CaptionedClips:
    """Clips and captions of a split; spectrograms are the same for all towers."""
    drafts = 4 if split == "train" else 1
    songbook = load(split, "full", progress=False)
    return recipe.CaptionedClips(songbook, config("weak", "small"), drafts)


def reader_of_manners(tower: TextTower, ids: Tensor, job: Job) -> None:
    """Train a text tower to tell in which manner each caption ids [N, captions, L] is written."""
    head = nn.Linear(tower.config.width, len(MANNERS))
    manners = torch.arange(ids.shape[1]).remainder(len(MANNERS)).expand(len(ids), -1)

    def loss(parts: nn.ModuleList, batch: tuple[Tensor, Tensor], draws) -> Tensor:
        tower, head = parts
        ids, manner = batch
        return F.cross_entropy(head(tower(ids.long(), ids != PADDING).pooled), manner)

    fit(
        nn.ModuleList([tower, head]),
        Tensors(ids.flatten(0, 1), manners.flatten()),
        loss,
        steps=READING_STEPS,
        batch_size=BATCH,
        lr=LR,
        warmup=10,
        seed=job.seed,
        device=job.device,
        progress=False,
    )


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    train, found = clips("train"), clips("test")
    torch.manual_seed(job.seed)
    model = CLAP(config(job.settings["audio"], job.settings["text"]))
    if job.settings["text"] == "frozen":
        reader_of_manners(model.text, train.ids, job)
        model.text.requires_grad_(False)
    fit(
        model,
        train,
        recipe.loss,
        steps=STEPS,
        batch_size=BATCH,
        lr=LR,
        warmup=20,
        average=0.98,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    return retrieval(model.eval(), found)


@torch.no_grad()
def retrieval(model: CLAP, clips: recipe.CaptionedClips) -> dict[str, float]:
    """mAP@10 in percent both ways, a mean over the manners."""
    heard = recipe.embed_clips(model, clips.clips)  # [N, E]
    ways: dict[str, list[float]] = {"audio_to_text": [], "text_to_audio": []}
    for i in range(len(MANNERS)):
        read = model.embed_text([texts[i] for texts in clips.texts])
        ways["audio_to_text"].append(mean_average_precision_at_10(heard @ read.T))
        ways["text_to_audio"].append(mean_average_precision_at_10(read @ heard.T))
    return {way: 100 * sum(found) / len(found) for way, found in ways.items()}


NAMES = {
    "weak": "CNN", "stronger": "CNN and Transformer",
    "frozen": "frozen, read for something else", "small": "small", "larger": "larger",
}  # fmt: skip
PAPER = {  # AudioCaps, in percent: audio to text, text to audio
    ("weak", "frozen"): (4.7, 11.7),  # PANN, the text encoder of CLIP
    ("weak", "small"): (34.3, 44.3),  # PANN, BERT
    ("weak", "larger"): (37.5, 45.3),  # PANN, RoBERTa
    ("stronger", "frozen"): (2.4, 6.0),  # HTSAT, the text encoder of CLIP
    ("stronger", "small"): (43.7, 49.2),  # HTSAT, BERT
    ("stronger", "larger"): (45.7, 51.3),  # HTSAT, RoBERTa
}


def row(audio: str, text: str) -> str:
    return f"{NAMES[audio]}; text {NAMES[text]}"


TABLE = Table(
    title="CLAP by its towers: mAP@10 in percent among 200 test clips (guessing gives 1.5)",
    source="Wu et al. 2023 (LAION-CLAP), table 2",
    rows={row(a, t): {"audio": a, "text": t} for a in AUDIO for t in TEXT},
    columns={
        "audio_to_text": "audio to text, mAP@10 (%)",
        "text_to_audio": "text to audio, mAP@10 (%)",
    },
    cell=cell,
    claims=(
        *(
            Claim(
                f"With a {text} text tower that is trained, the stronger audio tower finds more "
                f"({way.replace('_', ' ')}).",
                way, "higher", row("stronger", text), row("weak", text), smallest=2.0,
            )
            for text in ("small", "larger")
            for way in ("audio_to_text", "text_to_audio")
        ),
        *(
            Claim(
                "A frozen text tower that read for something else is worse than a small one that "
                f"is trained ({NAMES[audio]}).",
                "text_to_audio", "lower", row(audio, "frozen"), row(audio, "small"), smallest=5.0,
            )
            for audio in AUDIO
        ),
        Claim(
            "The text tower matters more than the audio tower: the weak CNN with a trained text "
            "tower finds more than the stronger one with the frozen one.",
            "text_to_audio", "higher", row("weak", "small"), row("stronger", "frozen"),
            smallest=5.0,
        ),
        Claim(
            "A larger text tower finds more than a small one.",
            "text_to_audio", "higher", row("stronger", "larger"), row("stronger", "small"),
            smallest=1.0,
        ),
    ),
    paper={
        row(*towers): {"audio to text (%)": first, "text to audio (%)": second}
        for towers, (first, second) in PAPER.items()
    },
)  # fmt: skip
