"""The bytes of a codec file: what is written, and every way it can be wrong."""

import io
import struct
import zlib
from dataclasses import replace

import pytest

from course_lib.codec_file.blocks import (
    END,
    PACKED,
    RANGE_CODED,
    Block,
    Damaged,
    Header,
    Reader,
    Writer,
)

HEADER = Header(16000, 1, 320, 4, 30, "0123456789abcdef", block_frames=10)
BLOCKS = [Block(PACKED, 10, b"a" * 25), Block(PACKED, 10, b"b" * 25), Block(PACKED, 3, b"c" * 8)]
SAMPLES = 22 * 320 + 1


def written(header=HEADER, blocks=BLOCKS, samples=SAMPLES) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, header)
    for block in blocks:
        writer.block(block)
    writer.end(samples)
    return file.getvalue()


def read(data: bytes) -> tuple[Header, list[Block], int]:
    reader = Reader(io.BytesIO(data), "x.codec")
    blocks = list(reader.blocks())
    return reader.header, blocks, reader.samples


def pieces(data: bytes) -> list[bytes]:
    """The file cut at its seams: header, blocks, end."""
    sizes = [30, *(5 + len(block.payload) + 4 for block in BLOCKS), 13]
    cut, place = [], 0
    for size in sizes:
        cut.append(data[place : place + size])
        place += size
    assert place == len(data)
    return cut


def test_what_was_written_is_read():
    assert read(written()) == (HEADER, BLOCKS, SAMPLES)
    header = replace(HEADER, model="fedcba9876543210")
    blocks = [Block(RANGE_CODED, 10, b"r"), BLOCKS[1], Block(RANGE_CODED, 3, b"rest")]
    assert read(written(header, blocks)) == (header, blocks, SAMPLES)


def test_the_bytes_of_version_1_stay_what_they_are():
    """A file made today must be read tomorrow: change the version where this test must change."""
    start = b"CRSC" + bytes([1, 0, 1, 4]) + struct.pack("<IHHH", 16000, 320, 30, 10)
    start += bytes.fromhex("0123456789abcdef")
    one = bytes([1]) + struct.pack("<HH", 3, 8) + b"c" * 8
    end = bytes([0]) + struct.pack("<Q", 900)
    want, checksum = b"", 0
    for part in (start, one, end):
        checksum = zlib.crc32(part, checksum)
        want += part + struct.pack("<I", checksum)
    assert written(blocks=BLOCKS[2:], samples=900) == want


@pytest.mark.parametrize("header", [HEADER, replace(HEADER, model="fedcba9876543210")])
def test_every_flipped_bit_and_every_cut_is_found(header):
    data = written(header)
    for place in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match="x.codec"):
            read(bytes(wrong))
    for length in range(len(data)):
        with pytest.raises(ValueError, match="x.codec") as error:
            read(data[:length])
        assert isinstance(error.value, Damaged) or length < 5


def test_blocks_lost_repeated_exchanged_or_added_are_found():
    head, one, two, three, end = pieces(written())
    foreign = pieces(written(replace(HEADER, codec="0000000000000000")))
    for parts in (
        (head, two, three, end),
        (head, one, three, end),
        (head, one, two, end),
        (head, one, one, two, three, end),
        (head, two, one, three, end),
        (head, one, two, three),
        (head, one, two, three, end, end),
        (head, one, two, three, end, b"\0"),
        (head, *foreign[1:]),
        (head, one, two, three, foreign[-1]),
        (head, end),
    ):
        with pytest.raises(Damaged):
            read(b"".join(parts))


def test_blocks_before_the_damage_are_given():
    data = bytearray(written())
    data[30 + 34 + 10] ^= 1  # in the second block
    blocks = Reader(io.BytesIO(bytes(data)), "x.codec").blocks()
    assert next(blocks) == BLOCKS[0]
    with pytest.raises(Damaged, match="x.codec is damaged in its block 2: copy it again"):
        next(blocks)
    blocks = Reader(io.BytesIO(written()[:80]), "x.codec").blocks()
    next(blocks)
    with pytest.raises(Damaged, match="cut off in its block 2"):
        next(blocks)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not a codec file"),
        (b"RIFF....WAVE", "is not a codec file"),
        (b"CRSC", "version missing of the format"),
        (b"CRSC\2" + bytes(30), "version 2 of the format; this course reads version 1"),
        (b"CRSC\1", "cut off in its header"),
    ],
)
def test_what_is_no_codec_file_is_said(data, said):
    with pytest.raises(ValueError, match=said):
        Reader(io.BytesIO(data), "x.codec")


def sealed(*parts: bytes) -> bytes:
    """Parts with right checksums: what a writer of ours would never write."""
    data, checksum = b"", 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
        data += part + struct.pack("<I", checksum)
    return data


def start(flags=0, channels=1, codebooks=4, rate=16000, hop=320, entries=30, frames=10) -> bytes:
    numbers = struct.pack("<IHHH", rate, hop, entries, frames)
    return b"CRSC" + bytes([1, flags, channels, codebooks]) + numbers + bytes(8)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": 2},
        {"channels": 0},
        {"channels": 9},
        {"codebooks": 0},
        {"codebooks": 65},
        {"rate": 0},
        {"rate": 1_000_000},
        {"hop": 0},
        {"entries": 0},
        {"frames": 0},
        {"frames": 65_535},
    ],
)
def test_headers_that_make_no_sense_are_refused_even_when_sealed(wrong):
    with pytest.raises(Damaged, match="header of x.codec makes no sense"):
        Reader(io.BytesIO(sealed(start(**wrong))), "x.codec")


@pytest.mark.parametrize(
    "parts",
    [
        [struct.pack("<BHH", PACKED, 0, 0)],
        [struct.pack("<BHH", PACKED, 11, 1) + b"x"],
        [struct.pack("<BHH", RANGE_CODED, 1, 1) + b"x"],  # without a language model in the header
        [struct.pack("<BHH", 3, 1, 1) + b"x"],
        [struct.pack("<BHH", PACKED, 3, 1) + b"x", struct.pack("<BHH", PACKED, 3, 1) + b"x"],
        [struct.pack("<BQ", END, 0)],
        [struct.pack("<BHH", PACKED, 3, 1) + b"x", struct.pack("<BQ", END, 2 * 320)],
        [struct.pack("<BHH", PACKED, 3, 1) + b"x", struct.pack("<BQ", END, 3 * 320 + 1)],
        [struct.pack("<BHH", PACKED, 3, 1) + b"x", struct.pack("<BQ", END, 2**63)],
    ],
)
def test_blocks_that_make_no_sense_are_refused_even_when_sealed(parts):
    with pytest.raises(Damaged):
        read(sealed(start(), *parts))


def test_a_length_that_no_block_has_takes_no_memory():
    class Counting(io.BytesIO):
        asked = 0

        def read(self, size):
            self.asked = max(self.asked, size)
            return super().read(size)

    file = Counting(sealed(start()) + struct.pack("<BHH", PACKED, 3, 65_535) + bytes(70_000))
    with pytest.raises(Damaged):
        list(Reader(file, "x.codec").blocks())
    assert file.asked < 100
