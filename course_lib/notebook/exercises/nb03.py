"""Checks of the exercises of notebook 03, VQ-VAE."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close


def commitment(answer):
    seeded = torch.Generator().manual_seed(0)
    z = torch.randn(2, 5, 3, generator=seeded).requires_grad_()  # [2, 5, 3]
    e = torch.randn(2, 5, 3, generator=seeded).requires_grad_()  # [2, 5, 3]
    got = answer(z, e)
    expect(isinstance(got, torch.Tensor), "The answer should be a tensor.", "A loss is a scalar.")
    squares = (z - e).detach().square()
    expect_close(
        got, squares.sum(), "You summed over all numbers.", "A mean: .mean()", differs=True
    )
    expect_close(
        got,
        squares.sum(-1).mean(),
        "You summed over the numbers of a latent.",
        "A mean over all numbers: .mean()",
        differs=True,
    )
    expect_close(got, squares.mean(), hint="The mean of the squared differences.")
    expect(
        got.requires_grad,
        "Nothing learns from it: no gradient is left.",
        "detach() the entries only.",
    )
    at_z, at_e = torch.autograd.grad(got, (z, e), allow_unused=True)
    expect(
        at_z is not None and at_z.abs().max() > 0,
        "The encoder does not learn from it: that is the codebook loss.",
        "detach() the other one.",
    )
    expect(
        at_e is None or at_e.abs().max() == 0,
        "The entries learn from it too.",
        "detach() the entries.",
    )
    expect_close(at_z, 2 * (z - e).detach() / z.numel(), "The gradient at z is not that of a mean.")


def negative_log_likelihood(answer):
    seeded = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 4, 8, 5, generator=seeded)  # [4, 8, 5] each
    sigma = 0.5
    got = answer(x, y, sigma)
    error = (x - y).square().mean()
    constant = math.log(sigma * math.sqrt(2 * math.pi))
    want = error / (2 * sigma**2) + constant
    likely = (
        (-want, "That is log p: minimised, it makes the worst reconstruction.", "Mind the minus."),
        (want * x.numel(), "You summed over all numbers.", "A mean over all numbers."),
        (error, "That is the squared error alone.", "Start from the density in the hint."),
        (
            error / (2 * sigma**2),
            "The constant is missing: a density must integrate to 1.",
            "The logarithm of sigma times the root of 2 pi.",
        ),
        (
            error / sigma**2 + constant,
            "The squared error weighs twice what it should.",
            "Divide by 2 sigma squared.",
        ),
        (
            error / (2 * sigma) + constant,
            "The squared error is divided by sigma, not by its square.",
            "Divide by 2 sigma squared.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(
        got, want, hint="Take the logarithm of the density, then the minus, then the mean."
    )


def renumber(answer):
    codebook = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])  # [4, 2]
    codes = torch.tensor([[[0, 3, 3, 1]], [[2, 2, 0, 1]]])  # [2, 1, 4]
    order = torch.tensor([2, 0, 3, 1])  # [4], not its own inverse
    answered = answer(codebook.clone(), codes.clone(), order.clone())
    expect(answered is not None, "")
    expect(
        isinstance(answered, tuple | list) and len(answered) == 2,
        "The answer should be two tensors, the codebook and the codes.",
        "return codebook, codes",
    )
    new_book, new_codes = (torch.as_tensor(t) for t in answered)
    expect(not new_codes.is_floating_point(), "The codes are no integers any more.")
    expect_close(
        new_book,
        codebook[order.argsort()],
        "The codebook is in the inverse order.",
        "Entry i of the new one is entry order[i] of the old one.",
        differs=True,
    )
    expect_close(new_book, codebook[order], "The codebook is not in the new order.")
    expect_close(
        new_codes,
        codes,
        "The codes kept their old names, so the decoder gets other entries.",
        "Where does each old entry stand now?",
        differs=True,
    )
    expect_close(
        new_codes,
        order[codes],
        "You renamed by `order` itself, which leads from new names to old ones.",
        "You need the inverse: order.argsort().",
        differs=True,
    )
    expect_close(new_book[new_codes], codebook[codes], "The decoder does not get what it got.")


def encoder_slope(answer):
    seeded = torch.Generator().manual_seed(0)
    z, e, slope = torch.randn(3, 2, 5, 4, generator=seeded)  # [2, 5, 4] each
    beta = 0.25
    got = answer(z.clone(), e.clone(), slope.clone(), beta)
    pull = 2 * (z - e) / z.numel()
    likely = (
        (slope, "The commitment is missing.", "Two voices reach the encoder."),
        (beta * pull, "The reconstruction is missing.", "Straight-through hands its slope on."),
        (
            slope + beta * 2 * (z - e),
            "The commitment is a mean, not a sum.",
            "Divide by the number of numbers, z.numel().",
        ),
        (
            slope - beta * pull,
            "The commitment pushes z away from its entry.",
            "The slope of (z - e)² at z is 2 (z - e).",
        ),
        (
            slope + beta * pull / 2,
            "The commitment has half its slope.",
            "A square has the slope 2 (z - e).",
        ),
        (slope + pull, "The weight beta is missing.", "Beta times the slope of the commitment."),
        (
            slope + (1 + beta) * pull,
            "The codebook loss does not reach the encoder.",
            "It holds sg(z): no slope at z.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, tolerance=1e-5, differs=True)
    expect_close(got, slope + beta * pull, tolerance=1e-5, hint="A sum of two slopes.")
