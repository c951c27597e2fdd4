"""MusicGen's Transformer step by step, with and without what it reads, as one batch.

What a step need not do again is done once: keys and values of the text, the table of positions, the
matrices turned round, since products of few rows read them so in half the time. What reads nothing
gets nothing from cross-attention, so only the other half of the batch goes there; and since the
head is linear, guidance comes before it, on half of the rows.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.nets.language_model import LanguageModel
from course_lib.nets.positions import cosines_first
from course_lib.nets.transformer import Block


class GuidedSteps:
    """Logits u + s (c - u) of the next step: c for what is read, u for nothing, s the guidance.

    Classifier-free guidance (Ho and Salimans 2022, equation 6) as MusicGen uses it: what reads and
    what reads nothing, a memory of zeros, are one batch of 2 B; a guidance of 1 leaves c alone.
    length: how many steps there is room for. Raises ValueError for a model of other blocks than
    MusicGen's. Taught in notebook 15.
    """

    def __init__(
        self, lm: LanguageModel, length: int, memory: Tensor, valid: Tensor, guidance: float
    ):
        c = lm.config
        if c.block != "musicgen" or c.positions != "cosines_first" or c.memory_every != 1:
            raise ValueError(
                f"block={c.block!r}, positions={c.positions!r} and memory_every={c.memory_every} "
                "are not MusicGen's: 'musicgen', 'cosines_first' and 1."
            )
        self.lm, self.guidance, self.batch = lm, guidance, len(memory)
        if guidance != 1:
            memory, valid = (torch.cat([x, torch.zeros_like(x)]) for x in (memory, valid))
        self.cache = cache = lm.cache(len(memory), length, memory, valid)
        self.layers = [Weights.of(block) for block in lm.transformer.blocks]
        self.norm = (lm.transformer.norm.weight, lm.transformer.norm.bias)
        self.head = lm.head.weight.t().contiguous()  # [D, K V]
        self.cross = [
            (keys[: self.batch], values[: self.batch]) for keys, values in cache.cross.values()
        ]
        self.readable = cache.cross_mask[: self.batch]
        weight = lm.embedding.weight
        precise = torch.float64 if weight.dtype == torch.float64 else torch.float32
        places = torch.arange(length, device=weight.device)
        self.positions = cosines_first(places, c.width, precise).to(weight.dtype)

    def __call__(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        """Logits [B, K, V] after codes int64 [B, K, f], which follow those of earlier calls.

        condition [B, f, D]: of the steps that come after each of the codes. Raises ValueError
        beyond the length.
        """
        if codes.shape[-1] == 1 and not torch.is_autocast_enabled(codes.device.type):
            return self._step(codes[..., 0], None if condition is None else condition[:, 0])
        if self.guidance == 1:
            return self.lm.step(codes, self.cache, condition)[:, :, -1]
        if condition is not None:
            condition = torch.cat([condition, torch.zeros_like(condition)])
        logits = self.lm.step(codes.repeat(2, 1, 1), self.cache, condition)[:, :, -1]
        read, nothing = logits.chunk(2)
        return nothing + self.guidance * (read - nothing)

    def _step(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """One step of codes [B, K]: `LanguageModel.step`, in as few operations as it takes."""
        c, cache, B = self.lm.config, self.cache, self.batch
        cache.places(1)  # raises where there is no room
        here, D, H = cache.written, c.width, c.heads
        x = F.embedding(codes + self.lm.first[:, 0], self.lm.embedding.weight).sum(1)  # [B, D]
        x = x + self.positions[here]
        if self.guidance != 1:
            x = torch.cat([x if condition is None else x + condition, x])  # [2 B, D]
        elif condition is not None:
            x = x + condition
        new_keys, new_values = (
            cache.keys[:, :, :, here].unbind(),
            cache.values[:, :, :, here].unbind(),
        )
        past = slice(here + 1)
        keys, values = cache.keys[:, :, :, past].unbind(), cache.values[:, :, :, past].unbind()
        for i, w in enumerate(self.layers):
            h = F.layer_norm(x, (D,), *w.attention_norm)
            q, k, v = torch.mm(h, w.qkv).view(len(x), 3, H, -1).unbind(1)  # [2 B, H, d]
            new_keys[i].copy_(k)
            new_values[i].copy_(v)
            y = F.scaled_dot_product_attention(q.unsqueeze(2), keys[i], values[i])
            x = torch.addmm(x, y.reshape(x.shape), w.attention_out)
            reads = x[:B]  # the others read zeros: their part is 0
            h = F.layer_norm(reads, (D,), *w.cross_norm)
            q = torch.mm(h, w.query).view(B, H, 1, -1)
            y = F.scaled_dot_product_attention(q, *self.cross[i], self.readable)
            reads.addmm_(y.reshape(B, D), w.cross_out)
            h = F.layer_norm(x, (D,), *w.mlp_norm)
            x = torch.addmm(x, F.gelu(torch.mm(h, w.up)), w.down)
        cache.advance(1)
        x = F.layer_norm(x, (D,), *self.norm)
        if self.guidance != 1:
            x = torch.lerp(x[B:], x[:B], self.guidance)  # u + s (c - u)
        return torch.mm(x, self.head).view(B, c.codebooks, c.entries)


class Weights(NamedTuple):
    """Copies of a block's matrices, [in, out]; its norms' weights and biases [D]."""

    attention_norm: tuple[Tensor, Tensor]
    qkv: Tensor
    attention_out: Tensor
    cross_norm: tuple[Tensor, Tensor]
    query: Tensor
    cross_out: Tensor
    mlp_norm: tuple[Tensor, Tensor]
    up: Tensor
    down: Tensor

    @classmethod
    def of(cls, block: Block) -> "Weights":
        def matrix(linear) -> Tensor:
            return linear.weight.t().contiguous()

        def norm(layer) -> tuple[Tensor, Tensor]:
            return layer.weight, layer.bias

        return cls(
            attention_norm=norm(block.attention_norm),
            qkv=matrix(block.attention.qkv),
            attention_out=matrix(block.attention.out),
            cross_norm=norm(block.cross_norm),
            query=matrix(block.cross.q),
            cross_out=matrix(block.cross.out),
            mlp_norm=norm(block.mlp_norm),
            up=matrix(block.mlp[0]),
            down=matrix(block.mlp[-1]),
        )
