"""Likely wrong answers to the exercises of notebook 08."""

import math

import torch


def codebooks_for__rounded(kbps, sample_rate, hop, entries):
    return max(1, round(1000 * kbps / (sample_rate / hop * math.log2(entries))))


def codebooks_for__none(kbps, sample_rate, hop, entries):
    return math.floor(1000 * kbps / (sample_rate / hop * math.log2(entries)))


def codebooks_for__without_bits(kbps, sample_rate, hop, entries):
    return max(1, math.floor(1000 * kbps / (sample_rate / hop)))


def decoder_input__one_too_many(stages, kept):
    used = torch.arange(stages.shape[1]) <= kept[:, None]
    return (stages * used[:, :, None, None]).sum(1)


def decoder_input__all(stages, kept):
    return stages.sum(1)


def decoder_input__last_stage(stages, kept):
    return stages[torch.arange(len(stages)), kept - 1]


def shared__plain_sum(slopes, weights):
    return sum(weight * slope for slope, weight in zip(slopes, weights, strict=True))


def shared__no_shares(slopes, weights):
    norms = [slope.flatten(1).norm(dim=1).mean() for slope in slopes]
    return sum(w * s / n for w, s, n in zip(weights, slopes, norms, strict=True))


def shared__norm_of_the_batch(slopes, weights):
    shares = [weight / sum(weights) for weight in weights]
    return sum(w * s / s.norm() for w, s in zip(shares, slopes, strict=True))


def running__cold(values, decay):
    average, found = 0.0, []
    for value in values:
        average = decay * average + (1 - decay) * value
        found.append(average)
    return found


def running__plain_mean(values, decay):
    return [sum(values[: i + 1]) / (i + 1) for i in range(len(values))]


def running__not_divided(values, decay):
    total, found = 0.0, []
    for value in values:
        total = decay * total + value
        found.append(total)
    return found
