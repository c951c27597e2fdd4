"""Changed files: exact or a clear error, never another sound, a crash or memory without bound."""

import io
from dataclasses import replace

import pytest
import torch
from mutations import mutated, seal, seams
from small_codec import HOP, small_codec, small_lm

from course_lib import codec_file
from course_lib.codec_file.blocks import PACKED, RANGE_CODED, Writer

CODEC, LM = small_codec(), small_lm(frames=10)
SAMPLES = 33 * HOP + 5


def whole_file(n: int, lm, seed: int) -> bytes:
    """34 frames in blocks of 10, some range-coded where there is a language model."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(30, (n, 34), generator=generator)
    if lm is not None:
        codes[:, 10:] = LM.bias[:n].argmax(1, keepdim=True)  # what it finds likely
    header = replace(codec_file.header_of(CODEC, n, lm), block_frames=10)
    coder, file = codec_file.BlockCoder(header, lm), io.BytesIO()
    writer = Writer(file, header)
    for block in codes.split(10, 1):
        writer.block(coder.encode(block.numpy()))
    writer.end(SAMPLES)
    return file.getvalue()


def decoded(data: bytes) -> torch.Tensor:
    return torch.cat(list(codec_file.decode_parts(io.BytesIO(data), CODEC, LM, "x.codec")), -1)


WHOLE = [whole_file(4, None, 0), whole_file(1, None, 1), whole_file(4, LM, 2), whole_file(2, LM, 3)]
SOUNDS = {data: decoded(data) for data in WHOLE}


def judge(number: int) -> str:
    """What became of a changed file: one of three fates, or an AssertionError."""
    data, resealed = mutated(WHOLE, number)
    try:
        sound = decoded(data)
    except ValueError as error:
        assert str(error).count("x.codec") >= 1 and "\n" not in str(error), (number, error)
        return "a clear error"
    if resealed and data not in SOUNDS:
        # Right checksums over other codes are another file, which may well have another sound.
        assert sound.shape[0] == 1 and 1 <= sound.shape[1] <= 34 * HOP, number
        assert sound.isfinite().all(), number
        return "another file"
    assert data in SOUNDS and torch.equal(sound, SOUNDS[data]), number
    return "exact"


def fates(numbers: range) -> dict[str, int]:
    found = [judge(number) for number in numbers]
    return {fate: found.count(fate) for fate in sorted(set(found))}


def test_the_whole_files_have_both_kinds_of_blocks_and_are_exact():
    kinds = [[piece[0] for piece in seams(data)[1:-1]] for data in WHOLE]
    assert kinds[0] == kinds[1] == 4 * [PACKED]
    for some in kinds[2:]:
        assert PACKED in some and RANGE_CODED in some
    for data in WHOLE:
        assert seal(seams(data)) == data and SOUNDS[data].shape == (1, SAMPLES)


def test_a_sample_of_changed_files():
    found = fates(range(400))
    assert found["a clear error"] > 300 and found["another file"] > 5


def test_a_reader_without_checksums_would_be_caught(monkeypatch):
    """The test tests: files of wrong codes reach the ear once nobody looks at checksums."""
    monkeypatch.setattr(codec_file.blocks.Reader, "_check", lambda self, *a: self.file.read(4))
    wrong = 0
    for number in range(200):
        try:
            judge(number)
        except AssertionError:
            wrong += 1
    assert wrong > 5


@pytest.mark.soak
def test_ten_thousand_changed_files():
    resource = pytest.importorskip("resource")  # not on Windows
    fates(range(200))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = fates(range(10_000))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert sum(found.values()) == 10_000 and found["a clear error"] > 7500
    assert grown < 50_000, f"{grown} kB more"  # kilobytes on Linux, bytes on macOS
