"""Checks of the exercises of notebook 04, quantizer zoo."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close
from course_lib.quantize import nearest


def cost_of_rvq(answer):
    for codebooks, entries, dim in ((2, 64, 10), (3, 32, 5)):
        got = answer(codebooks, entries, dim)
        expect(got is not None, "")
        expect(
            isinstance(got, tuple | list) and len(got) == 2,
            "The answer should be two numbers, the bits and the numbers stored.",
            "return bits, stored",
        )
        bits, stored = (torch.as_tensor(float(number)) for number in got)
        expect_close(
            bits,
            math.log2(codebooks * entries),
            "You counted one choice among all entries together.",
            "A frame has one code from each codebook.",
            differs=True,
        )
        expect_close(
            bits,
            codebooks * entries,
            "You counted entries, not bits.",
            "One choice among V takes log2(V) bits.",
            differs=True,
        )
        expect_close(
            bits,
            codebooks * math.log(entries),
            "Those are nats.",
            "The logarithm to base 2: math.log2.",
            differs=True,
        )
        expect_close(bits, codebooks * math.log2(entries), "The bits are not right.")
        expect_close(
            stored,
            entries**codebooks * dim,
            "You would store a vector for every value.",
            "That is what several codebooks spare you.",
            differs=True,
        )
        expect_close(
            stored,
            codebooks * entries,
            "You counted vectors, not numbers.",
            "Each vector has `dim` numbers.",
            differs=True,
        )
        expect_close(stored, codebooks * entries * dim, "The numbers stored are not right.")


def code_of_digits(answer):
    for levels in ([5, 3], [8, 5, 4]):
        grid = torch.cartesian_prod(*(torch.arange(n) for n in levels))  # [V, L]
        digits = grid[torch.randperm(len(grid), generator=torch.Generator().manual_seed(0))]
        got = answer(digits.clone(), list(levels))
        expect(isinstance(got, torch.Tensor), "The answer should be a tensor.", "int64 [N].")
        expect(not got.is_floating_point(), "Codes are whole numbers.", "Keep them int64.")
        places = [math.prod(levels[:i]) for i in range(len(levels))]
        backwards = [math.prod(levels[i + 1 :]) for i in range(len(levels))]
        likely = (
            (backwards, "Your first digit is the highest.", "The first digit is the lowest."),
            (
                [levels[0] ** i for i in range(len(levels))],
                "You used the first number of levels for all digits.",
                "The third digit counts L_1 times L_2.",
            ),
            ([1] * len(levels), "You added the digits.", "Each digit counts more than the last."),
            (levels, "Each digit counts its own levels.", "The first digit counts 1."),
        )
        want = (digits * torch.tensor(places)).sum(1)
        for weights, mistake, hint in likely:
            wrong = (digits * torch.tensor(weights)).sum(1)
            if not torch.equal(wrong, want):
                expect_close(got, wrong, mistake, hint, differs=True)
        expect_close(got, want, hint="Digit i counts the product of the levels before it.")


def drop_stages(answer):
    seeded = torch.Generator().manual_seed(0)
    entries = torch.randn(4, 5, 3, generator=seeded)  # [B, K, D]
    kept = torch.tensor([1, 5, 3, 2])
    got = answer(entries.clone(), kept.clone())
    stages = torch.arange(5)

    def summed(mask):
        return (entries * mask[:, :, None]).sum(1)

    likely = (
        (entries.sum(1), "No stage was dropped.", "Only the first kept[b] of item b count."),
        (
            summed(stages <= kept[:, None]),
            "One stage too many is kept.",
            "Stages count from 0: keep those below kept.",
        ),
        (
            summed(stages >= kept[:, None]),
            "You kept the stages that should be dropped.",
            "Keep the first ones.",
        ),
        (
            entries[torch.arange(4), kept - 1],
            "That is the last kept entry alone.",
            "The value is the sum.",
        ),
        (
            summed(stages < kept[:, None]) / kept[:, None],
            "That is a mean.",
            "The value is the sum of the entries.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, summed(stages < kept[:, None]), hint="A mask, then a sum over stages.")


def residual_value(answer):
    seeded = torch.Generator().manual_seed(0)
    z = torch.randn(6, 3, generator=seeded).requires_grad_()  # [6, 3]
    books = [torch.randn(8, 3, generator=seeded).requires_grad_() for _ in range(3)]  # [8, 3] each
    got = answer(z, books)
    expect(isinstance(got, torch.Tensor), "The answer should be a tensor.", "[N, D].")
    with torch.no_grad():
        whole = sum(book[nearest(z, book)] for book in books)
        left = z.clone()
        for book in books:
            left = left - book[nearest(left, book)]
        want = z - left
    expect_close(
        got,
        whole,
        "Every stage quantized z itself.",
        "Subtract the chosen entry before the next stage.",
        differs=True,
    )
    expect_close(got, left, "That is what is left over.", "Return the sum.", differs=True)
    expect_close(got, want, hint="Each stage quantizes what the stages before left over.")
    expect(got.requires_grad, "No gradient reaches z.", "Go straight through at the end.")
    upstream = torch.randn(6, 3, generator=seeded)
    to_z, *to_books = torch.autograd.grad(got, [z, *books], upstream, allow_unused=True)
    expect(to_z is not None, "No gradient reaches z.", "Go straight through at the end.")
    expect(
        all(g is None or g.abs().max() == 0 for g in to_books),
        "The codebooks receive the gradient of the value.",
        "detach() the entries.",
    )
    expect_close(
        to_z,
        3 * upstream,
        "The gradient comes back once for every stage.",
        "One straight-through step, around the sum.",
        differs=True,
    )
    expect_close(to_z, upstream, "The gradient at z is not that of the value.", "z + sg(q - z)")
