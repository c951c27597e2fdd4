"""JEN-1's autoencoder: a codec without its quantizer, its latents whitened (Li et al. 2023)."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.codec_config import COURSE_STACK
from course_lib.models.vqvae import check_input, check_length
from course_lib.nets.dac_stack import DACStackConfig
from course_lib.nets.seanet import SEANetConfig
from course_lib.nets.streaming import in_pieces

PIECE = 500  # frames coded at once; longer signals go through piece by piece
TINY = 1e-8  # the least variance, so that a direction in which nothing varies is not divided by 0


@dataclass(frozen=True)
class ContinuousAutoencoderConfig:
    """The default has the course codec's stacks (16 kHz, 50 frames/s).

    sample_rate, channels: of the audio.
    stack, dim: of the encoder and the decoder, and the numbers of a frame between them.
    kept: the leading numbers of a whitened frame, which are the latents.

    Raises ValueError for numbers out of place. Taught in notebook 16.
    """

    sample_rate: int = 16000
    channels: int = 1
    stack: SEANetConfig | DACStackConfig = field(default=COURSE_STACK)
    dim: int = 64
    kept: int = 32

    def __post_init__(self):
        for name in ("sample_rate", "channels", "dim", "kept"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        if self.kept > self.dim:
            raise ValueError(f"kept={self.kept} must be at most the {self.dim} there are.")


class AutoencoderOutput(NamedTuple):
    """audio [B, C, T]; latents [B, K, F]; two losses that only a quantizer has: 0."""

    audio: Tensor
    latents: Tensor
    commitment: Tensor
    codebook_loss: Tensor


class ContinuousAutoencoder(nn.Module):
    """Audio [B, C, T] -> latents [B, K, F] -> audio [B, C, T], F = ceil(T / hop) for any T >= 1.

    What the encoder writes is whitened by a principal component analysis of its frames: less their
    mean, turned onto the axes along which they vary, most first, and divided by how much; the K
    leading axes are the latents, so that each has mean 0, variance 1 and no correlation with the
    others. Gaussian noise, which diffusion starts from, is then their like.

    Source: Li et al. 2023 (JEN-1), section 4.1. Taught in notebook 16.
    """

    def __init__(self, config: ContinuousAutoencoderConfig | None = None):
        super().__init__()
        self.config = c = config or ContinuousAutoencoderConfig()
        self.encoder = c.stack.encoder(c.channels, c.dim)
        self.decoder = c.stack.decoder(c.channels, c.dim)
        self.register_buffer("mean", torch.zeros(c.dim))
        self.register_buffer("whitening", torch.eye(c.kept, c.dim))  # [K, D]
        self.register_buffer("colouring", torch.eye(c.dim, c.kept))  # [D, K], its way back

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return self.config.stack.hop

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.config.sample_rate

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop

    @torch.no_grad()
    def whiten(self, frames: Tensor) -> Tensor:
        """Set the whitening from frames [N, D] of the encoder; the share of variance each axis has.

        Returned are the shares of all D axes, most first. Raises ValueError for frames of another
        width, fewer than D of them, or ones that are NaN or infinite.
        """
        c = self.config
        if frames.ndim != 2 or frames.shape[1] != c.dim or len(frames) < c.dim:
            raise ValueError(
                f"The frames have shape {list(frames.shape)}; expected [N, {c.dim}], N >= {c.dim}."
            )
        if not frames.isfinite().all():
            raise ValueError("The frames hold a NaN or an infinite number: give finite ones.")
        frames = frames.double()
        variance, axes = torch.linalg.eigh(torch.cov(frames.T))  # least first
        variance, axes = variance.flip(0).clamp(min=TINY), axes.flip(1)
        spread, axes_kept = variance[: c.kept].sqrt(), axes[:, : c.kept]
        self.mean.copy_(frames.mean(0))
        self.whitening.copy_((axes_kept / spread).T)
        self.colouring.copy_(axes_kept * spread)
        return (variance / variance.sum()).float()

    def forward(self, audio: Tensor, kept: Tensor | None = None) -> AutoencoderOutput:
        """Audio [B, C, T] through latents; where `kept` bool [B, F] is False the decoder gets 0.

        Masked latents make the decoder guess them from their neighbours, so that it forgives what
        a generator gets wrong (JEN-1, section 4.1). Raises TypeError where audio is not floating
        point, ValueError where it is not [B, C, T] or `kept` does not fit.
        """
        check_input(audio, self.config.channels)
        latents = self._whiten(self.encoder(self._whole(audio)))
        shown = latents
        if kept is not None:
            if kept.shape != latents[:, 0].shape:
                raise ValueError(
                    f"kept has shape {list(kept.shape)}; expected {list(latents[:, 0].shape)}, a "
                    "truth value for each frame."
                )
            shown = latents * kept[:, None]
        y = self.decoder(self._colour(shown))[..., : audio.shape[-1]]
        none = y.new_zeros(())
        return AutoencoderOutput(y, latents, none, none)

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Latents [B, K, F] of audio [B, C, T]. Raises as forward."""
        check_input(audio, self.config.channels)
        return self._whiten(in_pieces(self.encoder, self._whole(audio), PIECE * self.hop))

    @torch.no_grad()
    def decode(self, latents: Tensor, length: int | None = None) -> Tensor:
        """Audio [B, C, length] of latents [B, K, F]; F * hop samples where no length is given.

        Raises ValueError where latents and length do not fit.
        """
        if latents.ndim != 3 or latents.shape[1] != self.config.kept or latents.numel() == 0:
            raise ValueError(
                f"The latents have shape {list(latents.shape)}; expected [B, {self.config.kept}, "
                "F], B and F at least 1."
            )
        length = check_length(latents.shape[-1], self.hop, length)
        return in_pieces(self.decoder, self._colour(latents), PIECE)[..., :length]

    def _whole(self, audio: Tensor) -> Tensor:
        return F.pad(audio, (0, -audio.shape[-1] % self.hop))

    def _whiten(self, z: Tensor) -> Tensor:
        return self.whitening @ (z - self.mean[:, None])

    def _colour(self, latents: Tensor) -> Tensor:
        return self.colouring @ latents + self.mean[:, None]
