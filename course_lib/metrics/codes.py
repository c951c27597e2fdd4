"""How evenly a codebook is used. Taught in notebook 01."""

import math

import torch


def codebook_usage(codes: torch.Tensor, size: int) -> torch.Tensor:
    """Share of the `size` entries that occur in `codes`: `[K]` for `[B, K, F]`, a scalar for `[N]`.

    Raises TypeError or ValueError for codes that are no integers, are empty, or lie outside
    0 to size - 1. Taught in notebook 01.
    """
    return (_shares(codes, size) > 0).double().mean(-1)


def entropy_bits(codes: torch.Tensor, size: int) -> torch.Tensor:
    """Entropy of the histogram of `codes`, in bits: 0 to log2(size). Shapes as `codebook_usage`."""
    return torch.special.entr(_shares(codes, size)).sum(-1) / math.log(2)


def perplexity(codes: torch.Tensor, size: int) -> torch.Tensor:
    """2 to the `entropy_bits`: as many equally used entries would be as uncertain, 1 to `size`.

    Shapes and errors as `codebook_usage`. Taught in notebook 01.
    """
    return 2 ** entropy_bits(codes, size)


def entropy_efficiency(codes: torch.Tensor, size: int) -> torch.Tensor:
    """`entropy_bits` over log2(size), 0 to 1: the share of the paid bits that carry information.

    Source: Kumar et al. 2023 (DAC), section 4.4. Shapes and errors as `codebook_usage`.
    """
    if size < 2:
        raise ValueError(f"size is {size}; a codebook of one entry has no bits to use.")
    return entropy_bits(codes, size) / math.log2(size)


def _shares(codes: torch.Tensor, size: int) -> torch.Tensor:
    """The relative frequency of every entry, float64 `[K, size]` or `[size]`."""
    if not isinstance(codes, torch.Tensor) or codes.is_floating_point() or codes.is_complex():
        raise TypeError(
            f"codes are {getattr(codes, 'dtype', type(codes).__name__)}; expected an integer "
            "tensor [B, K, F] or [N]."
        )
    if codes.ndim not in (1, 3) or codes.numel() == 0:
        raise ValueError(
            f"codes have shape {list(codes.shape)}; expected [B, K, F] or [N], not empty."
        )
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= size:
        raise ValueError(f"codes go from {low} to {high}; expected 0 to {size - 1}.")
    if codes.ndim == 1:
        counts = torch.bincount(codes, minlength=size)
    else:
        books = codes.transpose(0, 1).flatten(1)  # [K, B F]
        counts = torch.stack([torch.bincount(book, minlength=size) for book in books])
    return counts.double() / counts.sum(-1, keepdim=True)
