"""Likely wrong answers to the exercises of notebook 04."""

import math

import torch

from course_lib.quantize import nearest


def cost_of_rvq__one_choice(codebooks, entries, dim):
    return math.log2(codebooks * entries), codebooks * entries * dim


def cost_of_rvq__every_value_stored(codebooks, entries, dim):
    return codebooks * math.log2(entries), entries**codebooks * dim


def cost_of_rvq__vectors(codebooks, entries, dim):
    return codebooks * math.log2(entries), codebooks * entries


def code_of_digits__first_highest(digits, levels):
    code = torch.zeros_like(digits[:, 0])
    for digit, count in zip(digits.T, levels, strict=True):
        code = code * count + digit
    return code


def code_of_digits__one_base(digits, levels):
    return sum(digit * levels[0] ** i for i, digit in enumerate(digits.T))


def code_of_digits__added(digits, levels):
    return digits.sum(1)


def drop_stages__none(entries, kept):
    return entries.sum(1)


def drop_stages__one_too_many(entries, kept):
    mask = torch.arange(entries.shape[1]) <= kept[:, None]
    return (entries * mask[:, :, None]).sum(1)


def drop_stages__mean(entries, kept):
    mask = torch.arange(entries.shape[1]) < kept[:, None]
    return (entries * mask[:, :, None]).sum(1) / kept[:, None]


def residual_value__nothing_subtracted(z, books):
    total = sum(book[nearest(z.detach(), book)].detach() for book in books)
    return z + (total - z).detach()


def residual_value__a_step_for_every_stage(z, books):
    left, total = z, 0
    for book in books:
        entry = book[nearest(left.detach(), book)].detach()
        total = total + left + (entry - left).detach()
        left = left - entry
    return total


def residual_value__no_gradient(z, books):
    left = z.detach()
    for book in books:
        left = left - book[nearest(left, book)].detach()
    return z.detach() - left


def residual_value__books_learn(z, books):
    left, total = z.detach(), 0
    for book in books:
        entry = book[nearest(left, book)]
        total, left = total + entry, left - entry.detach()
    return total + z - z.detach()
