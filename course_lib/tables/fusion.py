"""Feature fusion: finding clips of 12 s by captions that say how they begin and how they end.

Two clips of 6 s are joined, and the caption tells both, the ending last. Small CLAPs hear 4 s at
once: a part drawn at random, also when measured (LAION-CLAP without fusion); parts that cover the
clip, their vectors averaged (the course's CLAP); or the whole squeezed into 4 s and fused with a
part of each third (LAION-CLAP with fusion). Same clips, captions and steps. Taught in notebook 13b.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import songbook
from course_lib.metrics.retrieval import mean_average_precision_at_10
from course_lib.models import CLAP, AudioTower, AudioTowerConfig, CLAPConfig, TextTowerConfig
from course_lib.models.feature_fusion import FusedAudioTower
from course_lib.songbook.captions import vocabulary
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.text import PADDING, WordTokenizer
from course_lib.training import Draws, Tensors, fit, symmetric_contrastive_loss
from course_lib.training.crop import crop
from course_lib.training.precision import native_bfloat16

SIZE = songbook.Size(train=600, validation=1, test=160, seconds=6.0)
AUDIO = AudioTowerConfig(channels=(16, 24, 40), width=64, layers=1, segment=4.0)
TEXT = {"width": 64, "layers": 1, "longest": 80}  # no caption is cut
STEPS, BATCH = 300, 32
TELLING = "It begins as {first} It ends as {last}"


def config() -> CLAPConfig:
    words = {*vocabulary(), *WordTokenizer.of([TELLING.format(first="", last="")]).words}
    return CLAPConfig(AUDIO, TextTowerConfig(words=tuple(sorted(words)), **TEXT))


def told(first: str, last: str) -> str:
    """A caption of a clip that changes: sentences about its halves, each begun in lower case."""
    return TELLING.format(first=first[0].lower() + first[1:], last=last[0].lower() + last[1:])


def partner(i: int, clips: int) -> int:
    """The clip that follows clip i: another one for each."""
    return (i + clips // 3) % clips


@lru_cache(maxsize=2)
def seen(split: str) -> Tensor:
    """Spectrograms float16 [N, mels, F] of clips of 12 s: each clip, and its partner after it."""
    clips, tower = songbook.load(split, SIZE, progress=False), AudioTower(AUDIO)
    parts = []
    for rows in torch.arange(len(clips)).split(20):
        others = [partner(int(i), len(clips)) for i in rows]
        joined = torch.cat([clips.batch(rows), clips.batch(others)], dim=2)  # [B, 1, T]
        parts.append(tower.spectrogram(joined).half())
    return torch.cat(parts)


@lru_cache(maxsize=3)
def captions(split: str, true: bool = True) -> Tensor:
    """Ids int16 [N, L] of what is told of each clip of 12 s; with another ending unless `true`."""
    clips = songbook.load(split, SIZE, progress=False)
    sentences = [clips.captions(i)[0]["sentence"] for i in range(len(clips))]
    texts = []
    for i, first in enumerate(sentences):
        last = partner(i, len(clips))
        last = last if true else partner(last, len(clips))
        texts.append(told(first, sentences[last]))
    c = config()
    return c.text.tokenizer.encode(texts, c.text.longest)[0].to(torch.int16)


def untrained(way: str) -> CLAP:
    """A CLAP that hears in one of the three ways; "fusion" has a tower of its own."""
    model = CLAP(config())
    if way == "fusion":
        model.audio = FusedAudioTower(AUDIO)
    return model


def sound(model: CLAP, log_mel: Tensor, way: str, draws: Draws) -> Tensor:
    """Unit vectors [B, E] of spectrograms [B, mels, F] of whole clips."""
    if way == "crop":
        return model.embed_spectrogram(crop(log_mel, draws, model.audio.frames))
    parts = model.audio.segments(log_mel)
    return F.normalize(sum(model.embed_spectrogram(part) for part in parts), dim=-1)


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    way = job.settings["way"]

    def loss(model: CLAP, batch: tuple[Tensor, Tensor], draws: Draws) -> Tensor:
        log_mel, ids = batch
        # Segment by segment a clip costs three times as much; one of them teaches as well.
        heard = "crop" if way == "mean" else way
        with native_bfloat16(ids.device):
            audio, text = sound(model, log_mel.float(), heard, draws), read(model, ids)
        return symmetric_contrastive_loss(audio, text, model.scale)

    torch.manual_seed(job.seed)
    model = untrained(way)
    data = Tensors(seen("train"), captions("train"))
    fit(
        model, data, loss, steps=STEPS, batch_size=BATCH, lr=2e-3, warmup=20, average=0.98,
        seed=job.seed, folder=job.folder, device="cpu", progress=False,
    )  # fmt: skip
    return measured(model.eval(), way, job.seed)


@torch.no_grad()
def measured(model: CLAP, way: str, seed: int) -> dict[str, float]:
    """Retrieval of test clips, and how often the true caption beats one with another ending."""
    log_mel, audio = seen("test"), []
    for rows in torch.arange(len(log_mel)).split(20):
        draws = Draws(seed, 0, range(int(rows[0]), int(rows[-1]) + 1), log_mel.device)
        audio.append(sound(model, log_mel[rows].float(), way, draws))
    audio = torch.cat(audio)
    text, other = (read(model, captions("test", true)) for true in (True, False))
    similarity = text @ audio.T  # [N texts, N clips]
    right = similarity.diagonal() > (other * audio).sum(1)
    return {
        "to_audio": mean_average_precision_at_10(similarity),
        "to_text": mean_average_precision_at_10(similarity.T.contiguous()),
        "ending": right.double().mean().item(),
    }


def read(model: CLAP, ids: Tensor) -> Tensor:
    """Unit vectors [B, E] of captions int16 [B, L]."""
    ids = ids.long()
    return model.embed_ids(ids, ids != PADDING)


CROP, MEAN, FUSION = "a part of 4 s", "the mean of parts", "feature fusion"

TABLE = Table(
    title="Clips of 12 s whose captions tell the ending: a part, the mean of parts, feature fusion",
    source="Wu et al. 2023 (LAION-CLAP), section 3.3",
    rows={CROP: {"way": "crop"}, MEAN: {"way": "mean"}, FUSION: {"way": "fusion"}},
    columns={
        "to_audio": "text to audio, mAP@10",
        "to_text": "audio to text, mAP@10",
        "ending": "true ending preferred to another (chance 0.5)",
    },
    cell=cell,
    claims=(
        Claim(
            "Captions that tell the ending find their clip more often with feature fusion than by "
            "a part of it.",
            "to_audio", "higher", FUSION, CROP, smallest=0.02,
        ),
        Claim(
            "Fusion hears the ending better than a part does.",
            "ending", "higher", FUSION, CROP, smallest=0.05,
        ),
        Claim(
            "The mean of parts finds clips more often than one part.",
            "to_audio", "higher", MEAN, CROP, smallest=0.02,
        ),
        Claim(
            "Fusion finds clips more often than the mean of parts, which forgets what came when.",
            "to_audio", "higher", FUSION, MEAN, smallest=0.01,
        ),
    ),
)  # fmt: skip
