"""Blocks of codes as bytes and back, with a language model or without. Taught in notebook 08b."""

import struct
import zlib

import numpy as np
import torch

from course_lib.codec_file import bits, range_coder
from course_lib.codec_file.blocks import PACKED, RANGE_CODED, Block, Header
from course_lib.models.codec_lm import CodecLM, FrameByFrame, one_thread

_CHECKSUM = struct.Struct("<I")


class CodedOtherwise(ValueError):
    """A range-coded block whose probabilities come out otherwise here than where it was made."""


class BlockCoder:
    """Codes int64 [K, F] of one block -> Block, and back; blocks stand alone.

    With a language model a block is range-coded where that is shorter than packed bits and where
    decoding it, right after coding it, gives the same codes. Raises ValueError for a model of other
    codebooks than the header's, or with a shorter past than a block.
    """

    def __init__(self, header: Header, lm: CodecLM | None = None):
        self.header, self.steps = header, None
        if lm is None:
            return
        c = lm.config
        if c.entries != header.entries or c.codebooks < header.codebooks:
            raise ValueError(
                f"The language model is of {c.codebooks} codebooks of {c.entries}; the file has "
                f"{header.codebooks} of {header.entries}."
            )
        if c.frames < header.block_frames:
            raise ValueError(
                f"The language model remembers {c.frames} frames; a block of the file has "
                f"{header.block_frames}."
            )
        self.steps = FrameByFrame(lm)

    def encode(self, codes: np.ndarray) -> Block:
        """Codes [K, F] as the shorter kind of block that gives them back."""
        packed = bits.pack(codes, self.header.entries)
        if self.steps is not None:
            with one_thread():
                coded = range_coder.encode(codes, self._predict())
            block = Block(RANGE_CODED, codes.shape[1], _CHECKSUM.pack(zlib.crc32(packed)) + coded)
            if len(block.payload) < len(packed) and self._gives_back(block, codes):
                return block
        return Block(PACKED, codes.shape[1], packed)

    def decode(self, block: Block) -> np.ndarray:
        """Codes [K, F] of a block. Raises CodedOtherwise, and ValueError where it holds none."""
        header = self.header
        if block.kind == PACKED:
            return bits.unpack(block.payload, header.codebooks, block.frames, header.entries)
        if self.steps is None:
            raise ValueError("The block is coded with a language model, and none was given.")
        if len(block.payload) < _CHECKSUM.size:
            raise ValueError("The block is too short to hold codes.")
        (want,) = _CHECKSUM.unpack_from(block.payload)
        try:
            with one_thread():
                codes = range_coder.decode(
                    block.payload[_CHECKSUM.size :],
                    header.codebooks,
                    block.frames,
                    self._predict(),
                )
        except ValueError:
            codes = None
        if codes is None or zlib.crc32(bits.pack(codes, header.entries)) != want:
            raise CodedOtherwise(
                "the language model's numbers come out otherwise on this machine (torch "
                f"{torch.__version__}) than where the file was made: decode it there, or encode "
                "it without --lm"
            )
        return codes

    def _gives_back(self, block: Block, codes: np.ndarray) -> bool:
        try:
            return np.array_equal(self.decode(block), codes)
        except CodedOtherwise:
            return False

    def _predict(self) -> range_coder.Predict:
        """The model at the beginning of a block: frame after frame, in coder and decoder alike."""
        self.steps.restart(self.header.codebooks)

        def predict(last: np.ndarray | None) -> np.ndarray:
            codes = None if last is None else torch.from_numpy(last.astype(np.int64))
            return self.steps.step(codes).numpy()

        return predict
