"""Blocks with a language model: exact, never longer than packed bits, never silently wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_codec import small_lm

from course_lib.codec_file import BlockCoder, CodedOtherwise, Header, bits
from course_lib.codec_file.blocks import PACKED, RANGE_CODED, Block
from course_lib.models import FrameByFrame

HEADER = Header(16000, 1, 320, 4, 30, "0" * 16, "1" * 16)


def likely_codes(lm, n: int, frames: int = 120) -> np.ndarray:
    """Codes [n, F] drawn from the model itself, so that it codes them well."""
    steps, last, codes = FrameByFrame(lm), None, []
    generator = torch.Generator().manual_seed(0)
    steps.restart(n)
    for _ in range(frames):
        last = torch.multinomial(steps.step(last).softmax(-1), 1, generator=generator)[:, 0]
        codes.append(last)
    return torch.stack(codes, 1).numpy()


@pytest.mark.parametrize("n", [1, 2, 4])
def test_likely_codes_come_back_from_fewer_bytes(n):
    lm, header = small_lm(), replace(HEADER, codebooks=n)
    codes = likely_codes(lm, n)
    coder = BlockCoder(header, lm)
    block = coder.encode(codes)
    assert block.kind == RANGE_CODED and block.frames == 120
    assert len(block.payload) < 0.95 * bits.size(codes.size, 30)
    assert np.array_equal(coder.decode(block), codes)
    assert coder.encode(codes) == block  # nothing is left of the first time
    assert np.array_equal(BlockCoder(header, small_lm()).decode(block), codes)  # another process
    with pytest.raises(ValueError, match="and none was given"):
        BlockCoder(header).decode(block)


def test_codes_that_the_model_does_not_expect_are_packed():
    lm = small_lm()
    with torch.no_grad():
        lm.bias[:, 0] += 20  # certain of code 0
    codes = np.random.default_rng(0).integers(1, 30, (4, 50))
    block = BlockCoder(HEADER, lm).encode(codes)
    assert block == BlockCoder(HEADER).encode(codes) and block.kind == PACKED
    assert np.array_equal(BlockCoder(HEADER, lm).decode(block), codes)


def unsteady(lm, monkeypatch, after: int):
    """A step whose logits differ a little from the `after`-th call on, as another build's might."""
    calls, step = [], FrameByFrame.step

    def wrong(self, codes):
        calls.append(1)
        logits = step(self, codes)
        return logits + (0.2 * torch.arange(30).cos() if len(calls) > after else 0)

    monkeypatch.setattr(FrameByFrame, "step", wrong)


def test_a_block_that_does_not_decode_to_itself_is_stored_without_the_model(monkeypatch):
    lm = small_lm()
    codes = likely_codes(lm, 4)
    unsteady(lm, monkeypatch, after=120 + 60)  # right while coding, wrong half way through checking
    block = BlockCoder(HEADER, lm).encode(codes)
    assert block.kind == PACKED
    assert np.array_equal(BlockCoder(HEADER).decode(block), codes)


@pytest.mark.parametrize("after", [0, 119])
def test_other_probabilities_are_a_sentence_and_no_wrong_codes(monkeypatch, after):
    lm = small_lm()
    codes = likely_codes(lm, 4)
    block = BlockCoder(HEADER, lm).encode(codes)
    unsteady(lm, monkeypatch, after)
    coder = BlockCoder(HEADER, lm)
    try:
        assert np.array_equal(coder.decode(block), codes)  # a change that reaches no drawn code
        assert after == 119
    except CodedOtherwise as error:
        assert "come out otherwise on this machine (torch" in str(error)


def test_differences_like_those_between_builds_change_nothing(monkeypatch):
    lm = small_lm()
    codes = likely_codes(lm, 4)
    block = BlockCoder(HEADER, lm).encode(codes)
    step = FrameByFrame.step
    noise = torch.Generator().manual_seed(0)

    def other_build(self, last):
        logits = step(self, last)
        return logits * (1 + 1e-14 * torch.randn(logits.shape, generator=noise))

    monkeypatch.setattr(FrameByFrame, "step", other_build)
    assert np.array_equal(BlockCoder(HEADER, lm).decode(block), codes)


def test_threads_change_nothing_and_are_given_back():
    lm = small_lm()
    codes = likely_codes(lm, 4)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        coder = BlockCoder(HEADER, lm)
        block = coder.encode(codes)
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        assert coder.encode(codes) == block and np.array_equal(coder.decode(block), codes)
    finally:
        torch.set_num_threads(before)


def test_models_and_blocks_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match="of 4 codebooks of 64; the file has 4 of 30"):
        BlockCoder(HEADER, small_lm(entries=64))
    with pytest.raises(ValueError, match="of 2 codebooks of 30"):
        BlockCoder(HEADER, small_lm(codebooks=2))
    with pytest.raises(ValueError, match="remembers 100 frames; a block of the file has 250"):
        BlockCoder(HEADER, small_lm(frames=100))
    coder = BlockCoder(HEADER, small_lm())
    with pytest.raises(ValueError, match="too short"):
        coder.decode(Block(RANGE_CODED, 5, b"xyz"))
    for payload in (bytes(4), bytes(7), bytes(44), b"\xff" * 44):
        with pytest.raises(CodedOtherwise):
            coder.decode(Block(RANGE_CODED, 5, payload))
