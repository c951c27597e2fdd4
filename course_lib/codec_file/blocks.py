"""A codec file as bytes: a header, blocks of codes, an end. Taught in notebook 08b.

    header  "CRSC", version, flags, channels, codebooks, sample rate in Hz, samples per frame,
            entries of a codebook, frames per block, which codec (and language model), checksum
    block   kind, frames, length of the payload, payload, checksum
    end     kind 0, samples of the sound, checksum

Numbers are little-endian. A checksum (CRC-32) covers everything before it, so that blocks that are
lost, repeated or exchanged are found like bits that fell over. What a file claims is compared with
what a file can hold before memory is taken for it.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from course_lib.codec_file import bits

MAGIC, VERSION = b"CRSC", 1
BLOCK_FRAMES = 250  # 5 s at 50 frames/s
END, PACKED, RANGE_CODED = 0, 1, 2
_HEADER = struct.Struct("<4sBBBBIHHH8s")
_MODEL = struct.Struct("<8s")
_BLOCK = struct.Struct("<BHH")
_END = struct.Struct("<BQ")
_CHECKSUM = struct.Struct("<I")
_WITH_MODEL = 1  # the one flag there is


class Damaged(ValueError):
    """A codec file that is cut off or altered."""


@dataclass(frozen=True)
class Header:
    """What a codec file says of itself.

    codec, model: the first 16 digits of the fingerprints of the codec and of the language model, or
        None where codes are stored without one.
    """

    sample_rate: int
    channels: int
    hop: int
    codebooks: int
    entries: int
    codec: str
    model: str | None = None
    block_frames: int = BLOCK_FRAMES

    def __post_init__(self):
        limits = {
            "sample_rate": (self.sample_rate, 768_000),
            "channels": (self.channels, 8),
            "hop": (self.hop, 65_535),
            "codebooks": (self.codebooks, 64),
            "entries": (self.entries, 65_535),
            "block_frames": (self.block_frames, 65_535),
        }
        for name, (value, most) in limits.items():
            if not 1 <= value <= most:
                raise ValueError(f"{name} is {value}; a codec file holds 1 to {most}.")
        if self.block_bytes > 65_535:
            raise ValueError(
                f"A block of {self.block_frames} frames of {self.codebooks} codes takes "
                f"{self.block_bytes} bytes, at most 65535."
            )

    @property
    def block_bytes(self) -> int:
        """Bytes of a full block of packed codes: no payload is longer."""
        return bits.size(self.codebooks * self.block_frames, self.entries)

    @property
    def kbps(self) -> float:
        """Kilobits a second of the packed codes alone."""
        bits_a_frame = self.codebooks * bits.width(self.entries)
        return bits_a_frame * self.sample_rate / self.hop / 1000


class Block(NamedTuple):
    """kind: PACKED or RANGE_CODED."""

    kind: int
    frames: int
    payload: bytes


class Writer:
    """Writes a codec file: `header` at once, then `block` by block, then `end`."""

    def __init__(self, file: BinaryIO, header: Header):
        self.file, self.checksum = file, 0
        start = _HEADER.pack(
            MAGIC, VERSION, _WITH_MODEL if header.model else 0, header.channels, header.codebooks,
            header.sample_rate, header.hop, header.entries, header.block_frames,
            bytes.fromhex(header.codec),
        )  # fmt: skip
        if header.model:
            start += _MODEL.pack(bytes.fromhex(header.model))
        self._put(start)

    def block(self, block: Block) -> None:
        self._put(_BLOCK.pack(block.kind, block.frames, len(block.payload)) + block.payload)

    def end(self, samples: int) -> None:
        self._put(_END.pack(END, samples))

    def _put(self, data: bytes) -> None:
        self.checksum = zlib.crc32(data, self.checksum)
        self.file.write(data + _CHECKSUM.pack(self.checksum))


class Reader:
    """Reads a codec file: `header`, then `blocks()`, and after the last of them `samples`.

    `name` is what errors call the file. Raises ValueError for what is no codec file, or one of
    another version, and Damaged for one that is cut off or altered: at the place where it is, so
    that the blocks before were as they were written.
    """

    def __init__(self, file: BinaryIO, name: str):
        self.file, self.name, self.checksum = file, name, 0
        self.samples: int | None = None
        self.header = self._header()

    def _header(self) -> Header:
        start = self.file.read(len(MAGIC) + 1)
        if start[: len(MAGIC)] != MAGIC:
            raise ValueError(
                f"{self.name} is not a codec file: it does not begin with {MAGIC.decode()}."
            )
        if start[len(MAGIC) :] != bytes([VERSION]):
            version = start[len(MAGIC)] if len(start) > len(MAGIC) else "missing"
            raise ValueError(
                f"{self.name} has version {version} of the format; this course reads version "
                f"{VERSION}: decode it with the course that wrote it."
            )
        data = start + self._read(_HEADER.size - len(start), "header")
        _, _, flags, channels, codebooks, rate, hop, entries, frames, codec = _HEADER.unpack(data)
        model = None
        if flags == _WITH_MODEL:
            data += self._read(_MODEL.size, "header")
            model = data[-_MODEL.size :].hex()
        self._check(data, "header")
        try:
            if flags not in (0, _WITH_MODEL):
                raise ValueError(f"flags are {flags}")
            return Header(rate, channels, hop, codebooks, entries, codec.hex(), model, frames)
        except ValueError as error:
            raise Damaged(f"The header of {self.name} makes no sense ({error}).") from None

    def blocks(self):
        """The blocks in order. The end is looked for, and nothing may follow it."""
        header, frames, number = self.header, 0, 0
        while True:
            number += 1
            where = f"block {number}"
            kind = self._read(1, where)
            if kind[0] == END:
                break
            data = kind + self._read(_BLOCK.size - 1, where)
            _, count, length = _BLOCK.unpack(data)
            if length > header.block_bytes:  # before memory is taken for it
                raise self._damaged(where)
            payload = self._read(length, where)
            self._check(data + payload, where)
            full = frames % header.block_frames == 0  # only the last block may be shorter
            if not (1 <= count <= header.block_frames and full and kind[0] in self._kinds()):
                raise self._damaged(where)
            frames += count
            yield Block(kind[0], count, payload)
        data = kind + self._read(_END.size - 1, "end")
        self._check(data, "end")
        samples = _END.unpack(data)[1]
        fits = (frames - 1) * header.hop < samples <= frames * header.hop
        if not (samples and fits) or self.file.read(1):
            raise self._damaged("end")
        self.samples = samples

    def _kinds(self) -> tuple[int, ...]:
        return (PACKED, RANGE_CODED) if self.header.model else (PACKED,)

    def _read(self, size: int, where: str) -> bytes:
        data = self.file.read(size)
        if len(data) < size:
            raise Damaged(
                f"{self.name} is cut off in its {where}: copy it again from where it is whole."
            )
        return data

    def _check(self, data: bytes, where: str) -> None:
        self.checksum = zlib.crc32(data, self.checksum)
        (found,) = _CHECKSUM.unpack(self._read(_CHECKSUM.size, where))
        if found != self.checksum:
            raise self._damaged(where)

    def _damaged(self, where: str) -> Damaged:
        return Damaged(
            f"{self.name} is damaged in its {where}: copy it again from where it is whole."
        )
