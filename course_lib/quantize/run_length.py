"""Run-length coding: integer channels as events (value, length), without loss.

Four channels of seven frames, and their events in the order of a stream:

    frame   0 1 2 3 4 5 6        (channel) value x length
    0       5 5 5 5 8 8 8        (0) 5x4  (1) 2x7  (2) 0x2  (3) 1x4   these start at frame 0
    1       2 2 2 2 2 2 2        (2) 3x5                              at frame 2
    2       0 0 3 3 3 3 3        (0) 8x3  (3) 6x3                     at frame 4
    3       1 1 1 1 6 6 6

Events come by start, and by channel where they start together. So the next event belongs to the
channel that is filled least far, the lowest of several: a stream of values and lengths says by
itself which channel each belongs to, and when it starts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


class Events(NamedTuple):
    """Runs in the order of the stream: int64 [N] each, or [B, N] padded with events of length 0.

    `values` that a channel holds, `lengths` in frames from 1 on, and, which follow from these two,
    the `channels` and the frames where the runs `starts`.
    """

    values: Tensor
    lengths: Tensor
    channels: Tensor
    starts: Tensor


def run_length_encode(codes: Tensor, longest: int = 128) -> Events:
    """The events [N] of integer channels codes int64 [C, F].

    A run of more than `longest` frames becomes several of the same value, all but the last of that
    length. Raises TypeError where codes are not int64, ValueError where they are not [C, F] with
    C, F >= 1 or `longest` is below 1. Taught in notebook 05b.
    """
    if codes.dtype != torch.int64:
        raise TypeError(f"Channels to code must be int64, not {codes.dtype}.")
    if codes.ndim != 2 or codes.numel() == 0:
        raise ValueError(f"Channels have shape {list(codes.shape)}; expected [C, F], C, F >= 1.")
    if longest < 1:
        raise ValueError(f"longest={longest}: a run lasts at least one frame.")
    channels, frames = codes.shape
    place = torch.arange(frames, device=codes.device)
    changed = torch.ones_like(codes, dtype=torch.bool)
    changed[:, 1:] = codes[:, 1:] != codes[:, :-1]
    since = torch.where(changed, place, 0).cummax(1).values  # where the run of a frame began
    changed |= (place - since) % longest == 0
    starts, owners = changed.T.nonzero().unbind(1)  # by start, then by channel
    by_channel = owners.argsort(stable=True)
    ends = starts.new_full(starts.shape, frames)
    ordered, same = starts[by_channel], owners[by_channel]
    ends[by_channel[:-1]] = torch.where(same[1:] == same[:-1], ordered[1:], frames)
    return Events(codes[owners, starts], ends - starts, owners, starts)


def run_length_decode(
    values: Tensor, lengths: Tensor, channels: int, frames: int | None = None
) -> Tensor:
    """The channels int64 [C, F] of a stream of values and lengths, int64 [N] each.

    By default all channels must end together; with `frames` what goes on beyond is cut off.
    Raises TypeError where values or lengths are not int64; ValueError where they differ in shape,
    where a length is below 1, where channels end apart or before `frames`. Notebook 05b.
    """
    for name, x in (("values", values), ("lengths", lengths)):
        if x.dtype != torch.int64:
            raise TypeError(f"The {name} of events must be int64, not {x.dtype}.")
    if values.ndim != 1 or values.shape != lengths.shape or channels < 1:
        raise ValueError(
            f"Values {list(values.shape)} and lengths {list(lengths.shape)} for {channels} "
            "channels; expected [N] and [N] for at least one."
        )
    rows: list[list[int]] = [[] for _ in range(channels)]
    for value, length in zip(values.tolist(), lengths.tolist(), strict=True):
        if length < 1:
            raise ValueError(f"A run of {length} frames: every event lasts at least one.")
        min(rows, key=len).extend([value] * length)  # the first of several equally short ones
    ends = [len(row) for row in rows]
    if frames is None and len(set(ends)) > 1:
        raise ValueError(
            f"The channels end at frames {ends}: events are missing at the end, or the stream has "
            f"not {channels} channels. Give `frames` to cut it."
        )
    frames = ends[0] if frames is None else frames
    if frames < 1 or min(ends) < frames:
        raise ValueError(f"The channels end at frames {ends}, which is before frame {frames}.")
    return torch.tensor([row[:frames] for row in rows], device=values.device)


def stack_events(streams: Sequence[Events]) -> Events:
    """Streams [N] of different lengths as one batch [B, N], padded at the end with zeros.

    Raises ValueError where there is none.
    """
    if not streams:
        raise ValueError("There are no streams to stack: a batch needs at least one.")
    return Events(
        *(pad_sequence(list(parts), batch_first=True) for parts in zip(*streams, strict=True))
    )


def count_changes(codes: Tensor) -> Tensor:
    """How often a channel of codes int64 [B, C, F] changes, summed over channels: int64 [B]."""
    return (codes[..., 1:] != codes[..., :-1]).sum((1, 2))
