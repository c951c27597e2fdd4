"""SlowAE (Dieleman, Nash, Engel & Simonyan 2021): codes that change only when the music does."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.vqvae import check_input, check_stack
from course_lib.nets import ConvDecoder, ConvEncoder
from course_lib.quantize import processes, straight_through
from course_lib.quantize.checks import check_codes, check_finite
from course_lib.quantize.hysteresis import hysteresis_round
from course_lib.quantize.run_length import count_changes

FASTEST = 4.0  # the weight heeds a rate at most this many times too high or too low


@dataclass(frozen=True)
class SlowAEConfig:
    """The default codes 40 bands of log-mel at 125 frames/s as 4 channels of 15 levels.

    bands, mean, scale: of the input, which the networks see as (x - mean) / scale; `frame_rate` of
        input and channels, in Hz.
    width, units: channels of the networks, and residual units with dilations 1, 3, 9, ...
    channels, levels: of the code; levels is odd, so that there is a middle one.
    margin: of the hysteresis, in levels; 0 is plain rounding.
    target: events (changes of any channel) per second that the slowness penalty is steered to.
    slowness: weight of the penalty at the start; 0 stays 0, and leaves the channels alone.
    steering: how fast the weight moves: by this fraction per step where the rate is e times the
        target; 0 leaves it where it is.
    """

    bands: int = 40
    mean: float = -4.7
    scale: float = 2.0
    frame_rate: float = 125.0
    width: int = 96
    units: int = 4
    channels: int = 4
    levels: int = 15
    margin: float = 0.5
    target: float = 75.0
    slowness: float = 0.01
    steering: float = 0.05

    def __post_init__(self):
        check_stack(self.bands, self.width, (), self.units, self.scale)
        if self.channels < 1 or self.levels < 3 or self.levels % 2 == 0:
            raise ValueError(
                f"channels={self.channels} must be at least 1 and levels={self.levels} odd, 3 or "
                "more, so that there is a middle one."
            )
        if not (self.target > 0 and self.frame_rate > 0 and self.margin >= 0):
            raise ValueError(
                f"target={self.target} and frame_rate={self.frame_rate} must be positive, "
                f"margin={self.margin} not negative."
            )
        if not (self.slowness >= 0 and self.steering >= 0):
            raise ValueError(
                f"slowness={self.slowness} and steering={self.steering} must not be negative."
            )


class SlowAEOutput(NamedTuple):
    """reconstruction [B, bands, F] in the input's units; codes int64 [B, C, F]; z [B, C, F]."""

    reconstruction: Tensor
    codes: Tensor
    z: Tensor


class SlowAE(nn.Module):
    """x [B, bands, F] -> slow integer channels [B, C, F] in [0, levels) -> x again.

    Encoder and decoder keep the frame rate; what makes the channels slow is a penalty on their
    changes, whose weight `slowness` (a buffer, saved with the weights) is steered during training
    so that `target` changes happen per second on average, few in calm music and many in busy music.
    Taught in notebook 05b.
    """

    def __init__(self, config: SlowAEConfig | None = None):
        super().__init__()
        self.config = c = config or SlowAEConfig()
        stack = (c.bands, c.channels, c.width, (), c.units)
        self.encoder = ConvEncoder(*stack)
        self.decoder = ConvDecoder(*stack)
        self.register_buffer("slowness", torch.tensor(float(c.slowness)))

    @property
    def half(self) -> int:
        """The middle level: z and levels run from -half to half."""
        return self.config.levels // 2

    def forward(self, x: Tensor) -> SlowAEOutput:
        """Code x [B, bands, F] and rebuild it; gradients pass the rounding straight through.

        Raises TypeError where x is not floating point, ValueError where it is not [B, bands, F].
        """
        z = self.latents(x)
        whole = hysteresis_round(z, self.config.margin)
        y = self._decode(straight_through(z, whole))
        return SlowAEOutput(y, whole.long() + self.half, z)

    def latents(self, x: Tensor) -> Tensor:
        """Numbers z [B, C, F] in (-half, half), whose unit is one level, before rounding."""
        check_input(x, self.config.bands)
        z = self.encoder((x - self.config.mean) / self.config.scale)
        return _precise(z).tanh() * self.half

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Codes int64 [B, C, F] of x [B, bands, F]. Raises as `forward`; ValueError for NaN."""
        z = check_finite(self.latents(x))
        return hysteresis_round(z, self.config.margin).long() + self.half

    def decode_codes(self, codes: Tensor) -> Tensor:
        """x [B, bands, F] of codes int64 [B, C, F].

        Raises TypeError where they are not int64, ValueError where they are not [B, C, F] or lie
        outside [0, levels).
        """
        check_codes(codes, self.config.levels, (self.config.channels,))
        return self._decode((codes - self.half).to(self.slowness.dtype))

    @torch.no_grad()
    def steer(self, codes: Tensor) -> Tensor:
        """Move the weight of the penalty after a batch of codes; its events per second, a scalar.

        Too many events make it heavier, too few lighter, by a factor of
        (rate / target) ** steering. Over several processes the rate is that of the global batch.
        """
        c = self.config
        changes = count_changes(codes).sum().float()
        seconds = torch.full_like(changes, codes[:, 0, 1:].numel() / c.frame_rate)
        changes, seconds = processes.sum_(torch.stack([changes, seconds])).unbind()
        rate = changes / seconds.clamp(min=1 / c.frame_rate)
        if self.training:
            factor = (rate / c.target).clamp(1 / FASTEST, FASTEST) ** c.steering
            self.slowness.mul_(factor)
        return rate

    def _decode(self, levels: Tensor) -> Tensor:
        y = _precise(self.decoder(levels / self.half))
        return y * self.config.scale + self.config.mean


def slowness_penalty(z: Tensor) -> Tensor:
    """Mean over time of sqrt(sum over channels of (z_t - z_(t-1))^2), z [B, C, F]: a scalar.

    A root of a sum of squares is smallest where channels change together and seldom (the group
    lasso), while squares alone would ask for many small changes. A single frame costs nothing.
    Source: after Dieleman et al. 2021. Taught in notebook 05b.
    """
    steps = (z[..., 1:] - z[..., :-1]).square().sum(1)  # [B, F - 1]
    if steps.numel() == 0:
        return z.new_zeros(())
    return (steps + 1e-8).sqrt().mean()  # the root of 0 has no gradient


def slowae_loss(model: SlowAE, x: Tensor) -> dict[str, Tensor]:
    """Squared error in units of the input's scale plus the weighted slowness penalty.

    In training mode the weight is then steered. Logged: "events" per second and the "slowness".
    """
    out = model(x)
    reconstruction = F.mse_loss(out.reconstruction, x) / model.config.scale**2
    penalty = slowness_penalty(out.z)
    slowness = model.slowness.clone()
    rate = model.steer(out.codes)
    return {
        "loss": reconstruction + slowness * penalty,
        "reconstruction": reconstruction,
        "penalty": penalty,
        "slowness": slowness,
        "events": rate,
    }


def _precise(x: Tensor) -> Tensor:
    """Half precision as float32; a model in float64 stays one."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
