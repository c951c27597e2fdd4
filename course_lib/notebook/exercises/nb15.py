"""Checks of the exercises of notebook 15, MusicGen."""

import math

import torch

from course_lib.notebook.expecting import NotDone, Wrong, expect, expect_close


def guide(answer):
    told = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]])
    nothing = torch.tensor([[1.0, 0.5, -3.0], [0.0, 1.0, 2.0]])
    got = answer(torch.cat([told, nothing]), 3.0)
    pairs = torch.stack([told, nothing], 1).flatten(0, 1)
    even, odd = torch.cat([told, nothing])[::2], torch.cat([told, nothing])[1::2]
    likely = (
        (
            told + 3 * (nothing - told),
            "You walked away from the words.",
            "The first half was given the words: start at nothing, walk towards them.",
        ),
        (
            told + 3 * (told - nothing),
            "You started at the logits given the words.",
            "With guidance 1 they should come out: start at those given nothing.",
        ),
        (3 * (told - nothing), "Only the step is there.", "Add it to where it starts from."),
        (
            3 * told - nothing,
            "Your two weights add up to 2.",
            "u + s (c - u) is s c + (1 - s) u: the weights add up to 1.",
        ),
        (
            odd + 3 * (even - odd),
            "You took every second row.",
            "The first half of the rows was given the words.",
        ),
        (told, "The guidance has no effect.", "u + s (c - u)"),
        (
            (nothing + 3 * (told - nothing)).softmax(-1),
            "Those are probabilities.",
            "Logits are asked for.",
        ),
        (
            nothing.softmax(-1) + 3 * (told.softmax(-1) - nothing.softmax(-1)),
            "You guided probabilities, which may become negative.",
            "Guide the logits.",
        ),
        (
            nothing.log_softmax(-1) + 3 * (told.log_softmax(-1) - nothing.log_softmax(-1)),
            "You normalised the logits first: the same probabilities, but other logits.",
            "Take them as they are; whoever draws from them normalises.",
        ),
        (nothing + 3 * (told + nothing), "You added the two halves.", "The step is c - u."),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, nothing + 3 * (told - nothing), hint="u + s (c - u), row by row.")
    expect_close(answer(pairs, 1.0), pairs[:2], "Guidance 1 should give the first half back.")
    expect_close(answer(pairs, 0.0), pairs[2:], "Guidance 0 should give the second half back.")


def undelay(answer):
    codes = torch.arange(1, 31).view(2, 3, 5)
    sequence = torch.zeros(2, 3, 7, dtype=torch.int64)
    for k in range(3):
        sequence[:, k, k : k + 5] = codes[:, k]
    got = answer(sequence)
    expect(
        not torch.is_tensor(got) or got.shape != sequence.shape,
        "It is as long as before.",
        "S steps hold S - K + 1 frames.",
    )
    turned = torch.stack([sequence[:, k].roll(k, -1)[:, :5] for k in range(3)], 1)
    late = torch.stack([sequence[:, k, 2 - k : 7 - k] for k in range(3)], 1)
    likely = (
        (
            sequence[..., :5],
            "You cut the end off, and left the delay in.",
            "Codebook k: from k on.",
        ),
        (
            sequence[..., 2:],
            "You cut the beginning off for all codebooks alike.",
            "Codebook k begins in step k.",
        ),
        (turned, "You delayed them once more.", "Codebook k begins in step k: start there."),
        (late, "You started the first codebook last.", "Codebook k begins in step k."),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, codes, hint="Frame f of codebook k stands in step f + k.")
    expect_close(
        answer(sequence[:, :1]), sequence[:, :1], "A single codebook has no delay to undo."
    )


def in_pairs(answer):
    got = answer(3, 4)
    f, k = torch.arange(3), torch.arange(4)[:, None]
    likely = (
        (4 * f + k, "That is flattening: a step for each code.", "Two codebooks share a step."),
        (f + k // 2, "That is a delay: frames overlap.", "A frame begins after the one before."),
        (
            4 * f + k // 2,
            "There are steps in which nothing is written.",
            "A frame has K / 2 pairs.",
        ),
        (2 * f + k % 2, "You put codebooks 0 and 2 together.", "Codebooks 0 and 1: k // 2."),
        (2 * f + (k > 0), "That is partial flattening.", "Codebook 1 goes with codebook 0."),
        (2 * f + k // 2 + 1, "You count steps from 1.", "The first step is 0."),
        (
            f + 3 * (k // 2),
            "You write the first pair of all frames, then the second.",
            "A frame is done before the next begins.",
        ),
        (
            3 * f + k // 2,
            "With four codebooks, a step stays empty.",
            "Pairs are K / 2, rounded up only where K is odd.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect(
        not hasattr(got, "shape") or tuple(got.shape) != (3, 4),
        "Your result is [F, K].",
        "[K, F] is asked for: codebooks down, frames across.",
    )
    expect_close(got, 2 * f + k // 2, hint="The pair of a codebook is k // 2.")
    expect(
        torch.as_tensor(got).dtype == torch.int64,
        "The steps are not int64.",
        "// of integers stays integer.",
    )
    odd = answer(3, 5)
    expect_close(
        odd,
        2 * f + torch.arange(5)[:, None] // 2,
        "With five codebooks, two frames share a step.",
        "Five codebooks are three pairs, the last of which is half empty.",
        differs=True,
    )
    expect_close(odd, 3 * f + torch.arange(5)[:, None] // 2, "Five codebooks take three steps.")


def reading_weights(answer):
    seeded = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 3, 4, generator=seeded)
    valid = torch.tensor([[True, True, True, True], [True, True, False, False]])
    got = answer(scores.clone(), valid.clone())  # which an answer may write into
    off = ~valid[:, None]
    want = scores.masked_fill(off, -torch.inf).softmax(-1)
    likely = (
        (scores.softmax(-1), "Padding is read.", "Mask it before the softmax."),
        (
            scores.softmax(-1).masked_fill(off, 0.0),
            "Rows with padding do not add up to 1.",
            "Mask the scores, before the softmax, not the weights after it.",
        ),
        (
            scores.masked_fill(off, 0.0).softmax(-1),
            "Padding has a score of 0, and is still read.",
            "exp(0) is 1. Minus infinity is what becomes 0.",
        ),
        (
            scores.masked_fill(off, -torch.inf).softmax(1),
            "You normalised over the steps.",
            "Each step shares itself out over the words: the last dimension.",
        ),
        (
            scores.masked_fill(valid[:, None], -torch.inf).softmax(-1).nan_to_num(0.25),
            "You masked the words and kept the padding.",
            "valid is True for words.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    if torch.is_tensor(got):
        expect(
            not got[0].isnan().any(),
            "Rows of a prompt without padding are no numbers.",
            "You masked what is valid: turn the mask round with ~.",
        )
    expect_close(got, want, hint="masked_fill(~valid[:, None], -inf), then softmax(-1).")
    empty = answer(scores[:1].clone(), torch.zeros(1, 4, dtype=torch.bool))
    expect(
        not empty.isnan().any(),
        "Where nothing is valid, you divide 0 by 0.",
        "Such a prompt is read evenly: mask nothing there, and give scores of 0.",
    )
    expect_close(
        empty,
        torch.zeros(1, 3, 4),
        "Where nothing is valid, you read nothing, and rows add up to 0.",
        "Evenly: give scores of 0 there, and mask nothing.",
        differs=True,
    )
    expect_close(
        empty,
        scores[:1].softmax(-1),
        "Where nothing is valid, you read by the scores.",
        "Evenly: give scores of 0 there.",
        differs=True,
    )
    expect_close(empty, torch.full((1, 3, 4), 0.25), "Where nothing is valid: evenly, 1 / L.")


def adherence(answer):
    got = answer(0.6, 0.8, 0.2)
    likely = (
        (0.6 / 0.8, "The floor is missing.", "Subtract `shuffled` above and below."),
        (0.4, "The ceiling is missing.", "Divide by real - shuffled."),
        (0.4 / 0.8, "You divided by the ceiling alone.", "Divide by real - shuffled."),
        (0.2 / 0.6, "That is what is missing to real music.", "Start at the floor."),
        (200 / 3, "That is in percent.", "1 stands for as good as real music."),
        (0.6 / 0.4, "You turned the fraction round.", "generated - shuffled stands above."),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, 2 / 3, hint="(generated - shuffled) / (real - shuffled)")
    expect_close(answer(0.2, 0.8, 0.2), 0.0, "At the floor it should be 0.")
    expect_close(
        answer(0.1, 0.8, 0.2), -1 / 6, "Below the floor it is negative.", "Do not clip it."
    )
    expect_close(
        answer(0.9, 0.8, 0.2), 7 / 6, "Above the ceiling it is more than 1.", "Do not clip it."
    )
    for real in (0.2, 0.1):
        try:
            untold = answer(0.6, real, 0.2)
        except (ZeroDivisionError, NotDone, Wrong):  # the last two: it returned nothing
            untold = 0.0
        expect(
            math.isnan(float(untold)),
            "The judge cannot tell real music from chance here, and you don't say nan.",
            "Where real <= shuffled, return float('nan').",
        )
