"""Checks of the exercises of notebook 01b, audio words."""

import torch

from course_lib.notebook.expecting import expect, expect_close


def okapi(answer):
    counts, kappa = torch.tensor([[0.0, 1.0, 3.0, 50.0]]), 2.0
    got = answer(counts.clone(), kappa)
    without = counts / (counts + kappa)
    expect_close(
        got, without, "The factor kappa + 1 is missing.", "One occurrence should weigh one.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, kappa * without, "The factor is kappa, not kappa + 1.", "f = 1 should give 1.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, (kappa + 1) * counts / (1 + kappa), "That grows without bound: it is f itself.",
        "f stands below the fraction's bar as well.", differs=True,
    )  # fmt: skip
    expect_close(got, (kappa + 1) * without, hint="Try f = 0, 1 and a very large one.")


def pair_counts(answer):
    codes = torch.tensor([[0, 1, 1, 2, 0, 1], [2, 2, 2, 0, 0, 1]])  # [2, 6]
    got = answer(codes.clone(), 3)
    want = torch.zeros(2, 3, 3)
    for clip, row in enumerate(codes.tolist()):
        for first, second in zip(row, row[1:], strict=False):
            want[clip, first, second] += 1
    expect(isinstance(got, torch.Tensor), "The answer should be a tensor of counts.")
    expect(
        got.shape == (2, 9),
        f"The shape is {list(got.shape)}, expected [2, 9]: one count for each pair of 3 letters.",
        "bincount with minlength=size * size, clip by clip.",
    )
    expect_close(
        got, want.transpose(1, 2).flatten(1), "The pairs are turned round: (j, i) for (i, j).",
        "The first letter of the pair is the one that is multiplied by size.", differs=True,
    )  # fmt: skip
    expect(
        bool((got.sum(1) == 5).all()),
        f"Six letters have five pairs of neighbours, but you counted {got.sum(1).tolist()}.",
        "The last letter has no successor.",
    )
    expect_close(got, want.flatten(1), hint="Write the codes of a short text on paper.")


def triangle(answer):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20, 4, generator=generator)
    alphabet = torch.randn(6, 4, generator=generator)
    got = answer(x.clone(), alphabet.clone())
    d = torch.cdist(x, alphabet)  # [20, 6]
    mean = d.mean(1, keepdim=True)
    expect_close(
        got, mean - d, "Letters farther than the mean are negative.", "Nothing falls below zero.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, (d - mean).clamp(min=0), "The far letters get the weight.", "Mean minus distance.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, (d.mean(0) - d).clamp(min=0), "The mean is over the frames, not over the letters.",
        "Each frame compares its own distances: mean(1, keepdim=True).", differs=True,
    )  # fmt: skip
    expect_close(
        got, (d.mean() - d).clamp(min=0), "There is one mean for all frames.",
        "Each frame compares its own distances: mean(1, keepdim=True).", differs=True,
    )  # fmt: skip
    squared = d.square()
    expect_close(
        got, (squared.mean(1, keepdim=True) - squared).clamp(min=0), "The distances are squared.",
        "torch.cdist gives them as they are.", differs=True,
    )  # fmt: skip
    expect_close(got, (mean - d).clamp(min=0), hint="torch.cdist, mean(1, keepdim=True), clamp.")
