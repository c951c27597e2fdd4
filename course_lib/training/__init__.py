"""Training: `fit`, averaged weights, precision, random draws. Taught in notebook 03.

`fit(model, songbook.load("train"), loss, steps=1000)` trains any model of the course.
"""

from course_lib.training.average import AveragedWeights
from course_lib.training.data import Data, Tensors
from course_lib.training.draws import Draws, generator
from course_lib.training.fit import fit
from course_lib.training.history import History
from course_lib.training.precision import Precision, in_float32, precision
from course_lib.training.schedule import warmup_cosine

__all__ = [
    "AveragedWeights",
    "Data",
    "Draws",
    "History",
    "Precision",
    "Tensors",
    "fit",
    "generator",
    "in_float32",
    "precision",
    "warmup_cosine",
]
