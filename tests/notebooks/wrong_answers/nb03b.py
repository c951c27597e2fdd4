"""Likely wrong answers to the exercises of notebook 03b."""

import math

import torch


def bits_per_second__nats(nats, rate):
    return nats * rate


def bits_per_second__times_ln_2(nats, rate):
    return nats * rate * math.log(2)


def bits_per_second__one_token(nats, rate):
    return nats / math.log(2)


def prefix_mask__causal(frames, prefix):
    return torch.ones(frames, frames, dtype=torch.bool).tril()


def prefix_mask__rows(frames, prefix):
    mask = torch.ones(frames, frames, dtype=torch.bool).tril()
    mask[:prefix] = True
    return mask


def prefix_mask__turned_round(frames, prefix):
    mask = torch.ones(frames, frames, dtype=torch.bool).tril()
    mask[:, :prefix] = True
    return mask.T


def top_p__without_the_one_that_crosses(probabilities, p):
    ordered, order = probabilities.sort(descending=True)
    kept = torch.zeros_like(probabilities)
    kept[order] = torch.where(ordered.cumsum(0) <= p, ordered, 0.0)
    return kept / kept.sum()


def top_p__not_scaled(probabilities, p):
    ordered, order = probabilities.sort(descending=True)
    kept = torch.zeros_like(probabilities)
    kept[order] = torch.where(ordered.cumsum(0) - ordered < p, ordered, 0.0)
    return kept


def top_p__left_sorted(probabilities, p):
    ordered, _ = probabilities.sort(descending=True)
    kept = torch.where(ordered.cumsum(0) - ordered < p, ordered, 0.0)
    return kept / kept.sum()


def top_p__unlikely_ones(probabilities, p):
    ordered, order = probabilities.sort()
    kept = torch.zeros_like(probabilities)
    kept[order] = torch.where(ordered.cumsum(0) - ordered < 0.45, ordered, 0.0)
    return kept / kept.sum()


def top_p__threshold(probabilities, p):
    kept = torch.where(probabilities >= 1 - p, probabilities, 0.0)
    return kept / kept.sum()
