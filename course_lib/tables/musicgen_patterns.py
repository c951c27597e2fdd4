"""The six interleaving patterns: what independence within a frame costs, and what steps cost.

One model each of 0.9 M parameters, the same steps, clips and order. The joint likelihood of a piece
is what the patterns share: nats per code, summed over all codes of all frames, however they stand.
Taught in notebook 15.
"""

import math

from course_lib.nets import interleaving
from course_lib.tables import small_musicgens as small
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table

WIDTH, LAYERS = 80, 3
REAL, FLOOR = "real clips through the codec", "real clips against others"
PARALLEL, DELAY, PARTIAL = "parallel", "delay", "partial delay"
COARSE, HALF, FLAT = "coarse first", "partial flattening", "flattening"


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    name = job.settings["pattern"]
    if name is None:
        found = small.floor(job.seed) if job.row == FLOOR else small.through_codec()
    else:
        pattern = getattr(interleaving, name)(small.CODEBOOKS)
        model = small.trained(job, pattern, WIDTH, LAYERS)
        found = small.measures(model, job.seed) | {"steps": pattern.count(small.FRAMES)}
    return {name: found.get(name, math.nan) for name in TABLE.columns}


# Table 1 of the paper: 30 s of four codebooks at 50 Hz, a model of 300 M parameters.
PAPER = {
    DELAY: {"steps": 1500, "FAD": 0.96, "KL": 0.52, "CLAP": 0.35, "overall": 79.69},
    PARTIAL: {"steps": 1500, "FAD": 1.51, "KL": 0.54, "CLAP": 0.32, "overall": 79.13},
    PARALLEL: {"steps": 1500, "FAD": 2.58, "KL": 0.62, "CLAP": 0.27, "overall": 72.21},
    COARSE: {"steps": 3000, "FAD": 1.98, "KL": 0.56, "CLAP": 0.30, "overall": 74.42},
    HALF: {"steps": 3000, "FAD": 1.32, "KL": 0.54, "CLAP": 0.34, "overall": 78.56},
    FLAT: {"steps": 6000, "FAD": 0.86, "KL": 0.51, "CLAP": 0.37, "overall": 79.71},
}

TABLE = Table(
    title="MusicGen's interleaving patterns: steps, likelihood and sound of 2 s",
    source="Copet et al. 2023 (MusicGen), table 1",
    rows={
        REAL: {"pattern": None},
        FLOOR: {"pattern": None},
        **{name: {"pattern": name.replace(" ", "_")} for name in PAPER},
    },
    columns={
        "steps": "steps for 2 s",
        "slowness": "seconds of computing a second of music",
        "nats": "nats per code",
        **small.SOUND,
    },
    cell=cell,
    claims=(
        Claim(
            "A step for each code makes the joint likelihood higher than delayed codes do.",
            "nats", "lower", FLAT, DELAY, smallest=0.02,
        ),
        Claim(
            "Delayed codes make it higher than codes side by side, which ignore each other.",
            "nats", "lower", DELAY, PARALLEL, smallest=0.02,
        ),
        Claim(
            "One step of delay after the first codebook is worth less than one for each.",
            "nats", "lower", DELAY, PARTIAL, smallest=0.02,
        ),
        Claim(
            "Delay takes hardly more time than writing side by side.",
            "slowness", "same", DELAY, PARALLEL, smallest=0.2, relative=True,
        ),
        Claim(
            "Flattening takes at least two and a half times as long as delay.",
            "slowness", "higher", FLAT, DELAY, smallest=1.5, relative=True,
        ),
        Claim(
            "Delayed codes sound more like real clips than codes side by side.",
            "frechet", "lower", DELAY, PARALLEL, smallest=0.02, relative=True,
        ),
        Claim(
            "A step for each code sounds more like real clips than codes side by side.",
            "frechet", "lower", FLAT, PARALLEL, smallest=0.02, relative=True,
        ),
        Claim(
            "Coarse codes first sounds less like real clips than delay at half its steps.",
            "frechet", "higher", COARSE, DELAY, smallest=0.02, relative=True,
        ),
        Claim(
            "Delayed codes agree more with their captions than codes side by side.",
            "clap", "higher", DELAY, PARALLEL, smallest=0.005,
        ),
        Claim(
            "Listeners prefer delay and flattening to codes side by side.",
            impossible="it takes listeners",
        ),
    ),
    paper=PAPER,
    artefacts=("codec", "clap", "analyser"),
)  # fmt: skip
