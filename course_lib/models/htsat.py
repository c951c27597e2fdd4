"""HTSAT: a Transformer over patches of a spectrogram, in windows that shift and then merge.

Chen et al. 2022 (HTS-AT), section 2.1, after Liu et al. 2021 (Swin). The audio tower of LAION-CLAP,
whose published weights `interop` brings here. Taught in notebook 13.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class HTSATConfig:
    """mels: bands of the spectrogram, folded into a square of `side`; patch: its stride.

    kernel: of the convolution that makes patches. width: numbers of a patch, doubled from stage to
    stage; depths, heads: layers and heads of each stage; window: side of what attends to itself.
    """

    mels: int = 64
    side: int = 256
    patch: int = 4
    kernel: int = 4
    width: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (4, 8, 16, 32)
    window: int = 8
    mlp: float = 4.0
    patch_norm: bool = True
    qkv_bias: bool = True

    def __post_init__(self):
        if self.mels < 1 or self.side % self.mels or len(self.depths) != len(self.heads):
            raise ValueError(
                f"side={self.side} must be a multiple of mels={self.mels}, and "
                f"depths={self.depths} as many as heads={self.heads}."
            )
        if self.kernel < self.patch or (self.kernel - self.patch) % 2:
            raise ValueError(
                f"kernel={self.kernel} must be patch={self.patch} or an even number above it, so "
                "that the patches cover the spectrogram."
            )
        if any(self.width * 2**i % heads for i, heads in enumerate(self.heads)):
            raise ValueError(
                f"width={self.width}, doubled from stage to stage, must be a multiple of each of "
                f"heads={self.heads}."
            )
        last = self.window * 2 ** (len(self.depths) - 1)
        if self.side // self.patch % last:
            raise ValueError(
                f"side={self.side} gives {self.side // self.patch} patches, which must be a "
                f"multiple of {last}: of window={self.window}, after halving, in each stage."
            )

    @property
    def dims(self) -> int:
        """Numbers of the vector."""
        return self.width * 2 ** (len(self.depths) - 1)


class HTSAT(nn.Module):
    """Log-mel in dB [B, F, mels] -> one vector [B, D], F up to side * side / mels frames.

    Fewer frames are stretched to that. Raises ValueError for more, or other bands. Notebook 13.
    """

    def __init__(self, config: HTSATConfig):
        super().__init__()
        self.config = c = config
        self.band_norm = nn.BatchNorm1d(c.mels)
        padding = (c.kernel - c.patch) // 2
        self.patches = nn.Conv2d(1, c.width, c.kernel, c.patch, padding)
        self.patch_norm = nn.LayerNorm(c.width) if c.patch_norm else nn.Identity()
        self.stages, self.merges = nn.ModuleList(), nn.ModuleList()
        side = c.side // c.patch
        for i, (depth, heads) in enumerate(zip(c.depths, c.heads, strict=True)):
            width = c.width * 2**i
            if i:
                self.merges.append(PatchMerging(width // 2))
            # Windows of every second layer are shifted by half, so that neighbours meet.
            shifts = [c.window // 2 if n % 2 and side > c.window else 0 for n in range(depth)]
            blocks = [WindowBlock(c, width, heads, side, shift) for shift in shifts]
            self.stages.append(nn.Sequential(*blocks))
            side //= 2
        self.norm = nn.LayerNorm(c.dims)

    def forward(self, spectrogram: Tensor) -> Tensor:
        c = self.config
        most = c.side * c.side // c.mels
        if spectrogram.ndim != 3 or spectrogram.shape[2] != c.mels or spectrogram.shape[1] > most:
            raise ValueError(
                f"The spectrogram has shape {list(spectrogram.shape)}; expected [B, F, {c.mels}] "
                f"with F up to {most}."
            )
        x = self.band_norm(spectrogram.transpose(1, 2)).transpose(1, 2)
        x = self.patches(self.folded(x)).permute(0, 2, 3, 1)  # [B, H, W, D]
        x = self.patch_norm(x)
        for i, stage in enumerate(self.stages):
            x = stage(self.merges[i - 1](x) if i else x)
        return self.norm(x).mean((1, 2))

    def folded(self, x: Tensor) -> Tensor:
        """[B, F, mels] -> a square picture [B, 1, side, side]: stretches of time under each other.

        Within a stretch frequency goes down and time to the right.
        """
        c = self.config
        stretches = c.side // c.mels
        if x.shape[1] < c.side * stretches:
            size = (c.side * stretches, c.mels)
            x = F.interpolate(x[:, None], size, mode="bicubic", align_corners=True)[:, 0]
        x = x.unflatten(1, (stretches, c.side))  # [B, stretches, side, mels]
        return x.transpose(2, 3).flatten(1, 2)[:, None]


class PatchMerging(nn.Module):
    """Four neighbours become one: [B, H, W, D] -> [B, H / 2, W / 2, 2 D]."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.linear = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        corners = [x[:, row::2, column::2] for column in range(2) for row in range(2)]
        return self.linear(self.norm(torch.cat(corners, dim=-1)))


class WindowBlock(nn.Module):
    """Attention within windows of [B, H, W, D], then a two-layer MLP, each after a norm."""

    def __init__(self, config: HTSATConfig, width: int, heads: int, side: int, shift: int):
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = WindowAttention(config, width, heads, side, shift)
        hidden = int(config.mlp * width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class WindowAttention(nn.Module):
    """Multi-head attention within windows, biased by how far apart two patches are.

    With a shift the picture is rolled, so that windows lie across the old borders; patches that
    came together from opposite edges do not see each other.
    """

    def __init__(self, config: HTSATConfig, width: int, heads: int, side: int, shift: int):
        super().__init__()
        self.window, self.heads, self.shift = config.window, heads, shift
        self.qkv = nn.Linear(width, 3 * width, config.qkv_bias)
        self.out = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros((2 * config.window - 1) ** 2, heads))
        self.register_buffer("distance", distances(config.window), persistent=False)
        apart = strangers(side, config.window, shift) if shift else None
        self.register_buffer("apart", apart, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.roll((-self.shift, -self.shift), (1, 2))
        windows = self._cut(x)  # [B, N, w * w, D]
        parts = self.qkv(windows).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(3, 0, 1, 4, 2, 5)  # each [B, N, H, w * w, d]
        bias = self.bias[self.distance].permute(2, 0, 1)  # [H, w * w, w * w]
        if self.apart is not None:
            bias = bias.masked_fill(self.apart[:, None], -torch.inf)  # [N, H, w * w, w * w]
        y = F.scaled_dot_product_attention(q, k, v, bias)
        y = self.out(y.transpose(2, 3).flatten(3))
        return self._joined(y, *x.shape[1:3]).roll((self.shift, self.shift), (1, 2))

    def _cut(self, x: Tensor) -> Tensor:
        x = x.unflatten(2, (-1, self.window)).unflatten(1, (-1, self.window))
        return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)

    def _joined(self, windows: Tensor, height: int, width: int) -> Tensor:
        w = self.window
        x = windows.unflatten(2, (w, w)).unflatten(1, (height // w, width // w))
        return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def distances(window: int) -> Tensor:
    """Which bias belongs to each two patches of a window, int64 [w * w, w * w]: by their offset."""
    places = torch.cartesian_prod(torch.arange(window), torch.arange(window))  # [w * w, 2]
    offset = places[:, None] - places + window - 1  # 0 to 2 w - 2
    return offset[..., 0] * (2 * window - 1) + offset[..., 1]


def strangers(side: int, window: int, shift: int) -> Tensor:
    """Which two patches of a window came from different edges, bool [windows, w * w, w * w]."""
    place = torch.arange(side)
    part = (place >= side - window).long() + (place >= side - shift).long()
    part = 3 * part[:, None] + part  # [side, side]
    part = part.unflatten(1, (-1, window)).unflatten(0, (-1, window))
    part = part.transpose(1, 2).flatten(2, 3).flatten(0, 1)  # [windows, w * w]
    return part[:, :, None] != part[:, None]
