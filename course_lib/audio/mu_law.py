"""mu-law: audio as one of 256 levels, finer where it is quiet."""

import math

import torch
from torch import Tensor


def mu_law_encode(audio: Tensor, levels: int = 256) -> Tensor:
    """Levels int64 in [0, levels) of audio in [-1, 1], any shape; what is louder is clipped.

    sign(x) ln(1 + mu |x|) / ln(1 + mu) with mu = levels - 1, in equal steps (ITU-T G.711; van den
    Oord et al. 2016, section 2.2). Taught in notebook 03b.
    """
    mu = levels - 1
    audio = audio.float().clamp(-1, 1)
    bent = audio.sign() * torch.log1p(mu * audio.abs()) / math.log1p(mu)  # [-1, 1]
    return ((bent + 1) / 2 * mu + 0.5).long()


def mu_law_decode(codes: Tensor, levels: int = 256) -> Tensor:
    """Audio float32 in [-1, 1] of levels int64, any shape: the inverse of `mu_law_encode`."""
    mu = levels - 1
    bent = codes.float() / mu * 2 - 1
    return bent.sign() * torch.expm1(bent.abs() * math.log1p(mu)) / mu
