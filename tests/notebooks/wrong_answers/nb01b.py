"""Likely wrong answers to the exercises of notebook 01b."""

import torch


def okapi__factor_missing(counts, kappa):
    return counts / (counts + kappa)


def okapi__factor_kappa(counts, kappa):
    return kappa * counts / (counts + kappa)


def pair_counts__turned_round(codes, size):
    pairs = codes[:, 1:] * size + codes[:, :-1]
    return torch.stack([torch.bincount(row, minlength=size * size) for row in pairs]).float()


def pair_counts__letters_alone(codes, size):
    return torch.stack([torch.bincount(row, minlength=size) for row in codes]).float()


def pair_counts__last_wraps_to_first(codes, size):
    pairs = codes * size + codes.roll(-1, 1)
    return torch.stack([torch.bincount(row, minlength=size * size) for row in pairs]).float()


def triangle__not_clamped(x, alphabet):
    distances = torch.cdist(x, alphabet)
    return distances.mean(1, keepdim=True) - distances


def triangle__far_letters(x, alphabet):
    distances = torch.cdist(x, alphabet)
    return (distances - distances.mean(1, keepdim=True)).clamp(min=0)


def triangle__mean_over_frames(x, alphabet):
    distances = torch.cdist(x, alphabet)
    return (distances.mean(0) - distances).clamp(min=0)
