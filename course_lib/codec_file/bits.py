"""Codes as bits: 10 bits for each code of a codebook of 1024. Taught in notebook 08b."""

import numpy as np


def width(entries: int) -> int:
    """Bits that one code of a codebook of `entries` takes: log2, rounded up, at least 1."""
    return max(1, (entries - 1).bit_length())


def size(codes: int, entries: int) -> int:
    """Bytes that `codes` codes take: the last one is filled up with zeros."""
    return -(-codes * width(entries) // 8)


def pack(codes: np.ndarray, entries: int) -> bytes:
    """Codes [K, F] in [0, entries) as bytes: frame after frame, highest bit first.

    Raises ValueError for codes out of range.
    """
    if codes.size and not 0 <= codes.min() <= codes.max() < entries:
        raise ValueError(
            f"Codes run from {codes.min()} to {codes.max()}; the codebook has 0 to {entries - 1}."
        )
    places = np.arange(width(entries))[::-1]
    return np.packbits((codes.T[..., None] >> places & 1).astype(np.uint8)).tobytes()


def unpack(data: bytes, codebooks: int, frames: int, entries: int) -> np.ndarray:
    """Codes int64 [K, F] from what `pack` made of them.

    Raises ValueError where the length is not theirs, the filling is not 0, or a code is out of
    range.
    """
    each, codes = width(entries), codebooks * frames
    if len(data) != size(codes, entries):
        raise ValueError(f"{len(data)} bytes of codes; {codes} codes take {size(codes, entries)}.")
    flat = np.unpackbits(np.frombuffer(data, np.uint8))
    if flat[codes * each :].any():
        raise ValueError("The last byte of the codes is not filled up with zeros.")
    flat = flat[: codes * each].reshape(frames, codebooks, each)
    found = flat @ (1 << np.arange(each, dtype=np.int64)[::-1])  # [F, K]
    if found.size and found.max() >= entries:
        raise ValueError(f"A code is {found.max()}; the codebook has 0 to {entries - 1}.")
    return found.T
