"""Checks of the exercises of notebook 13, CLAP."""

import torch
import torch.nn.functional as F

from course_lib.notebook.expecting import expect, expect_close


def cosines(answer):
    seeded = torch.Generator().manual_seed(0)
    a, b = torch.randn(3, 5, generator=seeded), 4 * torch.randn(4, 5, generator=seeded)
    got = answer(a.clone(), b.clone())
    unit_a, unit_b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    expect_close(
        got, a @ b.T, "Long vectors win: nothing was divided by its length.",
        "Divide every row by its norm first.", differs=True,
    )  # fmt: skip
    expect_close(
        got, unit_a @ b.T, "Only the rows of a have length 1.", "Those of b need it too.",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, a @ unit_b.T, "Only the rows of b have length 1.", "Those of a need it too.",
        differs=True,
    )  # fmt: skip
    whole = (a / a.norm()) @ (b / b.norm()).T
    expect_close(
        got, whole, "You divided by the norm of the whole matrix.", "norm(dim=1, keepdim=True).",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, F.normalize(a, dim=0) @ F.normalize(b, dim=0).T,
        "You divided the columns by their norms, not the rows.", "norm(dim=1, keepdim=True).",
        differs=True,
    )  # fmt: skip
    expect_close(
        got, torch.cdist(unit_a, unit_b), "Those are distances.", "A product: @.", differs=True
    )
    expect_close(got, unit_a @ unit_b.T, hint="Rows of length 1, then a @ b.T: [3, 4] here.")


def contrastive(answer):
    seeded = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(5, 5, generator=seeded)
    right = torch.arange(5)
    rows, columns = F.cross_entropy(logits, right), F.cross_entropy(logits.T, right)
    got = answer(logits.clone())
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
    for times in (5, 10):
        expect_close(
            got, times * (rows + columns) / 2, "That is a sum over the pairs.",
            "Take the mean over the diagonal.", differs=True,
        )  # fmt: skip
    expect_close(
        got, -(rows + columns) / 2, "The sign is turned: good pairs would cost most.",
        "A loss is minus the logarithm.", differs=True,
    )  # fmt: skip
    twice = F.cross_entropy(logits.softmax(1), right) + F.cross_entropy(logits.T.softmax(1), right)
    expect_close(
        got, twice / 2, "You took the softmax twice.", "cross_entropy wants logits.", differs=True
    )
    shares = -(logits.softmax(0) + logits.softmax(1)).diagonal().mean() / 2
    expect_close(
        got, shares, "The logarithm is missing.", "log_softmax, not softmax.", differs=True
    )
    softmax = -(logits.diagonal() - logits.flatten().logsumexp(0)).mean()
    expect_close(
        got, softmax, "Your softmax runs over all pairs at once.",
        "One over each row, one over each column.", differs=True,
    )  # fmt: skip
    everywhere = -(logits.log_softmax(0).mean() + logits.log_softmax(1).mean()) / 2
    expect_close(
        got, everywhere, "You took the mean over the whole table.",
        "Only the pairs on the diagonal are right.", differs=True,
    )  # fmt: skip
    expect_close(got, (rows + columns) / 2, hint="Half the rows' cross-entropy, half the columns'.")
    expect_close(answer(torch.zeros(4, 4)), torch.tensor(4.0).log(), "Without knowledge: log 4.")


def average_precision(answer):
    likeness = torch.randn(16, 16, generator=torch.Generator().manual_seed(4))
    right = likeness.diagonal()
    rank = (likeness >= right[:, None]).sum(1)  # 1 and 10 among them, and some beyond
    got = answer(likeness.clone())
    if isinstance(got, torch.Tensor):
        expect(got.ndim == 0, "That is one value for each query.", "End with the mean over them.")

    def mean(places, last=10):
        return torch.where(places <= last, 1 / places, 0.0).mean()

    for wrong, mistake, hint in (
        (mean(rank, 16), "Places beyond the tenth count in yours.", "1 / rank, but 0 from 11 on."),
        (mean(rank, 9), "The tenth place counts nothing in yours.", "rank <= 10."),
        (
            (rank == 1).double().mean(),
            "You count first places alone: that is R@1.", "A second place is worth 1/2.",
        ),
        (
            (rank <= 10).double().mean(),
            "You count who is among the ten: that is R@10.", "Weigh them by 1 / rank.",
        ),
        (16 * mean(rank), "That is a sum.", "Take the mean over the queries."),
        (
            (1 / rank[rank <= 10]).mean(),
            "Your mean leaves out the queries that found nothing.", "They count as 0.",
        ),
        (
            mean(rank + 1),
            "Your ranks are one too large.", "Count those at least as near: itself is one.",
        ),
        (mean(rank - 1), "Your first place is 0.", "The right item counts itself: >=, not >."),
        (
            mean((likeness <= right[:, None]).sum(1)),
            "Your first place is the farthest item.", "Count those at least as near: >=.",
        ),
        (
            mean((likeness >= right).sum(0)),
            "Your queries are the columns: items look for queries.", "Sum along dimension 1.",
        ),
        (
            mean((likeness >= right).sum(1)),
            "Each row should be compared with its own right item.", "diagonal()[:, None].",
        ),
    ):  # fmt: skip
        expect_close(got, wrong, mistake, hint, differs=True)
    expect_close(got, mean(rank), hint="The rank is how many items are at least as near.")
    expect_close(
        answer(torch.ones(20, 20)), 0.0,
        "A model that says the same of everything should find nothing.", "Let ties count against.",
    )  # fmt: skip


def name_it(answer):
    seeded = torch.Generator().manual_seed(2)
    sounds = F.normalize(torch.randn(40, 4, generator=seeded), dim=1)
    prompts = F.normalize(torch.randn(3, 2, 4, generator=seeded), dim=2)  # [classes, prompts, E]
    prompts = torch.cat([prompts, prompts[:1].flip(2)])
    classes = F.normalize(prompts.mean(1), dim=1)
    got = answer(sounds.clone(), prompts.clone())
    for wrong, mistake, hint in (
        (
            (sounds @ prompts[:, 0].T).argmax(1),
            "You read the first prompt of each class alone.", "Take the mean over dimension 1.",
        ),
        (
            (sounds @ prompts.mean(1).T).argmax(1),
            "Classes whose prompts agree are favoured.", "Bring the means to length 1.",
        ),
        (
            torch.cdist(sounds, prompts.mean(1)).argmin(1),
            "Your means are not of length 1.", "F.normalize(…, dim=1).",
        ),
        (
            (sounds @ F.normalize(prompts.mean(1), dim=0).T).argmax(1),
            "You normalised along the classes, not along E.", "F.normalize(…, dim=1).",
        ),
        (
            (sounds @ prompts.transpose(1, 2)).amax(2).argmax(0),
            "You took the best prompt of each class.", "Take the mean over dimension 1.",
        ),
        (
            (sounds @ prompts.flatten(0, 1).T).argmax(1),
            "Those are numbers of prompts, not of classes.", "Take the mean over dimension 1.",
        ),
        ((sounds @ classes.T).argmin(1), "Those are the farthest classes.", "argmax, not argmin."),
        (sounds @ classes.T, "Those are cosines, not classes.", "argmax over dimension 1."),
        (
            (sounds @ classes.T).argmax(0),
            "That is a sound for each class.", "A class for each sound: argmax(1).",
        ),
    ):  # fmt: skip
        expect_close(got, wrong, mistake, hint, differs=True)
    expect_close(got, (sounds @ classes.T).argmax(1), hint="Mean, normalise, product, argmax.")
