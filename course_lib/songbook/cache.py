"""Audio on disk: a header, then int16 samples to be memory-mapped. Taught in notebook 00.

A file is a header of 4096 bytes (JSON: what it holds, checksum) and the samples [clips, C, T]. It
is filled under a temporary name and renamed, so that whoever opens it sees all of it; several
processes may build the same file, and the last one to finish leaves its own, equal, copy.
"""

import errno
import hashlib
import json
import operator
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

HEADER = 4096
SAMPLED = 64  # blocks of a large file that the checksum covers
BLOCK = 1 << 20
ABANDONED = 600.0  # seconds without a write; every clip is one


def batch(samples: np.ndarray, indices: list[int]) -> "torch.Tensor":
    """Chosen clips of [N, C, T] int16 as float32 [B, C, T] in [-1, 1]. ValueError for none."""
    import torch

    if not indices:
        raise ValueError("A batch needs at least one index, but none was given.")
    return torch.from_numpy(np.stack([samples[i] for i in indices])).float() / 32767


def checked(index: int, count: int, where: str) -> int:
    """An index from 0 on. Raises TypeError for no whole number, IndexError outside `count`."""
    try:
        number = operator.index(index)
    except TypeError as error:
        raise TypeError(f"The index of a clip is a whole number, not {index!r}.") from error
    if not -count <= number < count:
        raise IndexError(f"Clip {number} does not exist: {where} has {count} clips.")
    return number % count


def unaltered(path: Path) -> bool:
    """Whether the samples are the ones of the header's checksum; False for no file."""
    try:
        stat = path.stat()
        return _unaltered(path, stat.st_mtime_ns, stat.st_size)
    except OSError:
        return False


@lru_cache(maxsize=64)
def _unaltered(path: Path, _modified: int, _size: int) -> bool:
    header = read_header(path)
    return header is not None and header.get("checksum") == checksum(path)


def checksum(path: Path) -> str:
    """BLAKE2b of the samples: of all, or of 64 blocks of 1 MiB spread over a larger file."""
    digest = hashlib.blake2b(digest_size=16)
    size = path.stat().st_size - HEADER
    blocks = -(-size // BLOCK)
    chosen = range(blocks) if blocks <= 4 * SAMPLED else np.linspace(0, blocks - 1, SAMPLED)
    with path.open("rb") as file:
        for block in chosen:
            file.seek(HEADER + int(block) * BLOCK)
            digest.update(file.read(BLOCK))
    return digest.hexdigest()


def write_file(path: Path, size: int, what: str, fill: Callable[[Path], dict]) -> None:
    """Let `fill` write the samples behind the header of a temporary file, then rename it to `path`.

    What `fill` returns goes to the header, beside the checksum. Raises OSError that names the
    folder, the bytes needed and the way out; `what` begins that sentence with an open bracket.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent)
        if shutil.disk_usage(path.parent).free < size + HEADER:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")
        os.close(handle)
        temporary = Path(name)
        header = fill(temporary)
        header = json.dumps({**header, "checksum": checksum(temporary)}).encode()
        with temporary.open("r+b") as file:
            file.write(header.ljust(HEADER))
        os.chmod(temporary, 0o644)  # mkstemp makes it private
        _move(temporary, path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OSError(
            error.errno or errno.EIO,
            f"{what}, {size + HEADER:,} bytes) cannot be kept in {path.parent} ({reason}): make "
            "room there, or set COURSE_CACHE to a folder that can be written",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def read_header(path: Path) -> dict | None:
    """The header of a file that `write_file` wrote; None where it is missing or unreadable."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(HEADER).rstrip(b" "))
    except (OSError, ValueError):
        return None
    return header if isinstance(header, dict) else None


def to_int16(audio: np.ndarray) -> np.ndarray:
    """Samples in [-1, 1] as little-endian int16."""
    return np.round(np.clip(audio, -1, 1) * 32767).astype("<i2")


def _move(temporary: Path, path: Path) -> None:
    try:
        os.replace(temporary, path)
    except PermissionError:  # Windows: another process was first, and has its equal copy mapped
        if not unaltered(path):
            raise


def _remove_abandoned(folder: Path) -> None:
    """Remove what builds that were killed have left: nothing writes to it any more."""
    for path in folder.glob(".*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()
        except OSError:
            continue  # another process was faster
