"""The shipped codec: before and after its adversarial phase, at 1, 2, 4 and 8 codebooks, and Opus.

A seed is 14 test clips of 10 s. The Fréchet distance is that of the analyser's embeddings of
windows of 1 s. Times are those of 5 s of sound on two CPU threads, the best of three. The row
of aims holds what the codec was to reach, not a measurement. Taught in notebook 08.
"""

import math
import time
from functools import lru_cache

import torch
from torch import Tensor

from course_lib import checkpoints, metrics, songbook
from course_lib.evaluation import analyse, codes_of, decoded, fidelity, frechet
from course_lib.evaluation.opus import opus
from course_lib.models import Codec
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table

CLIPS = 14  # of the test split in each seed
WINDOW = 16_000  # samples that the analyser hears at a time
OPUS = 12.0  # kbit/s asked of Opus
THREADS = 2


@lru_cache(maxsize=1)
def clips_of(seed: int) -> Tensor:
    """Test clips [N, 1, T] of a seed."""
    clips = songbook.load("test", "full", progress=False)
    return clips.batch(range(seed * CLIPS, (seed + 1) * CLIPS))


@lru_cache(maxsize=2)
def codes_by(name: str, seed: int) -> Tensor:
    return codes_of(checkpoints.load(name), clips_of(seed))


def cell(job: Job) -> dict[str, float]:
    """One row on the clips of one seed."""
    settings = dict(job.settings)
    clips = clips_of(job.seed)
    if "aim" in settings:
        found = settings["aim"]
    elif "halves" in settings:
        heard = analyse(_windows(clips), checkpoints.load("analyser"))
        found = {"frechet": metrics.frechet_floor(heard.embeddings)}
    elif "model" in settings:
        found = _codec(settings["model"], settings["codebooks"], job.seed)
    else:
        back, kbps = opus(clips.reshape(1, -1), 16000, OPUS)
        found = {"kbps": kbps} | quality(clips, back.view_as(clips))
    return {name: found.get(name, math.nan) for name in TABLE.columns}


def _codec(name: str, n: int, seed: int) -> dict[str, float]:
    codec, clips = checkpoints.load(name), clips_of(seed)
    codes = codes_by(name, seed)[:, :n]
    size = codec.config.entries
    found = {"kbps": codec.bitrate(n) / 1000, **real_time(codec, n)}
    found |= quality(clips, decoded(codec, codes, clips.shape[-1]))
    found["efficiency"] = metrics.entropy_efficiency(codes, size).mean().item()
    found["usage"] = metrics.codebook_usage(codes, size).min().item()
    return found


def quality(clips: Tensor, back: Tensor) -> dict[str, float]:
    """`evaluation.fidelity`, and the Fréchet distance over windows."""
    found = fidelity(clips, back)
    analyser = checkpoints.load("analyser")
    real, made = (analyse(_windows(x), analyser) for x in (clips, back))
    return found | {"frechet": frechet(real, made)}


def _windows(clips: Tensor) -> Tensor:
    whole = clips.shape[-1] // WINDOW * WINDOW
    return clips[..., :whole].reshape(-1, 1, WINDOW)


def real_time(codec: Codec, n: int, seconds: float = 5.0) -> dict[str, float]:
    """How many seconds of sound a second of computing encodes and decodes."""
    audio = clips_of(0)[:1, :, : round(seconds * codec.sample_rate)]
    length, threads = audio.shape[-1] / codec.sample_rate, torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        took = {"encoding": [], "decoding": []}
        for _ in range(3):
            began = time.perf_counter()
            encoded = codec.encode(audio, n)
            between = time.perf_counter()
            codec.decode(encoded)
            took["encoding"].append(between - began)
            took["decoding"].append(time.perf_counter() - between)
    finally:
        torch.set_num_threads(threads)
    return {name: length / min(values) for name, values in took.items()}


def row(name: str, n: int) -> str:
    return f"{name}, {n} codebook{'s' if n > 1 else ''}"


MODELS, LEVELS = ("codec", "codec_plain"), (1, 2, 4, 8)
BEST, PLAIN, AIM, OPUS_ROW = row("codec", 8), row("codec_plain", 8), "aims", "Opus"

TABLE = Table(
    title="The shipped codec, before and after its adversarial phase, and Opus",
    source="aims of the course; Zeghidour et al. 2021 and Défossez et al. 2022 compare with Opus",
    rows={
        **{row(m, n): {"model": m, "codebooks": n} for m in MODELS for n in LEVELS},
        OPUS_ROW: {},
        "the music itself": {"halves": True},
        AIM: {"aim": {"kbps": 4.0, "si_sdr": 5.0, "usage": 0.8}},
    },
    columns={
        "kbps": "rate (kbit/s)",
        "si_sdr": "SI-SDR (dB)",
        "mel_distance": "mel distance",
        "stft_distance": "STFT distance",
        "frechet": "Fréchet distance (analyser)",
        "efficiency": "entropy of the codes over their bits",
        "usage": "least used codebook",
        "encoding": "encoding (× real time)",
        "decoding": "decoding (× real time)",
    },
    cell=cell,
    claims=(
        Claim(
            "At 4 kbit/s the codec's mel distance is below that of Opus at about 12 kbit/s.",
            "mel_distance", "lower", BEST, OPUS_ROW, smallest=0.02, relative=True,
        ),
        Claim(
            "At 8 codebooks it reaches an SI-SDR of 5 dB.",
            "si_sdr", "higher", BEST, AIM, smallest=0.01,
        ),
        Claim(
            "At least 80 % of every codebook is used.",
            "usage", "higher", BEST, AIM, smallest=0.001,
        ),
        Claim(
            "The adversarial phase brings what the analyser hears nearer to the music.",
            "frechet", "lower", BEST, PLAIN, smallest=0.05, relative=True,
        ),
        Claim(
            "It lowers the mel distance.",
            "mel_distance", "lower", BEST, PLAIN, smallest=0.02, relative=True,
        ),
        Claim(
            "It costs less than 1 dB of SI-SDR.",
            "si_sdr", "same", BEST, PLAIN, smallest=1.0,
        ),
        Claim(
            "Each doubling of the rate lowers the mel distance: 8 codebooks against 4.",
            "mel_distance", "lower", BEST, row("codec", 4), smallest=0.05, relative=True,
        ),
        Claim(
            "Listeners prefer the codec at 4 kbit/s to Opus at 12.",
            impossible="it takes listeners",
        ),
    ),
    artefacts=(*MODELS, "analyser"),
)  # fmt: skip
