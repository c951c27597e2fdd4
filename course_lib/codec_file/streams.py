"""Sound in parts to a codec file's bytes and back: memory does not grow with the sound."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import torch
from torch import Tensor, nn

from course_lib.codec_file.blocks import BLOCK_FRAMES, PACKED, Header, Reader, Writer
from course_lib.codec_file.coding import BlockCoder
from course_lib.models import Codec, CodecLM
from course_lib.models.codec_streaming import StreamingDecoder, StreamingEncoder


@dataclass(frozen=True)
class Report:
    """What a codec file took: seconds of sound, bytes, blocks, how many of them range-coded."""

    header: Header
    seconds: float
    bytes: int
    blocks: int
    range_coded: int

    @property
    def kbps(self) -> float:
        """Kilobits a second of the whole file, header and checksums included."""
        return self.bytes * 8 / self.seconds / 1000


def fingerprint(model: nn.Module) -> str:
    """16 hexadecimal digits of the sha256 of a model's weights, by which a file names its model."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        value = value.detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def header_of(codec: Codec, n_codebooks: int | None = None, lm: CodecLM | None = None) -> Header:
    """The header of files of `codec` with `n_codebooks` (default all), with `lm` or without.

    Raises ValueError where the codec has not so many codebooks.
    """
    c = codec.config
    count = c.n_codebooks if n_codebooks is None else n_codebooks
    if not 1 <= count <= c.n_codebooks:
        raise ValueError(f"n_codebooks={count}; the codec has 1 to {c.n_codebooks}.")
    model = None if lm is None else fingerprint(lm)
    return Header(
        codec.sample_rate, c.channels, codec.hop, count, c.entries, fingerprint(codec), model
    )


def encode_parts(
    parts: Iterable[Tensor],
    file: BinaryIO,
    codec: Codec,
    n_codebooks: int | None = None,
    lm: CodecLM | None = None,
) -> Report:
    """Code consecutive `parts` [C, T] of a sound, at the codec's rate, into an open binary file.

    With `lm` the codes are range-coded. Raises ValueError where the parts hold no sample, the codec
    can't be streamed or has not so many codebooks. Taught in notebook 08b.
    """
    header = header_of(codec, n_codebooks, lm)
    coder, stream = BlockCoder(header, lm), StreamingEncoder(codec, header.codebooks)
    start = file.tell()
    writer = Writer(file, header)
    blocks = range_coded = 0
    for codes in _in_blocks(_codes(parts, stream)):
        block = coder.encode(codes.cpu().numpy())
        writer.block(block)
        blocks += 1
        range_coded += block.kind != PACKED
    if stream.length == 0:
        raise ValueError("There is no sample to code: a codec file holds at least one.")
    writer.end(stream.length)
    seconds = stream.length / header.sample_rate
    return Report(header, seconds, file.tell() - start, blocks, range_coded)


def decode_parts(
    file: BinaryIO, codec: Codec, lm: CodecLM | None = None, name: str = "The file"
) -> Iterator[Tensor]:
    """The sound in an open codec file as consecutive parts [C, T], about one for each block.

    Joined they are `codec.decode` of all codes; only two parts are in memory at a time. Raises
    ValueError, now or where a part is reached, for what is no codec file, was made with another
    codec or language model than those given, is cut off or altered. Taught in notebook 08b.
    """
    reader = Reader(file, name)
    check_models(reader.header, codec, lm, name)
    try:
        coder = BlockCoder(reader.header, lm if reader.header.model else None)
    except ValueError as error:
        raise ValueError(f"{name} can't be decoded: {error}") from None
    return _sound(reader, coder, StreamingDecoder(codec))


def check_models(header: Header, codec: Codec, lm: CodecLM | None, name: str) -> None:
    """Raise ValueError, in words, unless `header` names these models."""
    for kind, wanted, model in (
        ("codec", header.codec, codec),
        ("language model", header.model, lm),
    ):
        if wanted is None:
            continue
        if model is None:
            raise ValueError(f"{name} was made with a {kind} ({wanted}), and none was given.")
        found = fingerprint(model)
        if found != wanted:
            raise ValueError(
                f"{name} was made with another {kind} ({wanted}; here there is {found}): decode it "
                "with the course that wrote it."
            )
    c = codec.config
    told = (header.sample_rate, header.channels, header.hop, header.entries)
    if told != (c.sample_rate, c.channels, codec.hop, c.entries) or (
        header.codebooks > c.n_codebooks
    ):
        raise ValueError(f"{name} and the codec do not fit each other: {header}.")


def _codes(parts: Iterable[Tensor], stream: StreamingEncoder) -> Iterator[Tensor]:
    """Codes [K, f] as they are decided."""
    for part in parts:
        yield stream.push(part[None])[0]
    if stream.length:
        yield stream.flush()[0]


def _in_blocks(pieces: Iterable[Tensor], frames: int = BLOCK_FRAMES) -> Iterator[Tensor]:
    """The same codes [K, F] cut into blocks of `frames`, the last one shorter."""
    rest = None
    for piece in pieces:
        rest = piece if rest is None else torch.cat([rest, piece], dim=1)
        while rest.shape[1] > frames:
            yield rest[:, :frames]
            rest = rest[:, frames:]
    if rest is not None and rest.shape[1]:
        yield rest


def _sound(reader: Reader, coder: BlockCoder, stream: StreamingDecoder) -> Iterator[Tensor]:
    """The last part is held back until the end says how long the sound is."""
    held, done = None, 0
    for number, block in enumerate(reader.blocks(), 1):
        try:
            codes = coder.decode(block)
        except ValueError as error:
            raise type(error)(
                f"Block {number} of {reader.name} can't be decoded: {error}"
            ) from None
        # Blocks of other writers may be long: their sound takes a thousand times their memory.
        for piece in torch.from_numpy(codes)[None].split(BLOCK_FRAMES, -1):
            if held is not None:
                yield held
                done += held.shape[-1]
            held = stream.push(piece)[0]
    last = torch.cat([held, stream.flush()[0]], dim=-1)
    yield last[:, : reader.samples - done]
