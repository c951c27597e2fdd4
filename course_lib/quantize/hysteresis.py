"""Rounding with hysteresis: a slow number stays where it is until it has clearly left."""

import torch
from torch import Tensor


@torch.no_grad()
def hysteresis_round(z: Tensor, margin: float = 0.5) -> Tensor:
    """Whole numbers that follow z [..., F] along time as a Schmitt trigger does, in z's dtype.

    The first is z rounded. Then the last whole number stays as long as z is at most 0.5 + margin
    away from it; once z is farther, z is rounded again. With margin = 0 this is plain rounding
    (of an exact half nothing moves), which jumps to and fro where z lingers near a half. Nothing is
    read from the device. Raises TypeError where z is not floating point, ValueError where it is
    empty or margin is negative.

    Source: after Dieleman et al. 2021 (SlowAE: Schmitt-trigger quantization). Notebook 05b.
    """
    if not z.is_floating_point():
        raise TypeError(f"The numbers to round must be floating point, not {z.dtype}.")
    if z.ndim == 0 or z.numel() == 0:
        raise ValueError(f"The numbers to round have shape {list(z.shape)}; expected [..., F].")
    if not margin >= 0:
        raise ValueError(f"margin={margin} must not be negative: 0 is plain rounding.")
    rounded, reach = z.round(), 0.5 + margin
    held = rounded[..., 0]
    kept = [held]
    for now, whole in zip(z.unbind(-1)[1:], rounded.unbind(-1)[1:], strict=True):
        held = torch.where((now - held).abs() > reach, whole, held)
        kept.append(held)
    return torch.stack(kept, -1)
