"""The course's Transformer: causal, with a prefix, over a memory; with or without a cache."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.kv_cache import KVCache
from course_lib.nets.positions import cosines_first, rotary, sinusoidal, turn


@dataclass(frozen=True)
class TransformerConfig:
    """width: numbers per token; memory_width: of what cross-attention reads, None for none.

    memory_every: cross-attention stands in each `memory_every`-th layer, counted from the last, so
        that the first layers make up the question (Jukebox: every 10th).
    positions: "rotary", or a table that is added to the tokens: "sinusoidal", or "cosines_first"
        as MusicGen has it.
    block: "gpt" has LayerNorm, biases and GELU; "llama" RMSNorm, no biases and SwiGLU (Touvron et
        al. 2023); "musicgen" LayerNorm, GELU and matrices without biases (Copet et al. 2023).
    hidden: numbers within the MLP, 4 * width where it isn't given.
    """

    width: int = 256
    layers: int = 4
    heads: int = 4
    causal: bool = True
    positions: Literal["rotary", "sinusoidal", "cosines_first"] = "rotary"
    memory_width: int | None = None
    dropout: float = 0.0
    memory_every: int = 1
    block: Literal["gpt", "llama", "musicgen"] = "gpt"
    hidden: int | None = None

    def __post_init__(self):
        if min(self.width, self.layers, self.heads) < 1 or self.width % (2 * self.heads):
            raise ValueError(
                f"width={self.width} must be divisible by 2 * heads={2 * self.heads}, and "
                f"layers={self.layers} positive."
            )
        if not 1 <= self.memory_every <= self.layers:
            raise ValueError(
                f"memory_every={self.memory_every} must be from 1 to layers={self.layers}."
            )
        if self.positions not in ("rotary", "sinusoidal", "cosines_first"):
            raise ValueError(
                f"positions={self.positions!r}: choose 'rotary', 'sinusoidal' or 'cosines_first'."
            )
        if self.block not in ("gpt", "llama", "musicgen"):
            raise ValueError(f"block={self.block!r}: choose 'gpt', 'llama' or 'musicgen'.")

    @property
    def bias(self) -> bool:
        """Whether matrices come with biases."""
        return self.block == "gpt"

    def norm(self) -> nn.Module:
        """A norm of one token's numbers."""
        kind = nn.RMSNorm if self.block == "llama" else nn.LayerNorm
        return kind(self.width, eps=1e-5)


class SelfAttention(nn.Module):
    """Multi-head attention of tokens to each other, queries, keys and values from one matrix."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.qkv = nn.Linear(config.width, 3 * config.width, config.bias)
        self.out = nn.Linear(config.width, config.width, config.bias)

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool, angles, cache=None) -> Tensor:
        """x [B, F, D]; `cache` is (KVCache, layer, places) or None."""
        parts = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        qk, v = parts[:2], parts[2]  # [2, B, H, F, d], [B, H, F, d]
        q, k = qk if angles is None else turn(qk, *angles)
        if cache is not None:
            store, layer, places = cache
            store.write(layer, places, k, v)
            k, v = store.keys[layer], store.values[layer]  # [B, H, length, d]
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal=causal)
        return self.out(y.transpose(1, 2).flatten(2))  # [B, F, D]


class CrossAttention(nn.Module):
    """Multi-head attention of tokens to a memory [B, L, M]."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.q = nn.Linear(config.width, config.width, config.bias)
        self.kv = nn.Linear(config.memory_width, 2 * config.width, config.bias)
        self.out = nn.Linear(config.width, config.width, config.bias)

    def read(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, H, L, d] of a memory: once per memory, whatever the tokens."""
        k, v = split_heads(self.kv(memory), 2, self.heads)
        return k, v

    def forward(self, x: Tensor, keys_values: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        (q,) = split_heads(self.q(x), 1, self.heads)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, *keys_values, mask, dropout)
        return self.out(y.transpose(1, 2).flatten(2))

    def weights(self, x: Tensor, keys_values: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """How much each token reads each place of the memory, [B, H, F, L], to be looked at."""
        (q,) = split_heads(self.q(x), 1, self.heads)
        scores = q @ keys_values[0].transpose(-1, -2) / q.shape[-1] ** 0.5
        scores = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(-1)


class GatedLinear(nn.Linear):
    """silu(A x) * B x, A and B in one matrix (SwiGLU, Shazeer 2020)."""

    def __init__(self, width: int, out: int):
        super().__init__(width, 2 * out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = super().forward(x).chunk(2, dim=-1)
        return F.silu(gate) * value


class Block(nn.Module):
    """Pre-norm block: self-attention, cross-attention where there is a memory, two-layer MLP."""

    def __init__(self, config: TransformerConfig, reads: bool):
        super().__init__()
        self.reads = reads  # a memory
        self.attention_norm = config.norm()
        self.attention = SelfAttention(config)
        if reads:
            self.cross_norm = config.norm()
            self.cross = CrossAttention(config)
        self.mlp_norm = config.norm()
        hidden = config.hidden or 4 * config.width
        within = (
            [GatedLinear(config.width, hidden)]
            if config.block == "llama"
            else [nn.Linear(config.width, hidden, config.bias), nn.GELU()]
        )
        self.mlp = nn.Sequential(
            *within, nn.Dropout(config.dropout), nn.Linear(hidden, config.width, config.bias)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, attend: dict, cross: tuple | None) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x), **attend))
        if cross is not None:
            x = x + self.dropout(self.cross(self.cross_norm(x), *cross))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))


class Transformer(nn.Module):
    """Tokens [B, F, D] -> [B, F, D] (Vaswani et al. 2017, with the norms before the layers).

    Taught in notebook 03b.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        reads = [
            config.memory_width is not None and (config.layers - 1 - i) % config.memory_every == 0
            for i in range(config.layers)
        ]
        self.blocks = nn.ModuleList([Block(config, each) for each in reads])
        self.norm = config.norm()

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        memory_valid: Tensor | None = None,
        valid: Tensor | None = None,
        prefix: int = 0,
        cache: KVCache | None = None,
    ) -> Tensor:
        """x [B, F, D] -> [B, F, D].

        memory [B, L, M]: what cross-attention reads; memory_valid bool [B, L]: False where it is
            padding, which nothing attends to.
        valid bool [B, F]: False where x is padding; not together with a cache.
        prefix: the first `prefix` tokens see each other, also ahead; the others see the past.
        cache: from `cache(...)`, which took the memory; x is then what follows the tokens seen so
            far, and a prefix must come whole with the first of them.

        Raises ValueError for shapes that do not fit the configuration or each other.
        """
        self._check(x, memory, memory_valid, cache, valid, prefix)
        frames = x.shape[1]
        places = torch.arange(frames, device=x.device) if cache is None else cache.places(frames)
        angles = None
        precise = torch.float64 if x.dtype == torch.float64 else torch.float32
        if self.config.positions == "rotary":
            angles = rotary(places, self.config.width // self.config.heads, precise)
        else:
            table = sinusoidal if self.config.positions == "sinusoidal" else cosines_first
            x = x + table(places, self.config.width, precise).to(x.dtype)
        simple = cache is None and valid is None and prefix == 0
        mask = None if simple else self._mask(places, frames, valid, prefix, cache)
        attend = {"mask": mask, "causal": simple and self.config.causal, "angles": angles}
        cross_mask = cache.cross_mask if cache else cross_attention_mask(memory, memory_valid)
        for layer, block in enumerate(self.blocks):
            if cache is not None:
                attend["cache"] = (cache, layer, places)
            cross = None
            if block.reads:
                read = cache.cross[layer] if cache else block.cross.read(memory)
                cross = (read, cross_mask)
            x = block(x, attend, cross)
        if cache is not None:
            cache.advance(frames)
        return self.norm(x)

    def cache(
        self,
        batch: int,
        length: int,
        memory: Tensor | None = None,
        memory_valid: Tensor | None = None,
    ) -> KVCache:
        """An empty cache for `batch` sequences of up to `length` tokens, with the memory read."""
        c = self.config
        if not c.causal:
            raise ValueError("A cache needs a causal Transformer: later tokens must not matter.")
        self._check_memory(memory, memory_valid, batch)
        like = self.norm.weight.detach()
        if torch.is_autocast_enabled(like.device.type):  # keys and values will come in its dtype
            like = like.to(torch.get_autocast_dtype(like.device.type))
        cache = KVCache(c.layers, batch, c.heads, length, c.width // c.heads, like)
        if memory is not None:
            cache.cross = {
                i: block.cross.read(memory) for i, block in enumerate(self.blocks) if block.reads
            }
            cache.cross_mask = cross_attention_mask(memory, memory_valid)
        return cache

    def _mask(self, places, frames, valid, prefix, cache) -> Tensor:
        """True where a token (row) may attend (column): [F, F or length] or [B, 1, F, F]."""
        keys = torch.arange(cache.length if cache else frames, device=places.device)
        mask = keys >= 0
        if self.config.causal:
            mask = (keys <= places[:, None]) | (keys < prefix)  # [F, keys]
        if valid is None:
            return mask.expand(frames, len(keys))
        # A padding token may see itself: a row without any column would be NaN.
        own = keys == places[:, None]
        return (mask & valid[:, None, None, :]) | own

    def _check(self, x, memory, memory_valid, cache, valid, prefix) -> None:
        if x.ndim != 3 or x.shape[2] != self.config.width or x.numel() == 0:
            raise ValueError(
                f"Tokens have shape {list(x.shape)}; expected [B, F, {self.config.width}] with "
                "B, F >= 1."
            )
        if valid is not None and (valid.dtype != torch.bool or valid.shape != x.shape[:2]):
            raise ValueError(
                f"valid must be bool {list(x.shape[:2])}, not {valid.dtype} {list(valid.shape)}."
            )
        if prefix and not (self.config.causal and 0 < prefix):
            raise ValueError(f"prefix={prefix} must not be negative, and needs a causal model.")
        if cache is None:
            self._check_memory(memory, memory_valid, len(x))
        elif memory is not None or memory_valid is not None or valid is not None:
            raise ValueError("With a cache, pass the memory to cache(...), and no padded tokens.")
        elif cache.keys.shape[1] != len(x):
            raise ValueError(
                f"The cache is for {cache.keys.shape[1]} sequences, the tokens are {len(x)}."
            )
        elif prefix and (cache.written or prefix > x.shape[1]):
            raise ValueError(f"The first tokens of a cache must hold the whole prefix of {prefix}.")

    def _check_memory(self, memory, memory_valid, batch: int) -> None:
        width = self.config.memory_width
        if (memory is None) != (width is None):
            state = "needs a" if memory is None else "was configured without"
            raise ValueError(f"This Transformer {state} memory (memory_width={width}).")
        if memory is None and memory_valid is not None:
            raise ValueError("memory_valid needs the memory whose padding it says.")
        if memory is not None and (memory.ndim != 3 or memory.shape[::2] != (batch, width)):
            raise ValueError(
                f"The memory has shape {list(memory.shape)}; expected [{batch}, L, {width}]."
            )


def split_heads(x: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
    """[B, F, parts * D] -> `parts` tensors [B, H, F, d]."""
    return x.unflatten(2, (parts, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)


def cross_attention_mask(memory: Tensor | None, valid: Tensor | None) -> Tensor | None:
    """bool [B, 1, 1, L], True where the memory may be read; None where all of it may.

    An item whose memory is all padding reads all of it, since it cannot read nothing: give such an
    item a memory that means nothing instead. Raises ValueError for shapes that do not fit.
    """
    if memory is None or valid is None:
        return None
    if valid.dtype != torch.bool or valid.shape != memory.shape[:2]:
        raise ValueError(
            f"memory_valid must be bool {list(memory.shape[:2])}, not {valid.dtype} "
            f"{list(valid.shape)}."
        )
    return (valid | ~valid.any(1, keepdim=True))[:, None, None, :]
