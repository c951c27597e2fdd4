"""What a level of Jukebox keeps of real clips. Taught in notebook 10."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.evaluation.harmony import (
    chord_accuracy,
    chroma,
    chroma_correlation,
    chroma_rate,
)
from course_lib.models import JukeboxLevel

BATCH = 4  # clips at a time


@torch.no_grad()
def through(level: JukeboxLevel, clips: Tensor) -> tuple[Tensor, Tensor]:
    """Clips [N, 1, T] coded and decoded, and their codes int64 [N, 1, F], on the CPU."""
    device = next(level.parameters()).device
    audio, codes = [], []
    for batch in clips.split(BATCH):
        of_batch = level.encode(batch.to(device))
        audio.append(level.decode_codes(of_batch, batch.shape[-1]).cpu())
        codes.append(of_batch.cpu())
    return torch.cat(audio), torch.cat(codes)


def level_report(
    level: JukeboxLevel,
    clips: Tensor,
    chords: Sequence[Sequence[tuple[float, float, str]]],
    sample_rate: int = 16000,
) -> dict[str, float]:
    """How much of clips [N, 1, T] comes through a level: means over the clips.

    "snr" and "spectral_convergence" in dB (clips of silence left out), "mel_distance",
    "chroma_correlation" with the clips themselves, "chord_accuracy" against their `chords`, and
    "usage" and "perplexity" of the codebook. Raises as the metrics do.
    """
    decoded, codes = through(level, clips)
    entries = level.config.entries
    pairs = list(zip(clips.split(BATCH), decoded.split(BATCH), strict=True))
    notes = torch.cat([chroma(x, sample_rate) for x in clips.split(BATCH)])
    kept = torch.cat([chroma(x, sample_rate) for x in decoded.split(BATCH)])
    found = {
        "snr": [metrics.snr(x, y) for x, y in pairs],
        "spectral_convergence": [metrics.spectral_convergence(x, y) for x, y in pairs],
        "mel_distance": [metrics.mel_distance(x, y, sample_rate) for x, y in pairs],
        "chroma_correlation": [chroma_correlation(notes, kept)],
    }
    return {name: torch.cat(values).nanmean().item() for name, values in found.items()} | {
        "chord_accuracy": chord_accuracy(kept, chords, chroma_rate(sample_rate)),
        "usage": metrics.codebook_usage(codes, entries).item(),
        "perplexity": metrics.perplexity(codes, entries).item(),
    }
