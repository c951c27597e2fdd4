"""HiFi-Codec's claim: residual quantization in two groups does with half of the codebooks.

GRVQ cuts the latent in two and gives each half its own stack; at equal bits it is compared with one
stack. Codebooks of 256, reconstruction losses alone, no quantizer dropout. Taught in notebook 09.
"""

from course_lib.quantize import GroupedResidualVQ
from course_lib.tables import small_codecs
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table

STEPS = 300
SIZE = 256  # entries of a codebook

RVQ4, GRVQ4 = "RVQ, 4 codebooks", "GRVQ, 4 codebooks in 2 groups"
RVQ8, GRVQ8 = "RVQ, 8 codebooks", "GRVQ, 8 codebooks in 2 groups"


def cell(job: Job) -> dict[str, float]:
    """Train the codec of a row, measure it on test clips."""
    settings = dict(job.settings)
    codebooks = settings.pop("codebooks")
    if "groups" in settings:
        settings["quantizer"] = GroupedResidualVQ
    codec = small_codecs.untrained(job, SIZE, codebooks, **settings)
    small_codecs.train(job, codec, STEPS)
    found = small_codecs.report(codec, (1, codebooks))
    return {
        "kbps": codec.bitrate() / 1000,
        "mel": found[f"mel_distance_{codebooks}"],
        "si_sdr": found[f"si_sdr_{codebooks}"],
        "first": found["mel_distance_1"],
        "efficiency": found[f"efficiency_{codebooks}"],
    }


TABLE = Table(
    title="Grouped residual quantization against one residual stack, at equal bits",
    source="Yang et al. 2023 (HiFi-Codec), tables 1 and 2; table T6 of the lecture",
    rows={
        RVQ4: {"codebooks": 4},
        GRVQ4: {"codebooks": 4, "groups": 2},
        RVQ8: {"codebooks": 8},
        GRVQ8: {"codebooks": 8, "groups": 2},
    },
    columns={
        "kbps": "rate (kbit/s)",
        "mel": "mel distance",
        "si_sdr": "SI-SDR (dB)",
        "first": "mel distance of the first code alone",
        "efficiency": "entropy of the codes over their bits",
    },
    cell=cell,
    claims=(
        Claim(
            "At four codebooks and equal bits two groups code better than one stack.",
            "mel", "lower", GRVQ4, RVQ4, smallest=0.02, relative=True,
        ),
        Claim(
            "At eight codebooks and equal bits two groups code better than one stack.",
            "mel", "lower", GRVQ8, RVQ8, smallest=0.02, relative=True,
        ),
        Claim(
            "Four codebooks in two groups come within 5 % of eight in one stack, twice their bits.",
            "mel", "same", GRVQ4, RVQ8, smallest=0.05, relative=True,
        ),
        Claim(
            "The first code of a group is a worse coarse stream than the first of one stack, which "
            "matters to language models that go from coarse to fine.",
            "first", "higher", GRVQ4, RVQ4, smallest=0.02, relative=True,
        ),
        Claim(
            "PESQ and STOI rank them the same way.",
            impossible="both measure speech; mel distance stands in",
        ),
    ),
    paper={
        GRVQ4: {"kHz": 24, "samples per frame": 320, "PESQ": 3.64, "STOI": 0.95},
        GRVQ8: {"kHz": 24, "samples per frame": 240, "PESQ": 3.92, "STOI": 0.95},
        RVQ8: {"kHz": 24, "samples per frame": 240, "PESQ": 3.62, "STOI": 0.94},
    },
)  # fmt: skip
