"""SoundStream's question: few large codebooks or many small ones, at the same bits?

Every row spends 40 bits a frame; the paper spent 80. The last row is the first with quantizer
dropout: half of the items hear fewer codebooks. Reconstruction losses alone. Taught in notebook 07.
"""

from course_lib.tables import small_codecs
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table

STEPS = 200
BITS = 40  # of a frame

LARGE, MIDDLE, SMALL = "5 codebooks of 256", "8 codebooks of 32", "40 codebooks of 2"
DROPOUT = "5 codebooks of 256, dropout"


def cell(job: Job) -> dict[str, float]:
    """Train the codec of a row, measure it on test clips."""
    settings = dict(job.settings)
    size, codebooks = settings.pop("size"), settings.pop("codebooks")
    codec = small_codecs.untrained(job, size, codebooks, **settings)
    small_codecs.train(job, codec, STEPS)
    first = max(1, codebooks // 5)  # the codebooks that hold a fifth of the bits
    found = small_codecs.report(codec, (first, codebooks))
    return {
        "kbps": codec.bitrate() / 1000,
        "mel": found[f"mel_distance_{codebooks}"],
        "si_sdr": found[f"si_sdr_{codebooks}"],
        "coarse": found[f"mel_distance_{first}"],
        "efficiency": found[f"efficiency_{codebooks}"],
    }


TABLE = Table(
    title="Depth of residual quantization at 40 bits a frame, and quantizer dropout",
    source="Zeghidour et al. 2021 (SoundStream), table on N_q and N; table T4 of the lecture",
    rows={
        LARGE: {"size": 256, "codebooks": 5},
        MIDDLE: {"size": 32, "codebooks": 8},
        SMALL: {"size": 2, "codebooks": 40},
        DROPOUT: {"size": 256, "codebooks": 5, "dropout": 0.5},
    },
    columns={
        "kbps": "rate (kbit/s)",
        "mel": "mel distance",
        "si_sdr": "SI-SDR (dB)",
        "coarse": "mel distance with a fifth of the bits",
        "efficiency": "entropy of the codes over their bits",
    },
    cell=cell,
    claims=(
        Claim(
            "At the same bits a few large codebooks code better than forty of one bit.",
            "mel", "lower", LARGE, SMALL, smallest=0.02, relative=True,
        ),
        Claim(
            "Eight codebooks of 32 lose under 5 % of mel distance to five of 256.",
            "mel", "same", MIDDLE, LARGE, smallest=0.05, relative=True,
        ),
        Claim(
            "Even forty stages of one bit train: within 10 % of eight codebooks of 32.",
            "mel", "same", SMALL, MIDDLE, smallest=0.1, relative=True,
        ),
        Claim(
            "Quantizer dropout makes the first codebook useful on its own.",
            "coarse", "lower", DROPOUT, LARGE, smallest=0.05, relative=True,
        ),
        Claim(
            "It costs under 5 % of mel distance at all codebooks.",
            "mel", "same", DROPOUT, LARGE, smallest=0.05, relative=True,
        ),
        Claim(
            "Listeners hear the same order.",
            impossible="the paper's ViSQOL needs a binary and its MUSHRA needs listeners; mel "
            "distance and SI-SDR stand in",
        ),
    ),
    paper={
        LARGE: {"codebooks": 8, "entries": 1024, "ViSQOL": 4.01},
        MIDDLE: {"codebooks": 16, "entries": 32, "ViSQOL": 3.98},
        SMALL: {"codebooks": 80, "entries": 2, "ViSQOL": 3.92},
    },
)  # fmt: skip
