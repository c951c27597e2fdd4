"""What a denoising network is told beside the noisy signal: the time, a text, a vector.

The U-Net and the diffusion transformer share this page, so that the same call serves both.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.nets.positions import rotary, sinusoidal
from course_lib.nets.transformer import CrossAttention, TransformerConfig, cross_attention_mask


class Conditions(NamedTuple):
    """What every block of a denoising network sees.

    summary [B, D]: the time, and the vector where there is one.
    memory [B, L, M], None for none; mask bool [B, 1, 1, L]: True where it may be read; readable
        [B, 1, 1]: 0 where an item's memory is all padding; both None where nothing is padding.
    causal: whether a frame sees the past alone.
    """

    summary: Tensor
    memory: Tensor | None
    mask: Tensor | None
    readable: Tensor | None
    causal: bool


class Conditioner(nn.Module):
    """Checks the call of a denoising network and makes its `Conditions`.

    The time goes through a sinusoidal table and a two-layer network (Ho et al. 2020, appendix B).
    The vector is added to the time within it, without a bias, so that a vector of zeros is none.
    """

    def __init__(self, inputs: int, width: int, memory_width: int | None, vector_width: int | None):
        super().__init__()
        self.inputs, self.width = inputs, width
        self.memory_width, self.vector_width = memory_width, vector_width
        self.time = nn.Linear(width, width)
        self.vector = None if vector_width is None else nn.Linear(vector_width, width, bias=False)
        self.out = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(
        self,
        z: Tensor,
        t: Tensor,
        memory: Tensor | None,
        memory_valid: Tensor | None,
        vector: Tensor | None,
        causal: bool,
    ) -> Conditions:
        """z [B, inputs, F], t int64 [B] and the rest as the networks take them.

        Raises ValueError for shapes that do not fit the configuration or each other.
        """
        self._check(z, t, memory, memory_valid, vector)
        time = self.time(sinusoidal(t, self.width, precise(z)).to(z.dtype))
        time = time if vector is None else time + self.vector(vector)
        readable = None
        if memory_valid is not None:
            readable = memory_valid.any(1)[:, None, None].to(z.dtype)
        mask = cross_attention_mask(memory, memory_valid)
        return Conditions(self.out(time), memory, mask, readable, causal)

    def _check(self, z, t, memory, memory_valid, vector) -> None:
        if z.ndim != 3 or z.shape[1] != self.inputs or z.numel() == 0:
            raise ValueError(
                f"The signal has shape {list(z.shape)}; expected [B, {self.inputs}, F] with "
                "B, F >= 1."
            )
        batch = len(z)
        if t.dtype != torch.int64 or t.shape != (batch,):
            raise ValueError(f"t must be int64 [{batch}], not {t.dtype} {list(t.shape)}.")
        if memory is None and memory_valid is not None:
            raise ValueError("memory_valid needs the memory whose padding it says.")
        for name, given, width, shape in (
            ("memory", memory, self.memory_width, f"[{batch}, L, {self.memory_width}] with L >= 1"),
            ("vector", vector, self.vector_width, f"[{batch}, {self.vector_width}]"),
        ):
            if given is None:
                continue
            if width is None:
                raise ValueError(
                    f"This network was configured without a {name} ({name}_width=None): pass None."
                )
            axes = 3 if name == "memory" else 2
            fits = given.ndim == axes and (len(given), given.shape[-1]) == (batch, width)
            if not fits or given.numel() == 0:
                raise ValueError(f"The {name} has shape {list(given.shape)}; expected {shape}.")


class MemoryReader(nn.Module):
    """What frames [B, F, D] read in a memory, to be added to them; at the start zero.

    Without a memory, or for an item whose memory is all padding, that is zero: unconditional.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.norm = config.norm()
        self.attention = CrossAttention(config)
        start_at_zero(self.attention.out)

    def forward(self, x: Tensor, seen: Conditions) -> Tensor:
        """x [B, F, D] -> [B, F, D]."""
        read = self.attention(self.norm(x), self.attention.read(seen.memory), seen.mask)
        return read if seen.readable is None else read * seen.readable


def frame_angles(x: Tensor, frames: int, head: int) -> tuple[Tensor, Tensor]:
    """Rotary angles [frames, head / 2] for a signal like x."""
    return rotary(torch.arange(frames, device=x.device), head, precise(x))


def precise(x: Tensor) -> torch.dtype:
    """The dtype in which tables for x are computed: float32, or float64 for float64."""
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def start_at_zero(layer: nn.Module) -> nn.Module:
    """The layer with weights and biases of zero: what it is added to begins unchanged."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
