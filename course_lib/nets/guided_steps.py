"""A language model step by step, with and without what it reads, as one batch."""

import torch
from torch import Tensor

from course_lib.nets.language_model import LanguageModel


class GuidedSteps:
    """Logits u + s (c - u) of the next step: c for what is read, u for nothing, s the guidance.

    Classifier-free guidance (Ho and Salimans 2022, equation 6) as MusicGen uses it: what reads and
    what reads nothing, a memory of zeros, are one batch of 2 B; a guidance of 1 leaves c alone.
    length: how many steps there is room for. Taught in notebook 15.
    """

    def __init__(
        self, lm: LanguageModel, length: int, memory: Tensor, valid: Tensor, guidance: float
    ):
        self.lm, self.guidance = lm, guidance
        if guidance != 1:
            memory, valid = (torch.cat([x, torch.zeros_like(x)]) for x in (memory, valid))
        self.cache = lm.cache(len(memory), length, memory, valid)

    def __call__(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        """Logits [B, K, V] after codes int64 [B, K, f], which follow those of earlier calls.

        condition [B, f, D]: of the steps that come after each of the codes.
        """
        if self.guidance == 1:
            return self.lm.step(codes, self.cache, condition)[:, :, -1]
        if condition is not None:
            condition = torch.cat([condition, torch.zeros_like(condition)])
        logits = self.lm.step(codes.repeat(2, 1, 1), self.cache, condition)[:, :, -1]
        read, nothing = logits.chunk(2)
        return nothing + self.guidance * (read - nothing)
