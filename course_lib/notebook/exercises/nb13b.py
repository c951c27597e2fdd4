"""Checks of the exercises of notebook 13b, captions."""

import torch
import torch.nn.functional as F

from course_lib.notebook.expecting import expect, expect_close


def distinct(answer):
    got = answer([["a", "b", "a", "b"], ["a", "b", "c"]])
    expect_close(
        got, 3 / 7, "You counted words, not pairs of them.", "zip(words, words[1:]).", differs=True
    )
    expect_close(
        got, 3.0, "That is how many there are.", "Divide by the number of pairs.", differs=True
    )
    expect_close(
        got, (2 / 3 + 1) / 2, "That is a mean over texts.",
        "A pair said in two texts is the same pair: gather all first.", differs=True,
    )  # fmt: skip
    expect_close(got, 4 / 5, "A pair that comes twice counts once.", "A set.", differs=True)
    expect_close(got, 3 / 5, "The pairs here are ab, ba, ab and ab, bc: 3 of 5 are distinct.")
    expect_close(answer([["a", "b", "c", "d"]]), 1.0, "Where nothing repeats it should be 1.")
    expect_close(
        answer([["a"], ["a", "b"]]), 1.0, "A text of one word has no pair.",
        "Nothing is wrong with that: it adds none.",
    )  # fmt: skip


def invented(answer):
    said = [{("style", "waltz"), ("drums", "yes")}, {("style", "soul")}, set()]
    true = [
        {("style", "waltz"), ("drums", "no")},
        {("style", "house"), ("drums", "no")},
        {("a", "b")},
    ]
    got = answer(said, true)
    expect_close(
        got, 1 / 3, "That is the share that is true.", "What is said and not true?", differs=True
    )
    expect_close(
        got, 4 / 5, "That is what was left out of the truth.",
        "Divide by what was said, not by what is true.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 0.75, "That is a mean over texts.", "Count over all texts, then divide.", differs=True
    )
    expect_close(got, 2.0, "That is how many.", "Divide by how many were said.", differs=True)
    expect_close(got, 2 / 3, "Here 3 facts are said, and 2 of them are not true.")
    expect_close(answer([{("a", "b")}], [{("a", "b")}]), 0.0, "Where all is true it should be 0.")


def residual_codes(answer):
    generator = torch.Generator().manual_seed(0)
    stages = (
        torch.randn(3, 8, 4, generator=generator) / torch.tensor([1.0, 2.0, 4.0])[:, None, None]
    )
    x = torch.randn(6, 4, generator=generator)
    got = answer(x.clone(), stages.clone())
    want, left, plain = [], x, []
    for stage in stages:
        want.append(torch.cdist(left, stage).argmin(1))
        plain.append(torch.cdist(x, stage).argmin(1))
        left = left - stage[want[-1]]
    want = torch.stack(want, 1)
    expect(isinstance(got, torch.Tensor), "The codes should be a tensor.", "torch.stack(list, 1).")
    expect(got.dtype == torch.int64, f"The codes are {got.dtype}, not int64.", "argmin.")
    expect_close(
        got, want.T, "Vectors and stages are exchanged.", "Stack along dimension 1.", differs=True
    )
    expect_close(
        got, torch.stack(plain, 1), "Each stage codes the whole vector.",
        "A stage codes what the stages before it left over.", differs=True,
    )  # fmt: skip
    expect_close(got, want, hint="Subtract the chosen centroid before the next stage.")


def smoothed(answer):
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(5, 7, generator=generator)
    words = torch.tensor([0, 3, 6, 2, 2])
    got = answer(logits.clone(), words.clone(), 0.1)
    plain = F.cross_entropy(logits, words)
    mean = -logits.log_softmax(1).mean()
    expect_close(got, plain, "Nothing is smoothed yet.", "epsilon belongs to all.", differs=True)
    expect_close(
        got, 0.1 * plain + 0.9 * mean, "The true word gets the small share.",
        "1 - epsilon for it.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 0.9 * plain + 0.1 * 7 * mean, "epsilon is shared by V words, not given to each.",
        "epsilon / V.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 5 * (0.9 * plain + 0.1 * mean), "That is a sum.", "A mean over words.", differs=True
    )
    expect_close(
        got, 0.9 * plain + 0.1 * mean, hint="0.9 times one loss, 0.1 times a mean of them."
    )
    expect_close(answer(logits, words, 0.0), plain, "With epsilon 0 it is cross-entropy.")
