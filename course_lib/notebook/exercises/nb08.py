"""Checks of the exercises of notebook 08, EnCodec."""

import torch

from course_lib.notebook.expecting import expect, expect_close


def codebooks_for(answer):
    published = {1.5: 2, 3.0: 4, 6.0: 8, 12.0: 16, 24.0: 32}
    got = {kbps: answer(kbps, 24000, 320, 1024) for kbps in published}
    for kbps, n in published.items():
        expect(
            got[kbps] != n * 10,
            "You left out that a code takes log2 of the entries in bits.",
            "1,024 entries are 10 bits.",
        )
        expect(
            got[kbps] == n,
            f"EnCodec at {kbps} kbit/s has {n} codebooks, not {got[kbps]}.",
            "Bits per second over bits per second of one codebook.",
        )
    small = answer(0.2, 24000, 320, 1024)
    expect(small != 0, "Nothing at all would be sent.", "At least one codebook: max(1, …).")
    expect(small == 1, f"For 0.2 kbit/s you use {small} codebooks.", "At least one.")
    between = answer(5.9, 24000, 320, 1024)
    expect(between != 8, "8 codebooks take more than 5.9 kbit/s.", "Round down: math.floor.")
    expect(between == 7, f"Into 5.9 kbit/s fit 7 codebooks, not {between}.", "Round down.")
    expect(isinstance(between, int), "The answer should be an int.", "math.floor gives one.")
    other = answer(4.1, 16000, 320, 256)  # not 4: 4.0 // 0.4 is 9 in floating point
    expect(other == 10, f"256 entries: 10 codebooks, not {other}.", "Use `entries`, not 1024.")


def decoder_input(answer):
    seeded = torch.Generator().manual_seed(0)
    stages = torch.randn(3, 4, 5, 6, generator=seeded)  # [3, 4, 5, 6]
    kept = torch.tensor([1, 4, 2])
    got = answer(stages.clone(), kept.clone())
    one_more = torch.arange(4) <= kept[:, None]  # [3, 4]
    used = torch.arange(4) < kept[:, None]
    want = (stages * used[:, :, None, None]).sum(1)
    for value, mistake, hint in (
        (stages.sum(1), "All stages of all items are used.", "Look at `kept`."),
        (
            (stages * one_more[:, :, None, None]).sum(1),
            "You use one stage too many.",
            "Stages count from 0: k < kept.",
        ),
        (stages[:, :1].sum(1), "The same number for all items.", "A mask [B, K]."),
        (
            stages[torch.arange(3), kept - 1],
            "You took one stage, not the sum of the first.",
            "Residual stages add up.",
        ),
        (
            want / kept[:, None, None],
            "You took a mean of the stages.",
            "Residual stages add up: a sum.",
        ),
    ):
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, want, hint="The sum of the first kept[b] stages of item b.")


def shared(answer):
    seeded = torch.Generator().manual_seed(0)
    slopes = [s * torch.randn(2, 1, 7, generator=seeded) for s in (1.0, 100.0)]
    slopes[0][0] *= 3  # the items are not alike
    weights = [1.0, 3.0]
    got = answer([s.clone() for s in slopes], list(weights))

    def joint(shares, norm):
        return sum(w * s / norm(s) for w, s in zip(shares, slopes, strict=True))

    def by_item(s):
        return s.flatten(1).norm(dim=1).mean()

    def each_item(s):
        return s.flatten(1).norm(dim=1)[:, None, None]

    halves = [0.25, 0.75]
    for value, mistake, hint in (
        (
            sum(w * s for w, s in zip(weights, slopes, strict=True)),
            "That is the plain sum: the louder loss wins.",
            "Divide every slope by its norm.",
        ),
        (joint(weights, by_item), "The weights are no shares.", "Divide them by their sum."),
        (
            joint(halves, torch.linalg.vector_norm),
            "You took the norm of the whole batch at once.",
            "flatten(1).norm(dim=1).mean()",
        ),
        (
            joint(halves, each_item),
            "You divided every item by its own norm.",
            "One number for the batch: the mean of the items' norms.",
        ),
    ):
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, joint(halves, by_item), hint="share times slope over its usual norm, summed.")


def running(answer):
    values, decay = [4.0, 1.0, 1.0, 7.0], 0.5
    got = answer(list(values), decay)
    expect(got is not None, "")
    expect(
        isinstance(got, list | tuple) and len(got) == 4,
        "The answer should be a list with one average for each value.",
        "Append inside the loop.",
    )
    total, count, want, cold, summed = 0.0, 0.0, [], [], []
    average = 0.0
    for value in values:
        total, count = decay * total + value, decay * count + 1
        average = decay * average + (1 - decay) * value
        want.append(total / count)
        cold.append(average)
        summed.append(total)
    means = [sum(values[: i + 1]) / (i + 1) for i in range(4)]
    for value, mistake, hint in (
        (cold, "It starts too small: at the first step it is not the value.", "Divide by the sum."),
        (summed, "You forgot to divide by the sum of the weights.", "Keep a second sum, of ones."),
        (means, "Old values count as much as new ones.", "Let both sums decay at every step."),
    ):
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, want, hint="total / count, both decaying.")
