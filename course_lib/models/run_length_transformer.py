"""A language model of run-length events, after the run-length Transformer of SlowAE.

Dieleman et al. 2021 give an event two steps, first its value, then its length. Here an event is one
token: its value is predicted from the events before, then its length from these and the value.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.nets import KVCache, Transformer, TransformerConfig
from course_lib.quantize import Events


@dataclass(frozen=True)
class RunLengthTransformerConfig:
    """channels, levels: of the codes; longest: run in frames, as in `run_length_encode`."""

    channels: int = 4
    levels: int = 15
    longest: int = 128
    width: int = 96
    layers: int = 4
    heads: int = 4

    def __post_init__(self):
        if min(self.channels, self.longest) < 1 or self.levels < 2:
            raise ValueError(
                f"channels={self.channels} and longest={self.longest} must be at least 1, "
                f"levels={self.levels} at least 2."
            )


class Standing(NamedTuple):
    """What the events before say of the next one: int64 [B, N], or [B, N, C] for each channel.

    `channel` that it belongs to; `held`, the value of each channel's last run, and `run`, the
    length of it (both 0 before the first); `left`, how many frames of it are still to come, 0 in
    the event's own channel; `gap`, the frames since the event before started.
    """

    channel: Tensor
    held: Tensor
    run: Tensor
    left: Tensor
    gap: Tensor


def standings(events: Events, channels: int) -> Standing:
    """The standing before each of padded events [B, N], in the order of the stream."""
    values, lengths, owners, starts = events
    place = torch.arange(values.shape[1], device=values.device)[None, :, None]  # [1, N, 1]
    each = torch.arange(channels, device=values.device)
    own = (owners[..., None] == each) & (lengths[..., None] > 0)  # [B, N, C]
    last = torch.where(own, place, -1).cummax(1).values
    last = torch.cat([torch.full_like(last[:, :1], -1), last[:, :-1]], 1)  # of the events before
    known, index = last >= 0, last.clamp(min=0).flatten(1)

    def of_last(x: Tensor) -> Tensor:
        return torch.where(known, x.gather(1, index).view_as(last), 0)

    left = (of_last(starts + lengths) - starts[..., None]).clamp(min=0)
    gap = torch.cat([torch.zeros_like(starts[:, :1]), starts.diff(dim=1)], 1).clamp(min=0)
    return Standing(owners, of_last(values), of_last(lengths), left, gap)


class RunLengthTransformer(nn.Module):
    """p(events) = product of p(value | events before) p(length | value, events before).

    An event enters as the sum of embeddings: of the value and length of the event before, and of
    the `Standing` of the one to come: whose turn it is, what each channel holds and for how long
    still, how far time moved. All of it follows from the events before, so nothing is given away.
    A value that the channel already holds is impossible unless its last run had the greatest
    length: then it may go on. With that, to each [C, F] belongs exactly one stream of events, and
    the probability of the events is that of the frames. Taught in notebook 05b.
    """

    def __init__(self, config: RunLengthTransformerConfig | None = None):
        super().__init__()
        self.config = c = config or RunLengthTransformerConfig()
        self.transformer = Transformer(TransformerConfig(c.width, c.layers, c.heads))
        self.value = nn.Embedding(c.levels + 1, c.width)  # the last one: nothing before
        self.length = nn.Embedding(c.longest + 1, c.width)  # 0: nothing before
        self.channel = nn.Embedding(c.channels, c.width)
        self.held = nn.Embedding(c.channels * (c.levels + 1), c.width)
        self.left = nn.Embedding(c.channels * (c.longest + 1), c.width)
        self.gap = nn.Embedding(c.longest + 1, c.width)
        self.value_head = nn.Linear(c.width, c.levels)
        self.chosen = nn.Embedding(c.levels, c.width)
        self.length_head = nn.Sequential(
            nn.Linear(c.width, c.width), nn.GELU(), nn.Linear(c.width, c.longest)
        )
        for part in self.children():
            part.apply(_initialise)

    def forward(self, events: Events) -> tuple[Tensor, Tensor]:
        """Log-probabilities of padded events [B, N]: values [B, N, V], lengths - 1 [B, N, L].

        Those of event n are made of the events before it, and for its length of its own value.
        Raises TypeError and ValueError for events that are not int64 [B, N]; values and lengths
        out of range are not looked for, since looking would read from the device.
        """
        self._check(events)
        standing = standings(events, self.config.channels)
        first = torch.zeros_like(events.values[:, :1])
        before = torch.cat([first + self.config.levels, events.values[:, :-1]], 1)
        long = torch.cat([first, events.lengths[:, :-1]], 1)
        x = self.transformer(self._embed(before, long, standing))
        return self._values(x, standing), self._lengths(x, events.values)

    def nats(self, events: Events) -> Tensor:
        """-ln p of each stream of padded events [B, N]: [B].

        A run that lasts to the end of its stream might go on: what counts is the probability that
        it is at least as long. The result is -ln p of the frames [C, F] that the events stand for.
        """
        values, lengths = self(events)
        ends = events.starts + events.lengths
        index = (events.lengths - 1).clamp(min=0)[..., None]
        exactly = lengths.gather(2, index)[..., 0]
        longer = lengths.exp().flip(2).cumsum(2).flip(2)  # the sum over all lengths from each on
        at_least = longer.gather(2, index)[..., 0].clamp(min=1e-30).log()
        last = ends == ends.amax(1, keepdim=True)
        found = values.gather(2, events.values[..., None])[..., 0]
        found = found + torch.where(last, at_least, exactly)
        return -torch.where(events.lengths > 0, found, 0).sum(1)

    def loss(self, events: Events) -> Tensor:
        """Nats per event, a scalar."""
        return self.nats(events).sum() / (events.lengths > 0).sum()

    def cache(self, batch: int, events: int) -> KVCache:
        """Room for `events` events of `batch` streams."""
        return self.transformer.cache(batch, events)

    def step(self, value: Tensor, length: Tensor, standing: Standing, cache: KVCache):
        """Features [B, 1, D] and log-probabilities of the next value [B, V].

        value, length int64 [B]: of the event before (`levels` and 0 before the first); standing:
        [B] and [B, C], of the next one. Give the features to `length_given`.
        """
        standing = Standing(*(part[:, None] for part in standing))
        x = self.transformer(self._embed(value[:, None], length[:, None], standing), cache=cache)
        return x, self._values(x, standing)[:, 0]

    def length_given(self, features: Tensor, value: Tensor) -> Tensor:
        """Log-probabilities [B, L] of lengths 1 to L of an event of value int64 [B]."""
        return self._lengths(features, value[:, None])[:, 0]

    def _embed(self, value: Tensor, length: Tensor, standing: Standing) -> Tensor:
        c = self.config
        each = torch.arange(c.channels, device=value.device)
        held = torch.where(standing.run > 0, standing.held, c.levels)
        x = self.value(value) + self.length(length) + self.channel(standing.channel)
        x = x + self.held(held + each * (c.levels + 1)).sum(-2)  # [B, N, C, D] -> [B, N, D]
        x = x + self.left(standing.left.clamp(max=c.longest) + each * (c.longest + 1)).sum(-2)
        return x + self.gap(standing.gap.clamp(max=c.longest))

    def _values(self, x: Tensor, standing: Standing) -> Tensor:
        owner = standing.channel[..., None]
        held, run = (part.gather(-1, owner) for part in (standing.held, standing.run))
        over = (run > 0) & (run < self.config.longest)  # the channel must change
        same = held == torch.arange(self.config.levels, device=x.device)
        logits = self.value_head(x).float()
        return logits.masked_fill(over & same, -torch.inf).log_softmax(-1)

    def _lengths(self, x: Tensor, values: Tensor) -> Tensor:
        return self.length_head(x + self.chosen(values)).float().log_softmax(-1)

    def _check(self, events: Events) -> None:
        for name, part in events._asdict().items():
            if part.dtype != torch.int64:
                raise TypeError(f"The {name} of events must be int64, not {part.dtype}.")
            if part.ndim != 2 or part.numel() == 0 or part.shape != events.values.shape:
                raise ValueError(
                    f"The {name} of events have shape {list(part.shape)}; expected [B, N] for all "
                    "four, with B, N >= 1: stack_events makes a batch."
                )


def _initialise(module: nn.Module) -> None:
    """Normal with deviation 0.02, biases 0, as GPT-2."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
