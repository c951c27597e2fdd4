"""Which bins of a spectrum count for which of the twelve pitch classes."""

import torch
from torch import Tensor


def pitch_filters(sample_rate: int, n_fft: int, span: tuple[float, float]) -> Tensor:
    """[12, n_fft // 2 + 1], C to B: bins within `span` (Hz) count for the two classes around them.

    Source: Müller, "Fundamentals of Music Processing" 2015, section 3.1. Taught in notebook 05.
    """
    hertz = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * sample_rate / n_fft
    pitch = 69 + 12 * (hertz.clamp(min=1.0) / 440).log2()  # [bins]
    distance = (pitch - torch.arange(12)[:, None] + 6) % 12 - 6  # semitones round the circle
    heard = (hertz >= span[0]) & (hertz <= span[1])
    return ((1 - distance.abs()).clamp(min=0) * heard).float()
