"""Codec files as accidents and bad will change them."""

import random
import struct
import zlib


def mutated(whole: list[bytes], number: int) -> tuple[bytes, bool]:
    """A change of one of the files `whole`, a pure function of `number`; and whether checksums
    were made right again.
    """
    draw = random.Random(number)
    data = bytearray(draw.choice(whole))
    change = draw.choice(CHANGES)
    return bytes(change(data, draw, whole)), change is resealed


def flip(data, draw, whole):
    for _ in range(draw.choice((1, 1, 1, 2, 8))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return data


def overwrite(data, draw, whole):
    length = min(draw.choice((1, 2, 4, 16, 100)), len(data))
    start = draw.randrange(len(data) - length + 1)
    fill = draw.choice((b"\0", b"\xff", None))
    data[start : start + length] = fill * length if fill else draw.randbytes(length)
    return data


def cut(data, draw, whole):
    return data[: draw.randrange(len(data))]


def lose(data, draw, whole):
    start = draw.randrange(len(data))
    del data[start : start + draw.choice((1, 2, 9, 64))]
    return data


def insert(data, draw, whole):
    start = draw.randrange(len(data) + 1)
    data[start:start] = draw.choice((b"\0", draw.randbytes(9), bytes(data[:40])))
    return data


def repeat(data, draw, whole):
    start, length = draw.randrange(len(data)), draw.choice((4, 64, 500))
    piece = data[start : start + length]
    data[start:start] = piece
    return data


def exchange(data, draw, whole):
    """The beginning of one file and the end of another."""
    other = draw.choice(whole)
    return data[: draw.randrange(len(data))] + other[draw.randrange(len(other)) :]


def in_header(data, draw, whole):
    data[draw.randrange(38)] = draw.choice((0, 1, 2, 127, 255, draw.randrange(256)))
    return data


def resealed(data, draw, whole):
    """A change whose checksums are right again: only what the numbers mean can give it away."""
    pieces = seams(bytes(data))
    place = draw.randrange(len(pieces))
    piece = bytearray(pieces[place])
    first = 5 if place == 0 else 0  # magic and version stand before what is sealed
    where = draw.randrange(first, len(piece))
    if draw.random() < 0.5:
        piece[where] ^= 1 << draw.randrange(8)
    else:
        piece[where] = draw.choice((0, 1, 2, 127, 255))
    pieces[place] = bytes(piece)
    if draw.random() < 0.3:
        middle = pieces[1:-1]
        draw.shuffle(middle)
        pieces[1:-1] = middle
    return seal(pieces)


CHANGES = (flip, overwrite, cut, lose, insert, repeat, exchange, in_header, resealed, resealed)


def seams(data: bytes) -> list[bytes]:
    """Header, blocks and end of a right file, without their checksums."""
    size = 34 if data[5] & 1 else 26
    pieces, place = [data[:size]], size + 4
    while data[place]:
        size = 5 + struct.unpack_from("<H", data, place + 3)[0]
        pieces.append(data[place : place + size])
        place += size + 4
    return [*pieces, data[place : place + 9]]


def seal(pieces: list[bytes]) -> bytes:
    data, checksum = b"", 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
        data += piece + struct.pack("<I", checksum)
    return data
