"""Checks of the exercises of notebook 05, hierarchies."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close
from course_lib.quantize import nearest


def bits_per_second(answer):
    maps, seconds = [(16, 4, 256), (8, 8, 64)], 2.0
    each = [64 * 8.0, 64 * 6.0]
    got = answer(maps, seconds)
    expect_close(
        got, sum(each), "Those are the bits of a patch.", "Divide by its seconds.", differs=True
    )
    expect_close(
        got, sum(each) * seconds, "You multiplied by the seconds.", "Bits per second: divide.",
        differs=True,
    )  # fmt: skip
    nats = sum(each) * math.log(2) / seconds
    expect_close(got, nats, "Those are nats.", "The logarithm to base 2.", differs=True)
    counted = (64 * 256 + 64 * 64) / seconds
    expect_close(
        got, counted, "You counted entries, not bits.", "A choice among V takes log2(V) bits.",
        differs=True,
    )  # fmt: skip
    for place, name in enumerate(("first", "second")):
        expect_close(
            got, each[place] / seconds, f"Only the {name} map is counted.", "Sum over all maps.",
            differs=True,
        )  # fmt: skip
    expect_close(got, sum(each) / seconds, "The bits are not right.", "Try one map by hand.")
    expect_close(
        answer([(2, 3, 1000)], 1.0), 6 * math.log2(1000), "Bits need not be whole numbers.",
        "math.log2(1000) is 9.97; on average a good coder needs no more.",
    )  # fmt: skip


def read_map(answer):
    codes = torch.arange(2 * 12).view(2, 1, 12)  # four columns of three bands
    want = codes[:, 0].unflatten(1, (4, 3)).transpose(1, 2)
    got = answer(codes, 3)
    expect(isinstance(got, torch.Tensor), "The map should be a tensor.")
    expect(got.shape != (2, 4, 3), "Bands and columns are exchanged.", "transpose(1, 2).")
    expect(got.shape != (2, 1, 3, 4), "There is a dimension too many.", "Take codes[:, 0] first.")
    expect_close(
        got, codes[:, 0].unflatten(1, (3, 4)),
        "You filled the map row by row.", "The sequence holds a column after the other.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, want.flip(1), "The map is upside down.", "Low bands were written first.", differs=True
    )
    expect_close(got, want, hint="Write a map of three bands and two columns on paper.")
    expect(got.dtype == torch.int64, f"The codes are {got.dtype}, not int64.")


def two_levels(answer):
    x = torch.tensor([[5.0, 8.0, 9.0, 9.4], [0.0, 1.0, 0.0, -1.0], [3.0, 5.0, 5.2, 5.0]])
    top_book = torch.tensor([[0.0], [4.0], [8.0]])
    bottom_book = torch.tensor([[-1.0], [0.0], [1.0]])
    got = answer(x, top_book, bottom_book)
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "The answer should be two tensors, the codes of the top and of the bottom.",
        "return top, bottom",
    )
    top, bottom = got
    means = x.mean(1, keepdim=True)
    want_top = nearest(means, top_book)
    expect(
        torch.as_tensor(top).shape != (3, 1), "The top has a dimension too many: [N], not [N, 1].",
        "nearest gives [N].",
    )  # fmt: skip
    entries = [torch.as_tensor(codes).is_floating_point() for codes in (top, bottom)]
    expect(not any(entries), "Those are entries, not codes.", "Return what `nearest` gives.")
    expect(torch.as_tensor(top).shape != (3, 4), "The top comes first.", "return top, bottom")
    expect_close(top, want_top, "The top codes are not those of the rows' means.", "x.mean(1).")

    def of(left):
        return nearest(left.reshape(-1, 1), bottom_book).view(3, 4)

    expect_close(
        bottom, of(x), "The bottom codes the numbers, not what is left of them.",
        "Subtract the top's entries.", differs=True,
    )  # fmt: skip
    expect_close(
        bottom, of(x - means), "You subtracted the mean itself.",
        "The decoder knows the mean's entry only: subtract top_book[top].", differs=True,
    )  # fmt: skip
    expect_close(
        bottom, of(top_book[want_top] - x), "What is left has the wrong sign.",
        "The number minus the entry.", differs=True,
    )  # fmt: skip
    expect_close(bottom, of(x - top_book[want_top]), "The bottom codes are not right.")


def price(answer):
    got = answer(4.0, 2.0, 60.0, (2, 4))
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "The answer should be two numbers, bits a second and a share.",
        "return bits, share",
    )
    bits, share = (float(number) for number in got)
    nats = 60 * 4.0, 60 * 8 * 2.0
    expect_close(bits, sum(nats), "Those are nats, not bits.", "Divide by ln 2.", differs=True)
    expect_close(
        bits, 60 * 6.0 / math.log(2), "You counted a bottom code for each top code.",
        "Below one top code lie finer[0] times finer[1].", differs=True,
    )  # fmt: skip
    for finer, words in ((2, "bands"), (4, "frames")):
        expect_close(
            bits, 60 * (4.0 + finer * 2.0) / math.log(2),
            f"The bottom map is finer in {words} alone.", "Multiply both.", differs=True,
        )  # fmt: skip
    expect_close(
        bits, 60 * (4.0 + 6 * 2.0) / math.log(2), "You added the numbers of `finer`.",
        "2 times 4 bottom codes lie below a top code: multiply.", differs=True,
    )  # fmt: skip
    expect_close(
        bits, sum(nats) * math.log(2), "You multiplied by ln 2.", "A nat is 1 / ln 2 bits: divide.",
        differs=True,
    )  # fmt: skip
    expect_close(
        bits, nats[0] / sum(nats), "The share came first.", "return bits, share", differs=True
    )
    expect_close(bits, sum(nats) / math.log(2), "The bits are not right.", "Sum both maps.")
    expect_close(
        share, nats[1] / sum(nats), "That is the bottom map's share.", "The top's part of the sum.",
        differs=True,
    )  # fmt: skip
    expect_close(
        share, 4.0 / 6.0, "That share compares single codes.", "Count all codes of a second.",
        differs=True,
    )  # fmt: skip
    expect_close(
        share, 1 / 9, "That share counts codes, whatever they cost.",
        "A top code and a bottom code do not cost the same.", differs=True,
    )  # fmt: skip
    expect_close(share, nats[0] / sum(nats), "The share is not right.", "From 0 to 1.")
