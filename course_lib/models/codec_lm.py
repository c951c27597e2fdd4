"""The language model of a codec's files (Défossez et al. 2022, section 3.3).

A small causal Transformer says how likely each next code is; a range coder then spends few bits on
the likely ones. Taught in notebook 08b.
"""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets import KVCache, Transformer, TransformerConfig


@dataclass(frozen=True)
class CodecLMConfig:
    """entries V of each of `codebooks` K; frames: the longest past, that of one block of a file."""

    entries: int = 1024
    codebooks: int = 8
    frames: int = 250
    width: int = 96
    layers: int = 5
    heads: int = 4

    def __post_init__(self):
        if min(self.entries, self.codebooks, self.frames) < 1:
            raise ValueError(
                f"entries={self.entries}, codebooks={self.codebooks} and frames={self.frames} "
                "must be at least 1."
            )


class CodecLM(nn.Module):
    """p(frame | earlier frames) of codes [B, K, F], the K codes of a frame side by side.

    A frame comes in as the sum of the embeddings of its codes and goes out as one softmax for each
    codebook. The matrix that embeds also makes the logits (Press & Wolf 2017): with 8 codebooks of
    1024 it is most of the model. Of a stream with fewer codebooks the missing ones are "nothing",
    entry V, so that one model serves 1, 2, 4 and 8. Taught in notebook 08b.
    """

    def __init__(self, config: CodecLMConfig | None = None):
        super().__init__()
        self.config = c = config or CodecLMConfig()
        self.transformer = Transformer(TransformerConfig(c.width, c.layers, c.heads))
        self.weight = nn.Parameter(torch.empty(c.codebooks * (c.entries + 1), c.width))
        self.bias = nn.Parameter(torch.zeros(c.codebooks, c.entries))
        nn.init.normal_(self.weight, std=0.02)

    @property
    def embedding(self) -> Tensor:
        """What each code of each codebook is embedded as [K, V + 1, D]; the last is "nothing"."""
        return self.weight.unflatten(0, (self.config.codebooks, -1))

    @property
    def nothing(self) -> int:
        """The code that means "nothing here"."""
        return self.config.entries

    @torch.no_grad()
    def start_from(self, codebooks: Tensor) -> None:
        """Begin with the codec's codebooks [K, V, D], D <= width, as embeddings.

        Turned by a random rotation and scaled to a mean norm of 1 in the first codebook, so that
        entries near each other in the codec are near each other here. Learning that from codes
        alone takes thousands of steps. Raises ValueError for other shapes.
        """
        c = self.config
        k, v, dim = codebooks.shape
        if (k, v) != (c.codebooks, c.entries) or dim > c.width:
            raise ValueError(
                f"Codebooks have shape {[k, v, dim]}; expected [{c.codebooks}, {c.entries}, D] "
                f"with D up to the width of {c.width}."
            )
        turned = torch.randn(c.width, dim, generator=torch.Generator().manual_seed(0))
        rotation = torch.linalg.qr(turned).Q.T.to(codebooks)  # [D, width]
        scale = codebooks[0].norm(dim=1).mean()
        self.embedding[:, : self.nothing] = codebooks @ rotation / scale
        self.embedding[:, self.nothing] = 0

    def forward(self, codes: Tensor) -> Tensor:
        """Logits [B, K, F, V]: those of frame f are made of the frames before f.

        codes int64 [B, K, F] in [0, V], V for "nothing", K as configured. Raises TypeError and
        ValueError for other types and shapes.
        """
        self._check(codes)
        start = torch.full_like(codes[..., :1], self.nothing)
        x = self.transformer(self._embed(torch.cat([start, codes[..., :-1]], dim=2)))
        return self._logits(x, self.config.codebooks)

    def loss(self, codes: Tensor) -> Tensor:
        """Cross-entropy in nats per code, over the codes that are not "nothing"."""
        logits = self(codes)
        return F.cross_entropy(
            logits.flatten(0, 2).float(), codes.flatten(), ignore_index=self.nothing
        )

    def step(self, codes: Tensor, cache: KVCache) -> Tensor:
        """Logits [B, n, V] of the frame after codes [B, n], n <= K; the first of all is "nothing".

        cache: from `model.transformer.cache(B, frames)`; it has seen the frames before.
        """
        n = codes.shape[1]
        x = self.transformer(self._embed(codes[..., None]), cache=cache)
        return self._logits(x, n)[:, :, 0]

    def _embed(self, codes: Tensor) -> Tensor:
        """The sum over codebooks, [B, n, F] -> [B, F, D]; those beyond n are "nothing"."""
        n, embedding = codes.shape[1], self.embedding
        x = embedding[n:, self.nothing].sum(0)
        for k in range(n):
            x = x + F.embedding(codes[:, k], embedding[k])
        return x

    def _logits(self, x: Tensor, n: int) -> Tensor:
        # The rows of "nothing" come along and are left out after: cutting them out would copy all.
        logits = F.linear(x, self.embedding[:n].flatten(0, 1)).unflatten(2, (n, -1))
        logits = logits[..., : self.nothing] + self.bias[:n]  # [B, F, n, V]
        return logits.transpose(1, 2)

    def _check(self, codes: Tensor) -> None:
        if codes.dtype != torch.int64:
            raise TypeError(f"Codes must be int64, not {codes.dtype}.")
        if codes.ndim != 3 or codes.shape[1] != self.config.codebooks or codes.numel() == 0:
            raise ValueError(
                f"Codes have shape {list(codes.shape)}; expected [B, {self.config.codebooks}, F] "
                "with B, F >= 1."
            )


class FrameByFrame:
    """A CodecLM as the coder and the decoder of a file run it: the same computation in both.

    One frame at a time, one item, in float64 on the CPU, so that what is computed depends on the
    frames before alone and on no batch. Use it within `one_thread`. Taught in notebook 08b.
    """

    def __init__(self, model: CodecLM):
        self.model = copy.deepcopy(model).to("cpu", torch.float64).eval()
        self.restart(1)

    def restart(self, n_codebooks: int) -> None:
        """Forget the past: the next frame is the first of a block of `n_codebooks`."""
        config = self.model.config
        if not 1 <= n_codebooks <= config.codebooks:
            raise ValueError(
                f"n_codebooks={n_codebooks}; the language model has 1 to {config.codebooks}."
            )
        self.cache = self.model.transformer.cache(1, config.frames)
        self.first = torch.full((1, n_codebooks), self.model.nothing)

    @torch.no_grad()
    def step(self, codes: Tensor | None) -> Tensor:
        """Codes int64 [n] of the last frame, or None at the beginning -> logits [n, V] float64."""
        return self.model.step(self.first if codes is None else codes[None], self.cache)[0]


class one_thread:
    """A context in which torch computes with one thread: sums then have one order."""

    def __enter__(self) -> None:
        self.threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def __exit__(self, *error) -> None:
        torch.set_num_threads(self.threads)
