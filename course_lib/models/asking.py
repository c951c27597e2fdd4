"""What may be asked of a system that makes music from text, and what is said where it may not."""

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from operator import index

import torch
from torch import Tensor

from course_lib.audio import resample
from course_lib.audio.checks import check_audio

LONGEST = 600.0  # seconds


def texts_of(prompts: Sequence[str | None]) -> tuple[list[str], list[bool]]:
    """Prompts as texts, and which of them ask for something; None is a blank one.

    Raises TypeError for what is no list of texts.
    """
    if isinstance(prompts, str) or not isinstance(prompts, Iterable):
        raise TypeError(f"Prompts come as a list of texts, not as {prompts!r:.60}.")
    texts = [prompt if prompt is not None else "" for prompt in prompts]
    return texts, [isinstance(text, str) and bool(text.strip()) for text in texts]


def frames_of(seconds: float, sample_rate: int, hop: int) -> int:
    """The frames of `hop` samples that `seconds` take, rounded up.

    Raises TypeError unless it is a number, ValueError unless above 0 and at most 600.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"seconds={seconds!r} must be a number.")
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"seconds={seconds} must be above 0 and at most {LONGEST:g}.")
    return max(1, -(-round(seconds * sample_rate) // hop))


def check_guidance(guidance: float) -> None:
    """Raise TypeError unless `guidance` is a number, ValueError unless it is finite."""
    if not hasattr(guidance, "__float__"):  # NumPy's numbers have it, too
        raise TypeError(f"guidance={guidance!r} must be a number; 1 reads the prompt as it is.")
    if not math.isfinite(guidance):
        raise ValueError(f"guidance={guidance} must be finite; 1 reads the prompt as it is.")


def random_of(seed: int | None, device: torch.device) -> torch.Generator:
    """What draws; the same seed draws the same, None anew. ValueError for a seed that is none."""
    generator = torch.Generator(device)
    if seed is None:
        generator.seed()
        return generator
    try:
        return generator.manual_seed(int(index(seed)))
    except (TypeError, ValueError) as error:
        raise ValueError(f"seed={seed!r} must be a whole number of 64 bits, or None.") from error


def given_audio(
    name: str, audio: Tensor, batch: int, channels: int, rates: tuple[int | None, int]
) -> Tensor:
    """Audio [B, channels, T] that is given with B prompts, float32; [1, channels, T] is for all.

    rates: the audio's, or None where it is that of the model, and the model's, at which it comes
    back. Raises TypeError and ValueError, with the `name`, for what does not fit.
    """
    check_audio(audio, f"The {name}")
    if audio.ndim != 3 or audio.shape[1] != channels:
        raise ValueError(
            f"The {name} has shape {list(audio.shape)}; expected [B, {channels}, T], T >= 1."
        )
    if len(audio) not in (1, batch):
        raise ValueError(
            f"The {name} is of {len(audio)} pieces, the prompts are of {batch}: give one for "
            "all, or one each."
        )
    audio, (rate, wanted) = audio.float(), rates
    if rate not in (None, wanted):
        audio = resample(audio, rate, wanted)
    return audio.expand(batch, -1, -1)
