"""Three sizes of MusicGen: what parameters are worth to likelihood, sound and obedience.

Delayed codes, the same steps, clips and order; 0.6, 0.7 and 0.9 M parameters, of which embeddings
and head take 0.5 to 0.7 M and layers 0.06, 0.15 and 0.27 M. Taught in notebook 15.
"""

import math

from course_lib.nets.interleaving import delay
from course_lib.tables import small_musicgens as small
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table

REAL = "real clips through the codec"
SMALL, MEDIUM, LARGE = "width 64, 1 layer", "width 72, 2 layers", "width 80, 3 layers"


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    if job.row == REAL:
        found = small.through_codec()
    else:
        model = small.trained(job, delay(small.CODEBOOKS), **job.settings)
        count = sum(p.numel() for p in model.parameters())
        found = small.measures(model, job.seed) | {"parameters": count / 1e6}
    return {name: found.get(name, math.nan) for name in TABLE.columns}


# Table 4 of the paper: 300 M, 1.5 B and 3.3 B parameters.
PAPER = {
    SMALL: {"perplexity": 56.1, "FAD": 0.96, "KL": 0.52, "CLAP": 0.35, "overall": 78.3},
    MEDIUM: {"perplexity": 48.4, "FAD": 0.86, "KL": 0.50, "CLAP": 0.35, "overall": 81.9},
    LARGE: {"perplexity": 46.1, "FAD": 0.82, "KL": 0.50, "CLAP": 0.36, "overall": 79.2},
}

TABLE = Table(
    title="Three sizes of MusicGen: likelihood and sound of 2 s",
    source="Copet et al. 2023 (MusicGen), table 4",
    rows={
        REAL: {},
        SMALL: {"width": 64, "layers": 1},
        MEDIUM: {"width": 72, "layers": 2},
        LARGE: {"width": 80, "layers": 3},
    },
    columns={
        "parameters": "parameters (M)",
        "perplexity": "perplexity",
        "nats": "nats per code",
        "slowness": "seconds of computing a second of music",
        **small.SOUND,
    },
    cell=cell,
    claims=(
        Claim(
            "The middle size predicts codes better than the smallest.",
            "nats", "lower", MEDIUM, SMALL, smallest=0.02,
        ),
        Claim(
            "The largest predicts them better than the middle one.",
            "nats", "lower", LARGE, MEDIUM, smallest=0.02,
        ),
        Claim(
            "The largest sounds more like real clips than the smallest.",
            "frechet", "lower", LARGE, SMALL, smallest=0.02, relative=True,
        ),
        Claim(
            "The largest agrees better with its captions than the smallest.",
            "clap", "higher", LARGE, SMALL, smallest=0.01,
        ),
        Claim(
            "Listeners like the middle size as well as the largest.",
            impossible="it takes listeners",
        ),
    ),
    paper=PAPER,
    artefacts=("codec", "clap", "analyser"),
)  # fmt: skip
