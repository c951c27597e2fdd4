"""How many network evaluations a piece takes: DDPM, DDIM and DPM-Solver++ on one shipped denoiser.

Each solver makes 4 s for the same 64 prompts from the same noise, with the same guidance, in fewer
and fewer steps; a step evaluates the network with the prompt and without it. A seed is other
prompts and other noise. Taught in notebook 16.
"""

import math
import time

from course_lib.evaluation.generating import generated
from course_lib.tables import diffused
from course_lib.tables.claims import Claim
from course_lib.tables.diffused import NEARNESS, compared, nearness
from course_lib.tables.grid import Job, Table

CLIPS = 64  # prompts of a seed
SOLVERS = {"ddpm": "DDPM", "ddim": "DDIM", "dpm2": "DPM-Solver++"}
STEPS, LONGEST = (5, 10, 20, 50), 200  # LONGEST with DDPM alone


def cell(job: Job) -> dict[str, float]:
    """One row with one seed."""
    to = compared(job.seed, CLIPS)
    if job.row == FLOOR:
        found = {"frechet": to.floor}
    elif job.row == REAL:
        found = nearness(diffused.through_autoencoder(to.audio), to)
    else:
        found = _sampled(job, to)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def _sampled(job: Job, to: diffused.Compared) -> dict[str, float]:
    diffusion = diffused.system().to(diffused.device(job))
    seen: list[int] = []
    diffusion.denoiser.register_forward_hook(lambda net, given, out: seen.append(len(given[0])))
    sampling = {**job.settings, "guidance": diffused.GUIDANCE}
    began = time.monotonic()
    audio = generated(diffusion, to.texts, diffused.SECONDS, job.seed, **sampling).cpu()
    seconds = time.monotonic() - began
    found = {
        "evaluations": sum(seen) / len(to.texts),
        "slowness": seconds / (audio.numel() / diffusion.sample_rate),
    }
    return found | nearness(audio, to)


def _row(solver: str, steps: int) -> str:
    return f"{SOLVERS[solver]}, {steps} steps"


REAL, FLOOR = "real clips through the autoencoder", "real clips against others"
ROWS = {_row(solver, n): {"solver": solver, "steps": n} for solver in SOLVERS for n in STEPS}
LONG = _row("ddpm", LONGEST)

TABLE = Table(
    title="Quality against network evaluations, per solver",
    source="Song et al. 2021 (DDIM), table 1; Lu et al. 2022 (DPM-Solver++), section 7",
    rows={REAL: {}, FLOOR: {}, **ROWS, LONG: {"solver": "ddpm", "steps": LONGEST}},
    columns={
        "evaluations": "network evaluations a piece",
        "slowness": "seconds of computing a second of music",
        **NEARNESS,
    },
    cell=cell,
    claims=(
        Claim(
            "With 10 steps, DDIM sounds more like real music than DDPM.",
            "frechet", "lower", _row("ddim", 10), _row("ddpm", 10), smallest=0.05, relative=True,
        ),
        Claim(
            "DDIM with 20 steps sounds as much like real music as DDPM with 200.",
            "frechet", "same", _row("ddim", 20), LONG, smallest=0.1, relative=True,
        ),
        Claim(
            "With 10 steps, DPM-Solver++ sounds more like real music than DDIM.",
            "frechet", "lower", _row("dpm2", 10), _row("ddim", 10), smallest=0.03, relative=True,
        ),
        Claim(
            "DPM-Solver++ with 10 steps sounds as much like real music as DDIM with 50.",
            "frechet", "same", _row("dpm2", 10), _row("ddim", 50), smallest=0.1, relative=True,
        ),
        Claim(
            "More than 20 steps of DPM-Solver++ bring no music nearer to real music.",
            "frechet", "same", _row("dpm2", 50), _row("dpm2", 20), smallest=0.05, relative=True,
        ),
        Claim(
            "5 steps of DPM-Solver++ are too few: 20 sound more like real music.",
            "frechet", "lower", _row("dpm2", 20), _row("dpm2", 5), smallest=0.05, relative=True,
        ),
        Claim(
            "What is asked for is settled early: 10 steps obey as well as 50.",
            "adherence", "same", _row("dpm2", 10), _row("dpm2", 50), smallest=0.1,
        ),
        Claim(
            "20 steps of DPM-Solver++ obey as well as 200 of DDPM.",
            "adherence", "same", _row("dpm2", 20), LONG, smallest=0.1,
        ),
        Claim(
            "Listeners hear no difference between 20 steps and 200.",
            impossible="it takes listeners",
        ),
    ),
    # Table 1 of DDIM: steps drawn from a thousand, on images; its DDPM is the row of eta = 1.
    paper={
        _row(solver, n): {"FID of CIFAR-10": value}
        for solver, values in {
            "ddim": {10: 13.36, 20: 6.84, 50: 4.67},
            "ddpm": {10: 41.07, 20: 18.36, 50: 8.01},
        }.items()
        for n, value in values.items()
    },
    artefacts=("codec", "autoencoder", "clap", "analyser", "diffusion", "judge"),
)  # fmt: skip
