"""Checks of the exercises of notebook 03b, waveform VQ-VAE and a prior."""

import math

import torch

from course_lib.notebook.expecting import expect, expect_close


def bits_per_second(answer):
    got = float(answer(3.0, 15.625))
    nats = 3.0 * 15.625
    expect_close(
        got, nats, "Those are nats a second, not bits.", "Divide by ln 2.", differs=True
    )  # fmt: skip
    expect_close(
        got, nats * math.log(2), "You multiplied by ln 2.", "A nat is more than a bit: 1.44 bits.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, 3.0 / math.log(2), "Those are the bits of one token.", "How many tokens a second?",
        differs=True,
    )  # fmt: skip
    expect_close(got, nats / math.log(2), hint="Tokens a second, nats a token, bits a nat.")


def prefix_mask(answer):
    got = answer(5, 2)
    expect(isinstance(got, torch.Tensor), "The mask should be a tensor.")
    expect(
        got.dtype == torch.bool, f"The mask is {got.dtype}, not bool.", "dtype=torch.bool in ones."
    )
    past = torch.ones(5, 5, dtype=torch.bool).tril()
    want = past.clone()
    want[:, :2] = True
    expect_close(
        got, past, "The first tokens do not see ahead.", "Token 0 may look at token 1.",
        differs=True,
    )  # fmt: skip
    rows = past.clone()
    rows[:2] = True
    expect_close(
        got, rows, "The prefix sees tokens after it.", "Open columns, not rows.", differs=True
    )
    expect_close(
        got, want.T, "Rows and columns are exchanged.", "The row is the token that looks.",
        differs=True,
    )  # fmt: skip
    expect(
        bool(got.diagonal().all()), "Some tokens do not see themselves.", "tril() keeps them."
    )  # fmt: skip
    expect_close(got, want, hint="Draw the mask of 5 tokens with a prefix of 2 on paper.")
    expect_close(answer(4, 0), past[:4, :4], "Without a prefix it should be the causal mask.")


def top_p(answer):
    probabilities = torch.tensor([0.05, 0.5, 0.15, 0.3])
    got = answer(probabilities.clone(), 0.7)
    expect_close(
        got, torch.tensor([0.0, 1.0, 0.0, 0.0]), "The token that crosses p is missing.",
        "0.5 alone does not reach 0.7: compare the sum of the tokens before.", differs=True,
    )  # fmt: skip
    expect_close(
        got, torch.tensor([0.0, 0.5, 0.0, 0.3]), "The kept ones do not sum to 1.",
        "Divide by their sum.", differs=True,
    )  # fmt: skip
    expect_close(
        got, torch.tensor([0.5, 0.3, 0.15, 0.05]) * torch.tensor([1.0, 1.0, 0.0, 0.0]) / 0.8,
        "The result is in sorted order.", "Put each back where it was: kept[order] = ...",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, torch.tensor([0.05, 0.0, 0.15, 0.3]) / 0.5, "You kept the unlikely ones.",
        "Sort with descending=True.", differs=True,
    )  # fmt: skip
    expect_close(got, torch.tensor([0.0, 0.5, 0.0, 0.3]) / 0.8, hint="Print before, in order.")
    expect_close(answer(probabilities.clone(), 1.0), probabilities, "With p = 1 all should stay.")
    expect_close(
        answer(torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.6), torch.tensor([0.0, 0.0, 0.3, 0.4]) / 0.7,
        "With 0.1, 0.2, 0.3, 0.4 and p = 0.6 the last two should stay.",
        "Compare sums with p, not each probability with a threshold.",
    )  # fmt: skip
