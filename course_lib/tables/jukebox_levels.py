"""Jukebox's levels: what is left of music with a code for 8, 32 and 128 samples, and restarts.

Small levels, 16 kHz, a few hundred steps: the order is the lesson, not the decibels. Chords are
heard by templates in what each level decodes. The last row never restarts an entry; all rows
quantize from the first step on, as Jukebox does. Taught in notebook 10.
"""

from functools import lru_cache

import torch
from torch import Tensor

from course_lib import metrics, songbook
from course_lib.evaluation import chord_accuracy, chroma, chroma_rate
from course_lib.evaluation.jukebox_levels import level_report
from course_lib.models import JukeboxLevel, JukeboxLevelConfig
from course_lib.recipes.jukebox_levels import level_loss
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.tables.small_codecs import SIZE
from course_lib.training import Tensors, fit
from course_lib.training.crop import crop

STEPS = 250
BATCH = 8
PART = 8192  # samples of a clip that a step hears
LR = 5e-3
WIDTH, DEPTH = 48, 3
DECAY = 0.95  # of the codebook: hundreds of steps, not thousands
TESTED = 32  # clips of the test split

BOTTOM, MIDDLE, TOP = "bottom, hop 8", "middle, hop 32", "top, hop 128"
NO_RESTART = "middle without restarts"


@lru_cache(maxsize=2)
def sounds(split: str) -> Tensor:
    """Clips [N, 1, T] of a split."""
    clips = songbook.load(split, SIZE, progress=False)
    return clips.batch(range(len(clips) if split == "train" else TESTED))


@lru_cache(maxsize=1)
def chords() -> list:
    """The true chords of the test clips."""
    clips = songbook.load("test", SIZE, progress=False)
    return [clips[i].chords for i in range(TESTED)]


def cell(job: Job) -> dict[str, float]:
    """Train the level of a row, measure it on test clips."""
    settings = {"decay": DECAY} | dict(job.settings)
    settings["strides"] = tuple(settings["strides"])
    torch.manual_seed(job.seed)
    level = JukeboxLevel(JukeboxLevelConfig(width=WIDTH, depth=DEPTH, **settings))
    fit(
        level,
        Tensors(sounds("train")),
        lambda level, audio, draws: level_loss(level, crop(audio, draws, PART)),
        steps=STEPS,
        batch_size=BATCH,
        lr=LR,
        warmup=20,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    found = level_report(level.eval(), sounds("test"), chords())
    real = chord_accuracy(chroma(sounds("test")), chords(), chroma_rate())
    kbps = metrics.Rate(16000, level.hop, 1, level.config.entries).bits_per_second / 1000
    return found | {"kbps": kbps, "chords_kept": found["chord_accuracy"] / real}


TABLE = Table(
    title="Jukebox's levels one by one, and the middle one without restarts",
    source="Dhariwal et al. 2020 (Jukebox), section 3 and tables on reconstruction",
    rows={
        BOTTOM: {"strides": [8]},
        MIDDLE: {"strides": [8, 4]},
        TOP: {"strides": [16, 8]},
        NO_RESTART: {"strides": [8, 4], "dead": 0.0},
    },
    columns={
        "kbps": "rate (kbit/s)",
        "snr": "SNR (dB)",
        "spectral_convergence": "spectral convergence (dB)",
        "mel_distance": "mel distance",
        "chroma_correlation": "chroma correlation with the clip",
        "chords_kept": "chords heard right, of those heard right in the clip",
        "usage": "entries used",
        "perplexity": "perplexity of the codes",
    },
    cell=cell,
    claims=(
        Claim(
            "The bottom level has at least 2 dB more SNR than the middle one.",
            "snr", "higher", BOTTOM, MIDDLE, smallest=2.0,
        ),
        Claim(
            "The middle level has at least 2 dB more SNR than the top one.",
            "snr", "higher", MIDDLE, TOP, smallest=2.0,
        ),
        Claim(
            "Spectral convergence falls by at least 1 dB from middle to bottom.",
            "spectral_convergence", "lower", BOTTOM, MIDDLE, smallest=1.0,
        ),
        Claim(
            "Spectral convergence falls by at least 1 dB from top to middle.",
            "spectral_convergence", "lower", MIDDLE, TOP, smallest=1.0,
        ),
        Claim(
            "Chords survive in the top level: it keeps them within 0.2 of the bottom one.",
            "chords_kept", "same", TOP, BOTTOM, smallest=0.2,
        ),
        Claim(
            "Restarts raise the share of entries used by at least 0.1.",
            "usage", "higher", MIDDLE, NO_RESTART, smallest=0.1,
        ),
        Claim(
            "Restarts raise the SNR by at least 0.3 dB.",
            "snr", "higher", MIDDLE, NO_RESTART, smallest=0.3,
        ),
    ),
    paper={
        BOTTOM: {"kbps": 60.6, "spectral convergence": -23.0},
        MIDDLE: {"kbps": 15.2, "spectral convergence": -12.4},
        TOP: {"kbps": 3.8, "spectral convergence": -8.3},
    },
)  # fmt: skip
