"""Whether attention to lyrics looks at what is being sung. Taught in notebook 10."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.models.jukebox_top import linear_alignment


def alignment_error(
    attention: Tensor, phonemes: Tensor, times: Tensor, rate: float, start: float = 0.0
) -> float:
    """How far in time attention is from what is sung, in seconds: a median over frames.

    attention [B, F, L], of frames `rate` a second from `start` on to phonemes int64 [B, L] (0 for
    padding), whose middles are at `times` [B, L]. The time a frame looks at is the mean of the
    middles, weighted by its attention. Frames before the first middle and after the last are left
    out. Raises ValueError for shapes that do not fit each other, a rate that is not positive, and
    where nothing is sung in any frame. Taught in notebook 10.
    """
    fits = attention.ndim == 3 and phonemes.shape == times.shape
    if not fits or attention.shape[::2] != phonemes.shape or not rate > 0:
        raise ValueError(
            f"attention has shape {list(attention.shape)}, phonemes {list(phonemes.shape)} and "
            f"times {list(times.shape)}, rate={rate}; expected [B, F, L], [B, L], [B, L] and "
            "frames per second."
        )
    sung = phonemes > 0
    weights = attention * sung[:, None]
    looked_at = (weights * times[:, None]).sum(-1) / weights.sum(-1).clamp(min=1e-9)  # [B, F]
    frames = start + torch.arange(attention.shape[1], device=attention.device) / rate
    first = times.masked_fill(~sung, torch.inf).amin(1, keepdim=True)
    last = times.masked_fill(~sung, -torch.inf).amax(1, keepdim=True)
    counted = (frames >= first) & (frames <= last)
    if not counted.any():
        raise ValueError("Nothing is sung in these frames: there is no alignment to measure.")
    return (looked_at - frames).abs()[counted].median().item()


def linear_attention(phonemes: Tensor, total: Tensor, frames: int, rate: float) -> Tensor:
    """As attention [B, frames, L]: every frame at the phoneme next to it by linear alignment.

    phonemes int64 [B, L], 0 for padding, of pieces that last `total` [B] seconds. Taught in
    notebook 10.
    """
    seconds = torch.arange(frames, device=phonemes.device)[:, None] / rate
    distance = (linear_alignment(phonemes, total)[:, None] - seconds).abs()
    closest = distance.masked_fill(phonemes[:, None] == 0, torch.inf).argmin(-1)
    return F.one_hot(closest, phonemes.shape[1]).float()
