"""Likely wrong answers to the exercises of notebook 01."""

import math

import torch

from course_lib.quantize import nearest


def bits_per_second__natural_logarithm(size, sample_rate, hop, codebooks=1):
    return sample_rate / hop * codebooks * math.log(size)


def bits_per_second__of_one_frame(size, sample_rate, hop, codebooks=1):
    return codebooks * math.log2(size)


def bits_per_second__one_table(size, sample_rate, hop, codebooks=1):
    return sample_rate / hop * math.log2(size)


def start_averages__sums_are_centroids(centroids, frames):
    return centroids.clone(), frames.clone()


def start_averages__counts_of_one(centroids, frames):
    return centroids.clone(), torch.ones(len(centroids))


def revive__entries_alone(codebook, sums, counts, batch, least):
    dead = (counts < least).nonzero()[:, 0]
    codebook[dead] = batch[: len(dead)]
    return codebook, sums, counts


def revive__all_onto_one_frame(codebook, sums, counts, batch, least):
    dead = counts < least
    codebook[dead], sums[dead], counts[dead] = batch[0], batch[0] * least, least
    return codebook, sums, counts


def revive__sums_not_scaled(codebook, sums, counts, batch, least):
    dead = (counts < least).nonzero()[:, 0]
    fresh = batch[: len(dead)]
    codebook[dead], sums[dead], counts[dead] = fresh, fresh, least
    return codebook, sums, counts


def two_stages__frames_again(frames, first_book, second_book):
    coarse = first_book[nearest(frames, first_book)]
    return coarse + second_book[nearest(frames, second_book)]


def two_stages__second_alone(frames, first_book, second_book):
    coarse = first_book[nearest(frames, first_book)]
    return second_book[nearest(frames - coarse, second_book)]
