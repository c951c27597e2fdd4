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
    "codebook_usage",
    "entropy_bits",
    "entropy_efficiency",
    "frechet_distance",
    "frechet_floor",
    "frechet_interval",
    "kl",
    "macro_f1",
    "mel_distance",
    "perplexity",
    "si_sdr",
    "snr",
    "spectral_convergence",
    "stft_distance",
]
