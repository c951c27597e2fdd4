"""What the tables of MusicGen's obedience share: prompts, their real clips, and the scores."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from course_lib import checkpoints, songbook
from course_lib.evaluation.adherence import Marks, adherence, asked_marks, heard_marks, scores
from course_lib.evaluation.analysis import analyse
from course_lib.evaluation.generating import generated, through_codec
from course_lib.evaluation.prompts import ATTRIBUTES, WRITTEN, Prompt, balanced_prompts
from course_lib.evaluation.signal_checks import signal_marks
from course_lib.models import CLAP, MusicGen

CLIPS, SECONDS = 96, 8.0  # prompts of a seed; seconds that are written for each
WORDS = {
    "instruments": "instruments",
    "style": "style",
    "drums": "drums",
    "tempo_class": "tempo",
    "mode": "mode",
    "metre": "metre",
    "tempo_class_checked": "tempo by beat tracking",
    "mode_checked": "mode by chroma",
}
CHECKED = {"tempo_class_checked": "tempo_class", "mode_checked": "mode"}
SCORED = {
    name: f"{words} ({'F1' if name == 'instruments' else 'accuracy'})"
    for name, words in WORDS.items()
}
ADHERED = {"adherence": "adherence, mean of six"} | {
    f"adherence_{name}": f"adherence: {words}" for name, words in WORDS.items()
}


@dataclass(frozen=True)
class Wanted:
    """Prompts of balanced test clips, what they ask for, and what is heard in those clips."""

    prompts: tuple[Prompt, ...]
    asked: Marks
    real: Marks


def system() -> MusicGen:
    """The shipped MusicGen."""
    return MusicGen(checkpoints.load("codec"), checkpoints.load("musicgen")).eval()


def held_out() -> songbook.Songbook:
    """The clips that are asked for again."""
    return songbook.load("test", "full", progress=False)


@lru_cache(maxsize=1)
def wanted(seed: int) -> Wanted:
    """What a seed's prompts ask for; real clips are heard through the codec, as long as others."""
    clips, musicgen = held_out(), system()
    prompts = balanced_prompts(clips, CLIPS, seed=seed)
    samples = round(SECONDS * musicgen.codec.sample_rate)
    audio = clips.batch([prompt.clip for prompt in prompts])[..., :samples]
    asked = asked_marks(prompts, checkpoints.load("judge"))
    asked |= {name: asked[of] for name, of in CHECKED.items()}
    return Wanted(prompts, asked, heard(through_codec(musicgen, audio)))


def texts(seed: int, manner: str = WRITTEN) -> list[str]:
    """The prompts of a seed in one manner, in the order of `wanted`."""
    return [prompt.text for prompt in balanced_prompts(held_out(), CLIPS, manner, seed)]


def heard(audio: Tensor) -> dict[str, Tensor]:
    """What the judge and the checks without weights hear in audio [N, 1, T]."""
    judge = checkpoints.load("judge")
    checked = signal_marks(audio, judge.config.sample_rate)
    return heard_marks(analyse(audio, judge)) | {name: checked[of] for name, of in CHECKED.items()}


@lru_cache(maxsize=1)
def written(seed: int, manner: str | None, guidance: float = 3.0) -> Tensor:
    """What MusicGen makes of a seed's prompts in one manner, or of no prompt: audio [N, 1, T]."""
    prompts = [None] * CLIPS if manner is None else texts(seed, manner)
    return generated(system(), prompts, SECONDS, seed, guidance=guidance)


def obedience(made: Marks, of: Wanted) -> dict[str, float]:
    """The adherence of what was made, by attribute ("adherence_...") and its mean over the six."""
    found = {f"adherence_{n}": a.value for n, a in adherence(made, of.real, of.asked).items()}
    six = [found[f"adherence_{name}"] for name in ATTRIBUTES]
    return found | {"adherence": math.fsum(six) / len(six)}


def scored(made: Marks, of: Wanted, others: bool = False) -> Mapping[str, float]:
    """The scores of what was made against the prompts, or those of other clips."""
    return scores(made, of.asked, others)


@torch.no_grad()
def clap_score(audio: Tensor, prompts: list[str]) -> float:
    """Mean cosine of CLAP's embeddings of audio [N, 1, T] and its N prompts (Wu et al. 2023)."""
    clap: CLAP = checkpoints.load("clap")
    return float((clap_embeddings(audio) * clap.embed_text(prompts)).sum(-1).mean())


@torch.no_grad()
def clap_embeddings(audio: Tensor) -> Tensor:
    """CLAP's unit vectors [N, E] of audio [N, 1, T]."""
    clap: CLAP = checkpoints.load("clap")
    return torch.cat([clap.embed_audio(part) for part in audio.split(32)])
