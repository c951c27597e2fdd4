"""Averaged weights: what to listen to is the mean of the last steps, not the last step."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """An exponential moving average of a model's parameters (Polyak and Juditsky 1992).

    After step n (from 1) the average moves by 1 - min(decay, (1 + n) / (10 + n)) towards the
    weights, so that the random start is soon forgotten. Buffers are left as they are: an EMA
    codebook is an average already. Raises ValueError for a decay outside [0, 1).
    """

    def __init__(self, model: nn.Module, decay: float = 0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"The decay of averaged weights must be in [0, 1), not {decay}.")
        self.model, self.decay = model, decay
        self.weights = {n: p.detach().clone() for n, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the model's weights after training step `step`, counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        own = list(self.weights.values())
        torch._foreach_lerp_(own, [p.detach() for p in self.model.parameters()], 1 - decay)

    @torch.no_grad()
    def copy_to_model(self) -> None:
        """Give the model the averaged weights."""
        for name, parameter in self.model.named_parameters():
            parameter.copy_(self.weights[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Lend the model the averaged weights, and give it back its own."""
        own: dict[str, Tensor] = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        self.copy_to_model()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self.model.named_parameters():
                    parameter.copy_(own[name])
