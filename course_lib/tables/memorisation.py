"""Does MusicGen give training clips back? Nearest neighbours against those of held-out music.

Each of a set of clips of 5 s looks for the training clip most like it: by cosine in CLAP's space
and the analyser's, and by the share of codes of the first codebook that both have. All of them are
heard through the codec. Held-out clips say how near new music of these styles lies anyhow; pieces
of training clips themselves, begun between the places where they are looked for, say how near a
copy would lie. A seed is other clips and other draws. Taught in notebook 15.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib import checkpoints, songbook
from course_lib.evaluation.analysis import analyse
from course_lib.evaluation.generating import generated, through_codec
from course_lib.evaluation.prompts import balanced, balanced_prompts
from course_lib.evaluation.variety import beyond, nearest, nearest_codes
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.prompted import clap_embeddings, held_out, system

CLIPS, SECONDS = 96, 5.0  # of a seed; CLAP hears 5 s at once
OFFSET = 0.25  # of a piece, by which copies begin beside the pieces they are looked for among


class Known(NamedTuple):
    """Pieces of clips: embeddings [N, E] of CLAP and the analyser, codes [N, F] of codebook 1."""

    clap: Tensor
    analyser: Tensor
    codes: Tensor


def known(audio: Tensor) -> Known:
    """What audio [N, 1, T], from or through the codec, is compared by."""
    codec = checkpoints.load("codec")
    codes = torch.cat([codec.encode(part, 1).codes[:, 0] for part in audio.split(16)])
    return Known(
        clap_embeddings(audio), analyse(audio, checkpoints.load("analyser")).embeddings, codes
    )


def training_clips() -> songbook.Songbook:
    return songbook.load("train", "full", progress=False)


@lru_cache(maxsize=1)
def bank() -> Known:
    """Pieces of all training clips, one every half of their length, through the codec."""
    clips, parts = training_clips(), []
    for some in torch.arange(len(clips)).split(32):
        audio = through_codec(system(), clips.batch(some))
        size = _samples()
        pieces = audio[:, 0].unfold(-1, size, size // 2)  # [B, pieces, size]
        parts.append(known(pieces.flatten(0, 1)[:, None]))
    return Known(*(torch.cat(rows) for rows in zip(*parts, strict=True)))


@lru_cache(maxsize=2)
def compared(what: str, seed: int) -> dict[str, Tensor]:
    """The similarities [N] of a seed's clips with the nearest training piece, by each measure."""
    of, entries = known(_audio(what, seed)), checkpoints.load("codec").config.entries
    return {
        "clap": nearest(of.clap, bank().clap)[0],
        "analyser": nearest(of.analyser, bank().analyser)[0],
        "codes": nearest_codes(of.codes, bank().codes, entries)[0],
    }


def _audio(what: str, seed: int) -> Tensor:
    training = what in ("copies", "training captions")
    clips = training_clips() if training else held_out()
    if what in ("copies", "held out"):
        start = round(OFFSET * _samples()) if what == "copies" else 0
        audio = clips.batch(balanced(clips, CLIPS, seed))
        return through_codec(system(), audio)[..., start : start + _samples()]
    prompts = [prompt.text for prompt in balanced_prompts(clips, CLIPS, seed=seed)]
    return generated(system(), prompts, SECONDS, seed)


def _samples() -> int:
    return round(SECONDS * checkpoints.load("codec").sample_rate)


def cell(job: Job) -> dict[str, float]:
    """One set of clips with one seed."""
    expected = compared("held out", job.seed)
    found = compared(job.settings["what"], job.seed)
    metrics = {name: values.mean().item() for name, values in found.items()}
    metrics |= {f"{name}_beyond": beyond(found[name], expected[name]) for name in found}
    return {name: metrics.get(name, math.nan) for name in TABLE.columns}


HELD_OUT = "held-out clips"
TRAINED, ASKED = "written for training captions", "written for held-out captions"
COPIES = "pieces of training clips"

TABLE = Table(
    title="How near MusicGen comes to its training clips",
    source="Agostinelli et al. 2023 (MusicLM), analysis of memorization; Copet et al. 2023",
    rows={
        HELD_OUT: {"what": "held out"},
        TRAINED: {"what": "training captions"},
        ASKED: {"what": "held-out captions"},
        COPIES: {"what": "copies"},
    },
    columns={
        "clap": "nearest cosine, CLAP",
        "analyser": "nearest cosine, analyser",
        "codes": "nearest share of codes",
        "clap_beyond": "beyond 95 % of held-out clips, CLAP",
        "analyser_beyond": "beyond 95 % of held-out clips, analyser",
        "codes_beyond": "beyond 95 % of held-out clips, codes",
    },
    cell=cell,
    claims=(
        Claim(
            "A piece of a training clip is known by its codes.",
            "codes", "higher", COPIES, HELD_OUT, smallest=0.1,
        ),
        Claim(
            "A piece of a training clip is known by its place in CLAP's space.",
            "clap", "higher", COPIES, HELD_OUT, smallest=0.02,
        ),
        Claim(
            "What is written for training captions shares no more codes with training clips than "
            "held-out music does.",
            "codes", "same", TRAINED, HELD_OUT, smallest=0.05,
        ),
        Claim(
            "Captions that it was trained on bring no more of the training clips back than others.",
            "codes", "same", TRAINED, ASKED, smallest=0.02,
        ),
        Claim(
            "Hardly more than a twentieth of what is written is nearer to training clips than 95 % "
            "of held-out music.",
            "codes_beyond", "same", TRAINED, HELD_OUT, smallest=0.1,
        ),
    ),
    artefacts=("codec", "clap", "analyser", "musicgen"),
)  # fmt: skip
