"""What can be said about sounds and codes by a number. Taught in notebook 00.

A metric gives one value a clip (or a codebook), so that the caller can average or pair them.
"""

from course_lib.metrics.classification import balanced_accuracy, macro_f1
from course_lib.metrics.codes import codebook_usage, entropy_bits, entropy_efficiency, perplexity
from course_lib.metrics.distribution import (
    frechet_distance,
    frechet_floor,
    frechet_interval,
    kl,
)
from course_lib.metrics.rate import Rate
from course_lib.metrics.retrieval import (
    chance_map_at_10,
    chance_recall_at,
    mean_average_precision_at_10,
    ranks,
    recall_at,
)
from course_lib.metrics.signal import (
    mel_distance,
    si_sdr,
    snr,
    spectral_convergence,
    stft_distance,
)

__all__ = [
    "Rate",
    "balanced_accuracy",
    "chance_map_at_10",
    "chance_recall_at",
    "codebook_usage",
    "entropy_bits",
    "entropy_efficiency",
    "frechet_distance",
    "frechet_floor",
    "frechet_interval",
    "kl",
    "macro_f1",
    "mean_average_precision_at_10",
    "mel_distance",
    "perplexity",
    "ranks",
    "recall_at",
    "si_sdr",
    "snr",
    "spectral_convergence",
    "stft_distance",
]
