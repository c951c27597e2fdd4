"""Discriminators: networks that tell recorded sound from decoded sound. Taught in notebook 07.

Each takes audio [B, C, T] of any length T >= 1 and gives a `Judgement`. Their defaults are the
papers'; the widths for training on a CPU stand in each docstring.
"""

from course_lib.nets.discriminators.judgement import Judgement, Panel
from course_lib.nets.discriminators.multi_band import MultiBandDiscriminator
from course_lib.nets.discriminators.multi_period import MultiPeriodDiscriminator
from course_lib.nets.discriminators.multi_scale_stft import MultiScaleSTFTDiscriminator
from course_lib.nets.discriminators.stft import STFTDiscriminator
from course_lib.nets.discriminators.wave import WaveDiscriminator

__all__ = [
    "Judgement",
    "MultiBandDiscriminator",
    "MultiPeriodDiscriminator",
    "MultiScaleSTFTDiscriminator",
    "Panel",
    "STFTDiscriminator",
    "WaveDiscriminator",
]
