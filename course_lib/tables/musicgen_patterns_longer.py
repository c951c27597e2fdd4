"""Interleaving patterns with five times the training: does order within a frame pay in time?

In `musicgen_patterns`, after 600 steps, codes written side by side are expected best. What delay
can gain, what codes of a frame owe to each other, is learned late; these rows learn for 3,000 steps
and are otherwise the same. Taught in notebook 15.
"""

import math

from course_lib.nets import interleaving
from course_lib.tables import small_musicgens as small
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.musicgen_patterns import DELAY, LAYERS, PARALLEL, WIDTH

STEPS = 5 * small.STEPS


def cell(job: Job) -> dict[str, float]:
    """One pattern with one seed."""
    pattern = getattr(interleaving, job.settings["pattern"])(small.CODEBOOKS)
    found = small.measures(small.trained(job, pattern, WIDTH, LAYERS, STEPS), job.seed)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


TABLE = Table(
    title="MusicGen's interleaving patterns after five times the training",
    source="Copet et al. 2023 (MusicGen), table 1",
    rows={name: {"pattern": name} for name in (PARALLEL, DELAY)},
    columns={"nats": "nats per code", **small.SOUND},
    cell=cell,
    claims=(
        Claim(
            "With more training, delayed codes have a higher joint likelihood than codes side by "
            "side.",
            "nats", "lower", DELAY, PARALLEL, smallest=0.02,
        ),
        Claim(
            "With more training, delayed codes sound more like real clips than codes side by side.",
            "frechet", "lower", DELAY, PARALLEL, smallest=0.02, relative=True,
        ),
    ),
    artefacts=("codec", "clap", "analyser"),
)  # fmt: skip
