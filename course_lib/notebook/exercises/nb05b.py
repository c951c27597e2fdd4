"""Checks of the exercises of notebook 05b, slow codes."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close


def break_even(answer):
    got = float(answer(125.0, 4, 15, 128))
    value, length = math.log2(15), math.log2(128)
    frames = 125.0 * 4 * value
    expect_close(
        got, frames / value, "Your events are values alone.", "What does a length cost?",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, frames, "Those are the bits of the frames.", "Divide by the bits of one event.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, 125.0 * value / (value + length), "That is for one channel.",
        "A frame has a number for each channel.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 125.0 * 4 * 15 / (15 + 128), "You counted possibilities, not bits.", "math.log2",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, frames / (value * length), "The bits of an event add up; you multiplied them.",
        "A value and then a length.", differs=True,
    )  # fmt: skip
    expect_close(got, frames / (value + length), hint="Bits a second over bits an event.")
    expect_close(answer(50.0, 2, 16, 16), 50.0, "With 50 frames, 2 channels, 16 and 16 it is 50.")


def whose_turn(answer):
    lengths = [4, 7, 2, 5, 3, 3]
    got = list(answer(list(lengths), 3))
    want = [0, 1, 2, 2, 0, 0]
    expect(
        len(got) == len(lengths), f"{len(got)} channels for {len(lengths)} events.",
        "Append one for each length.",
    )  # fmt: skip
    expect(
        got != [0, 1, 2, 0, 1, 2], "You took turns.", "Who has the fewest frames so far?"
    )  # fmt: skip
    expect(
        got[0] != 2, "Of channels filled alike you took the last.", "index(...) finds the first."
    )  # fmt: skip
    expect(got != [0, 0, 0, 0, 0, 0], "All went to channel 0.", "The channel filled *least* far.")

    expect(
        [int(c) for c in got] == want, f"For lengths {lengths} of 3 channels it should be {want}.",
        "Write down how far each channel is filled after each event.",
    )  # fmt: skip
    expect(list(answer([2, 2, 1, 1], 1)) == [0] * 4, "With one channel all events are its own.")
    expect(
        [int(c) for c in answer([1, 1, 1, 1], 2)] == [0, 1, 0, 1],
        "Two channels with runs of 1 take turns, channel 0 first.",
    )


def at_least(answer):
    p = torch.tensor([0.5, 0.2, 0.2, 0.1])
    got = answer(p.clone())
    want = torch.tensor([1.0, 0.5, 0.3, 0.1])
    expect_close(
        got, p.cumsum(0), "Those are the probabilities of *at most* so long.",
        "Sum from the other end.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 1 - p.cumsum(0), "Those are the probabilities of *longer than*.",
        "At least 2 holds 2 itself.", differs=True,
    )  # fmt: skip
    expect_close(
        got, want.flip(0), "The result is the wrong way round.", "Flip back at the end.",
        differs=True,
    )  # fmt: skip
    expect_close(got, want, hint="The first entry is 1: every run lasts at least one frame.")
    expect_close(answer(torch.tensor([1.0])), torch.tensor([1.0]), "One length alone is certain.")


def stretch(answer):
    codes = torch.tensor([[5, 5, 5, 8, 8, 8, 8], [2, 2, 0, 0, 0, 1, 1], [3, 4, 3, 4, 3, 4, 4]])
    doubled = codes.repeat_interleave(2, 1)
    got = answer(codes.clone(), 2.0)
    expect(isinstance(got, torch.Tensor), "The result should be a tensor [C, F].")
    expect(
        got.dtype == torch.int64,
        f"The codes are {got.dtype}, not int64.",
        "Levels are whole numbers: .long().",
    )
    expect_close(got, codes.repeat(1, 2), "You played it twice.", "Stretch the runs.", differs=True)
    expect_close(got, doubled, "With factor 2 each frame should come twice.")
    try:
        got = answer(codes.clone(), 1.5)
    except RuntimeError as error:
        expect(
            "equal size" not in str(error), "Your channels end apart.",
            "Round where a run ends, not its length.",
        )  # fmt: skip
        raise
    expect(
        got.shape != (3, 7), "With factor 1.5 nothing became longer.", "Round after multiplying."
    )  # fmt: skip
    expect(
        got.shape[1] == 10, f"7 frames with factor 1.5 became {got.shape[1]}, not 10.",
        "round(10.5) is 10, and that is where all channels end.",
    )  # fmt: skip
    want = torch.stack([_stretched(row, 1.5) for row in codes])
    expect_close(
        got, want, "Some runs do not end at `factor` times the frame where they ended.",
        "Round where a run ends, not its length.",
    )  # fmt: skip
    expect_close(answer(codes.clone(), 1.0), codes, "With factor 1 nothing should change.")


def _stretched(row: torch.Tensor, factor: float) -> torch.Tensor:
    values, lengths = row.unique_consecutive(return_counts=True)
    ends = (lengths.cumsum(0) * factor).round().long()
    return values.repeat_interleave(ends.diff(prepend=ends.new_zeros(1)))
