"""Messages between the grader and a student's process: a JSON header, then the bytes of arrays.

A reader trusts nothing: it allocates no more than `LIMIT`, whatever a header claims, and takes
numbers, strings and arrays of numbers alone. Nothing is pickled.

    "CRS1" | length of the header, uint32 little-endian | header, UTF-8 JSON | bytes of the arrays
    header: {"kind": str, "values": {name: number or string}, "arrays": [[name, dtype, shape], ...]}
"""

import json
import math
import struct
from typing import BinaryIO

import numpy as np

from course_lib.grading.task import Values

MAGIC = b"CRS1"
LIMIT = 64 << 20  # bytes of the arrays of a message
HEADER = 64 << 10
ARRAYS, DIMENSIONS = 64, 8
DTYPES = ("|b1", "|i1", "|u1", *(f"<{kind}{size}" for kind in "iu" for size in (2, 4, 8)))
DTYPES += ("<f2", "<f4", "<f8")


class Broken(Exception):
    """What was read is no message, or what should be written is none."""


def pack(kind: str, values: Values) -> bytes:
    """A message as bytes. Raises Broken for what no message can hold, in words."""
    arrays, plain, parts = [], {}, []
    for name, value in values.items():
        if not isinstance(name, str):
            raise Broken(f"the name {name!r:.40} is no string")
        if isinstance(value, np.generic | np.ndarray):
            array = np.asarray(value, order="C")
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            if array.dtype.str not in DTYPES:
                raise Broken(f"`{name}` is of type {array.dtype}; only numbers can be handed over")
            arrays.append([name, array.dtype.str, list(array.shape)])
            parts.append(array)
        elif isinstance(value, str | int | float):
            plain[name] = value
        else:
            raise Broken(f"`{name}` is a {type(value).__name__}, expected an array or a number")
    if len(arrays) > ARRAYS or sum(part.nbytes for part in parts) > LIMIT:
        raise Broken(f"more than {ARRAYS} arrays or {LIMIT >> 20} MiB")
    try:
        header = json.dumps({"kind": kind, "values": plain, "arrays": arrays}).encode()
    except ValueError as error:  # a whole number of too many digits
        raise Broken(str(error)) from error
    if len(header) > HEADER:
        raise Broken(f"more than {HEADER >> 10} KiB of text")
    body = b"".join(part.tobytes() for part in parts)
    return MAGIC + struct.pack("<I", len(header)) + header + body


def write(stream: BinaryIO, kind: str, values: Values) -> None:
    """Write a message. Raises as `pack` does, and OSError where nobody reads."""
    stream.write(pack(kind, values))
    stream.flush()


def read(stream: BinaryIO) -> tuple[str, Values]:
    """The next message: its kind and values. EOFError at the end, Broken for anything else."""
    start = stream.read(8)
    if not start:
        raise EOFError
    if len(start) < 8 or start[:4] != MAGIC:
        raise Broken("it doesn't begin as a message")
    (length,) = struct.unpack("<I", start[4:])
    if length > HEADER:
        raise Broken(f"a header of {length:,} bytes")
    kind, values, arrays = _header(_exactly(stream, length))
    for name, dtype, shape in arrays:
        count = math.prod(shape)
        raw = _exactly(stream, count * dtype.itemsize)
        values[name] = np.frombuffer(raw, dtype).reshape(shape).copy()
    return kind, values


def _header(raw: bytes) -> tuple[str, Values, list[tuple[str, np.dtype, list[int]]]]:
    """A header, every part of it looked at before anything is allocated."""
    try:
        told = json.loads(raw)
        kind, values, listed = told["kind"], dict(told["values"]), told["arrays"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Broken("its header can't be read") from error
    plain = all(isinstance(v, str | int | float) for v in values.values())
    if not isinstance(kind, str) or not plain or not isinstance(listed, list):
        raise Broken("its header holds something else than numbers and strings")
    if len(listed) > ARRAYS:
        raise Broken(f"{len(listed)} arrays")
    arrays, total = [], 0
    for entry in listed:
        name, dtype, shape = _entry(entry)
        if name in values or any(name == other for other, _, _ in arrays):
            raise Broken(f"two values called {name:.40}")
        # A size of 0 must not hide a giant one beside it.
        total += math.prod(max(size, 1) for size in shape) * dtype.itemsize
        if total > LIMIT:
            raise Broken(f"arrays of more than {LIMIT >> 20} MiB")
        arrays.append((name, dtype, shape))
    return kind, values, arrays


def _entry(entry) -> tuple[str, np.dtype, list[int]]:
    if not isinstance(entry, list) or len(entry) != 3:
        raise Broken("an array without name, type and shape")
    name, dtype, shape = entry
    if not isinstance(name, str) or dtype not in DTYPES or not isinstance(shape, list):
        raise Broken("an array of something else than numbers")
    if len(shape) > DIMENSIONS or not all(type(n) is int and 0 <= n <= LIMIT for n in shape):
        raise Broken("an array of an impossible shape")
    return name, np.dtype(dtype), shape


def _exactly(stream: BinaryIO, count: int) -> bytes:
    raw = stream.read(count)
    if len(raw) < count:
        raise Broken("it ends in the middle")
    return raw
