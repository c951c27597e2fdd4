"""Checks of the exercises of notebook 13, CLAP."""

import torch
import torch.nn.functional as F

from course_lib.notebook.expecting import expect, expect_close


def cosines(answer):
    seeded = torch.Generator().manual_seed(0)
    a, b = torch.randn(3, 5, generator=seeded), 4 * torch.randn(4, 5, generator=seeded)
    got = answer(a, b)
    expect(
        tuple(got.shape) == (3, 4), "The shape is not [clips, captions].", "a @ b.T gives [3, 4]."
    )
    unit_a, unit_b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    expect_close(
        got, a @ b.T, "Long vectors win: nothing was divided by its length.",
        "Divide every row by its norm first.", differs=True,
    )  # fmt: skip
    expect_close(
        got, unit_a @ b.T, "Only the clips have length 1.", "The captions need it too.",
        differs=True,
    )  # fmt: skip
    whole = (a / a.norm()) @ (b / b.norm()).T
    expect_close(
        got, whole, "You divided by the norm of the whole matrix.", "norm(dim=1, keepdim=True).",
        differs=True,
    )  # fmt: skip
    expect_close(got, unit_a @ unit_b.T, hint="Rows of length 1, then a matrix product.")


def contrastive(answer):
    seeded = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(5, 5, generator=seeded)
    right = torch.arange(5)
    rows, columns = F.cross_entropy(logits, right), F.cross_entropy(logits.T, right)
    got = answer(logits)
    expect_close(
        got, rows, "That is audio to text alone.", "Captions must find their clips too: logits.T.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, columns, "That is text to audio alone, as in transformers.",
        "Clips must find their captions too: rows.", differs=True,
    )  # fmt: skip
    expect_close(
        got, rows + columns, "That is the sum of both directions.", "Take half of it.",
        differs=True,
    )  # fmt: skip
    softmax = -(logits.diagonal() - logits.flatten().logsumexp(0)).mean()
    expect_close(
        got, softmax, "Your softmax runs over all pairs at once.",
        "One over each row, one over each column.", differs=True,
    )  # fmt: skip
    expect_close(got, (rows + columns) / 2, hint="Half the rows' cross-entropy, half the columns'.")
    expect_close(answer(torch.zeros(4, 4)), torch.tensor(4.0).log(), "Without knowledge: log 4.")


def average_precision(answer):
    likeness = torch.arange(12.0).expand(12, 12)  # item 11 is found first, whatever is asked
    want = sum(1 / place for place in range(1, 11)) / 12
    got = float(answer(likeness))
    uncut = sum(1 / place for place in range(1, 13)) / 12
    expect_close(
        got, uncut, "Places beyond the tenth count in yours.", "1 / rank, but 0 from 11 on.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, 1 / 12, "You count first places alone: that is R@1.", "A second place is worth 1/2.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, 10 / 12, "You count who is among the ten: that is R@10.", "Weigh them by 1 / rank.",
        differs=True,
    )  # fmt: skip
    zero = sum(1 / (place + 1) for place in range(1, 11)) / 12
    expect_close(
        got, zero, "Your ranks are one too large.", "Count those at least as near: itself is one.",
        differs=True,
    )  # fmt: skip
    expect_close(got, want, hint="The rank is how many items are at least as near.")
    expect_close(
        float(answer(torch.ones(20, 20))), 0.0,
        "A model that says the same of everything should find nothing.", "Let ties count against.",
    )  # fmt: skip


def name_it(answer):
    seeded = torch.Generator().manual_seed(2)
    sounds = F.normalize(torch.randn(6, 4, generator=seeded), dim=1)
    prompts = F.normalize(torch.randn(3, 2, 4, generator=seeded), dim=2)  # [classes, prompts, E]
    prompts = torch.cat([prompts, prompts[:1].flip(2)])
    means = F.normalize(prompts.mean(1), dim=1)
    got = answer(sounds, prompts)
    expect(tuple(got.shape) == (6,), "There should be one class for each sound.", "argmax over 1.")
    first = (sounds @ prompts[:, 0].T).argmax(1)
    expect(
        not torch.equal(got, first), "You read the first prompt of each class alone.",
        "Take the mean over dimension 1.",
    )  # fmt: skip
    far = (sounds @ means.T).argmin(1)
    expect(not torch.equal(got, far), "Those are the farthest classes.", "argmax, not argmin.")
    long = (sounds @ prompts.mean(1).T).argmax(1)
    expect(
        not torch.equal(got, long) or torch.equal(long, (sounds @ means.T).argmax(1)),
        "Classes whose prompts agree are favoured.", "Bring the means to length 1.",
    )  # fmt: skip
    expect_close(got, (sounds @ means.T).argmax(1), hint="Mean, normalise, product, argmax.")
