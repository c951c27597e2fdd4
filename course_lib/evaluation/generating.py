"""Many clips at once from what makes music, and from MusicGen's codec. Taught in notebook 15."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.models import LatentDiffusion, MusicGen
from course_lib.training.draws import number

AT_ONCE = 16  # prompts


def generated(
    system: MusicGen | LatentDiffusion,
    prompts: Sequence[str | None],
    seconds: float,
    seed: int,
    **sampling,
) -> Tensor:
    """Audio [N, 1, T] for N prompts; `sampling` as the `generate` of the system takes it.

    The same prompts and seed give the same audio.
    """
    parts = []
    for first in range(0, len(prompts), AT_ONCE):
        some = list(prompts[first : first + AT_ONCE])
        drawn = number(seed, first, stream="generated")
        parts.append(system.generate(some, seconds, seed=drawn, **sampling))
    return torch.cat(parts)


@torch.no_grad()
def through_codec(musicgen: MusicGen, audio: Tensor) -> Tensor:
    """Audio [N, 1, T] through the codebooks that the model writes: the best it could do."""
    parts = audio.split(AT_ONCE // 2)
    return torch.cat([musicgen.decode(musicgen.encode(part)) for part in parts])[
        ..., : audio.shape[-1]
    ]
