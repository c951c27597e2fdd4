"""Checks of the exercises of notebook 13b, captions."""

import torch
import torch.nn.functional as F

from course_lib.notebook.expecting import expect, expect_close


def distinct(answer):
    got = answer([["a", "b", "a", "b", "c", "d"], ["b", "c", "a", "b"]])
    for wrong, mistake, hint in (
        (4 / 10, "You counted words, not pairs of them.", "zip(words, words[1:])."),
        (5.0, "That is how many there are.", "Divide by the number of pairs."),
        (
            (4 / 5 + 1) / 2,
            "That is a mean over texts.",
            "A pair said in two texts is the same pair: gather all first.",
        ),
        (
            6 / 9,
            "You paired the end of one text with the beginning of the next.",
            "Make the pairs of each text first, then gather them.",
        ),
        (3 / 8, "That is the share that is repeated.", "Which share is new?"),
        (8 / 5, "That is upside down.", "Different pairs over all pairs."),
        (1.0, "A pair that comes twice counts once.", "A set."),
    ):
        expect_close(got, wrong, mistake, hint, differs=True)
    expect_close(
        got, 5 / 8, "The pairs of a b a b c d and b c a b are ab, ba, ab, bc, cd and bc, ca, ab: "
        "5 of 8 are different.", "ab and ba are two pairs.",
    )  # fmt: skip
    expect_close(
        answer([["a", "bc"], ["ab", "c"]]), 1.0, "“a bc” and “ab c” are different pairs.",
        "Keep pairs as tuples, not as joined letters.",
    )  # fmt: skip
    expect_close(
        answer([["a"], ["a", "b"]]), 1.0, "A text of one word has no pair.",
        "Nothing is wrong with that: it adds none.",
    )  # fmt: skip


def invented(answer):
    said = [_facts("a b c"), _facts("a e"), set()]
    true = [_facts("a d"), _facts("e b"), _facts("f g h i")]
    got = answer([set(each) for each in said], [set(each) for each in true])
    for wrong, mistake, hint in (
        (2 / 5, "That is the share that is true.", "What is said and not true?"),
        (6 / 8, "That is what was left out of the truth.", "What is said and not true: s - t."),
        (6 / 5, "That is what was left out of the truth.", "What is said and not true: s - t."),
        (3 / 8, "You divided by what is true.", "Divide by what was said."),
        (9 / 5, "That counts what was left out as well.", "s - t, not s ^ t."),
        (7 / 12, "That is a mean over clips.", "Count over all clips, then divide."),
        (7 / 18, "That is a mean over clips.", "Count over all clips, then divide."),
        (2 / 3, "You count clips, not facts.", "Count the elements of s - t."),
        (1.0, "That is how many for each clip.", "Divide by how many facts were said."),
        (3.0, "That is how many.", "Divide by how many were said."),
        (
            1 / 4,
            "You gathered the facts of all clips first.",
            "What is true of another clip is not true of this one.",
        ),
    ):
        expect_close(got, wrong, mistake, hint, differs=True)
    expect_close(got, 3 / 5, "Here 5 facts are said, and 3 of them are not true.")
    expect_close(answer([_facts("a")], [_facts("a")]), 0.0, "Where all is true it should be 0.")


def _facts(names: str) -> set[tuple[str, str]]:
    return {("fact", name) for name in names.split()}


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
    dots, far, passed = x, x, x
    product, farthest, handed = [], [], []
    for stage in stages:
        product.append((dots @ stage.T).argmax(1))
        dots = dots - stage[product[-1]]
        farthest.append(torch.cdist(far, stage).argmax(1))
        far = far - stage[farthest[-1]]
        handed.append(torch.cdist(passed, stage).argmin(1))
        passed = stage[handed[-1]]
    expect(isinstance(got, torch.Tensor), "The codes should be a tensor.", "torch.stack(list, 1).")
    expect(got.dtype == torch.int64, f"The codes are {got.dtype}, not int64.", "argmin.")
    expect_close(
        got, want.T, "Vectors and stages are exchanged.", "Stack along dimension 1.", differs=True
    )
    expect_close(
        got, torch.stack(plain, 1), "Each stage codes the whole vector.",
        "A stage codes what the stages before it left over.", differs=True,
    )  # fmt: skip
    expect_close(
        got, torch.stack(product, 1), "The largest product is not the smallest distance.",
        "Long centroids win products: torch.cdist.", differs=True,
    )  # fmt: skip
    expect_close(
        got, torch.stack(farthest, 1), "Those are the farthest centroids.", "argmin.", differs=True
    )
    expect_close(
        got, torch.stack(handed, 1), "You handed on the centroid, not what it left over.",
        "x - stage[code].", differs=True,
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
    others = (7 * mean - plain) / 6  # the mean over all words but the true one
    expect_close(
        got, 0.9 * plain + 0.1 * others, "Only the other words share epsilon in yours.",
        "epsilon / V for each of all V, the true one included.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 0.9 * plain + 0.1 * 6 / 7 * others, "Your aims do not add up to 1.",
        "The true word gets 1 - epsilon, and epsilon / V more.", differs=True,
    )  # fmt: skip
    expect_close(
        got, 0.9 * plain, "What the true word gives up is lost.", "All words share it.",
        differs=True,
    )  # fmt: skip
    want = 0.9 * plain + 0.1 * mean
    expect_close(got, -want, "The sign is turned.", "Minus the logarithm.", differs=True)
    expect_close(got, 5 * want, "That is a sum.", "A mean over N.", differs=True)
    expect_close(
        got, want / 7, "You took a mean over the V words.", "Sum over them; a mean over N.",
        differs=True,
    )  # fmt: skip
    twice = F.cross_entropy(logits.softmax(1), words, label_smoothing=0.1)
    expect_close(
        got, twice, "You took the softmax twice.", "cross_entropy wants logits.", differs=True
    )
    fixed = answer(logits.clone(), words.clone(), 0.3)
    expect_close(fixed, got, "Epsilon is not used.", "It is the last argument.", differs=True)
    expect_close(got, want, hint="0.9 times one loss, 0.1 times a mean of them.")
    expect_close(
        answer(logits.clone(), words.clone(), 0.0), plain, "With epsilon 0 it is cross-entropy."
    )
