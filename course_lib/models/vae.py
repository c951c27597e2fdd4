"""VAE (Kingma & Welling 2014) in the networks of the VQ-VAE: the continuous contrast."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.vqvae import check_input, check_length, check_stack
from course_lib.nets import ConvDecoder, ConvEncoder


@dataclass(frozen=True)
class VAEConfig:
    """As VQVAEConfig, with `dim` Gaussian numbers per latent frame in place of a code."""

    channels: int = 80
    mean: float = -4.0
    scale: float = 2.0
    width: int = 128
    strides: tuple[int, ...] = (2, 2)
    units: int = 2
    causal: bool = False
    dim: int = 64

    def __post_init__(self):
        check_stack(self.channels, self.width, self.strides, self.units, self.scale)


class VAEOutput(NamedTuple):
    """reconstruction [B, C, T]; mean and log_variance [B, dim, F] of q(z|x); kl in nats, same."""

    reconstruction: Tensor
    mean: Tensor
    log_variance: Tensor
    kl: Tensor


class VAE(nn.Module):
    """x [B, C, T] -> q(z|x) = N(mean, variance), [B, dim, F] -> x again. Taught in notebook 03."""

    def __init__(self, config: VAEConfig | None = None):
        super().__init__()
        self.config = c = config or VAEConfig()
        self.encoder = ConvEncoder(c.channels, 2 * c.dim, c.width, c.strides, c.units, c.causal)
        self.decoder = ConvDecoder(c.channels, c.dim, c.width, c.strides, c.units, c.causal)

    @property
    def hop(self) -> int:
        """Input frames or samples per latent frame."""
        return self.encoder.hop

    def forward(self, x: Tensor, noise: Tensor | None = None) -> VAEOutput:
        """Encode x [B, C, T], draw z, decode. Without `noise` [B, dim, F] torch draws it.

        In evaluation mode z is the mean. Raises TypeError where x is not floating point and
        ValueError where it is not [B, C, T].
        """
        mean, log_variance = self.encode(x)
        z = mean
        if self.training:
            noise = torch.randn_like(mean) if noise is None else noise
            z = mean + (log_variance / 2).exp() * noise
        kl = gaussian_kl(mean, log_variance)
        return VAEOutput(self.decode(z, x.shape[-1]), mean, log_variance, kl)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance [B, dim, F] of q(z|x), float32 (float64 where the model is)."""
        check_input(x, self.config.channels)
        out = self.encoder((x - self.config.mean) / self.config.scale)
        out = out if out.dtype == torch.float64 else out.float()
        mean, log_variance = out.chunk(2, 1)
        return mean, log_variance.clamp(-12, 6)  # exp() stays finite whatever the encoder says

    def decode(self, z: Tensor, length: int | None = None) -> Tensor:
        """x [B, C, length] of latents [B, dim, F]; length is F * hop where it isn't given.

        Raises TypeError or ValueError where z is not [B, dim, F] or does not reach `length`.
        """
        check_input(z, self.config.dim)
        length = check_length(z.shape[-1], self.hop, length)
        y = self.decoder(z)[..., :length]
        return y * self.config.scale + self.config.mean

    def interpolate(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """[steps, C, T]: from x = a to x = b, both [1, C, T], on a line between their means."""
        if a.shape != b.shape or len(a) != 1 or steps < 2:
            raise ValueError(
                f"Interpolation needs two inputs [1, C, T] and at least 2 steps, not "
                f"{list(a.shape)}, {list(b.shape)} and {steps}."
            )
        start, end = self.encode(a)[0], self.encode(b)[0]
        places = torch.linspace(0, 1, steps, device=a.device)[:, None, None]
        return self.decode(start.lerp(end, places), a.shape[-1])


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) in nats, number by number."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def vae_loss(
    model: VAE, x: Tensor, beta: float = 0.01, noise: Tensor | None = None
) -> dict[str, Tensor]:
    """Squared error + beta * KL, both per number of x, in units of the input's scale.

    beta is twice the variance that p(x|z) is taken to have: more of it, fewer nats
    (Higgins et al. 2017). "nats" is the KL per latent number, near 0 when the posterior collapses.
    """
    out = model(x, noise)
    reconstruction = F.mse_loss(out.reconstruction.float(), x) / model.config.scale**2
    kl = out.kl.sum() / x.numel()
    return {
        "loss": reconstruction + beta * kl,
        "reconstruction": reconstruction,
        "kl": kl,
        "nats": out.kl.mean(),
    }
