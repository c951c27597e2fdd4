"""Generated and coded music against real music. Taught in notebooks 00 and 07."""

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

__all__ = [
    "Analysis",
    "analyse",
    "attribute_scores",
    "attributes",
    "code_statistics",
    "codec_report",
    "codes_of",
    "decoded",
    "fidelity",
    "frechet",
    "kl",
]
