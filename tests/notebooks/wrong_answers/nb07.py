"""Likely wrong answers to the exercises of notebook 07."""

import math

import torch


def hinge__signs_swapped(real, fake):
    return (1 + real).relu().mean() + (1 - fake).relu().mean()


def hinge__no_hinge(real, fake):
    return (1 - real).mean() + (1 + fake).mean()


def hinge__of_the_codec(real, fake):
    return (1 - fake).relu().mean()


def codebooks_for__rounded_up(kbps, sample_rate, hop, entries):
    return math.ceil(1000 * kbps / (sample_rate / hop * math.log2(entries)))


def codebooks_for__bits_are_entries(kbps, sample_rate, hop, entries):
    return int(1000 * kbps / (sample_rate / hop * entries))


def codebooks_for__not_rounded(kbps, sample_rate, hop, entries):
    return 1000 * kbps / (sample_rate / hop * math.log2(entries))


def keep_first__one_too_many(entries, kept):
    used = torch.arange(len(entries))[:, None] <= kept
    return (entries * used[:, :, None, None]).sum(0)


def keep_first__all(entries, kept):
    return entries.sum(0)


def keep_first__mean(entries, kept):
    used = torch.arange(len(entries))[:, None] < kept
    return (entries * used[:, :, None, None]).sum(0) / kept[:, None, None]


def two_losses__not_detached(codec, judge, x):
    y = codec(x)
    of_judge = (1 - judge(x)).relu().mean() + (1 + judge(y)).relu().mean()
    return of_judge, _frozen(judge, y)


def two_losses__not_frozen(codec, judge, x):
    y = codec(x)
    of_judge = (1 - judge(x)).relu().mean() + (1 + judge(y.detach())).relu().mean()
    return of_judge, (1 - judge(y)).relu().mean()


def two_losses__never_thawed(codec, judge, x):
    y = codec(x)
    of_judge = (1 - judge(x)).relu().mean() + (1 + judge(y.detach())).relu().mean()
    judge.requires_grad_(False)
    return of_judge, (1 - judge(y)).relu().mean()


def two_losses__detached_twice(codec, judge, x):
    y = codec(x).detach()
    of_judge = (1 - judge(x)).relu().mean() + (1 + judge(y)).relu().mean()
    return of_judge, (1 - judge(y)).relu().mean()


def _frozen(judge, y):
    for parameter in judge.parameters():
        parameter.requires_grad_(False)
    loss = (1 - judge(y)).relu().mean()
    for parameter in judge.parameters():
        parameter.requires_grad_(True)
    return loss
