"""A U-Net on sequences of latents: bidirectional or causal with the same weights.

A frame of a coarser level stands at every second frame of the finer one, and in the causal mode
sees no frame after it:

    fine     0   1   2   3   4   5          coarse frame i reads fine frames <= 2 i
             |_____.     |_____.            fine frame j reads coarse frame j // 2, which
    coarse   0       1       2              has seen fine frames <= j

Norms are over the channels of one frame; a norm over time would tell each frame of the future.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.denoiser_conditions import (
    Conditioner,
    Conditions,
    MemoryReader,
    frame_angles,
    start_at_zero,
)
from course_lib.nets.padded_convolution import pad
from course_lib.nets.transformer import SelfAttention, TransformerConfig


@dataclass(frozen=True)
class UNet1dConfig:
    """channels: what comes out a frame; inputs: what goes in, more where a mask or a context does.

    width: channels of the finest level; multipliers: of the width, one a level, each level half as
        long as the one before it.
    blocks: residual blocks of a level, on the way down and again on the way up.
    attends: the levels, counted from 0, the finest, whose frames attend to each other and to the
        memory; the middle always does.
    memory_width: of a frame of text; vector_width: of one vector an item; None for neither.
    """

    channels: int
    inputs: int
    width: int = 80
    multipliers: tuple[int, ...] = (1, 1, 2, 2)
    blocks: int = 1
    heads: int = 4
    attends: tuple[int, ...] = (3,)
    memory_width: int | None = None
    vector_width: int | None = None

    def __post_init__(self):
        if min(self.channels, self.inputs, self.blocks, self.heads) < 1:
            raise ValueError(f"Channels, inputs, blocks and heads must be positive: {self}.")
        if min(self.multipliers, default=0) < 1:
            raise ValueError(f"multipliers={self.multipliers} must be positive, one a level.")
        if self.width < 2 or self.width % (2 * self.heads):
            raise ValueError(f"width={self.width} must be divisible by 2 * heads={2 * self.heads}.")
        if not set(self.attends) <= set(range(len(self.multipliers))):
            raise ValueError(
                f"attends={self.attends} must be levels from 0 to {len(self.multipliers) - 1}."
            )


class FrameNorm(nn.LayerNorm):
    """Norm over the channels of each frame of x [B, C, F]: no frame learns of another."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class TwoWayConv1d(nn.Conv1d):
    """Convolution [B, C, F] -> [B, out, ceil(F / stride)], causal or centred with one weight.

    Frame i sees `kernel` frames: the last is stride * i where causal, the middle one otherwise.
    """

    def __init__(self, channels: int, out: int, kernel: int = 3, stride: int = 1):
        super().__init__(channels, out, kernel, stride)

    def forward(self, x: Tensor, causal: bool) -> Tensor:
        spare = self.kernel_size[0] - 1
        if causal:
            return super().forward(pad(x, spare, 0))
        return F.conv1d(x, self.weight, self.bias, self.stride, spare // 2)


class ResidualBlock(nn.Module):
    """Two convolutions beside a skip, scaled and shifted between them by the conditions (FiLM).

    x [B, C, F] -> [B, out, F] (Dhariwal & Nichol 2021, section 3.1; Perez et al. 2018).
    """

    def __init__(self, channels: int, out: int, summary: int):
        super().__init__()
        self.norm1 = FrameNorm(channels)
        self.conv1 = TwoWayConv1d(channels, out)
        self.film = nn.Linear(summary, 2 * out)
        self.norm2 = FrameNorm(out)
        self.conv2 = start_at_zero(TwoWayConv1d(out, out))
        self.skip = nn.Identity() if channels == out else nn.Conv1d(channels, out, 1)

    def forward(self, x: Tensor, seen: Conditions) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x)), seen.causal)  # [B, out, F]
        scale, shift = self.film(seen.summary)[:, :, None].chunk(2, dim=1)  # [B, out, 1]
        y = self.norm2(y) * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(y), seen.causal)


class Attend(nn.Module):
    """Frames x [B, C, F] read each other, with rotary positions, then the memory."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.head = config.width // config.heads
        self.norm = config.norm()
        self.attention = SelfAttention(config)
        start_at_zero(self.attention.out)
        self.reader = None if config.memory_width is None else MemoryReader(config)

    def forward(self, x: Tensor, seen: Conditions) -> Tensor:
        x = x.transpose(1, 2)  # [B, F, C]
        angles = frame_angles(x, x.shape[1], self.head)
        x = x + self.attention(self.norm(x), None, seen.causal, angles)
        if seen.memory is not None:
            x = x + self.reader(x, seen)
        return x.transpose(1, 2)


class Block(nn.Module):
    """A residual block, and after it attention where it attends; x [B, C, F] -> [B, out, F]."""

    def __init__(self, channels: int, out: int, config: UNet1dConfig, attends: bool):
        super().__init__()
        c = config
        self.residual = ResidualBlock(channels, out, c.width)
        self.attend = None
        if attends:
            self.attend = Attend(TransformerConfig(out, 1, c.heads, memory_width=c.memory_width))

    def forward(self, x: Tensor, seen: Conditions) -> Tensor:
        x = self.residual(x, seen)
        return x if self.attend is None else self.attend(x, seen)


class UNet1d(nn.Module):
    """Noisy latents -> what the objective asks for (Ronneberger et al. 2015; Ho et al. 2020).

    One set of weights works in two modes, as in JEN-1 (Li et al. 2023): bidirectional,
    and causal with padding to the left and lower-triangular attention. The last convolution starts
    at zero, and so does what each block and each attention adds. Taught in notebook 16.
    """

    def __init__(self, config: UNet1dConfig):
        super().__init__()
        self.config = config
        c = config
        widths = [c.width * each for each in c.multipliers]
        levels = range(len(widths))
        finer = list(zip(widths, widths[1:], strict=False))  # a level's width, the next one's

        def blocks(level: int, channels: int) -> nn.ModuleList:
            each = (channels, widths[level], c, level in c.attends)
            return nn.ModuleList([Block(*each) for _ in range(c.blocks)])

        self.conditioner = Conditioner(c.inputs, c.width, c.memory_width, c.vector_width)
        self.first = TwoWayConv1d(c.inputs, c.width)
        self.down = nn.ModuleList([blocks(i, widths[i]) for i in levels])
        self.shrink = nn.ModuleList([TwoWayConv1d(fine, coarse, 3, 2) for fine, coarse in finer])
        self.middle = Block(widths[-1], widths[-1], c, attends=True)
        self.grow = nn.ModuleList([TwoWayConv1d(coarse, fine) for fine, coarse in finer])
        self.up = nn.ModuleList([blocks(i, 2 * widths[i]) for i in levels])
        self.norm = FrameNorm(c.width)
        self.last = start_at_zero(TwoWayConv1d(c.width, c.channels))

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

        memory [B, L, M]: what cross-attention reads; memory_valid bool [B, L]: False where it is
            padding. None, or an item without any valid place, is unconditional.
        vector [B, V]: scales and shifts each block with the time; zeros or None for none.
        causal: no frame sees a later one.

        Raises ValueError for shapes that do not fit the configuration or each other.
        """
        seen = self.conditioner(z, t, memory, memory_valid, vector, causal)
        x = self.first(z, causal)
        skips = []
        for level, blocks in enumerate(self.down):
            if level > 0:
                x = self.shrink[level - 1](x, causal)  # [B, C, ceil(F / 2)]
            for block in blocks:
                x = block(x, seen)
                skips.append(x)
        x = self.middle(x, seen)
        for level, blocks in reversed(list(enumerate(self.up))):
            if level < len(self.grow):
                x = x.repeat_interleave(2, dim=2)[..., : skips[-1].shape[2]]
                x = self.grow[level](x, causal)
            for block in blocks:
                x = block(torch.cat([x, skips.pop()], dim=1), seen)
        return self.last(F.silu(self.norm(x)), causal)
