"""A loss that turns codebook entries away from each other."""

import torch.nn.functional as F
from torch import Tensor


def orthogonal_loss(entries: Tensor, codes: Tensor | None = None) -> Tensor:
    """Mean squared cosine of all pairs of `entries` [V, D], less the 1/V of each with itself.

    |E E'|^2 / V^2 - 1 / V, where E has the entries at length 1 and |.| is the Frobenius norm. Where
    `codes` (int64, any shape) are given, only the entries that occur in them count. It is 0 for
    orthogonal entries; the usual weight is 10. |E E'| = |E' E| needs D x D numbers, not V x V, so
    large codebooks need no sampling.

    Source: Shin et al. 2021, equation 2. Taught in notebook 04.
    """
    unit = F.normalize(entries, dim=-1, eps=1e-6)
    count = len(entries)
    if codes is not None:
        used = entries.new_zeros(count).index_fill_(0, codes.flatten(), 1.0)  # [V]
        unit, count = unit * used[:, None], used.sum()
    return (unit.T @ unit).square().sum() / count**2 - 1 / count
