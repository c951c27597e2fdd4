"""The gradient balancer of EnCodec: weights say how much of the gradient a loss may have."""

from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

EPS = 1e-12


class Balancer(nn.Module):
    """Joins several losses of one output so that each gets its share of the gradient there.

    With g_i the gradient of loss i at the output [B, ...] and |g_i| the mean of its norms over the
    items of the batch, the joint gradient is

        sum_i R l_i / sum_j l_j * g_i / EMA(|g_i|),   R = `norm`, l_i = `weights`,

    whatever the losses' own scales are. The averages of `decay` are free of the bias of their start
    and live in buffers, so that a resumed run goes on exactly; over several processes they are
    those of the global batch. Losses that are not functions of the output alone, such as the
    commitment, are added outside.

    Source: Défossez et al. 2022 (EnCodec), section 3.4, equation 4. Taught in notebook 08.
    Raises ValueError for weights that are not positive, a norm not positive or a decay outside
    [0, 1).
    """

    def __init__(self, weights: Mapping[str, float], norm: float = 1.0, decay: float = 0.999):
        super().__init__()
        if not weights or min(weights.values()) <= 0:
            raise ValueError(f"weights={dict(weights)} must be positive, one for each loss.")
        if not norm > 0 or not 0 <= decay < 1:
            raise ValueError(f"norm={norm} must be positive and decay={decay} in [0, 1).")
        self.weights, self.norm, self.decay = dict(weights), norm, decay
        shares = torch.tensor(list(self.weights.values()))
        self.register_buffer("shares", shares / shares.sum(), persistent=False)
        self.register_buffer("sums", torch.zeros(len(shares)))
        self.register_buffer("count", torch.zeros(()))

    def extra_repr(self) -> str:
        return f"weights={self.weights}, norm={self.norm}, decay={self.decay}"

    def forward(self, losses: Mapping[str, Tensor], output: Tensor) -> Tensor:
        """A scalar whose gradient at `output` is the joint one; its value is the weighted sum.

        To be called once a step: the averages move. Each loss must depend on `output`, a tensor in
        the graph. Nothing is read from the device. Raises ValueError where the losses are not those
        of the weights.
        """
        if losses.keys() != self.weights.keys():
            raise ValueError(
                f"The balancer has weights for {', '.join(self.weights)}, but the losses are "
                f"{', '.join(losses)}."
            )
        with torch.autocast(output.device.type, enabled=False):
            found = [
                torch.autograd.grad(losses[name], output, retain_graph=True)[0].float()
                for name in self.weights
            ]
            scales = self._scales(found)
            joint = torch.stack([s * g for s, g in zip(scales, found, strict=True)]).sum(0)
            surrogate = (output * joint.to(output.dtype)).sum()
            value = sum(w * losses[name].detach() for name, w in self.weights.items())
            return surrogate - surrogate.detach() + value

    @torch.no_grad()
    def _scales(self, gradients: list[Tensor]) -> Tensor:
        norms = torch.stack([g.flatten(1).norm(dim=1).mean() for g in gradients])
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(norms)
            norms /= dist.get_world_size()
        self.sums.mul_(self.decay).add_(norms)
        self.count.mul_(self.decay).add_(1)
        return self.norm * self.shares / (self.sums / self.count + EPS)
