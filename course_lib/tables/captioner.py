"""LP-MusicCaps at the course's scale: do captions that a program wrote help where people's are few?

Small captioners learn from the same clips: 200 captions in a person's words alone (that of a
listener who knows no names, which no template uses), or first from the labels of 600 clips, strung
together as tags or told as pseudo captions in four manners. "Then those of people" means that what
writes goes on with the 200 while what listens stays as it is, since so few captions might spoil
what it heard; with "all weights" both go on. All are measured on what a person says of other clips;
facts are read in the words of templates and of people. Taught in notebook 13b.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from course_lib import songbook
from course_lib.evaluation.paraphrases import LISTENER_WORDS, paraphrase
from course_lib.metrics.text import attribute_recall, bleu
from course_lib.models.captioner import Captioner, CaptionerConfig
from course_lib.recipes.captioner import CaptionedClips, captions_of, loss, spectrograms
from course_lib.songbook.captions import MANNERS
from course_lib.songbook.facts import Fact, said_facts, true_facts
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.text.tokenizer import WordTokenizer, split
from course_lib.training import fit

SIZE = songbook.Size(train=600, validation=1, test=120, seconds=4.0)
FEW, DRAFTS = 200, 4  # captions of people; drafts of each pseudo caption
PERSON = "listener"  # the manner of people
SMALL = {"channels": (16, 24, 40), "width": 64, "heads": 4, "longest": 96}  # no caption is cut
SPLITS = ("train", "validation", "test")
STEPS = {"programs": 700, "people": 600}


@lru_cache(maxsize=1)
def phrases() -> dict[tuple[str, ...], tuple[Fact, ...]]:
    """What people's words say of a clip, as tokens."""
    names = {"tempo": "tempo_class"}
    spoken = {True: "yes", False: "no"}
    return {
        split(phrase): ((names.get(name, name), spoken.get(value, value)),)
        for name, words in LISTENER_WORDS.items()
        for value, phrase in words.items()
    }


@lru_cache(maxsize=3)
def heard(split_: str) -> Tensor:
    """Spectrograms float16 [N, 64, F] of the clips of a split."""
    return spectrograms(clips(split_), Captioner(CaptionerConfig(words=(), **SMALL)))


@lru_cache(maxsize=3)
def clips(split_: str) -> songbook.Songbook:
    return songbook.load(split_, SIZE, progress=False)


@lru_cache(maxsize=3)
def texts(split_: str, drafts: int) -> dict[str, list[list[str]]]:
    """Drafts about each clip in each manner, and in a person's words."""
    book = clips(split_)
    written = [book.captions(i, drafts) for i in range(len(book))]
    found = {m: [[draft[m] for draft in each] for each in written] for m in MANNERS}
    rngs = (np.random.default_rng([SPLITS.index(split_), i]) for i in range(len(book)))
    people = [paraphrase(book.attributes(i), PERSON, rng) for i, rng in enumerate(rngs)]
    return found | {PERSON: [[text] for text in people]}


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """All words of training captions, of programs and of people."""
    every = (draft for rows in texts("train", DRAFTS).values() for row in rows for draft in row)
    return WordTokenizer.of(every).words


def learnt(manners: Sequence[str], rows: Sequence[int], model: Captioner) -> CaptionedClips:
    """Some training clips, with their captions in some manners."""
    book, said = clips("train"), texts("train", DRAFTS)
    chosen = {manner: [said[manner][i] for i in rows] for manner in manners}
    attributes = [book.attributes(i) for i in rows]
    return CaptionedClips(heard("train")[list(rows)], chosen, attributes, model)


@lru_cache(maxsize=2)
def taught(manners: tuple[str, ...], seed: int) -> dict[str, Tensor]:
    """Weights of a captioner that programs taught, in these manners; of none, untrained ones."""
    torch.manual_seed(seed)
    model = Captioner(CaptionerConfig(words(), (*MANNERS, PERSON), **SMALL))
    if manners:
        _fit(model, learnt(manners, range(SIZE.train), model), STEPS["programs"], seed)
    return model.state_dict()


def people(seed: int) -> list[int]:
    """The clips of which a seed has a caption by a person."""
    return np.random.default_rng(seed).permutation(SIZE.train)[:FEW].tolist()


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    manners, listened = tuple(job.settings["programs"]), job.settings["people"]
    model = Captioner(CaptionerConfig(words(), (*MANNERS, PERSON), **SMALL))
    model.load_state_dict(taught(manners, job.seed))
    lessons = [learnt(manners, range(SIZE.train), model)] if manners else []
    if listened:
        lessons.append(learnt((PERSON,), people(job.seed), model))
        if manners and not job.settings["whole"]:
            for part in (model.convolutions, model.first, model.listener):
                part.requires_grad_(False)
        _fit(model, lessons[-1], STEPS["people"], job.seed)
    if job.settings["another"]:
        said = [row[0] for row in texts("test", 1)[PERSON]]
        said = [*said[1:], said[0]]
    else:
        written = PERSON if listened else "description" if "description" in manners else manners[0]
        said = captions_of(model.eval(), heard("test"), written)
    book = clips("test")
    references = texts("test", 1)[PERSON]
    facts = [said_facts(text, phrases()) for text in said]
    wanted = [true_facts(book.attributes(i)) for i in range(len(book))]
    read = (
        text for lesson in lessons for rows in lesson.texts.values() for row in rows for text in row
    )
    return {
        "bleu1": bleu(said, references, 1),
        "bleu4": bleu(said, references, 4),
        "recall": attribute_recall(facts, wanted)["mean"],
        "words": len({word for text in read for word in split(text)}) if lessons else math.nan,
    }


def _fit(model: Captioner, data: CaptionedClips, steps: int, seed: int) -> None:
    fit(
        model, data, loss, steps=steps, batch_size=16, lr=2e-3, average=0.98, seed=seed,
        device="cpu", progress=False,
    )  # fmt: skip


PEOPLE = "captions of people alone"
TAGS, PSEUDO = "tags strung together", "pseudo captions"
TAGS_PEOPLE, PSEUDO_PEOPLE = f"{TAGS}, then those of people", f"{PSEUDO}, then those of people"
FORGETFUL = f"{PSEUDO_PEOPLE}, all weights"
ANOTHER = "what a person says of another clip"


def _row(
    programs: Sequence[str] = (), people: bool = False, whole: bool = False, another: bool = False
) -> dict:
    return {"programs": list(programs), "people": people, "whole": whole, "another": another}


TABLE = Table(
    title="Captioners taught by programs, by people, and by one after the other",
    source="Doh et al. 2023 (LP-MusicCaps), tables 4 and 5; figures on MusicCaps",
    rows={
        PEOPLE: _row(people=True),
        TAGS: _row(("tags",)),
        TAGS_PEOPLE: _row(("tags",), people=True),
        PSEUDO: _row(MANNERS),
        PSEUDO_PEOPLE: _row(MANNERS, people=True),
        FORGETFUL: _row(MANNERS, people=True, whole=True),
        ANOTHER: _row(another=True),
    },
    columns={
        "bleu1": "BLEU-1",
        "bleu4": "BLEU-4",
        "recall": "attribute recall",
        "words": "distinct words learnt from",
    },
    cell=cell,
    claims=(
        Claim(
            "Pseudo captions first, then 200 of people, write more like people than the 200 alone.",
            "bleu4", "higher", PSEUDO_PEOPLE, PEOPLE, smallest=0.01,
        ),
        Claim(
            "They also say more of what is true.",
            "recall", "higher", PSEUDO_PEOPLE, PEOPLE, smallest=0.05,
        ),
        Claim(
            "Where what listens goes on as well, it forgets what it heard.",
            "recall", "lower", FORGETFUL, PSEUDO_PEOPLE, smallest=0.05,
        ),
        Claim(
            "Without people's captions a captioner does not find people's words.",
            "bleu4", "higher", PSEUDO_PEOPLE, PSEUDO, smallest=0.05,
        ),
        Claim(
            "Pseudo captions teach more about clips than the tags they are made of, strung "
            "together.",
            "recall", "higher", PSEUDO_PEOPLE, TAGS_PEOPLE, smallest=0.02,
        ),
        Claim(
            "Pseudo captions use more words than tags.",
            "words", "higher", PSEUDO, TAGS, smallest=20,
        ),
        Claim(
            "Pseudo captions reach people's words for music as large language models write them.",
            impossible="the four manners are templates, not a large language model",
        ),
    ),
    paper={
        PEOPLE: {"BLEU-1": 0.285, "BLEU-4": 0.048},
        PSEUDO: {"BLEU-1": 0.198, "BLEU-4": 0.008},
        PSEUDO_PEOPLE: {"BLEU-1": 0.291, "BLEU-4": 0.060},
    },
)  # fmt: skip
