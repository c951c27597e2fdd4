"""Likely wrong answers to the exercises of notebook 05b."""

import math

import torch


def break_even__values_alone(frame_rate, channels, levels, longest):
    return frame_rate * channels


def break_even__one_channel(frame_rate, channels, levels, longest):
    return frame_rate * math.log2(levels) / (math.log2(levels) + math.log2(longest))


def break_even__not_in_bits(frame_rate, channels, levels, longest):
    return frame_rate * channels * levels / (levels + longest)


def break_even__bits_multiplied(frame_rate, channels, levels, longest):
    return frame_rate * channels / math.log2(longest)


def whose_turn__in_turn(lengths, channels):
    return [n % channels for n in range(len(lengths))]


def whose_turn__last_of_equals(lengths, channels):
    filled, turns = [0] * channels, []
    for length in lengths:
        turn = max(c for c in range(channels) if filled[c] == min(filled))
        filled[turn] += length
        turns.append(turn)
    return turns


def whose_turn__most_filled(lengths, channels):
    filled, turns = [0] * channels, []
    for length in lengths:
        turn = filled.index(max(filled))
        filled[turn] += length
        turns.append(turn)
    return turns


def whose_turn__counts_events(lengths, channels):
    filled, turns = [0] * channels, []
    for _ in lengths:
        turn = filled.index(min(filled))
        filled[turn] += 1
        turns.append(turn)
    return turns


def at_least__at_most(p):
    return p.cumsum(0)


def at_least__longer_than(p):
    return 1 - p.cumsum(0)


def at_least__left_flipped(p):
    return p.flip(0).cumsum(0)


def stretch__twice(codes, factor):
    return codes.repeat(1, int(factor))


def stretch__whole_factors(codes, factor):
    return codes.repeat_interleave(int(factor), 1)


def stretch__each_length_rounded_up(codes, factor):
    rows = []
    for row in codes:
        values, lengths = row.unique_consecutive(return_counts=True)
        rows.append(values.repeat_interleave((lengths * factor).ceil().long()))
    shortest = min(len(row) for row in rows)
    return torch.stack([row[:shortest] for row in rows])


def stretch__each_length_cut(codes, factor):
    rows = []
    for row in codes:
        values, lengths = row.unique_consecutive(return_counts=True)
        rows.append(values.repeat_interleave((lengths * factor).long()))
    frames = round(factor * codes.shape[1])
    return torch.stack([torch.cat([row, row[-1:].expand(frames)])[:frames] for row in rows])


def stretch__ends_apart(codes, factor):
    rows = []
    for row in codes:
        values, lengths = row.unique_consecutive(return_counts=True)
        rows.append(values.repeat_interleave((lengths * factor).round().long()))
    return torch.stack(rows)
