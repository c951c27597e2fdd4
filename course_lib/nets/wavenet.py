"""WaveNet, small: predicts each sample from the samples before it and a slower condition."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.nets.convolution import Conv1d
from course_lib.nets.sampling import sample


class WaveNet(nn.Module):
    """Logits of each of T samples, given the earlier ones and a condition at a slower rate.

    `layers` gated convolutions of kernel 2, dilated 1, 2, 4, ... 2^(cycle - 1) and again; each adds
    to a residual and to a skip path (van den Oord et al. 2016, section 2). The condition
    [B, dim, F] is spread over `hop` samples a frame. Taught in notebook 03b.
    """

    def __init__(self, levels: int, dim: int, hop: int, channels: int, layers: int, cycle: int):
        super().__init__()
        if min(levels, dim, hop, channels, layers, cycle) < 1:
            raise ValueError("levels, dim, hop, channels, layers and cycle must be at least 1.")
        self.levels, self.hop, self.channels = levels, hop, channels
        self.dilations = [2 ** (i % cycle) for i in range(layers)]
        self.embedding = nn.Embedding(levels + 1, channels)  # the last one: before the beginning
        self.condition = Conv1d(dim, channels, 3)
        self.spread = nn.Conv1d(channels, layers * 2 * channels, 1)
        self.gates = nn.ModuleList(
            [nn.Conv1d(channels, 2 * channels, 2, dilation=d) for d in self.dilations]
        )
        self.outs = nn.ModuleList([nn.Conv1d(channels, 2 * channels, 1) for _ in self.dilations])
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(channels, channels, 1),
            nn.ReLU(),
            nn.Conv1d(channels, levels, 1),
        )

    @property
    def receptive_field(self) -> int:
        """How many earlier samples a prediction sees."""
        return sum(self.dilations) + 1

    def forward(self, samples: Tensor, condition: Tensor) -> Tensor:
        """Logits [B, levels, T] of samples int64 [B, 1, T] given condition [B, dim, ceil(T / hop)].

        The logits of sample t are made of the samples before t.
        """
        length = samples.shape[-1]
        conditions = self._conditions(condition, length)
        start = torch.full_like(samples[:, 0, :1], self.levels)
        x = self.embedding(torch.cat([start, samples[:, 0, :-1]], 1)).transpose(1, 2)  # [B, C, T]
        skip = torch.zeros_like(x)
        for i, (gate, out, dilation) in enumerate(
            zip(self.gates, self.outs, self.dilations, strict=True)
        ):
            bent = gate(F.pad(x, (dilation, 0)))
            spread = conditions[:, i].repeat_interleave(self.hop, -1)[..., :length]
            a, b = (bent + spread).chunk(2, 1)
            to_residual, to_skip = out(a.tanh() * b.sigmoid()).chunk(2, 1)
            x, skip = x + to_residual, skip + to_skip
        return self.head(skip)

    @torch.no_grad()
    def generate(
        self,
        condition: Tensor,
        length: int,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Samples int64 [B, 1, length] drawn one after the other, given condition [B, dim, F].

        Each layer keeps the last `dilation` inputs in a ring, so that a sample costs the same
        however long the past (Paine et al. 2016, Fast WaveNet).
        """
        conditions = self._conditions(condition, length)  # [B, layers, 2C, F]
        batch = len(condition)
        gates = [gate.weight.transpose(1, 2).flatten(1) for gate in self.gates]  # [2C, 2 * C]
        outs = [out.weight[..., 0] for out in self.outs]
        head = [self.head[1], self.head[3]]
        rings = [condition.new_zeros(dilation, batch, self.channels) for dilation in self.dilations]
        samples = condition.new_zeros(batch, 1, length, dtype=torch.int64)
        last = condition.new_full((batch,), self.levels, dtype=torch.int64)
        for t in range(length):
            x = self.embedding(last)  # [B, C]
            skip = torch.zeros_like(x)
            frame = conditions[..., t // self.hop]
            for i, ring in enumerate(rings):
                place = t % len(ring)
                both = torch.cat([ring[place], x], 1)
                ring[place] = x
                bent = F.linear(both, gates[i], self.gates[i].bias) + frame[:, i]
                a, b = bent.chunk(2, 1)
                out = F.linear(a.tanh() * b.sigmoid(), outs[i], self.outs[i].bias)
                to_residual, to_skip = out.chunk(2, 1)
                x, skip = x + to_residual, skip + to_skip
            for layer in head:
                skip = F.linear(skip.relu(), layer.weight[..., 0], layer.bias)
            last = sample(skip, temperature, generator=generator)
            samples[:, 0, t] = last
        return samples

    def _conditions(self, condition: Tensor, length: int) -> Tensor:
        if length < 1 or condition.shape[-1] != -(-length // self.hop):
            raise ValueError(
                f"{length} samples need a condition of {-(-length // self.hop)} frames of "
                f"{self.hop}, not {condition.shape[-1]}."
            )
        spread = self.spread(self.condition(condition))  # [B, layers * 2C, F]
        return spread.unflatten(1, (len(self.dilations), -1))
