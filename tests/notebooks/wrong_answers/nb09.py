"""Likely wrong answers to the exercises of notebook 09."""

import math

import torch

from course_lib import metrics


def bitrate_efficiency__one_histogram(codes, size):
    return metrics.entropy_efficiency(codes.flatten(), size).item()


def bitrate_efficiency__usage(codes, size):
    return metrics.codebook_usage(codes, size).mean().item()


def bitrate_efficiency__bits(codes, size):
    return metrics.entropy_bits(codes, size).mean().item()


def snake_slope__without_the_diagonal(x, a):
    return torch.sin(2 * a * x)


def snake_slope__without_the_two(x, a):
    return 1 + torch.sin(a * x) * torch.cos(a * x)


def snake_slope__without_the_inner_slope(x, a):
    return 1 + torch.sin(2 * a * x) / a


def missing_samples__odd_strides(frames, strides):
    return sum(stride % 2 for stride in strides)


def missing_samples__what_is_left(frames, strides):
    for stride in strides:
        frames = frames * stride - stride % 2
    return frames


def missing_samples__one_a_frame(frames, strides):
    length = frames
    for stride in strides:
        length = length * (stride - stride % 2)
    return frames * math.prod(strides) - length


def by_group__halves(codes, groups):
    return codes.unflatten(1, (groups, -1))


def by_group__not_transposed(codes, groups):
    return codes.unflatten(1, (-1, groups))
