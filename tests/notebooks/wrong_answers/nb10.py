"""Likely wrong answers to the exercises of notebook 10."""

import torch


def tokens_per_second__rounded(sample_rate, hops):
    return float(sum(sample_rate // hop for hop in hops))


def tokens_per_second__summed_hops(sample_rate, hops):
    return sample_rate / sum(hops)


def tokens_per_second__top_alone(sample_rate, hops):
    return sample_rate / max(hops)


def convergence__with_phases(x, y):
    return (x - y).abs().norm() / x.abs().norm()


def convergence__of_the_estimate(x, y):
    return (x.abs() - y.abs()).norm() / y.abs().norm()


def convergence__absolute(x, y):
    return (x.abs() - y.abs()).abs().mean() / x.abs().mean()


def restart__the_used(codebook, counts, rows):
    codebook = codebook.clone()
    used = counts >= 1
    codebook[used] = rows[: int(used.sum())]
    return codebook


def restart__the_mean(codebook, counts, rows):
    return torch.where((counts < 1)[:, None], rows.mean(0), codebook)


def restart__in_place(codebook, counts, rows):
    unused = counts < 1
    codebook[unused] = rows[: int(unused.sum())]
    return codebook


def plan_windows__no_overlap(frames, context, hop):
    return [(s, s, min(s + context, frames)) for s in range(0, frames, context)]


def plan_windows__nothing_known(frames, context, hop):
    last = max(0, frames - context)
    return [(s, s, min(s + context, frames)) for s in (*range(0, last, hop), last)]


def plan_windows__beyond_the_end(frames, context, hop):
    found, done = [], 0
    start = 0
    while done < frames:
        found.append((start, done, start + context))
        done = start + context
        start += hop
    return found


def convergence__in_decibels(x, y):
    return 20 * ((x.abs() - y.abs()).norm() / x.abs().norm()).log10()


def restart__only_counts_of_zero(codebook, counts, rows):
    codebook = codebook.clone()
    codebook[counts == 0] = rows[: int((counts == 0).sum())]
    return codebook


def plan_windows__the_last_one_twice(frames, context, hop):
    last = max(0, frames - context)
    found, known = [], 0
    for start in (*range(0, last + 1, hop), last):
        end = min(start + context, frames)
        found.append((start, known, end))
        known = end
    return found


def plan_windows__known_within_the_window(frames, context, hop):
    last = max(0, frames - context)
    starts = (*range(0, last, hop), last)
    known = [0] + [a + context - b for a, b in zip(starts, starts[1:], strict=False)]
    return [(s, k, min(s + context, frames)) for s, k in zip(starts, known, strict=True)]
