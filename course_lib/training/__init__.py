"""Training: `fit`, averaged weights, precision, random draws, losses. Taught in notebook 03.

`fit(model, songbook.load("train"), loss, steps=1000)` trains any model of the course.
"""

from course_lib.training.adversarial import (
    feature_matching,
    frozen,
    hinge_discriminator_loss,
    hinge_generator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from course_lib.training.average import AveragedWeights
from course_lib.training.balancer import Balancer
from course_lib.training.codec_training import CodecTraining, draw_kept, relative_error
from course_lib.training.contrastive import false_negatives, symmetric_contrastive_loss
from course_lib.training.data import Data, Joined, Tensors
from course_lib.training.draws import Draws, generator
from course_lib.training.fit import fit
from course_lib.training.history import History
from course_lib.training.precision import Precision, in_float32, precision
from course_lib.training.schedule import warmup_cosine
from course_lib.training.spectral_loss import MultiScaleMelLoss, SpectralConvergenceLoss, STFTLoss

__all__ = [
    "AveragedWeights",
    "Balancer",
    "CodecTraining",
    "Data",
    "Draws",
    "History",
    "Joined",
    "MultiScaleMelLoss",
    "Precision",
    "STFTLoss",
    "SpectralConvergenceLoss",
    "Tensors",
    "draw_kept",
    "false_negatives",
    "feature_matching",
    "fit",
    "frozen",
    "generator",
    "hinge_discriminator_loss",
    "hinge_generator_loss",
    "in_float32",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "precision",
    "relative_error",
    "symmetric_contrastive_loss",
    "warmup_cosine",
]
