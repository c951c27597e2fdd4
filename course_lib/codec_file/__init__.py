"""The codec's files: a header, blocks of codes, packed as bits or range-coded by a language model.

    encode(source, target, codec, n_codebooks, lm)    a sound file becomes a codec file
    decode(source, target, codec, lm)                 and back
    encode_parts, decode_parts                        the same for sound in parts and open files
    read_header(path)                                 which codec made it, at which bitrate

`course encode` and `course decode` are these functions on the shipped models. Taught in notebook
08b.
"""

from course_lib.codec_file.blocks import Damaged, Header
from course_lib.codec_file.coding import BlockCoder, CodedOtherwise
from course_lib.codec_file.files import decode, encode, read_header
from course_lib.codec_file.streams import (
    Report,
    decode_parts,
    encode_parts,
    fingerprint,
    header_of,
)

__all__ = [
    "BlockCoder",
    "CodedOtherwise",
    "Damaged",
    "Header",
    "Report",
    "decode",
    "decode_parts",
    "encode",
    "encode_parts",
    "fingerprint",
    "header_of",
    "read_header",
]
