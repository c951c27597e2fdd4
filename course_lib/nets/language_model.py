"""A language model over the codes of K codebooks, and the loop that lets it go on."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.evaluating import evaluating
from course_lib.nets.kv_cache import KVCache
from course_lib.nets.sampling import sample
from course_lib.nets.transformer import Transformer, TransformerConfig
from course_lib.quantize.checks import check_codes


@dataclass(frozen=True)
class LanguageModelConfig:
    """entries: V of each of `codebooks` codebooks; the rest as in TransformerConfig."""

    entries: int = 1024
    codebooks: int = 1
    width: int = 256
    layers: int = 4
    heads: int = 4
    positions: Literal["rotary", "sinusoidal", "cosines_first"] = "rotary"
    memory_width: int | None = None
    dropout: float = 0.0
    memory_every: int = 1
    block: Literal["gpt", "llama", "musicgen"] = "gpt"
    hidden: int | None = None

    def __post_init__(self):
        if min(self.entries, self.codebooks) < 1:
            raise ValueError(
                f"entries={self.entries} and codebooks={self.codebooks} must be at least 1."
            )


class LanguageModel(nn.Module):
    """p(codes) = product over frames of p(frame | earlier frames), [B, K, F].

    The K codes of a frame are predicted side by side: one embedding matrix of K (V + 1) rows,
    summed over the codebooks, and one head of K V columns. Entry V of each codebook means "nothing
    here": it starts every sequence and may fill the holes of a pattern; it is never predicted.
    What is known of a frame beforehand (codes of a level above, labels, timing) may come as a
    condition [B, F, D], which is added where the frame is predicted (Dhariwal et al. 2020, section
    4.2). Taught in notebooks 03b and 10.
    """

    def __init__(self, config: LanguageModelConfig):
        super().__init__()
        self.config = c = config
        self.transformer = Transformer(
            TransformerConfig(
                width=c.width,
                layers=c.layers,
                heads=c.heads,
                positions=c.positions,
                memory_width=c.memory_width,
                dropout=c.dropout,
                memory_every=c.memory_every,
                block=c.block,
                hidden=c.hidden,
            )
        )
        self.embedding = nn.Embedding(c.codebooks * (c.entries + 1), c.width)
        self.head = nn.Linear(c.width, c.codebooks * c.entries, bias=False)
        self.apply(_initialise)
        first = torch.arange(c.codebooks)[:, None] * (c.entries + 1)
        self.register_buffer("first", first, persistent=False)  # [K, 1] row of each codebook

    @property
    def nothing(self) -> int:
        """The code that means "nothing here"."""
        return self.config.entries

    @torch.no_grad()
    def start_from(self, codebooks: Tensor) -> None:
        """Begin with a codec's codebooks [K, V, d], d <= width, as embeddings and, small, as head.

        Entries near each other in the codec are then near each other here, which codes alone teach
        only in thousands of steps. Raises ValueError for other shapes.
        """
        c = self.config
        if codebooks.shape[:2] != (c.codebooks, c.entries):
            raise ValueError(
                f"Codebooks have shape {list(codebooks.shape)}; expected [{c.codebooks}, "
                f"{c.entries}, d]."
            )
        rows = as_embeddings(codebooks, c.width)
        self.embedding.weight.unflatten(0, (c.codebooks, -1))[:, : c.entries] = rows
        self.head.weight.copy_(0.1 * rows.flatten(0, 1))

    def forward(
        self,
        codes: Tensor,
        memory: Tensor | None = None,
        memory_valid: Tensor | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, K, F, V]: those of frame f are made of the frames before f.

        codes int64 [B, K, F] in [0, V], V for "nothing here"; memory [B, L, M] and memory_valid
        bool [B, L] as in Transformer; condition [B, F, D], frame f of which helps to predict frame
        f and those after it. Raises TypeError and ValueError for what does not fit. Codes out of
        range are not looked for, since looking would read from the device: those of one codebook
        would be taken for the next one's.
        """
        self._check(codes)
        start = codes.new_full((len(codes), self.config.codebooks, 1), self.nothing)
        inputs = torch.cat([start, codes[..., :-1]], dim=2)
        return self._logits(self.transformer(self._embed(inputs, condition), memory, memory_valid))

    def loss(
        self,
        codes: Tensor,
        memory: Tensor | None = None,
        memory_valid: Tensor | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy in nats per code, over all codes that are not "nothing here"."""
        logits = self(codes, memory, memory_valid, condition)
        return F.cross_entropy(
            logits.flatten(0, 2).float(), codes.flatten(), ignore_index=self.nothing
        )

    def cache(
        self,
        batch: int,
        length: int,
        memory: Tensor | None = None,
        memory_valid: Tensor | None = None,
    ) -> KVCache:
        """Room for `length` frames of `batch` sequences, as `Transformer.cache`."""
        return self.transformer.cache(batch, length, memory, memory_valid)

    def step(self, codes: Tensor, cache: KVCache, condition: Tensor | None = None) -> Tensor:
        """Logits [B, K, F, V] of the frames that come after each of codes [B, K, F].

        The codes follow those the cache has seen; the first of all is "nothing here". The condition
        [B, F, D] is that of the frames to come.
        """
        self._check(codes)
        return self._logits(self.transformer(self._embed(codes, condition), cache=cache))

    def _embed(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        x = self.embedding(codes + self.first).sum(1)  # [B, K, F, D] -> [B, F, D]
        if condition is None:
            return x
        if condition.shape != x.shape:
            raise ValueError(
                f"The condition has shape {list(condition.shape)}; expected {list(x.shape)}: one "
                "vector for each frame."
            )
        return x + condition

    def _logits(self, x: Tensor) -> Tensor:
        logits = self.head(x).unflatten(2, (self.config.codebooks, self.config.entries))
        return logits.transpose(1, 2)  # [B, F, K, V] -> [B, K, F, V]

    def _check(self, codes: Tensor) -> None:
        if codes.dtype != torch.int64:
            raise TypeError(f"Codes must be int64, not {codes.dtype}.")
        if codes.ndim != 3 or codes.shape[1] != self.config.codebooks or codes.numel() == 0:
            raise ValueError(
                f"Codes have shape {list(codes.shape)}; expected [B, {self.config.codebooks}, F] "
                "with B, F >= 1."
            )


@torch.no_grad()
def generate(
    model: LanguageModel,
    frames: int,
    batch: int = 1,
    prompt: Tensor | None = None,
    memory: Tensor | None = None,
    memory_valid: Tensor | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    condition: Tensor | None = None,
) -> Tensor:
    """`frames` frames of codes int64 [B, K, frames], the prompt [B, K, P] first where given.

    B is the prompt's, the memory's, the condition's [B, frames, D] or `batch`. Sampling as in
    `sample`, in evaluation mode; nothing is read back from the device on the way. Raises TypeError
    where the prompt is not int64 and ValueError where it is not [B, K, P], runs out of [0, V], or
    has `frames` frames or more. Taught in notebook 03b.
    """
    c = model.config
    if prompt is not None and prompt.numel():
        check_codes(prompt, c.entries + 1, (c.codebooks,))
    given = 0 if prompt is None else prompt.shape[-1]
    if given >= frames:
        raise ValueError(f"frames={frames} leaves nothing to generate after {given} of prompt.")
    if condition is not None and condition.shape[1] != frames:
        raise ValueError(f"The condition has {condition.shape[1]} frames; expected {frames}.")
    for source in (memory, condition, prompt):
        batch = batch if source is None else len(source)
    device = model.embedding.weight.device
    codes = torch.full((batch, c.codebooks, frames + 1), model.nothing, device=device)
    if prompt is not None:
        codes[..., 1 : 1 + given] = prompt
    with evaluating(model):
        cache = model.cache(batch, frames, memory, memory_valid)
        seen = 0
        for frame in range(given + 1, frames + 1):  # frame 0 is "nothing here"
            known = None if condition is None else condition[:, seen:frame]
            logits = model.step(codes[..., seen:frame], cache, known)[:, :, -1]  # [B, K, V]
            codes[..., frame] = sample(logits, temperature, top_k, top_p, generator)
            seen = frame
    return codes[..., 1:]


def as_embeddings(codebooks: Tensor, width: int) -> Tensor:
    """Codebooks [..., V, d] turned at random (the same way always) into [..., V, width].

    Distances keep their proportions; the mean norm of an entry is 1. Raises ValueError for
    d > width.
    """
    dim = codebooks.shape[-1]
    if dim > width:
        raise ValueError(f"Entries of {dim} numbers do not fit into a width of {width}.")
    turned = torch.randn(width, dim, generator=torch.Generator().manual_seed(0))
    rotation = torch.linalg.qr(turned).Q.T.to(codebooks)  # [d, width]
    return codebooks @ rotation / codebooks.norm(dim=-1).mean()


def _initialise(module: nn.Module) -> None:
    """Normal with deviation 0.02, biases 0, as GPT-2."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
