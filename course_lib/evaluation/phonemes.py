"""Whether the words that were to be sung can be understood. Taught in notebook 10."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.models.phonemes import PhonemeRecogniser

BATCH = 16  # clips at a time


def phoneme_error(
    recogniser: PhonemeRecogniser,
    audio: Tensor | Sequence[Tensor],
    phonemes: Sequence[Sequence[str]],
) -> float:
    """The share of phonemes that `recogniser` mishears: insertions, deletions, substitutions.

    audio [N, 1, T] or a list of [1, T] at its rate; phonemes: the symbols of each clip, such as
    those of `songbook.phonemes_of(clip.lyrics)`. The sum of edits over the sum of phonemes, which
    may exceed 1. Raises ValueError for other numbers of clips, no phonemes at all, and phonemes the
    recogniser does not know. Taught in notebook 10.
    """
    if len(audio) != len(phonemes):
        raise ValueError(
            f"There are {len(audio)} clips and {len(phonemes)} lyrics; expected pairs."
        )
    known = recogniser.config.phonemes
    unknown = {symbol for row in phonemes for symbol in row} - set(known)
    if unknown:
        raise ValueError(
            f"No phoneme is called {min(unknown, key=str)!r}: the recogniser knows "
            f"{', '.join(known)}."
        )
    total = sum(map(len, phonemes))
    if total == 0:
        raise ValueError("Nothing is to be sung: expected at least one phoneme.")
    heard = recognised(recogniser, audio)
    return sum(edits(h, list(p)) for h, p in zip(heard, phonemes, strict=True)) / total


def recognised(
    recogniser: PhonemeRecogniser, audio: Tensor | Sequence[Tensor]
) -> list[tuple[str, ...]]:
    """What the recogniser hears in each clip of [N, 1, T], or of a list of [1, T]."""
    device = next(recogniser.parameters()).device
    training = recogniser.training
    recogniser.eval()
    try:
        if isinstance(audio, Tensor):
            batches = audio.split(BATCH)
        else:
            batches = [clip[None] for clip in audio]
        return [heard for batch in batches for heard in recogniser.recognise(batch.to(device))]
    finally:
        recogniser.train(training)


def edits(heard: Sequence, meant: Sequence) -> int:
    """The fewest insertions, deletions and substitutions that turn one sequence into the other.

    Levenshtein 1966, by rows.
    """
    row = torch.arange(len(meant) + 1)
    places = torch.arange(len(meant) + 1)
    for i, symbol in enumerate(heard, start=1):
        differs = torch.tensor([other != symbol for other in meant], dtype=torch.int64)
        changed = torch.minimum(row[:-1] + differs, row[1:] + 1)
        row = torch.cat([torch.tensor([i]), changed])
        row = torch.cummin(row - places, 0).values + places  # insertions along the row
    return int(row[-1])
