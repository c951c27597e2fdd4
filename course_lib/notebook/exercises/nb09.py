"""Checks of the exercises of notebook 09, DAC."""

import math

import torch

from course_lib.metrics import codebook_usage, entropy_bits, entropy_efficiency
from course_lib.notebook.expecting import expect, expect_close


def bitrate_efficiency(answer):
    codes = torch.tensor([[[0, 1, 2, 3], [0, 0, 0, 5]], [[4, 5, 6, 7], [0, 0, 1, 0]]])  # [2, 2, 4]
    got = answer(codes.clone(), 8)
    pooled = entropy_efficiency(codes.flatten(), 8)
    want = entropy_efficiency(codes, 8).mean()
    likely = (
        (
            pooled,
            "You threw the codes of all codebooks into one histogram.",
            "Entry 3 of one codebook has nothing to do with entry 3 of another.",
        ),
        (
            codebook_usage(codes, 8).mean(),
            "That is the share of entries in use.",
            "An entry used once counts less than one used often: take the entropy.",
        ),
        (
            entropy_bits(codes, 8).mean(),
            "Those are bits, not a share.",
            "Divide by what a code costs, log2 of the size.",
        ),
        (
            entropy_bits(codes, 8).sum() / math.log2(8),
            "You divided the bits of all codebooks by the price of one.",
            "All of them cost K log2 V.",
        ),
        (
            entropy_efficiency(codes, 8)[0],
            "That is the first codebook alone.",
            "Axis 1 has the codebooks.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, want, hint="The mean of the efficiencies of the codebooks.")


def snake_slope(answer):
    x, a = torch.linspace(-3, 3, 31), 1.7  # [31]
    got = answer(x.clone(), a)
    likely = (
        (torch.sin(2 * a * x), "The slope of x itself is missing.", "Snake is x plus a ripple."),
        (
            1 + torch.sin(a * x) * torch.cos(a * x),
            "A square has twice the inside as its slope.",
            "The slope of sin(u)² is 2 sin(u) cos(u).",
        ),
        (
            1 + torch.sin(2 * a * x) / a,
            "The slope of the inner function a x is missing.",
            "It cancels the 1/a.",
        ),
        (
            1 + 2 * torch.sin(a * x),
            "The cosine is missing.",
            "The slope of sin(u)² is 2 sin(u) cos(u).",
        ),
        (x + torch.sin(a * x) ** 2 / a, "That is Snake, not its slope.", "Differentiate it."),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, 1 + torch.sin(2 * a * x), hint="Differentiate term by term.")


def missing_samples(answer):
    for frames, strides, want in ((10, (8, 5, 4, 2), 8), (7, (3, 5, 2), 12), (3, (8, 8, 4, 2), 0)):
        got = answer(frames, strides)
        odd = sum(stride % 2 for stride in strides)
        total = frames * math.prod(strides)
        if want:
            expect_close(
                got,
                odd,
                "You counted the odd strides.",
                "A sample lost early is stretched by the strides after it.",
                differs=True,
            )
            expect_close(
                got,
                total - want,
                "That is the length that is left.",
                "How many samples are missing to frames times all strides?",
                differs=True,
            )
            evened = frames * math.prod(stride - stride % 2 for stride in strides)
            for value in (frames * odd, total - evened):
                expect_close(
                    got,
                    value,
                    "A layer loses one sample, not one a frame.",
                    "Length times stride, minus stride % 2.",
                    differs=True,
                )
        else:
            expect_close(got, 0, "Even strides lose nothing.", "stride % 2 is 0.")
        expect_close(got, want, hint="Follow the length from layer to layer.")


def by_group(answer):
    stages, groups = 3, 2
    codes = torch.arange(2 * stages * groups * 4).view(2, stages * groups, 4)  # [2, 6, 4]
    got = answer(codes.clone(), groups)
    want = torch.stack([codes[:, g::groups] for g in range(groups)], 1)  # [2, 2, 3, 4]
    expect(got is not None, "")
    expect(isinstance(got, torch.Tensor), "The answer should be a tensor.", "codes.unflatten(...)")
    expect_close(
        got,
        codes.unflatten(1, (groups, stages)),
        "You gave the first half of the codes to the first group.",
        "Neighbours belong to different groups: unflatten(1, (-1, groups)).",
        differs=True,
    )
    expect_close(
        got,
        codes.unflatten(1, (-1, groups)),
        "Stages come before groups.",
        "transpose(1, 2).",
        differs=True,
    )
    expect_close(got, want, hint="Group g has the codes g, g + G, g + 2 G and so on.")
