"""What a codec keeps of real clips, at each of its bitrates. Taught in notebooks 07 and 08."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.evaluation.analysis import analyse, frechet
from course_lib.models import Analyser, Codec

BATCH = 8  # clips at a time


def fidelity(
    reference: Tensor, decoded: Tensor, analyser: Analyser | None = None, sample_rate: int = 16000
) -> dict[str, float]:
    """How near decoded clips [N, C, T] are to their references: means over the clips.

    "si_sdr" in dB (clips of silence left out), "mel_distance", "stft_distance", and with an
    `analyser` "frechet", the distance of what it hears in the two sets. Raises as the metrics do.
    """
    pairs = list(zip(reference.split(BATCH), decoded.split(BATCH), strict=True))
    found = {
        "si_sdr": torch.cat([metrics.si_sdr(x, y) for x, y in pairs]).nanmean(),
        "mel_distance": torch.cat([metrics.mel_distance(x, y, sample_rate) for x, y in pairs]),
        "stft_distance": torch.cat([metrics.stft_distance(x, y) for x, y in pairs]),
    }
    values = {name: value.mean().item() for name, value in found.items()}
    if analyser is not None:
        values["frechet"] = frechet(analyse(reference, analyser), analyse(decoded, analyser))
    return values


@torch.no_grad()
def codes_of(codec: Codec, clips: Tensor) -> Tensor:
    """Codes int64 [N, K, F] of clips [N, C, T] by all codebooks, on the CPU."""
    device = next(codec.parameters()).device
    return torch.cat([codec.encode(x.to(device)).codes.cpu() for x in clips.split(BATCH)])


@torch.no_grad()
def decoded(codec: Codec, codes: Tensor, length: int) -> Tensor:
    """Clips [N, C, length] of codes int64 [N, K, F], on the CPU."""
    device = next(codec.parameters()).device
    parts = [codec.decode_codes(c.to(device), None, length).cpu() for c in codes.split(BATCH)]
    return torch.cat(parts)


def code_statistics(codes: Tensor, size: int) -> dict[str, float]:
    """How codes [N, K, F] use their codebooks of `size` entries.

    "usage" is the share of entries that occur, of the least used codebook; "efficiency" the
    entropies of all codebooks over the bits paid for them (Kumar et al. 2023, section 4.4).
    """
    return {
        "usage": metrics.codebook_usage(codes, size).min().item(),
        "efficiency": metrics.entropy_efficiency(codes, size).mean().item(),
    }


def codec_report(
    codec: Codec,
    clips: Tensor,
    analyser: Analyser | None = None,
    levels: Sequence[int] | None = None,
) -> dict[str, float]:
    """`fidelity` and efficiency at each level of codebooks, such as "si_sdr_8", usage of each.

    clips [N, C, T] at the codec's rate; levels: how many codebooks, by default those the codec is
    made for. "usage_1" is that of the first codebook.
    """
    codes = codes_of(codec, clips)
    size, found = codec.config.entries, {}
    for level in levels or codec.config.levels:
        part = codes[:, :level]
        values = fidelity(clips, decoded(codec, part, clips.shape[-1]), analyser, codec.sample_rate)
        values["efficiency"] = code_statistics(part, size)["efficiency"]
        found |= {f"{name}_{level}": value for name, value in values.items()}
    usage = metrics.codebook_usage(codes, size).tolist()
    return found | {f"usage_{k}": value for k, value in enumerate(usage, start=1)}
