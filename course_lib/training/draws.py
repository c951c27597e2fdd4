"""Random numbers of a training run: pure functions of (seed, step, global item).

Nothing is carried from one step to the next, so a run that is resumed, or that is divided among
processes, sees the numbers that one undisturbed process would have seen.
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor


def number(seed: int, step: int, item: int = 0, stream: str = "") -> int:
    """A 63-bit hash of its arguments, equal on every machine, to seed a generator with."""
    text = f"{seed}/{step}/{item}/{stream}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def generator(
    seed: int, step: int, item: int = 0, stream: str = "", device: torch.device | str = "cpu"
) -> torch.Generator:
    """A generator that is a pure function of its arguments (and of the kind of device).

    `item` is the place in the global batch, `stream` keeps several uses in one step apart.
    Taught in notebook 03.
    """
    return torch.Generator(device).manual_seed(number(seed, step, item, stream))


@dataclass(frozen=True)
class Draws:
    """The random numbers of one training step, one row for each item of this process's batch.

    `items` are the items' places in the global batch, which is what makes two processes with half
    of the batch each draw what one process draws. Give each use in a step its own `stream`.
    """

    seed: int
    step: int
    items: range
    device: torch.device

    def normal(self, *shape: int, stream: str = "") -> Tensor:
        """Standard normal float32 [B, *shape]."""
        return self._rows(torch.randn, shape, stream)

    def uniform(self, *shape: int, stream: str = "") -> Tensor:
        """Uniform in [0, 1), float32 [B, *shape]."""
        return self._rows(torch.rand, shape, stream)

    def integers(self, high: int, *shape: int, stream: str = "") -> Tensor:
        """Uniform in 0 … high - 1, int64 [B, *shape]."""
        return self._rows(lambda *a, **k: torch.randint(high, *a, **k), shape, stream)

    def _rows(self, draw, shape: tuple[int, ...], stream: str) -> Tensor:
        generators = (
            generator(self.seed, self.step, item, stream, self.device) for item in self.items
        )
        return torch.stack([draw(shape, generator=g, device=self.device) for g in generators])


def seed_torch(seed: int, device: torch.device) -> None:
    """Seed torch's own generators of the CPU and of `device`, which dropout draws from.

    `torch.manual_seed` does the same for all devices and takes forty times as long.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(seed)
