"""Everything hidden comes from one secret: each task draws from a stream of its own."""

import hashlib
import hmac
from pathlib import Path

import numpy as np

PRACTICE = b"practice"  # known to everybody: editions to try things with, never to mark from
LEAST = 16  # bytes of a secret


def secret(seed: bytes, name: str) -> np.random.Generator:
    """The stream of random numbers that belongs to `name`, such as "hw1.nearest".

    Whoever has some streams learns nothing about the others or the seed (HMAC-SHA256).
    """
    digest = hmac.new(seed, name.encode(), hashlib.sha256).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def edition(seed: bytes) -> str:
    """A short name of a seed that doesn't give it away; "practice" for the known one."""
    if seed == PRACTICE:
        return "practice"
    return hmac.new(seed, b"edition", hashlib.sha256).hexdigest()[:8]


def read_seed(path: Path | None) -> bytes:
    """The secret in a file, or the practice seed for None. Raises ValueError for a short one."""
    if path is None:
        return PRACTICE
    if path.stat().st_size > 1 << 20:
        raise ValueError(f"{path} is no seed file: it has {path.stat().st_size:,} bytes.")
    seed = path.read_bytes().strip()
    if len(seed) < LEAST:
        raise ValueError(
            f"The secret in {path} has {len(seed)} bytes, expected at least {LEAST}: make one with "
            "python -c 'import secrets; print(secrets.token_hex(32))' > FILE"
        )
    return seed
