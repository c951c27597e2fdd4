"""How much the samples of a prompt differ, and how near they come to training clips.

A model could obey every prompt by always giving the same clip back, or one that it has learnt by
heart; the measures of adherence would not notice. Taught in notebook 15.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.quantize.checks import check_codes

BANKED = 4  # windows of a training clip begin every F / 4 frames


def diversity(embeddings: Tensor) -> Tensor:
    """Mean cosine distance between the samples of one prompt: embeddings [P, S, E] -> [P].

    0 for samples that are all the same. Raises ValueError for another shape or one sample.
    """
    if embeddings.ndim != 3 or embeddings.shape[1] < 2:
        raise ValueError(
            f"embeddings have shape {list(embeddings.shape)}; expected [P, S, E], S >= 2 samples."
        )
    unit = F.normalize(embeddings.float(), dim=-1)
    samples = unit.shape[1]
    cosines = unit @ unit.transpose(1, 2)  # [P, S, S]
    others = cosines.sum((1, 2)) - cosines.diagonal(dim1=1, dim2=2).sum(1)
    return 1 - others / (samples * (samples - 1))


def nearest(embeddings: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """The largest cosine of each of [N, E] with any of [M, E], and with which: [N], [N].

    Raises ValueError for other shapes.
    """
    if embeddings.ndim != 2 or bank.ndim != 2 or embeddings.shape[1] != bank.shape[1]:
        raise ValueError(
            f"embeddings have shapes {list(embeddings.shape)} and {list(bank.shape)}; expected "
            "[N, E] and [M, E] from one network."
        )
    cosines = F.normalize(embeddings.float(), dim=1) @ F.normalize(bank.float(), dim=1).T
    best = cosines.max(1)
    return best.values, best.indices


def nearest_codes(codes: Tensor, bank: Tensor, entries: int) -> tuple[Tensor, Tensor]:
    """The largest share of codes [N, F] that any of [M, G] has too, G >= F, and which: [N], [N].

    Codes int64 of one codebook, below `entries`, count as a bag: each as often as it comes, in
    whatever order. Of a longer clip its best window of F frames counts, one every F / 4 frames.
    The share is 1 minus the optimal transport between both bags where it costs nothing to keep a
    code and 1 to change it: the Sinkhorn matching of MusicLM, without distances between codes.

    Raises TypeError or ValueError for what is no such codes. Source: the analysis of memorization
    of Agostinelli et al. 2023 (MusicLM).
    """
    for rows in (codes, bank):
        check_codes(rows[:, None], entries, (1,))
    frames = codes.shape[1]
    if bank.shape[1] < frames:
        raise ValueError(
            f"Clips of the bank have {bank.shape[1]} frames; expected at least those of the codes, "
            f"{frames}."
        )
    windows = bank.unfold(1, frames, max(1, frames // BANKED))  # [M, W, F]
    bags = _bags(windows.flatten(0, 1), entries)
    shares = [torch.minimum(bags, bag).sum(1) for bag in _bags(codes, entries)]
    best = (torch.stack(shares) / frames).max(1)
    return best.values, best.indices // windows.shape[1]


def nearest_latents(latents: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """The largest cosine of latents [N, K, F] with F frames of any of [M, K, G], which: [N], [N].

    Every shift by whole frames counts, so that a copy is found wherever it begins. Raises
    ValueError for other shapes.
    """
    fits = latents.ndim == bank.ndim == 3 and latents.shape[1] == bank.shape[1]
    if not fits or latents.shape[-1] > bank.shape[-1]:
        raise ValueError(
            f"Latents have shapes {list(latents.shape)} and {list(bank.shape)}; expected [N, K, F] "
            "and [M, K, G] with G >= F."
        )
    unit = F.normalize(latents.float().flatten(1), dim=1).view_as(latents)
    bank = bank.float()
    energy = F.conv1d(bank.square(), torch.ones_like(unit[:1]))  # [M, 1, G - F + 1]
    cosines = F.conv1d(bank, unit) / energy.clamp(min=1e-12).sqrt()  # [M, N, G - F + 1]
    best = cosines.amax(2).max(0)
    return best.values, best.indices


def beyond(found: Tensor, expected: Tensor, quantile: float = 0.95) -> float:
    """The share of similarities [N] above that quantile of others [M]; about 0.05 if all is alike.

    With `expected` of held-out music it is how many clips are nearer to the training clips than
    music that was never among them. Raises ValueError for a quantile outside 0 to 1.
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile={quantile} must be above 0 and below 1.")
    return float((found > expected.float().quantile(quantile)).float().mean())


def _bags(codes: Tensor, entries: int) -> Tensor:
    """How often each entry comes in codes [N, F]: float32 [N, entries]."""
    ones = torch.ones_like(codes, dtype=torch.float32)
    return torch.zeros(len(codes), entries, device=codes.device).scatter_add_(1, codes, ones)
