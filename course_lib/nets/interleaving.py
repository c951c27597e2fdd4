"""Interleaving patterns: in which step of a language model each code of each frame is written.

Copet et al. 2023 (MusicGen), section 2.2 and figure 1. Taught in notebook 15.

    frames 1, 2, 3 of four codebooks, one column a step, · for nothing

    parallel      delay          partial delay   coarse first    partial flattening   flattening
    1 2 3         1 2 3 · · ·    1 2 3 ·         1 2 3 · · ·     1 · 2 · 3 ·          1 · · · 2 ...
    1 2 3         · 1 2 3 · ·    · 1 2 3         · · · 1 2 3     · 1 · 2 · 3          · 1 · · · ...
    1 2 3         · · 1 2 3 ·    · 1 2 3         · · · 1 2 3     · 1 · 2 · 3          · · 1 · · ...
    1 2 3         · · · 1 2 3    · 1 2 3         · · · 1 2 3     · 1 · 2 · 3          · · · 1 · ...
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pattern:
    """Code k of frame f of F is written in step `stride` f + `offsets`[k] + F `passes`[k].

    stride: steps from one frame to the next. offsets: steps by which each of the K codebooks comes
    later than the first could. passes: how many times all frames go by before a codebook begins.
    Raises ValueError where offsets and passes are not K numbers from 0 on each, the first codebook
    does not begin in step 0, or the stride is below 1.
    """

    offsets: tuple[int, ...]
    stride: int = 1
    passes: tuple[int, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "passes", self.passes or (0,) * len(self.offsets))
        if not self.offsets or len(self.passes) != len(self.offsets):
            raise ValueError(
                f"offsets={self.offsets} and passes={self.passes} need one number a codebook each."
            )
        if min(*self.offsets, *self.passes, 0) < 0 or self.offsets[0] or self.passes[0]:
            raise ValueError(
                f"offsets={self.offsets} and passes={self.passes} must not be negative, and begin "
                "with 0."
            )
        if self.stride < 1:
            raise ValueError(f"stride={self.stride} must be at least 1.")

    @property
    def codebooks(self) -> int:
        """K."""
        return len(self.offsets)

    def first(self, frames: int, codebook: int) -> int:
        """The step in which the first frame's code of a codebook is written."""
        return self.offsets[codebook] + frames * self.passes[codebook]

    def count(self, frames: int) -> int:
        """How many steps `frames` frames take. Raises ValueError for less than one frame."""
        if frames < 1:
            raise ValueError(f"{frames} frames: a pattern needs at least one.")
        last = max(self.first(frames, k) for k in range(self.codebooks))
        return self.stride * (frames - 1) + last + 1

    def steps(self, frames: int, device: torch.device | str | None = None) -> Tensor:
        """The step of each code, int64 [K, F]. Raises ValueError for less than one frame."""
        self.count(frames)
        first = torch.tensor([self.first(frames, k) for k in range(self.codebooks)], device=device)
        return first[:, None] + self.stride * torch.arange(frames, device=device)

    def filled(self, frames: int, device: torch.device | str | None = None) -> Tensor:
        """bool [K, S], True where a step writes a code of a codebook, False where nothing is."""
        holes = torch.zeros(self.codebooks, self.count(frames), dtype=torch.bool, device=device)
        return holes.scatter(1, self.steps(frames, device), True)


def parallel(codebooks: int) -> Pattern:
    """All codes of a frame in one step, as if they did not depend on each other: F steps."""
    return Pattern((0,) * codebooks)


def delay(codebooks: int) -> Pattern:
    """Each codebook one step after the one before it: F + K - 1 steps."""
    return Pattern(tuple(range(codebooks)))


def stereo_delay(codebooks: int) -> Pattern:
    """`delay` for codebooks of two channels in turn, left and right in one step: F + K / 2 - 1.

    Raises ValueError for an odd number of codebooks.
    """
    if codebooks % 2:
        raise ValueError(f"{codebooks} codebooks are not those of two channels: give an even one.")
    return Pattern(tuple(k // 2 for k in range(codebooks)))


def partial_delay(codebooks: int) -> Pattern:
    """The first codebook, then all others together one step later: F + 1 steps."""
    return Pattern(tuple(min(k, 1) for k in range(codebooks)))


def coarse_first(codebooks: int) -> Pattern:
    """The first codebook of all frames, then the others of all frames together: 2 F steps.

    After VALL-E (Wang et al. 2023).
    """
    return Pattern((0,) * codebooks, passes=tuple(min(k, 1) for k in range(codebooks)))


def partial_flattening(codebooks: int) -> Pattern:
    """Two steps a frame: its first code, then all its others together."""
    return Pattern(tuple(min(k, 1) for k in range(codebooks)), stride=2)


def flattening(codebooks: int) -> Pattern:
    """A step for each code, frame by frame: K F steps, and no independence is assumed."""
    return Pattern(tuple(range(codebooks)), stride=codebooks)


def interleave(codes: Tensor, pattern: Pattern, nothing: int) -> Tensor:
    """Codes [B, K, F] in the steps of a pattern, [B, K, S]; `nothing` stands where no code does.

    Raises ValueError for another shape or number of codebooks.
    """
    _check(codes, pattern)
    steps = pattern.steps(codes.shape[-1], codes.device).expand_as(codes)  # [B, K, F]
    holes = codes.new_full((*codes.shape[:2], pattern.count(codes.shape[-1])), nothing)
    return holes.scatter(2, steps, codes)


def deinterleave(sequence: Tensor, pattern: Pattern, frames: int) -> Tensor:
    """The codes [B, K, F] of `frames` frames in a sequence [B, K, S] that `interleave` made.

    Raises ValueError where the sequence has another number of codebooks or of steps.
    """
    _check(sequence, pattern)
    if sequence.shape[-1] != pattern.count(frames):
        raise ValueError(
            f"{sequence.shape[-1]} steps are not those of {frames} frames in this pattern, which "
            f"takes {pattern.count(frames)}."
        )
    steps = pattern.steps(frames, sequence.device)
    return sequence.gather(2, steps.expand(len(sequence), -1, -1))


def _check(codes: Tensor, pattern: Pattern) -> None:
    if codes.ndim != 3 or codes.shape[1] != pattern.codebooks or not codes.shape[2]:
        raise ValueError(
            f"Codes have shape {list(codes.shape)}; expected [B, {pattern.codebooks}, F], F >= 1."
        )
