"""A transformer that denoises latents: no levels, every block scaled, shifted and gated by time."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.denoiser_conditions import (
    Conditioner,
    Conditions,
    MemoryReader,
    frame_angles,
    start_at_zero,
)
from course_lib.nets.transformer import SelfAttention, TransformerConfig


@dataclass(frozen=True)
class DiffusionTransformerConfig:
    """channels: what comes out a frame; inputs: what goes in, more where a mask or a context does.

    width: numbers per frame; memory_width: of a frame of text; vector_width: of one vector an item;
    None for neither.
    """

    channels: int
    inputs: int
    width: int = 160
    layers: int = 4
    heads: int = 4
    memory_width: int | None = None
    vector_width: int | None = None

    def __post_init__(self):
        if min(self.channels, self.inputs) < 1:
            raise ValueError(f"channels={self.channels} and inputs={self.inputs} must be positive.")
        self.transformer()  # which checks the rest

    def transformer(self) -> TransformerConfig:
        """What the blocks' attention is made from."""
        return TransformerConfig(
            self.width, self.layers, self.heads, memory_width=self.memory_width
        )


class AdaptiveBlock(nn.Module):
    """Self-attention, cross-attention and an MLP, of which each starts as the identity.

    The conditions scale and shift what self-attention and the MLP see and gate what they add
    (adaLN-Zero, Peebles & Xie 2023, section 3.2); x [B, F, D].
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        width = config.width
        self.modulation = start_at_zero(nn.Linear(width, 6 * width))
        self.attention = SelfAttention(config)
        self.reader = None if config.memory_width is None else MemoryReader(config)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, seen: Conditions, angles: tuple[Tensor, Tensor]) -> Tensor:
        table = self.modulation(seen.summary)[:, None]  # [B, 1, 6 D]
        scale1, shift1, gate1, scale2, shift2, gate2 = table.chunk(6, dim=2)
        x = x + gate1 * self.attention(modulated(x, scale1, shift1), None, seen.causal, angles)
        if seen.memory is not None:
            x = x + self.reader(x, seen)
        return x + gate2 * self.mlp(modulated(x, scale2, shift2))


class DiffusionTransformer(nn.Module):
    """Noisy latents -> what the objective asks for (DiT, Peebles & Xie 2023), one frame a token.

    Called as `UNet1d` is, with the same two modes. Text comes by cross-attention, positions are
    rotary; the output starts at zero. Taught in notebook 16b.
    """

    def __init__(self, config: DiffusionTransformerConfig):
        super().__init__()
        self.config = config
        c = config
        self.conditioner = Conditioner(c.inputs, c.width, c.memory_width, c.vector_width)
        self.first = nn.Linear(c.inputs, c.width)
        self.blocks = nn.ModuleList([AdaptiveBlock(c.transformer()) for _ in range(c.layers)])
        self.modulation = start_at_zero(nn.Linear(c.width, 2 * c.width))
        self.last = start_at_zero(nn.Linear(c.width, c.channels))

    def forward(
        self,
        z: Tensor,
        t: Tensor,
        memory: Tensor | None = None,
        memory_valid: Tensor | None = None,
        vector: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """z [B, inputs, F] at times t int64 [B] -> [B, channels, F], for any F >= 1.

        memory [B, L, M], memory_valid bool [B, L], vector [B, V] and causal as `UNet1d` takes them.

        Raises ValueError for shapes that do not fit the configuration or each other.
        """
        seen = self.conditioner(z, t, memory, memory_valid, vector, causal)
        x = self.first(z.transpose(1, 2))  # [B, F, D]
        angles = frame_angles(x, x.shape[1], self.config.width // self.config.heads)
        for block in self.blocks:
            x = block(x, seen, angles)
        scale, shift = self.modulation(seen.summary)[:, None].chunk(2, dim=2)  # [B, 1, D]
        return self.last(modulated(x, scale, shift)).transpose(1, 2)


def modulated(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Each frame of x [B, F, D] normalised, then scaled and shifted by [B, 1, D]."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift
