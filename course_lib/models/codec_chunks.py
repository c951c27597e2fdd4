"""Audio in normalised, overlapping chunks, as EnCodec at 48 kHz codes it."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

TOGETHER = 8  # chunks of one length that go through the networks at once


def bounds(length: int, chunk: int, stride: int) -> list[tuple[int, int]]:
    """Start and end of each chunk of `length` samples: a new one every `stride`, the last short.

    A signal of exactly one chunk has two of them, as in EnCodec, where the stride is shorter.
    """
    return [(start, min(start + chunk, length)) for start in range(0, length, stride)]


def loudness(audio: Tensor) -> Tensor:
    """RMS [B, 1, 1] of the mean of the channels of audio [B, C, T], never 0."""
    mono = audio.sum(1, keepdim=True) / audio.shape[1]
    return mono.square().mean(-1, keepdim=True).sqrt() + 1e-8


def in_groups(
    pieces: Sequence[Tensor], function: Callable[[Tensor], Tensor], together: int = TOGETHER
) -> list[Tensor]:
    """`function` of each piece [B, ..., n], pieces of one length in one batch."""
    done: list[Tensor] = []
    while len(done) < len(pieces):
        rest = pieces[len(done) : len(done) + together]
        alike = sum(1 for piece in rest if piece.shape == rest[0].shape)
        # Short pieces stand at the end, so those alike are the first.
        done += function(torch.cat(rest[:alike])).chunk(alike)
    return done


def overlap_add(pieces: Sequence[Tensor], stride: int) -> Tensor:
    """Pieces [B, C, n], one every `stride` samples, faded into each other.

    Each is weighted by a triangle over the first piece's length; the sum is divided by the sum of
    weights, so that a sample of one piece alone stays as it is (Défossez et al. 2022, section 3.1).
    """
    total = max(i * stride + piece.shape[-1] for i, piece in enumerate(pieces))
    first = pieces[0]
    place = torch.linspace(0, 1, first.shape[-1] + 2, device=first.device, dtype=first.dtype)[1:-1]
    triangle = 0.5 - (place - 0.5).abs()
    out = first.new_zeros(*first.shape[:-1], total)
    weights = first.new_zeros(total)
    for i, piece in enumerate(pieces):
        here = slice(i * stride, i * stride + piece.shape[-1])
        out[..., here] += triangle[: piece.shape[-1]] * piece
        weights[here] += triangle[: piece.shape[-1]]
    return out / weights


def frames_of(start: int, end: int, hop: int) -> int:
    """Frames of the chunk from `start` to `end`."""
    return -((start - end) // hop)
