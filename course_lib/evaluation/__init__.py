"""Generated and coded music against real music. Taught in notebooks 00, 05, 07 and 10."""

from course_lib.evaluation.analysis import (
    Analysis,
    analyse,
    attribute_scores,
    attributes,
    frechet,
    kl,
)
from course_lib.evaluation.coding import (
    code_statistics,
    codec_report,
    codes_of,
    decoded,
    fidelity,
)
from course_lib.evaluation.harmony import (
    chord_accuracy,
    chroma,
    chroma_correlation,
    chroma_rate,
    mel_chroma,
)
from course_lib.evaluation.phonemes import phoneme_error, recognised

__all__ = [
    "Analysis",
    "analyse",
    "attribute_scores",
    "attributes",
    "chord_accuracy",
    "chroma",
    "chroma_correlation",
    "chroma_rate",
    "code_statistics",
    "codec_report",
    "codes_of",
    "decoded",
    "fidelity",
    "frechet",
    "kl",
    "mel_chroma",
    "phoneme_error",
    "recognised",
]
