"""The contrastive loss of two towers: each clip finds its caption, each caption its clip.

Taught in notebook 13.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def symmetric_contrastive_loss(audio: Tensor, text: Tensor, scale: Tensor | float) -> Tensor:
    """Half the cross-entropy of finding the caption of each clip, half that of the other way.

    audio, text [B, E], unit vectors, row i of each of pair i; scale 1 / temperature. With logits
    scale * audio @ text.T, the first half is a softmax over the captions of the batch, the second
    one over its clips (InfoNCE, van den Oord et al. 2018; Radford et al. 2021, figure 3; Wu et al.
    2023, equation 1). Without knowledge it is log B. Computed in float32.

    Every other pair of the batch counts as wrong, whatever it says: two clips with one caption
    cannot both be found, and the loss cannot reach 0 (`false_negatives` counts such pairs). Over
    several processes each has the pairs of its own part of the batch alone, B / processes of them;
    LAION-CLAP gathers those of all.
    transformers' ClapModel has the second half alone. Raises ValueError for other shapes and for
    fewer than two pairs. Taught in notebook 13.
    """
    if audio.ndim != 2 or audio.shape != text.shape or len(audio) < 2:
        raise ValueError(
            f"audio {list(audio.shape)} and text {list(text.shape)} must both be [B, E], of at "
            "least two pairs."
        )
    with torch.autocast(audio.device.type, enabled=False):
        wide = torch.promote_types(audio.dtype, torch.float32)
        logits = scale * audio.to(wide) @ text.to(wide).T  # [B clips, B captions]
        pair = torch.arange(len(logits), device=logits.device)
        return (F.cross_entropy(logits, pair) + F.cross_entropy(logits.T, pair)) / 2


def false_negatives(ids: Tensor) -> Tensor:
    """How many other pairs of the batch have the caption of each pair, int64 [B]; ids [B, L]."""
    same = (ids[:, None] == ids).all(-1)  # [B, B]
    return same.sum(1) - 1
