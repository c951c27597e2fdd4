"""EnCodec's bandwidths, what a language model saves at each of them, and what the balancer is for.

The first rows code test clips with the shipped `codec` and `codec_lm`; a seed is 16 other clips.
With the language model the rate is what its probabilities promise; files take a little more. The
last rows train small codecs on two losses, one of which is multiplied by 100 in some of them.
Taught in notebook 08.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor, nn

from course_lib import checkpoints, songbook
from course_lib.evaluation import codes_of
from course_lib.models import CodecLM
from course_lib.tables import small_codecs
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.training import MultiScaleMelLoss

CLIPS = 16  # test clips of 10 s in each seed
STEPS = 300
SUMMED = small_codecs.WEIGHTS
# Shares of the gradient. At the output it is some twenty times what the weighted sum gives, and so
# is the weight of the commitment, which stays outside.
BALANCED = {"wave": 1.0, "mel": 1.0, "commitment": 5.0}


def cell(job: Job) -> dict[str, float]:
    """A bitrate, or a small codec trained."""
    found = _rate(job) if "codebooks" in job.settings else _trained(job)
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def _rate(job: Job) -> dict[str, float]:
    codec = checkpoints.load("codec")
    n = job.settings["codebooks"]
    paid = codec.bitrate(n) / 1000
    if not job.settings.get("lm"):
        return {"kbps": paid}
    lm = checkpoints.load("codec_lm")
    bits = bits_per_code(lm, test_codes(job.seed)[:, :n])
    kbps = bits * n * codec.frame_rate / 1000
    return {"kbps": kbps, "saved": 1 - kbps / paid}


@lru_cache(maxsize=1)
def test_codes(seed: int) -> Tensor:
    """Codes [N, K, F] of the test clips of a seed."""
    clips = songbook.load("test", "full", progress=False)
    chosen = clips.batch(range(seed * CLIPS, (seed + 1) * CLIPS))
    return codes_of(checkpoints.load("codec"), chosen)


@torch.no_grad()
def bits_per_code(lm: CodecLM, codes: Tensor) -> float:
    """Cross-entropy of codes [N, n, F] in blocks as long as those of a file."""
    total = 0.0
    missing = lm.config.codebooks - codes.shape[1]
    for block in codes.split(lm.config.frames, dim=2):
        filled = nn.functional.pad(block, (0, 0, 0, missing), value=lm.nothing)
        total += sum(lm.loss(part).item() * part.shape[0] for part in filled.split(4)) * (
            block.shape[2] / codes.shape[0]
        )
    return total / codes.shape[2] / math.log(2)


class Multiplied(nn.Module):
    """A loss times a number."""

    def __init__(self, loss: nn.Module, factor: float):
        super().__init__()
        self.loss, self.factor = loss, factor

    def forward(self, reference: Tensor, estimate: Tensor) -> Tensor:
        return self.factor * self.loss(reference, estimate)


def _trained(job: Job) -> dict[str, float]:
    codec = small_codecs.untrained(job, 256, 5)
    mel = MultiScaleMelLoss.dac(small_codecs.RATE, small_codecs.MELS)
    small_codecs.train(
        job,
        codec,
        STEPS,
        weights=BALANCED if job.settings["balanced"] else SUMMED,
        mel=Multiplied(mel, job.settings["factor"]),
        balanced=job.settings["balanced"],
    )
    found = small_codecs.report(codec, (5,))
    return {"mel": found["mel_distance_5"], "si_sdr": found["si_sdr_5"]}


def _fixed(n: int) -> str:
    return f"{n} codebook{'s' if n > 1 else ''}"


def _coded(n: int) -> str:
    return f"{_fixed(n)}, language model"


LEVELS = (1, 2, 4, 8)
BALANCER, BALANCER_100 = "balancer", "balancer, mel loss × 100"
SUM, SUM_100 = "weighted sum", "weighted sum, mel loss × 100"
PUBLISHED = {1: (1.5, 0.9), 2: (3, 1.9), 4: (6, 4.1), 8: (12, 8.9)}  # kbit/s at 24 kHz

TABLE = Table(
    title="Bandwidths with and without a language model, and the loss balancer",
    source="Défossez et al. 2022 (EnCodec), sections 3.3 and 3.4; table T5 of the lecture",
    rows={
        **{_fixed(n): {"codebooks": n} for n in LEVELS},
        **{_coded(n): {"codebooks": n, "lm": True} for n in LEVELS},
        BALANCER: {"balanced": True, "factor": 1.0},
        BALANCER_100: {"balanced": True, "factor": 100.0},
        SUM: {"balanced": False, "factor": 1.0},
        SUM_100: {"balanced": False, "factor": 100.0},
    },
    columns={
        "kbps": "rate (kbit/s)",
        "saved": "share of bits saved",
        "mel": "mel distance",
        "si_sdr": "SI-SDR (dB)",
    },
    cell=cell,
    claims=(
        Claim(
            "At one codebook the language model saves 15 % of the bits or more.",
            "kbps", "lower", _coded(1), _fixed(1), smallest=0.15, relative=True,
        ),
        Claim(
            "At eight codebooks it saves 15 % or more.",
            "kbps", "lower", _coded(8), _fixed(8), smallest=0.15, relative=True,
        ),
        Claim(
            "What it saves shrinks with the number of codebooks.",
            "saved", "higher", _coded(1), _coded(8), smallest=0.02,
        ),
        Claim(
            "With the balancer, multiplying the mel loss by 100 changes the mel distance by under "
            "3 %.",
            "mel", "same", BALANCER_100, BALANCER, smallest=0.03, relative=True,
        ),
        Claim(
            "With the balancer it changes the SI-SDR by under 0.5 dB.",
            "si_sdr", "same", BALANCER_100, BALANCER, smallest=0.5,
        ),
        Claim(
            "In a weighted sum it ruins the waveform.",
            "si_sdr", "higher", SUM, SUM_100, smallest=1.0,
        ),
        Claim(
            "The balancer makes training more stable in listeners' ears.",
            impossible="it takes listeners",
        ),
    ),
    artefacts=("codec", "codec_lm"),
    paper={
        **{_fixed(n): {"kbit/s": fixed} for n, (fixed, _) in PUBLISHED.items()},
        **{_coded(n): {"kbit/s": coded} for n, (_, coded) in PUBLISHED.items()},
    },
)  # fmt: skip
