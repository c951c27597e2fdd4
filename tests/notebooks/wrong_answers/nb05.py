"""Likely wrong answers to the exercises of notebook 05."""

import math

import torch

from course_lib.quantize import nearest


def bits_per_second__of_a_patch(maps, seconds):
    return sum(rows * columns * math.log2(size) for rows, columns, size in maps)


def bits_per_second__nats(maps, seconds):
    return sum(rows * columns * math.log(size) for rows, columns, size in maps) / seconds


def bits_per_second__entries(maps, seconds):
    return sum(rows * columns * size for rows, columns, size in maps) / seconds


def bits_per_second__first_map(maps, seconds):
    rows, columns, size = maps[0]
    return rows * columns * math.log2(size) / seconds


def read_map__row_by_row(codes, rows):
    return codes[:, 0].unflatten(1, (rows, -1))


def read_map__turned_round(codes, rows):
    return codes[:, 0].unflatten(1, (-1, rows))


def read_map__upside_down(codes, rows):
    return codes[:, 0].unflatten(1, (-1, rows)).transpose(1, 2).flip(1)


def read_map__one_dimension_more(codes, rows):
    return codes.unflatten(2, (-1, rows)).transpose(2, 3)


def two_levels__all_of_it(x, top_book, bottom_book):
    top = nearest(x.mean(1, keepdim=True), top_book)
    return top, nearest(x.reshape(-1, 1), bottom_book).view_as(x)


def two_levels__the_mean_itself(x, top_book, bottom_book):
    mean = x.mean(1, keepdim=True)
    left = x - mean
    return nearest(mean, top_book), nearest(left.reshape(-1, 1), bottom_book).view_as(x)


def two_levels__wrong_sign(x, top_book, bottom_book):
    top = nearest(x.mean(1, keepdim=True), top_book)
    left = top_book[top] - x
    return top, nearest(left.reshape(-1, 1), bottom_book).view_as(x)


def two_levels__first_number(x, top_book, bottom_book):
    top = nearest(x[:, :1], top_book)
    left = x - top_book[top]
    return top, torch.stack([nearest(row[:, None], bottom_book) for row in left])


def price__nats(top_nats, bottom_nats, top_codes, finer):
    nats = top_nats * top_codes, bottom_nats * top_codes * finer[0] * finer[1]
    return sum(nats), nats[0] / sum(nats)


def price__one_below_each(top_nats, bottom_nats, top_codes, finer):
    nats = top_nats * top_codes, bottom_nats * top_codes
    return sum(nats) / math.log(2), nats[0] / sum(nats)


def price__finer_in_time_alone(top_nats, bottom_nats, top_codes, finer):
    nats = top_nats * top_codes, bottom_nats * top_codes * finer[1]
    return sum(nats) / math.log(2), nats[0] / sum(nats)


def price__share_of_the_bottom(top_nats, bottom_nats, top_codes, finer):
    nats = top_nats * top_codes, bottom_nats * top_codes * finer[0] * finer[1]
    return sum(nats) / math.log(2), nats[1] / sum(nats)


def bits_per_second__whole_bits(maps, seconds):
    return sum(r * c * math.ceil(math.log2(v)) for r, c, v in maps) / seconds


def two_levels__entries(x, top_book, bottom_book):
    top = top_book[nearest(x.mean(1, keepdim=True), top_book)]
    return top[:, 0], x - top


def price__finer_added(top_nats, bottom_nats, top_codes, finer):
    nats = top_nats * top_codes, bottom_nats * top_codes * sum(finer)
    return sum(nats) / math.log(2), nats[0] / sum(nats)


def price__share_of_codes(top_nats, bottom_nats, top_codes, finer):
    below = finer[0] * finer[1]
    nats = top_nats * top_codes, bottom_nats * top_codes * below
    return sum(nats) / math.log(2), 1 / (1 + below)
