"""MuLan's noise: how much retrieval survives texts that have nothing to do with the music.

Small CLAPs learn from the same clips and steps. Of their captions a share is replaced: by a text
from elsewhere on the web, as much of MuLan's 44 million pairs had, or by the caption of another
clip. A filter, a classifier of single texts taught by 700 labelled ones as MuLan's was, may throw
texts out before. Then the vectors of the model without noise are written as a few codes, each the
nearest of 64 centroids of what the codes before it left over (MusicLM, section 3.1), and clips and
captions are compared as their codes say. Taught in notebook 13b.
"""

import math
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import songbook
from course_lib.metrics.retrieval import mean_average_precision_at_10
from course_lib.models import CLAP, AudioTower, AudioTowerConfig, CLAPConfig, TextTowerConfig
from course_lib.quantize import kmeans
from course_lib.quantize.kmeans import nearest
from course_lib.songbook.captions import MANNERS, vocabulary
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.text import PADDING, WordTokenizer
from course_lib.training import Draws, fit, generator, symmetric_contrastive_loss
from course_lib.training.precision import native_bfloat16

SIZE = songbook.Size(train=600, validation=1, test=120, seconds=4.0)
AUDIO = AudioTowerConfig(channels=(16, 24, 40), width=64, layers=1, segment=4.0)
TEXT = {"width": 64, "layers": 1, "longest": 80}
DRAFTS, STEPS, BATCH = 2, 300, 40
LABELLED = 700  # texts that the filter learns from, half of them about music
ENTRIES = 64  # centroids of each code

THINGS = ("bicycle", "tent", "toaster", "kettle", "drone", "laptop", "boat", "tractor", "umbrella")
PLACES = ("Lisbon", "the Alps", "our garden", "a car park", "grandma's kitchen", "Iceland")
ELSEWHERE = (
    "How to mend a {a} in {n} minutes",
    "Unboxing my new {a}, part {n}: is it better than the {b}?",
    "Thanks for watching! Please subscribe and tell your friends.",
    "{place} from above, filmed with a {a}",
    "{n} things nobody tells you about {place}",
    "We took the {a} to {place} and forgot the {b}. Comments are off.",
    "Day {n} of walking across {place} with a {a}",
    "Free shipping on every {a} until Sunday, link below",
)


def elsewhere(rng: np.random.Generator) -> str:
    """A text that is not about music."""
    a, b = (THINGS[i] for i in rng.permutation(len(THINGS))[:2])
    place, n = PLACES[rng.integers(len(PLACES))], int(rng.integers(2, 100))
    text = ELSEWHERE[rng.integers(len(ELSEWHERE))].format(a=a, b=b, place=place, n=n)
    return text[0].upper() + text[1:]


def config() -> CLAPConfig:
    """A small CLAP that knows the words of all texts, of music and of elsewhere."""
    texts = [elsewhere(np.random.default_rng(i)) for i in range(2000)]
    words = {*vocabulary(), *WordTokenizer.of(texts).words}
    return CLAPConfig(AUDIO, TextTowerConfig(words=tuple(sorted(words)), **TEXT))


@lru_cache(maxsize=2)
def heard(split: str) -> Tensor:
    """Spectrograms float16 [N, mels, F] of the clips of a split."""
    clips, tower = songbook.load(split, SIZE, progress=False), AudioTower(AUDIO)
    parts = torch.arange(len(clips)).split(40)
    return torch.cat([tower.spectrogram(clips.batch(part)).half() for part in parts])


@lru_cache(maxsize=2)
def captions(split: str) -> list[list[str]]:
    """The texts about each clip of a split: draft after draft, in the order of MANNERS."""
    clips, drafts = songbook.load(split, SIZE, progress=False), DRAFTS if split == "train" else 1
    return [
        [draft[manner] for draft in clips.captions(i, drafts) for manner in MANNERS]
        for i in range(len(clips))
    ]


def noisy(texts: list[list[str]], share: float, kind: str, seed: int) -> list[list[str]]:
    """`texts` with a share of them replaced, each by chance for itself."""
    rng = np.random.default_rng([2, seed])
    made = []
    for texts_of_clip in texts:
        row = []
        for place, text in enumerate(texts_of_clip):
            if rng.random() < share:
                other = texts[rng.integers(len(texts))][place]
                text = elsewhere(rng) if kind == "elsewhere" else other
            row.append(text)
        made.append(row)
    return made


class Filter:
    """Whether a text is about music: logistic regression on which words it has."""

    def __init__(self, tokenizer: WordTokenizer, seed: int):
        self.tokenizer = tokenizer
        rng = np.random.default_rng([3, seed])
        half, pool = LABELLED // 2, [text for row in captions("train") for text in row]
        music = [pool[i] for i in rng.permutation(len(pool))[:half]]
        other = [elsewhere(rng) for _ in range(half)]
        x, y = self.words([*music, *other]), torch.tensor([1.0] * half + [0.0] * half)
        self.weight, self.bias = torch.zeros(x.shape[1]), torch.zeros(1)
        parameters = [self.weight.requires_grad_(), self.bias.requires_grad_()]
        optimizer = torch.optim.Adam(parameters, 0.1)
        for _ in range(100):
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(x @ self.weight + self.bias, y).backward()
            optimizer.step()

    def words(self, texts: list[str]) -> Tensor:
        """Which words each text has, float [N, V]."""
        ids, valid = self.tokenizer.encode(texts, 200)
        return torch.zeros(len(texts), len(self.tokenizer)).scatter_(1, ids, valid.float())

    @torch.no_grad()
    def keeps(self, texts: list[str]) -> Tensor:
        """Which of the texts are taken to be about music, bool [N]."""
        return self.words(texts) @ self.weight + self.bias > 0


class Pairs:
    """Spectrograms, ids int16 [N, C, L] of texts and which of them are kept, bool [N, C]."""

    def __init__(self, seen: Tensor, texts: list[list[str]], kept: Tensor, c: CLAPConfig):
        flat = [text for row in texts for text in row]
        ids, _ = c.text.tokenizer.encode(flat, c.text.longest)
        self.seen, self.ids, self.kept = seen, ids.to(torch.int16).unflatten(0, kept.shape), kept
        self.clips = kept.any(1).nonzero()[:, 0]  # those with a text

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, indices: Tensor) -> dict[str, Tensor]:
        rows = self.clips[indices]
        return {"seen": self.seen[rows].float(), "ids": self.ids[rows], "kept": self.kept[rows]}


def loss(model: CLAP, batch: dict[str, Tensor], draws: Draws) -> Tensor:
    """The symmetric contrastive loss of each clip and one of its kept texts."""
    chance = draws.uniform(batch["kept"].shape[1], stream="text")  # [B, C]
    drawn = chance.masked_fill(~batch["kept"], -1).argmax(1)
    ids = batch["ids"][torch.arange(len(drawn)), drawn].long()
    with native_bfloat16(ids.device):
        sound = model.embed_spectrogram(batch["seen"])
        text = model.embed_ids(ids, ids != PADDING)
    return symmetric_contrastive_loss(sound, text, model.scale)


@lru_cache(maxsize=1)
def taught(share: float, kind: str, filtered: bool, seed: int) -> tuple[CLAP, float]:
    """A CLAP taught with noise, and the share of noise in what it was taught with."""
    c, clean = config(), captions("train")
    texts = noisy(clean, share, kind, seed)
    flat = [text for row in texts for text in row]
    shape = len(texts), len(texts[0])
    kept = torch.ones(shape, dtype=torch.bool)
    if filtered:
        kept = Filter(c.text.tokenizer, seed).keeps(flat).view(shape)
    pairs = zip(texts, clean, strict=True)
    wrong = torch.tensor([[a != b for a, b in zip(*rows, strict=True)] for rows in pairs])
    torch.manual_seed(seed)
    model = CLAP(c)
    fit(
        model, Pairs(heard("train"), texts, kept, c), loss, steps=STEPS, batch_size=BATCH,
        lr=2e-3, warmup=20, average=0.98, seed=seed, device="cpu", progress=False,
    )  # fmt: skip
    return model.eval(), (wrong & kept).sum().item() / kept.sum().item()


@torch.no_grad()
def vectors(model: CLAP, split: str) -> tuple[Tensor, Tensor]:
    """Unit vectors of clips [N, E] and of all their texts [N, C, E]."""
    sound = torch.cat([model.embed_spectrogram(x.float()) for x in heard(split).split(40)])
    rows = captions(split)
    text = model.embed_text([text for row in rows for text in row])
    return sound, text.unflatten(0, (len(rows), -1))


def stages(x: Tensor, count: int, seed: int) -> list[Tensor]:
    """Centroids [V, E] of `count` codes of vectors [N, E], each of what those before left over."""
    found = []
    for stage in range(count):
        centroids = kmeans(x, ENTRIES, 10, generator(seed, stage)).centroids
        found.append(centroids)
        x = x - centroids[nearest(x, centroids)]
    return found


def quantized(x: Tensor, centroids: list[Tensor]) -> Tensor:
    """What the codes of vectors [N, E] say they are."""
    total = torch.zeros_like(x)
    for stage in centroids:
        total = total + stage[nearest(x - total, stage)]
    return total


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    s = job.settings
    model, noise = taught(s["noise"], s["kind"], s["filter"], job.seed)
    sound, text = vectors(model, "test")
    if s["codes"]:
        known = torch.cat([part.flatten(0, -2) for part in vectors(model, "train")])
        centroids = stages(known, s["codes"], job.seed)
        sound = F.normalize(quantized(sound, centroids), dim=-1)
        text = F.normalize(quantized(text.flatten(0, 1), centroids), dim=-1).view_as(text)
    scores = [
        (mean_average_precision_at_10(t @ sound.T), mean_average_precision_at_10(sound @ t.T))
        for t in text.unbind(1)
    ]
    to_sound, to_text = torch.tensor(scores).mean(0).tolist()
    bits = s["codes"] * math.log2(ENTRIES) or math.nan
    return {"to_audio": to_sound, "to_text": to_text, "noise": noise, "bits": bits}


def _row(noise: float = 0.0, kind: str = "elsewhere", filter: bool = False, codes: int = 0):
    return {"noise": noise, "kind": kind, "filter": filter, "codes": codes}


CLEAN = "true captions"
QUARTER, HALF = "25 % from elsewhere", "50 % from elsewhere"
FILTERED_QUARTER, FILTERED_HALF = f"{QUARTER}, filtered", f"{HALF}, filtered"
OTHERS, FILTERED_OTHERS = "50 % of other clips", "50 % of other clips, filtered"
CODES = {count: f"{CLEAN}, vectors in {count} codes" for count in (1, 4, 12)}

TABLE = Table(
    title="Retrieval with noisy captions, with and without a filter, and through a few codes",
    source="Huang et al. 2022 (MuLan), section 4.3; Agostinelli et al. 2023 (MusicLM), section 3.1",
    rows={
        CLEAN: _row(),
        **{row: _row(codes=count) for count, row in CODES.items()},
        QUARTER: _row(0.25),
        FILTERED_QUARTER: _row(0.25, filter=True),
        HALF: _row(0.5),
        FILTERED_HALF: _row(0.5, filter=True),
        OTHERS: _row(0.5, "others"),
        FILTERED_OTHERS: _row(0.5, "others", filter=True),
    },
    columns={
        "to_audio": "text to audio, mAP@10",
        "to_text": "audio to text, mAP@10",
        "noise": "share of wrong texts learnt from",
        "bits": "bits of a vector",
    },
    cell=cell,
    claims=(
        Claim(
            "With a quarter of the texts from elsewhere, retrieval loses less than 15 %.",
            "to_audio", "same", QUARTER, CLEAN, smallest=0.15, relative=True,
        ),
        Claim(
            "With half of them from elsewhere it loses less than 30 %.",
            "to_audio", "same", HALF, CLEAN, smallest=0.3, relative=True,
        ),
        Claim(
            "The filter finds texts from elsewhere: fewer than a tenth of those kept are wrong.",
            "noise", "lower", FILTERED_HALF, HALF, smallest=0.4,
        ),
        Claim(
            "And yet it changes retrieval by less than 15 %.",
            "to_audio", "same", FILTERED_HALF, HALF, smallest=0.15, relative=True,
        ),
        Claim(
            "What the filter cannot see costs more: captions of other clips are worse than texts "
            "about nothing.",
            "to_audio", "lower", OTHERS, HALF, smallest=0.02,
        ),
        Claim(
            "Twelve codes of 64 keep retrieval within 10 %.",
            "to_audio", "same", CODES[12], CLEAN, smallest=0.1, relative=True,
        ),
        Claim(
            "One code of 64 does not.",
            "to_audio", "lower", CODES[1], CLEAN, smallest=0.05,
        ),
    ),
)  # fmt: skip
