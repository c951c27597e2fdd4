"""SEANet: the convolutional encoder and decoder of SoundStream and EnCodec."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_lib.nets.padded_convolution import (
    Norm,
    PaddedConv1d,
    PaddedConvTranspose1d,
    Padding,
)
from course_lib.nets.variance import keep_variance

FEW = 4  # frames up to which the LSTM goes step by step
State = list[tuple[Tensor, Tensor]]  # of an LSTM: (h, c), [B, D] each, of each layer


@dataclass(frozen=True)
class SEANetConfig:
    """The default is EnCodec's at 24 kHz (Défossez et al. 2022, section 3.1).

    widths: channels at the audio's rate and after each stride; decoder_widths: the decoder's, in
        the same order, where they differ.
    strides: of the encoder, in order; a strided kernel spans two strides.
    units: residual units before each stride, with dilations growth^0, growth^1, ...; compress: how
        much narrower they are inside; conv_shortcut: a pointwise convolution on their skip.
    kernel, unit_kernel, last_kernel: of the first layer of each stack, of units, of the last.
    causal, padding, norm: as in `PaddedConv1d`; trim_right as in `PaddedConvTranspose1d`.
    lstm: layers of the LSTM at the lowest rate; 0 for none.

    Raises ValueError for sizes that make no network. Taught in notebook 08.
    """

    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    strides: tuple[int, ...] = (2, 4, 5, 8)
    decoder_widths: tuple[int, ...] | None = None
    units: int = 1
    growth: int = 2
    compress: int = 2
    conv_shortcut: bool = True
    kernel: int = 7
    unit_kernel: int = 3
    last_kernel: int = 7
    causal: bool = True
    padding: Padding = "reflect"
    norm: Norm = "weight"
    lstm: int = 2
    trim_right: float = 1.0

    def __post_init__(self):
        if not self.strides or min(self.strides) < 1:
            raise ValueError(f"strides={self.strides} must be positive, at least one of them.")
        for name in ("widths", "decoder_widths"):
            widths = getattr(self, name)
            if widths is not None and len(widths) != len(self.strides) + 1:
                raise ValueError(
                    f"{name}={widths} must be {len(self.strides) + 1} numbers, one more than "
                    f"strides={self.strides}."
                )
            if widths is not None and min(widths) < 1:
                raise ValueError(f"{name}={widths} must all be at least 1.")
            if widths is not None and self.units and min(widths[:-1]) < self.compress:
                raise ValueError(f"{name}={widths} are narrower than compress={self.compress}.")
        for name in ("growth", "compress", "kernel", "unit_kernel", "last_kernel"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        if min(self.units, self.lstm) < 0 or not 0 <= self.trim_right <= 1:
            raise ValueError(
                f"units={self.units} and lstm={self.lstm} must be at least 0, "
                f"trim_right={self.trim_right} in [0, 1]."
            )
        for name, value, known in (
            ("padding", self.padding, ("constant", "reflect")),
            ("norm", self.norm, ("weight", "group", None)),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r} is unknown: choose from {known}.")

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return math.prod(self.strides)

    @property
    def streams(self) -> bool:
        """Whether no frame needs what comes after it, so that `nets.streaming` can take it."""
        return self.causal and self.norm != "group" and self.trim_right == 1

    def encoder(self, channels: int, dim: int) -> "SEANetEncoder":
        """The encoder, [B, channels, T] -> [B, dim, F]."""
        return SEANetEncoder(self, channels, dim)

    def decoder(self, channels: int, dim: int) -> "SEANetDecoder":
        """The decoder, [B, dim, F] -> [B, channels, F * hop]."""
        return SEANetDecoder(self, channels, dim)


def _conv(c: SEANetConfig, channels: int, out: int, kernel: int, stride=1, dilation=1):
    return PaddedConv1d(channels, out, kernel, stride, dilation, c.causal, c.padding, c.norm)


def _draw(stack: nn.Module) -> None:
    keep_variance(stack, quiet=[u.layers[-1] for u in stack.modules() if isinstance(u, SEANetUnit)])


class SEANetUnit(nn.Module):
    """Skip + ELU, dilated convolution, ELU, pointwise convolution; [B, D, T] -> [B, D, T]."""

    def __init__(self, config: SEANetConfig, dim: int, dilation: int):
        super().__init__()
        hidden = dim // config.compress
        self.layers = nn.Sequential(
            nn.ELU(),
            _conv(config, dim, hidden, config.unit_kernel, dilation=dilation),
            nn.ELU(inplace=True),
            _conv(config, hidden, dim, 1),
        )
        self.shortcut = _conv(config, dim, dim, 1) if config.conv_shortcut else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.shortcut, nn.Identity) or self.shortcut.norm is not None:
            return self.shortcut(x) + self.layers(x)
        h = self.layers[2](self.layers[1](self.layers[0](x)))
        # The sum of two pointwise convolutions, without writing either of them to memory.
        skip, last = self.shortcut, self.layers[3]
        y = torch.baddbmm((skip.bias + last.bias)[:, None], skip.matrix(len(x)), x)
        add = torch.baddbmm if torch.is_autocast_enabled(x.device.type) else Tensor.baddbmm_
        return add(y, last.matrix(len(x)), h)  # autocast does not reach what works in place


class ResidualLSTM(nn.Module):
    """x + LSTM(x), [B, D, F] -> [B, D, F]."""

    def __init__(self, dim: int, layers: int):
        super().__init__()
        self.lstm = nn.LSTM(dim, dim, layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.advance(x, None)[0]

    def advance(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """What comes of x [B, D, F] after `state`, and the state after x: per layer (h, c)."""
        frames = x.permute(2, 0, 1)  # [F, B, D]
        if len(frames) <= FEW:
            y, state = self._step_by_step(frames, state)
        else:
            state = (
                None
                if state is None
                else tuple(torch.stack(part) for part in zip(*state, strict=True))
            )
            y, (h, c) = self.lstm(frames, state)
            state = list(zip(h.unbind(), c.unbind(), strict=True))
        return (y + frames).permute(1, 2, 0), state

    def _step_by_step(self, frames: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The LSTM by itself: its fast kernel first rearranges all weights, long for one frame."""
        if state is None:
            zeros = frames.new_zeros(frames.shape[1:])
            state = [(zeros, zeros)] * self.lstm.num_layers
        inputs, after = list(frames), []
        for (h, c), weights in zip(state, self.lstm.all_weights, strict=True):
            outputs = []
            for x in inputs:
                h, c = torch.lstm_cell(x, (h, c), *weights)
                outputs.append(h)
            inputs = outputs
            after.append((h, c))
        return torch.stack(inputs), after


class SEANetEncoder(nn.Module):
    """[B, channels, T] -> latents [B, dim, ceil(T / hop)]. Taught in notebook 08."""

    def __init__(self, config: SEANetConfig, channels: int, dim: int):
        super().__init__()
        c, widths = config, config.widths
        layers: list[nn.Module] = [_conv(c, channels, widths[0], c.kernel)]
        for width, wider, stride in zip(widths, widths[1:], c.strides, strict=False):
            layers += [SEANetUnit(c, width, c.growth**i) for i in range(c.units)]
            layers += [nn.ELU(inplace=True), _conv(c, width, wider, 2 * stride, stride)]
        if c.lstm:
            layers.append(ResidualLSTM(widths[-1], c.lstm))
        layers += [nn.ELU(inplace=True), _conv(c, widths[-1], dim, c.last_kernel)]
        self.layers = nn.Sequential(*layers)
        _draw(self)
        self.hop, self.streams = c.hop, c.streams

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class SEANetDecoder(nn.Module):
    """Latents [B, dim, F] -> [B, channels, F * hop]: the encoder mirrored."""

    def __init__(self, config: SEANetConfig, channels: int, dim: int):
        super().__init__()
        c = config
        widths = (c.decoder_widths or c.widths)[::-1]
        layers: list[nn.Module] = [_conv(c, dim, widths[0], c.kernel)]
        if c.lstm:
            layers.append(ResidualLSTM(widths[0], c.lstm))
        for width, narrower, stride in zip(widths, widths[1:], c.strides[::-1], strict=False):
            layers += [
                nn.ELU(inplace=True),
                PaddedConvTranspose1d(
                    width, narrower, 2 * stride, stride, c.causal, c.norm, c.trim_right
                ),
            ]
            layers += [SEANetUnit(c, narrower, c.growth**i) for i in range(c.units)]
        layers += [nn.ELU(inplace=True), _conv(c, widths[-1], channels, c.last_kernel)]
        self.layers = nn.Sequential(*layers)
        _draw(self)
        self.hop, self.streams = c.hop, c.streams

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)
