"""Convolutions of neural codecs: exact lengths, zero or reflected edges, weight or group norm.

Padding is counted in Python integers: `PaddedConv1d` makes ceil(T / stride) frames of T samples for
any T, also above 2^24, where float32 no longer counts. Causal, all that a frame needs beyond its
own `stride` samples lies to its left:

    stride 2, kernel 4, causal, constant    0 0 [a b c d e] 0    frames (a b), (c d), (e .)
    stride 2, kernel 4, causal, reflect     c b [a b c d e] d
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

Norm = Literal["weight", "group"] | None
Padding = Literal["constant", "reflect"]


def pad(x: Tensor, left: int, right: int, padding: Padding = "constant") -> Tensor:
    """x [B, C, T] with `left` and `right` samples more: zeros, or x reflected.

    Where x is too short to be reflected, zeros lengthen it to the right before and are cut after,
    as EnCodec does (Défossez et al. 2022, encodec's `pad1d`).
    """
    if left == right == 0:
        return x
    if padding == "constant":
        return F.pad(x, (left, right))
    short = max(0, max(left, right) + 1 - x.shape[-1])
    x = F.pad(x, (0, short)) if short else x
    # The same as F.pad's "reflect", several times faster where there is little to reflect.
    before, after = x[..., 1 : left + 1].flip(-1), x[..., -right - 1 : -1].flip(-1)
    return torch.cat((before, x, after), -1)[..., : left + x.shape[-1] + right - short]


class PaddedConv1d(nn.Conv1d):
    """Convolution [B, C, T] -> [B, out, ceil(T / stride)], causal or "same".

    padding: what stands beyond the edges, zeros ("constant") or the signal mirrored ("reflect").
    norm: of the weight (Salimans & Kingma 2016), of the output over channels and time ("group"), or
        none. Weight norm is for training; `folded_state` takes it out.

    The layer of SEANet in EnCodec (Défossez et al. 2022, section 3.1). Raises ValueError for an
    empty input or a kernel that does not reach over its stride. Taught in notebook 08.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int,
        stride: int = 1,
        dilation: int = 1,
        causal: bool = True,
        padding: Padding = "constant",
        norm: Norm = None,
    ):
        super().__init__(channels, out, kernel, stride, dilation=dilation)
        spare = (kernel - 1) * dilation + 1 - stride  # what a frame sees beyond its own samples
        if spare < 0:
            raise ValueError(f"kernel={kernel} must reach over stride={stride}.")
        self.right = 0 if causal else spare // 2
        self.left = spare - self.right
        self.edges: Padding = padding
        self.pointwise = kernel == stride == 1
        self.norm = nn.GroupNorm(1, out) if norm == "group" else None
        if norm == "weight":
            weight_norm(self)

    def extra(self, length: int) -> int:
        """Samples that the last frame lacks where `length` samples come in."""
        return -length % self.stride[0]

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        if length == 0:
            raise ValueError(f"Nothing to convolve: the input has shape {list(x.shape)}.")
        left, right = self.left, self.right + self.extra(length)
        if left == right > 0 and self.edges == "constant" and length > 1:
            # The convolution itself adds zeros.
            weight, bias, stride = self.weight, self.bias, self.stride
            x = F.conv1d(x, weight, bias, stride, left, self.dilation)
        else:
            x = self.convolve(pad(x, left, right, self.edges))
        return x if self.norm is None else self.norm(x)

    def convolve(self, x: Tensor) -> Tensor:
        """The convolution alone, without padding or norm."""
        if self.pointwise:  # a product of matrices, as fast or faster forward and backward
            return torch.baddbmm(self.bias[:, None], self.matrix(len(x)), x)
        return super().forward(x)

    def matrix(self, batch: int) -> Tensor:
        """The weight [batch, out, C] of a pointwise convolution, expanded."""
        return self.weight[..., 0].expand(batch, -1, -1)


class PaddedConvTranspose1d(nn.ConvTranspose1d):
    """Transposed convolution [B, C, F] -> [B, out, F * stride], cut causally or "same".

    What the kernel makes beyond F * stride is cut: to the right where causal (the share
    `trim_right` of it), on both sides otherwise. Raises ValueError as `PaddedConv1d`.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int,
        stride: int,
        causal: bool = True,
        norm: Norm = None,
        trim_right: float = 1.0,
    ):
        if kernel < stride:
            raise ValueError(f"kernel={kernel} must reach over stride={stride}.")
        super().__init__(channels, out, kernel, stride)
        spare = kernel - stride
        self.left = spare - (math.ceil(spare * trim_right) if causal else spare // 2)
        self.norm = nn.GroupNorm(1, out) if norm == "group" else None
        if norm == "weight":
            weight_norm(self)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1] * self.stride[0]
        if length == 0:
            raise ValueError(f"Nothing to convolve: the input has shape {list(x.shape)}.")
        x = self.convolve(x)
        x = x if self.norm is None else self.norm(x)
        return x[..., self.left : self.left + length]

    def convolve(self, x: Tensor) -> Tensor:
        """The transposed convolution alone, nothing cut."""
        if x.shape[-1] == 1:  # PyTorch would copy the whole weight into another memory format
            made = x[..., 0] @ self.weight.flatten(1)  # [B, out * kernel]
            return made.view(len(x), self.out_channels, -1) + self.bias[:, None]
        return super().forward(x)


def folded_state(model: nn.Module) -> dict[str, Tensor]:
    """The state of `model` with every weight-normed g v / |v| as the plain weight that it is.

    It fits the same model made without weight norm, which computes the same without computing the
    norms again in every call.
    """
    state = model.state_dict()
    for name, module in model.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            for part in ("original0", "original1"):
                del state[f"{name}.parametrizations.weight.{part}"]
            state[f"{name}.weight"] = module.weight.detach()
    return state
