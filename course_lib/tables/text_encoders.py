"""Which text encoder MusicGen reads with: table T17 of the lecture, at the course's scale.

The small models of `musicgen_sizes`, which differ in what reads their captions: CLAP's text tower
as it is, the same tower trained along, CLAP's one vector of the whole sentence, and T5 and Flan-T5
where their weights are on this machine (nothing is downloaded; their rows are empty otherwise).
What 2 s of music can be asked for is measured: style, instruments and drums. Taught in notebook 15.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from course_lib import checkpoints
from course_lib.evaluation.adherence import adherence, asked_marks, heard_marks
from course_lib.evaluation.analysis import analyse, kl
from course_lib.evaluation.prompts import WRITTEN, Prompt, asked
from course_lib.models import MusicGenLM, MusicGenLMConfig, TextTower
from course_lib.models.musicgen_lm import Reading
from course_lib.nets.interleaving import delay
from course_lib.songbook.captions import MANNERS
from course_lib.tables import small_musicgens as small
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.prompted import clap_score
from course_lib.training import fit, generator

WIDTH, LAYERS = 80, 3  # the largest of `musicgen_sizes`
JUDGED = ("style", "instruments", "drums")
ASKS = MANNERS.index(WRITTEN)  # the caption that asks for all of them
PUBLISHED = {"t5": "google-t5/t5-small", "flan-t5": "google/flan-t5-small"}
AT_ONCE = 64  # texts


class ReadsAlong(MusicGenLM):
    """A MusicGenLM whose text tower is trained with it: it reads ids in the place of states."""

    def __init__(self, config: MusicGenLMConfig, tower: TextTower):
        super().__init__(config)
        self.text = TextTower(tower.config)
        self.text.load_state_dict(tower.state_dict())

    def reading(self, states: Tensor, valid: Tensor) -> Reading:
        return super().reading(self.text(states, valid).states, valid)


class Read:
    """Clips with their captions as one encoder reads them: `batch` gives small.Captioned."""

    def __init__(self, clips: small.CaptionedClips, states: Tensor, valid: Tensor):
        shape = (len(clips), -1)
        codes = clips.captioned.codes
        self.captioned = small.Captioned(
            codes, states.unflatten(0, shape), valid.unflatten(0, shape)
        )

    def __len__(self) -> int:
        return len(self.captioned.codes)

    def batch(self, indices: Tensor) -> small.Captioned:
        return self.captioned.take(indices)


@lru_cache(maxsize=2)
def clips(split: str, encoder: str) -> Read | None:
    """The clips of a split as an encoder reads their captions; None where it isn't at hand."""
    found = small.clips(split)
    read = encoded(encoder, [text for texts in found.texts for text in texts])
    return None if read is None else Read(found, *read)


@torch.no_grad()
def encoded(encoder: str, texts: list[str]) -> tuple[Tensor, Tensor] | None:
    """States [N, L, M] of texts (of "along": ids [N, L]) and which are valid, bool [N, L]."""
    clap = checkpoints.load("clap")
    if encoder == "along":
        return clap.text.encode(texts)
    if encoder == "frozen":
        return tuple(clap.text.read(texts)[:2])
    if encoder == "pooled":
        vectors = clap.embed_text(texts)[:, None]  # [N, 1, E]
        return vectors, torch.ones(vectors.shape[:2], dtype=torch.bool)
    return published(PUBLISHED[encoder], texts)


def published(name: str, texts: list[str]) -> tuple[Tensor, Tensor] | None:
    """What a published T5 makes of texts; None where its weights are not on this machine."""
    from transformers import AutoTokenizer, T5EncoderModel

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
        model = T5EncoderModel.from_pretrained(name, local_files_only=True).eval()
    except OSError:
        return None
    tokens = tokenizer(texts, padding=True, return_tensors="pt")
    ids, valid = tokens["input_ids"].split(AT_ONCE), tokens["attention_mask"].split(AT_ONCE)
    states = [model(i, attention_mask=v)[0] for i, v in zip(ids, valid, strict=True)]
    return torch.cat(states), torch.cat(valid).bool()


def untrained(seed: int, encoder: str) -> MusicGenLM:
    """A model drawn by its seed, whose embeddings begin as the codec's codebooks."""
    torch.manual_seed(seed)
    codec, clap, _ = small.listeners()
    states = clips("test", encoder).captioned.states
    config = MusicGenLMConfig(
        text=None,
        text_width=clap.text.config.width if encoder == "along" else states.shape[-1],
        entries=codec.config.entries,
        pattern=delay(small.CODEBOOKS),
        context=small.FRAMES,
        width=WIDTH,
        layers=LAYERS,
        heads=4,
        melody=False,
    )
    made = ReadsAlong(config, clap.text) if encoder == "along" else MusicGenLM(config)
    stages = codec.quantizer.stages[: small.CODEBOOKS]
    made.lm.start_from(torch.stack([stage.codebook for stage in stages]))
    return made


def cell(job: Job) -> dict[str, float]:
    """One encoder with one seed."""
    encoder = job.settings["encoder"]
    if clips("test", encoder) is None:
        return dict.fromkeys(TABLE.columns, math.nan)
    model = untrained(job.seed, encoder)
    fit(
        model,
        clips("train", encoder),
        small.loss,
        steps=small.STEPS,
        batch_size=small.BATCH,
        lr=small.LR,
        average=0.99,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    return measures(model.eval(), encoder, job.seed)


@torch.no_grad()
def measures(model: MusicGenLM, encoder: str, seed: int) -> dict[str, float]:
    """Likelihood of the test clips and what captions add to it; how what is written obeys them."""
    codec, _, analyser = small.listeners()
    nats, others, codes = [], [], []
    for part in torch.arange(len(clips("test", encoder))).split(small.HEARD):
        batch = small.Captioned(*(x.to(model.device) for x in clips("test", encoder).batch(part)))
        known = batch.codes[..., : small.FRAMES]
        states, valid = batch.states[:, ASKS], batch.valid[:, ASKS]
        reading = model.reading(states, valid)
        nats.append(model.nats(known, reading).mean(1).cpu())
        handed_on = model.reading(states.roll(1, 0), valid.roll(1, 0))
        others.append(model.nats(known, handed_on).mean(1).cpu())
        random = generator(seed, int(part[0]), stream="generated", device=model.device)
        settings = {"guidance": small.GUIDANCE, "generator": random}
        codes.append(model.sample(small.FRAMES, reading, **settings).cpu())
    sounds = small.decoded(codec, torch.cat(codes))
    told = torch.cat(nats).mean().item()
    return {
        "nats": told,
        "gain": torch.cat(others).mean().item() - told,
        "adherence": obeyed(sounds),
        "kl": kl(small.real().heard, analyse(sounds, analyser)).mean().item(),
        "clap": clap_score(sounds, [texts[ASKS] for texts in small.clips("test").texts]),
    }


def obeyed(sounds: Tensor) -> float:
    """The mean adherence of JUDGED in sounds [N, 1, T] written for the test clips."""
    judge, test = checkpoints.load("judge"), small.clips("test").clips
    prompts = [Prompt("", asked(test.attributes(i))) for i in range(len(test))]
    made, real = (heard_marks(analyse(x, judge)) for x in (sounds, small.real().sounds))
    found = adherence(made, real, asked_marks(prompts, judge))
    return math.fsum(found[name].value for name in JUDGED) / len(JUDGED)


FROZEN, ALONG, POOLED = "own tower, frozen", "own tower, trained along", "CLAP's one vector"
T5, FLAN = "T5, if at hand", "Flan-T5, if at hand"

TABLE = Table(
    title="Text encoders of MusicGen: 2 s of music for captions of test clips",
    source="Copet et al. 2023 (MusicGen), appendix: text encoders, on MusicCaps",
    rows={
        FROZEN: {"encoder": "frozen"},
        ALONG: {"encoder": "along"},
        POOLED: {"encoder": "pooled"},
        T5: {"encoder": "t5"},
        FLAN: {"encoder": "flan-t5"},
    },
    columns={
        "nats": "nats per code",
        "gain": "nats that the right caption saves over another's",
        "adherence": "adherence, mean of style, instruments, drums",
        "kl": "KL divergence of styles (nats)",
        "clap": "CLAP score",
    },
    cell=cell,
    paper={
        T5: {"FAD": 3.12, "KL": 1.29, "CLAP": 0.31, "overall": 84.89, "relevance": 82.52},
        FLAN: {"FAD": 3.36, "KL": 1.30, "CLAP": 0.32, "overall": 86.25, "relevance": 80.83},
        POOLED: {"FAD": 4.23, "KL": 1.53, "CLAP": 0.32, "overall": 79.79, "relevance": 77.28},
    },
    claims=(
        Claim(
            "States of all words make music obey better than one vector of the sentence.",
            "adherence", "higher", FROZEN, POOLED, smallest=0.05,
        ),
        Claim(
            "One vector of CLAP's space does not obey less by CLAP's own score.",
            "clap", "same", POOLED, FROZEN, smallest=0.05,
        ),
        Claim(
            "Training the tower along makes codes easier to predict.",
            "nats", "lower", ALONG, FROZEN, smallest=0.01,
        ),
        Claim(
            "A tower trained along gets more out of the right caption.",
            "gain", "higher", ALONG, FROZEN, smallest=0.01,
        ),
        Claim(
            "States of T5, which never heard music, make it obey better than CLAP's one vector.",
            "adherence", "higher", T5, POOLED, smallest=0.05,
        ),
        Claim(
            "Flan-T5 does as well as T5.",
            "adherence", "same", FLAN, T5, smallest=0.05,
        ),
        Claim(
            "Listeners like what T5 reads for best.",
            impossible="it takes listeners",
        ),
    ),
    artefacts=("codec", "clap", "analyser", "judge"),
)  # fmt: skip
