"""What classifier-free guidance buys and costs: obedience against variety.

The shipped MusicGen on the prompts of `musicgen_adherence` at several strengths; for some of them
it writes more samples, whose distance in CLAP's space is the variety that is left. A seed is other
prompts and other draws. Taught in notebook 15.
"""

import torch

from course_lib.evaluation.generating import generated
from course_lib.evaluation.prompts import WRITTEN
from course_lib.evaluation.variety import diversity
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.prompted import (
    ADHERED,
    SECONDS,
    clap_embeddings,
    clap_score,
    heard,
    obedience,
    system,
    texts,
    wanted,
    written,
)
from course_lib.training.draws import number

VARIED, SAMPLES = 16, 4  # prompts that are written several times, and how often
STRENGTHS = (1.0, 2.0, 3.0, 5.0, 8.0)


def cell(job: Job) -> dict[str, float]:
    """One strength with one seed."""
    guidance, prompts = job.settings["guidance"], texts(job.seed)
    audio = written(job.seed, WRITTEN, guidance)
    samples = [audio[:VARIED]]
    for again in range(1, SAMPLES):
        seed = number(job.seed, again, stream="again")
        samples.append(generated(system(), prompts[:VARIED], SECONDS, seed, guidance=guidance))
    embeddings = torch.stack([clap_embeddings(part) for part in samples], 1)  # [P, S, E]
    found = obedience(heard(audio), wanted(job.seed))
    found |= {
        "diversity": diversity(embeddings).mean().item(),
        "between": diversity(embeddings.transpose(0, 1)).mean().item(),
        "clap": clap_score(audio, prompts),
    }
    return {name: found[name] for name in TABLE.columns}


def _row(guidance: float) -> str:
    return f"guidance {guidance:g}"


TABLE = Table(
    title="Classifier-free guidance: obedience against variety",
    source="Ho and Salimans 2022; Kreuk et al. 2022 (AudioGen), section 5; Copet et al. 2023",
    rows={_row(guidance): {"guidance": guidance} for guidance in STRENGTHS},
    columns=ADHERED
    | {
        "diversity": "distance between samples of a prompt",
        "between": "distance between prompts",
        "clap": "CLAP score",
    },
    cell=cell,
    claims=(
        Claim(
            "Guidance of 3 makes MusicGen do more of what it is asked.",
            "adherence", "higher", _row(3.0), _row(1.0), smallest=0.05,
        ),
        Claim(
            "It pays with variety: samples of one prompt are more alike.",
            "diversity", "lower", _row(3.0), _row(1.0), smallest=0.1, relative=True,
        ),
        Claim(
            "More than 3 brings no more obedience.",
            "adherence", "same", _row(8.0), _row(3.0), smallest=0.05,
        ),
        Claim(
            "Guidance raises the CLAP score.",
            "clap", "higher", _row(3.0), _row(1.0), smallest=0.02,
        ),
    ),
    artefacts=("codec", "clap", "musicgen", "judge"),
)  # fmt: skip
