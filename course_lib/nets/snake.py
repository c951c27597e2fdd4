"""Snake: an activation with a period, for signals with a period."""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

EPS = 1e-9  # keeps a frequency of 0 from a division by nothing


class Snake(nn.Module):
    """x + sin(a x)^2 / a for each channel of x [B, C, T], with a frequency `a` learned per channel.

    The ripple has period pi / a, and the slope 1 + sin(2 a x) is never negative: what a network of
    it learns of a wave goes on outside the range that it was trained on (Ziyin, Hartwig & Ueda
    2020; in codecs: Kumar et al. 2023, section 3.1). `a` begins at 1. Taught in notebook 09.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and (x.requires_grad or self.alpha.requires_grad):
            return _Snake.apply(x, self.alpha)
        return _snake(x, self.alpha)


def _snake(x: Tensor, alpha: Tensor) -> Tensor:
    ripple = (alpha * x).sin_()
    return torch.addcmul(x, ripple.square_(), 1 / (alpha + EPS))


class _Snake(torch.autograd.Function):
    """Keeps only what comes in and goes out, which the layers around keep anyway."""

    @staticmethod
    def forward(ctx, x: Tensor, alpha: Tensor) -> Tensor:
        y = _snake(x, alpha)
        ctx.save_for_backward(x, y, alpha)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        x, y, alpha = ctx.saved_tensors
        slope = (2 * alpha * x).sin_()  # sin(2 a x) = 2 sin(a x) cos(a x)
        to_alpha = None
        if ctx.needs_input_grad[1]:
            grown = torch.addcmul(x - y, x, slope).mul_(gradient)  # y - x = sin(a x)^2 / a
            to_alpha = (grown.sum_to_size(alpha.shape) / (alpha + EPS)).to(alpha.dtype)
        return torch.addcmul(gradient, gradient, slope), to_alpha
