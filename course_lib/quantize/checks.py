"""What quantizers ask of latents and codes, in words."""

from collections.abc import Sequence

import torch
from torch import Tensor


def check_latents(z: Tensor, dim: int) -> Tensor:
    """`z`, or TypeError or ValueError unless it is floating point [B, dim, F], not empty."""
    if not z.is_floating_point():
        raise TypeError(f"The latents to quantize must be floating point, not {z.dtype}.")
    if z.ndim != 3 or z.shape[1] != dim or z.numel() == 0:
        raise ValueError(
            f"The latents to quantize have shape {list(z.shape)}; expected [B, {dim}, F] "
            "with B, F >= 1."
        )
    return z


def check_finite(z: Tensor) -> Tensor:
    """`z`, or ValueError where it contains NaN or infinity. Reads from the device."""
    if not z.isfinite().all():
        raise ValueError("The latents to quantize contain NaN or infinity.")
    return z


def check_codes(codes: Tensor, size: int, codebooks: Sequence[int] = (1,), low: int = 0) -> None:
    """TypeError or ValueError unless codes are int64 [B, K, F] in [low, size), K in `codebooks`.

    Reads the smallest and the largest code from the device.
    """
    if codes.dtype != torch.int64:
        raise TypeError(f"Codes must be int64, not {codes.dtype}.")
    if codes.ndim != 3 or codes.shape[1] not in codebooks or codes.numel() == 0:
        k = codebooks[0] if len(codebooks) == 1 else f"{codebooks[0]} to {codebooks[-1]}"
        raise ValueError(
            f"Codes have shape {list(codes.shape)}; expected [B, {k}, F] with B, F >= 1."
        )
    least, most = codes.min().item(), codes.max().item()
    if least < low or most >= size:
        raise ValueError(f"Codes run from {least} to {most}; the codebook has 0 to {size - 1}.")


def check_divisible(dim: int, parts: int, name: str) -> int:
    """`dim / parts`, or ValueError unless that is a whole number of at least 1."""
    if parts < 1 or dim % parts:
        raise ValueError(f"dim={dim} cannot be cut into {name}={parts} equal parts.")
    return dim // parts
