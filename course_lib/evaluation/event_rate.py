"""Does the rate of a code follow the music? Events per second against onsets per second."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from course_lib.quantize import count_changes
from course_lib.songbook import Clip

TOGETHER = 0.03  # seconds: onsets nearer than that to the one before are heard as one


def onset_density(clip: Clip) -> float:
    """Onsets per second of a clip whose notes are known, of all stems together.

    Notes that begin within 30 ms of the first of them are one onset, as a chord is. 0 for a clip
    without notes. Taught in notebook 05b.
    """
    times = sorted(
        note.onset
        for notes in clip.notes.values()
        for note in notes
        if 0 <= note.onset < clip.seconds
    )
    return _apart(times) / clip.seconds


def event_rate(codes: Tensor, frame_rate: float) -> Tensor:
    """Changes per second of integer channels, codes int64 [B, C, F]: float64 [B].

    Raises ValueError for fewer than two frames, in which nothing can change.
    """
    if codes.ndim != 3 or codes.shape[-1] < 2:
        raise ValueError(f"Codes have shape {list(codes.shape)}; expected [B, C, F] with F >= 2.")
    return count_changes(codes).double() * frame_rate / (codes.shape[-1] - 1)


def rank_correlation(a: Sequence[float] | Tensor, b: Sequence[float] | Tensor) -> float:
    """Spearman's correlation of two lists: 1 where one always rises with the other, -1 where it
    falls, NaN where one never changes. Equal numbers share the mean of their ranks.

    Raises ValueError for lists of different lengths, fewer than two numbers, and NaN, which has no
    rank.
    """
    a, b = (torch.as_tensor(x, dtype=torch.float64) for x in (a, b))
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError(
            f"Lists of shapes {list(a.shape)} and {list(b.shape)}; expected two of one length, 2 "
            "or more."
        )
    missing = int((a.isnan() | b.isnan()).sum())
    if missing:
        raise ValueError(f"{missing} of {len(a)} pairs hold NaN, which has no rank: drop them.")
    x, y = (ranks - ranks.mean() for ranks in map(_ranks, (a, b)))
    return ((x * y).sum() / (x.square().sum() * y.square().sum()).sqrt()).item()


def _ranks(x: Tensor) -> Tensor:
    """How many are smaller, and half of those that are equal: mean ranks up to a constant."""
    smaller = (x[:, None] > x).double().sum(1)
    equal = (x[:, None] == x).double().sum(1)
    return smaller + equal / 2


def _apart(times: Iterable[float]) -> int:
    count, last = 0, -1.0
    for time in times:
        if time - last >= TOGETHER:
            count, last = count + 1, time
    return count
