"""Sampling a level of Jukebox window by window (Dhariwal et al. 2020, section 4.4 and figure 2).

Taught in notebook 10.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.nets import LanguageModel, generate
from course_lib.quantize.checks import check_codes


def windows(frames: int, context: int, hop: int, given: int = 0) -> list[tuple[int, int, int]]:
    """(start, known, end) of the windows that fill `frames` codes of which `given` are known.

    Each window has `context` codes, or all there are, and begins `hop` after the one before; the
    last is moved back to end with the piece. The codes from `start` to `known` are there when its
    turn comes, the others are sampled. Windows with nothing to sample are left out.

        frames=8, context=4, hop=2    [0 1 2 3]
                                      ... [2 3|4 5]          left of the bar: known
                                      ...     ... [4 5|6 7]

    Raises ValueError for a hop outside 1 ... context and for `given` codes that leave no others.
    """
    if not 1 <= hop <= context:
        raise ValueError(
            f"hop={hop} must be from 1 to the context of {context} codes: windows that leave gaps "
            "could not be filled."
        )
    if not 0 <= given < frames:
        raise ValueError(f"{given} known codes leave nothing to sample of {frames}.")
    last = max(0, frames - context)
    found, done = [], given
    for start in [*range(0, last, hop), last]:
        end = min(start + context, frames)
        if end > done:
            found.append((start, done, end))
            done = end
    return found


def sample_windows(
    model: LanguageModel,
    frames: int,
    context: int,
    hop_fraction: float,
    inputs: Callable[[int, int], dict[str, Tensor]],
    batch: int = 1,
    prompt: Tensor | None = None,
    multiple: int = 1,
    **sampling,
) -> Tensor:
    """Codes int64 [B, K, frames] sampled in windows of `context` with the model's cache.

    inputs: (start, length) -> memory, memory_valid and condition of the window, as `generate` takes
        them. hop_fraction: of the context, by which windows advance, rounded to a `multiple` of
        codes. prompt [B, K, P]: the first codes. `sampling` goes to `generate`.

    Raises ValueError for a hop_fraction outside (0, 1] and for a prompt of another shape, out of
    range or as long as the piece; TypeError where it is not int64.
    """
    if not 0 < hop_fraction <= 1:
        raise ValueError(
            f"hop_fraction={hop_fraction} must be in (0, 1]: the part of a window that is new."
        )
    c = model.config
    given = 0 if prompt is None else prompt.shape[-1]
    if given:
        check_codes(prompt, c.entries, (c.codebooks,))
        if len(prompt) != batch:
            raise ValueError(f"The prompt has {len(prompt)} items; expected {batch}.")
    hop = max(multiple, int(hop_fraction * context) // multiple * multiple)
    places = windows(frames, context, hop, given)
    device = model.embedding.weight.device
    codes = torch.full((batch, c.codebooks, frames), model.nothing, device=device)
    if given:
        codes[..., :given] = prompt
    for start, known, end in places:
        window = generate(
            model,
            end - start,
            prompt=codes[..., start:known],
            **inputs(start, end - start),
            **sampling,
        )
        codes[..., known:end] = window[..., known - start :]
    return codes


def check_window(codes: Tensor, context: int) -> None:
    """Raise ValueError, in words, for a window longer than the model was trained on."""
    if codes.shape[-1] > context:
        raise ValueError(
            f"The window has {codes.shape[-1]} codes, the model was trained on {context}: sample "
            "longer pieces window by window, with sample(...)."
        )
