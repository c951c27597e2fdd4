"""How the weights of deep convolutional stacks are drawn."""

import math
from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
ADDED = 0.3  # of what a quiet layer adds to its skip


@torch.no_grad()
def keep_variance(stack: nn.Module, gain: float = 1.0, quiet: Iterable[nn.Module] = ()) -> None:
    """Draw the weights of a stack's convolutions so that variance passes through; no biases.

    PyTorch's own draw takes two thirds of the variance in each layer: a deep stack without norms
    then starts near silence and needs several times the steps. `gain` is the variance that each
    layer makes up for: 2 where a ReLU before it halves it. Layers in `quiet`, the last of residual
    units, begin small, so that a unit is little more than its skip. Source: He et al. 2015,
    section 2.2.
    """
    quiet = set(quiet)
    for module in stack.modules():
        if not isinstance(module, CONVOLUTIONS):
            continue
        fan = module.in_channels * math.prod(module.kernel_size)  # products that are summed
        if module.transposed:  # each output is reached by one part of the kernel
            fan /= math.prod(module.stride)
        weight = torch.randn_like(module.weight) * (gain / fan) ** 0.5
        if module in quiet:
            weight *= ADDED
        if is_parametrized(module, "weight"):  # weight norm splits what it is given
            module.weight = weight
        else:
            module.weight.copy_(weight)
        module.bias.zero_()
