"""Causal stacks chunk by chunk: what each layer remembers between one chunk and the next.

A stream takes chunks of any length and gives what is already decided; together the pieces are what
the stack makes of the whole signal. Made by `stream(stack)`:

    encoder = stream(codec.encoder)
    pieces = [encoder.push(chunk, last=chunk is chunks[-1]) for chunk in chunks]
"""

import torch
from torch import Tensor, nn

from course_lib.nets.padded_convolution import PaddedConv1d, PaddedConvTranspose1d, pad
from course_lib.nets.seanet import ResidualLSTM, SEANetDecoder, SEANetEncoder, SEANetUnit, State


class ConvStream:
    """A causal convolution; `rest` [B, C, n] is its left context and what makes no frame yet.

    With reflected edges the first chunk waits until there is enough to reflect.
    """

    def __init__(self, conv: PaddedConv1d):
        stride = conv.stride[0]
        if conv.right or conv.norm is not None:
            raise ValueError(f"{conv} can't be streamed: it sees the future.")
        reflects = conv.edges == "reflect" and conv.left > 0
        if reflects and conv.left < stride - 1:
            raise ValueError(f"{conv} can't be streamed: it reflects more than it remembers.")
        self.conv = conv
        self.needed = conv.left + 1 if reflects else 1
        self.rest: Tensor | None = None
        self.started = False

    def push(self, x: Tensor, last: bool = False) -> Tensor:
        conv, stride = self.conv, self.conv.stride[0]
        x = x if self.rest is None else torch.cat((self.rest, x), -1)
        if not self.started:
            if last and x.shape[-1]:
                return conv(x)
            if x.shape[-1] < self.needed:
                self.rest = x.clone()  # the caller may use its buffer again
                return x.new_zeros(len(x), conv.out_channels, 0)
            x, self.started = pad(x, conv.left, 0, conv.edges), True
        if last:
            x = pad(x, 0, conv.extra(x.shape[-1] - conv.left), conv.edges)
        frames = (x.shape[-1] - conv.left) // stride
        self.rest = x[..., frames * stride :].clone()  # frees what came before it
        if frames == 0:
            return x.new_zeros(len(x), conv.out_channels, 0)
        return conv.convolve(x[..., : conv.left + frames * stride])


class ConvTransposeStream:
    """A causal transposed convolution; `tail` [B, C, n] is what it adds to the next chunk."""

    def __init__(self, conv: PaddedConvTranspose1d):
        if conv.left or conv.norm is not None:
            raise ValueError(f"{conv} can't be streamed: it sees the future.")
        self.conv = conv
        self.tail: Tensor | None = None

    def push(self, x: Tensor, last: bool = False) -> Tensor:
        if x.shape[-1] == 0:
            return x.new_zeros(len(x), self.conv.out_channels, 0)
        y = self.conv.convolve(x)
        if self.tail is not None:
            y[..., : self.tail.shape[-1]] += self.tail
        end = x.shape[-1] * self.conv.stride[0]
        # The bias is in the tail and will be in the next chunk: it counts once.
        self.tail = y[..., end:] - self.conv.bias[:, None]
        return y[..., :end]


class UnitStream:
    """A residual unit; `ahead` [B, C, n] is its skip where the convolutions still wait."""

    def __init__(self, unit: SEANetUnit):
        self.layers, self.shortcut = stream(unit.layers), stream(unit.shortcut)
        self.ahead: Tensor | None = None

    def push(self, x: Tensor, last: bool = False) -> Tensor:
        y = self.layers.push(x, last)
        skip = self.shortcut.push(x, last)
        skip = skip if self.ahead is None else torch.cat((self.ahead, skip), -1)
        frames = y.shape[-1]
        self.ahead = skip[..., frames:].clone()
        return skip[..., :frames] + y


class LSTMStream:
    """The residual LSTM with its state."""

    def __init__(self, module: ResidualLSTM):
        self.module = module
        self.state: State | None = None

    def push(self, x: Tensor, last: bool = False) -> Tensor:
        if x.shape[-1] == 0:
            return x
        y, self.state = self.module.advance(x, self.state)
        return y


class PointwiseStream:
    """A layer that remembers nothing."""

    def __init__(self, module: nn.Module):
        self.module = module

    def push(self, x: Tensor, last: bool = False) -> Tensor:
        return self.module(x)


class Stream:
    """Layers one after the other."""

    def __init__(self, layers: list):
        self.layers = layers

    def push(self, x: Tensor, last: bool = False) -> Tensor:
        """What is decided by x [B, C, T], T >= 0, and all before; `last`: nothing comes after."""
        for layer in self.layers:
            x = layer.push(x, last)
        return x


def stream(module: nn.Module):
    """A stream of a causal module, at its beginning.

    Raises ValueError where the module is not causal, TypeError where it can't be streamed.
    Taught in notebook 08b.
    """
    if isinstance(module, (SEANetEncoder, SEANetDecoder)):
        return stream(module.layers)
    if isinstance(module, nn.Sequential):
        return Stream([stream(layer) for layer in module])
    if isinstance(module, (nn.ELU, nn.Identity)):
        return PointwiseStream(module)
    for kind, made in (
        (PaddedConv1d, ConvStream),
        (PaddedConvTranspose1d, ConvTransposeStream),
        (SEANetUnit, UnitStream),
        (ResidualLSTM, LSTMStream),
    ):
        if isinstance(module, kind):
            return made(module)
    raise TypeError(f"A {type(module).__name__} can't be streamed.")


def in_pieces(module: nn.Module, x: Tensor, piece: int) -> Tensor:
    """module(x [B, C, T]) by pieces of `piece` where `module.streams`, in bounded memory.

    Also faster for a long x, since what a piece needs stays in the processor's cache.
    """
    if not module.streams or x.shape[-1] <= piece:
        return module(x)
    layers = stream(module)
    parts = x.split(piece, -1)
    done = [layers.push(part, last=part is parts[-1]) for part in parts]
    return torch.cat(done, -1)
