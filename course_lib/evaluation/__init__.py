"""Generated music against real music, as the analyser hears them. Taught in notebook 00."""

from course_lib.evaluation.analysis import (
    Analysis,
    analyse,
    attribute_scores,
    attributes,
    frechet,
    kl,
)

__all__ = ["Analysis", "analyse", "attribute_scores", "attributes", "frechet", "kl"]
