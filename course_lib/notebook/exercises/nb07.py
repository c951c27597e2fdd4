"""Checks of the exercises of notebook 07, SoundStream."""

import math

import torch
from torch import nn

from course_lib.notebook.expecting import NotDone, expect, expect_close, is_blank


def hinge(answer):
    seeded = torch.Generator().manual_seed(0)
    real = 2 * torch.randn(3, 1, 5, generator=seeded)  # [3, 1, 5]
    fake = 2 * torch.randn(3, 1, 5, generator=seeded)  # [3, 1, 5]
    got = answer(real, fake)
    high, low = (1 - real).relu(), (1 + fake).relu()
    likely = (
        (
            (1 + real).relu().mean() + (1 - fake).relu().mean(),
            "This judge wants low logits for sound and high ones for decoded sound.",
            "Swap the signs.",
        ),
        (
            (1 - real).mean() + (1 + fake).mean(),
            "Logits beyond the margin still count: there is no hinge.",
            "relu() cuts at 0.",
        ),
        ((1 - fake).relu().mean(), "That is the loss of the codec.", "The judge sees both."),
        (high.mean(), "Decoded sound costs nothing.", "Add the second term."),
        (high.sum() + low.sum(), "You summed over logits.", "A mean: .mean()"),
        (
            real.neg().relu().mean() + fake.relu().mean(),
            "The margin is 0 instead of 1.",
            "1 - real, and 1 + fake.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, high.mean() + low.mean(), hint="One term for sound, one for decoded sound.")


def codebooks_for(answer):
    for kbps, rate, hop, entries in (
        (4, 16000, 320, 1024),
        (6, 24000, 320, 1024),
        (2.9, 16000, 320, 32),
        (1.999, 16000, 320, 1024),
        (24, 24000, 320, 1024),
    ):
        got = answer(kbps, rate, hop, entries)
        if is_blank(got):
            raise NotDone
        frames = rate / hop
        exact = 1000 * kbps / (frames * math.log2(entries))
        want = math.floor(exact + 1e-9)
        expect(
            got != 1000 * kbps / (frames * entries) and got != int(1000 * kbps / frames / entries),
            "You paid a bit for each entry.",
            "Naming one of V entries takes log2(V) bits.",
        )
        expect(
            got != math.floor(1024 * kbps / (frames * math.log2(entries)) + 1e-9) or got == want,
            "A kilobit is 1,000 bits here, not 1,024.",
            "1000 * kbps.",
        )
        expect(
            got == int(got),
            "Part of a codebook cannot be sent.",
            "Round down to a whole number.",
        )
        expect(
            got <= exact + 1e-9,
            f"{got} codebooks take more than {kbps} kbit/s.",
            "Round down, not up.",
        )
        expect(
            got != want - 1,
            f"At {kbps} kbit/s {want} codebooks fit; you have one less.",
            "Add a tiny number before rounding down.",
        )
        expect(got == want, f"At {kbps} kbit/s {want} codebooks fit, not {got}.")


def keep_first(answer):
    seeded = torch.Generator().manual_seed(0)
    entries = torch.randn(4, 3, 2, 5, generator=seeded)  # [K, B, D, F]
    kept = torch.tensor([4, 1, 2])  # [B]
    got = answer(entries.clone(), kept.clone())
    ranks = torch.arange(4)[:, None]

    def of(mask):
        return (entries * mask[:, :, None, None]).sum(0)

    likely = (
        (entries.sum(0), "Every item gets all stages.", "Mask what comes after kept[b]."),
        (of(ranks <= kept), "Each item gets one stage too many.", "Stages count from 0: k < kept."),
        (of(ranks >= kept), "You kept the last stages, not the first.", "k < kept"),
        (of(ranks == kept - 1), "You kept one stage of each item.", "The sum of the first ones."),
        (
            of(ranks < kept) / kept[:, None, None],
            "You took a mean of stages: each adds to those before it.",
            "A sum.",
        ),
    )
    for value, mistake, hint in likely:
        expect_close(got, value, mistake, hint, differs=True)
    expect_close(got, of(ranks < kept), hint="A mask [K, B], then a sum over K.")


def two_losses(answer):
    torch.manual_seed(0)
    codec, judge = nn.Conv1d(1, 1, 5, padding=2), nn.Conv1d(1, 1, 3, padding=1)
    x = torch.randn(4, 1, 50)
    answered = answer(codec, judge, x)
    if is_blank(answered):
        raise NotDone
    expect(
        isinstance(answered, tuple | list) and len(answered) == 2,
        "The answer should be two losses, the judge's and the codec's.",
        "return of_judge, of_codec",
    )
    of_judge, of_codec = answered
    with torch.no_grad():
        y = codec(x)
        want_judge = (1 - judge(x)).relu().mean() + (1 + judge(y)).relu().mean()
        want_codec = (1 - judge(y)).relu().mean()
    expect_close(
        of_judge, want_codec, "The two losses have changed places.", "The judge's first.",
        differs=True,
    )  # fmt: skip
    expect_close(of_judge, want_judge, "The judge's loss is not the hinge loss of exercise 1.")
    expect_close(
        of_codec, (1 + judge(y)).relu().mean(), "This codec wants to be recognised.", "1 - logit.",
        differs=True,
    )  # fmt: skip
    expect_close(of_codec, want_codec, "The codec's loss is not max(0, 1 - logit), a mean.")
    parameters = [*codec.parameters(), *judge.parameters()]
    expect(
        all(p.requires_grad for p in parameters),
        "The judge is still frozen when you are done: it would never learn again.",
        "Thaw it, or use `with training.frozen(judge):`.",
    )
    expect(
        of_judge.requires_grad and of_codec.requires_grad,
        "Nothing can learn from one of the losses.",
        "No torch.no_grad() here; detach() only what must not learn.",
    )
    slopes = torch.autograd.grad(of_judge, parameters, retain_graph=True, allow_unused=True)
    expect(
        all(s is None for s in slopes[:2]),
        "The judge's loss teaches the codec to be recognised.",
        "detach() the decoded sound.",
    )
    expect(
        all(s is not None for s in slopes[2:]),
        "The judge does not learn from its own loss.",
        "Freeze it for the codec's loss only.",
    )
    slopes = torch.autograd.grad(of_codec, parameters, allow_unused=True)
    expect(
        all(s is not None for s in slopes[:2]),
        "The codec does not learn from its own loss.",
        "Judge the decoded sound itself, not a detached copy.",
    )
    expect(
        all(s is None for s in slopes[2:]),
        "The codec's loss teaches the judge to be fooled.",
        "Freeze the judge while it judges for the codec.",
    )
