"""What the tables of diffusion share: the shipped model, what it makes, and how that is measured.

For `diffusion_adherence` it makes the very prompts of `musicgen_adherence`, as long. The tables
that ask for much more music take pieces of 4 s, in which the judge still hears nearly all that it
hears in longer ones; they are held against the real clips as those are, which neither a codec nor
the autoencoder has touched, so that tokens and latents are held against the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib import checkpoints
from course_lib.evaluation.adherence import asked_marks, heard_marks
from course_lib.evaluation.analysis import analyse
from course_lib.evaluation.generating import AT_ONCE, generated
from course_lib.evaluation.prompts import ATTRIBUTES, WRITTEN, balanced_prompts
from course_lib.metrics import frechet_distance, frechet_floor
from course_lib.models import LatentDiffusion
from course_lib.tables import prompted
from course_lib.tables.grid import Job
from course_lib.tables.prompted import Wanted

STEPS, GUIDANCE, SOLVER = 20, 3.0, "dpm2"  # chosen once, where nothing else is said
SECONDS = 4.0  # of a piece that is compared
OBEYED = {
    name: words
    for name, words in prompted.ADHERED.items()
    if name.removeprefix("adherence_") in ("adherence", *ATTRIBUTES)
}
NEARNESS = {"frechet": "Fréchet distance", **OBEYED, "clap": "CLAP score"}


def system() -> LatentDiffusion:
    """The shipped latent diffusion."""
    names = ("autoencoder", "clap", "diffusion")
    return LatentDiffusion(*(checkpoints.load(name) for name in names)).eval()


def device(job: Job) -> torch.device:
    """Where a cell computes: by default as `fit` does, on a GPU where there is one."""
    return torch.device(job.device or ("cuda" if torch.cuda.is_available() else "cpu"))


def real(numbers: Sequence[int | None], seconds: float) -> Tensor:
    """The first seconds of test clips: audio [N, 1, T]."""
    clips = prompted.held_out()
    return clips.batch(numbers)[..., : round(seconds * checkpoints.load("codec").sample_rate)]


@torch.no_grad()
def through_autoencoder(audio: Tensor) -> Tensor:
    """Audio [N, 1, T] as latents and back: the best that diffusion could do."""
    autoencoder = checkpoints.load("autoencoder")
    parts = audio.split(AT_ONCE // 2)
    return torch.cat([autoencoder.decode(autoencoder.encode(x), x.shape[-1]) for x in parts])


@lru_cache(maxsize=1)
def wanted(seed: int) -> Wanted:
    """As `prompted.wanted`, with the real clips heard through the autoencoder."""
    of = prompted.wanted(seed)
    audio = real([prompt.clip for prompt in of.prompts], prompted.SECONDS)
    return replace(of, real=prompted.heard(through_autoencoder(audio)))


@lru_cache(maxsize=1)
def written(seed: int, manner: str | None) -> Tensor:
    """What diffusion makes of a seed's prompts in one manner, or of no prompt: audio [N, 1, T]."""
    prompts = [None] * prompted.CLIPS if manner is None else prompted.texts(seed, manner)
    sampling = {"steps": STEPS, "guidance": GUIDANCE, "solver": SOLVER}
    return generated(system(), prompts, prompted.SECONDS, seed, **sampling)


class Compared(NamedTuple):
    """A seed's prompts, as texts and by what they ask for, and the real clips they describe.

    audio [N, 1, T]: the clips; embeddings [N, E]: the analyser's, of them; floor: the Fréchet
    distance of as many real clips to as many others.
    """

    texts: list[str]
    of: Wanted
    audio: Tensor
    embeddings: Tensor
    floor: float


@lru_cache(maxsize=1)
def compared(seed: int, count: int) -> Compared:
    """What pieces for the first `count` of a seed's prompts are compared with."""
    prompts = balanced_prompts(prompted.held_out(), 2 * count, WRITTEN, seed)
    audio = real([prompt.clip for prompt in prompts], SECONDS)
    embeddings = embedded(audio)
    asked = asked_marks(prompts[:count], checkpoints.load("judge"))
    return Compared(
        [prompt.text for prompt in prompts[:count]],
        Wanted(prompts[:count], asked, judged(audio[:count])),
        audio[:count],
        embeddings[:count],
        frechet_floor(embeddings, seed=seed),
    )


def embedded(audio: Tensor) -> Tensor:
    """The analyser's embeddings [N, E] of audio [N, 1, T]."""
    return analyse(audio, checkpoints.load("analyser")).embeddings


def judged(audio: Tensor) -> dict[str, Tensor]:
    """What the judge hears in audio [N, 1, T]."""
    return heard_marks(analyse(audio, checkpoints.load("judge")))


def nearness(audio: Tensor, to: Compared) -> dict[str, float]:
    """How near audio [N, 1, T], made for N prompts, is to real clips and to what they ask for."""
    return {
        "frechet": frechet_distance(to.embeddings, embedded(audio)),
        **prompted.obedience(judged(audio), to.of),
        "clap": prompted.clap_score(audio, to.texts),
    }
