"""Drawing a token from logits: temperature, top-k, top-p."""

import torch
from torch import Tensor

COLDEST = 1e-6  # temperature: logits divided by less overflow, and it makes no difference


def sample(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw from the softmax of logits [..., V]: int64 [...].

    temperature divides the logits, 0 takes the largest; top_k keeps the k most likely tokens; top_p
    keeps the fewest most likely ones that together have that probability (Holtzman et al. 2020).
    Draws come from `generator`, on whatever device it is. Nothing is read back from the device.
    Raises ValueError unless temperature >= 0, top_k >= 1 and 0 < top_p <= 1. Taught in notebook
    03b.
    """
    if not temperature >= 0:  # NaN neither
        raise ValueError(f"temperature={temperature} must be a number from 0.")
    divisor = max(temperature, COLDEST) if temperature else 1.0
    logits = keep_likely(logits.float() / divisor, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    # argmax of p / E with E exponential draws from p, as torch.multinomial does, which looks at p
    # on the host first.
    device = logits.device if generator is None else generator.device
    noise = torch.empty(logits.shape, device=device).exponential_(generator=generator)
    return (logits.softmax(-1) / noise.to(logits.device)).argmax(-1)


def keep_likely(logits: Tensor, top_k: int | None = None, top_p: float | None = None) -> Tensor:
    """Logits [..., V] with the unlikely tokens at minus infinity; ties at the edge of k stay."""
    if top_k is not None:
        if top_k < 1 or top_k != int(top_k):
            raise ValueError(f"top_k={top_k} must be a whole number of at least 1.")
        least = logits.topk(min(int(top_k), logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if top_p is not None:
        if not 0 < top_p <= 1:
            raise ValueError(f"top_p={top_p} must be in (0, 1].")
        ordered, order = logits.sort(dim=-1, descending=True, stable=True)
        probabilities = ordered.softmax(-1)
        before = probabilities.cumsum(-1) - probabilities  # of all that are more likely
        unlikely = torch.zeros_like(before, dtype=torch.bool).scatter(-1, order, before >= top_p)
        logits = logits.masked_fill(unlikely, -torch.inf)
    return logits
