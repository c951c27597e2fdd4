"""How much signal and how much noise: z = alpha x + sigma eps, at times t = 0 ... T - 1."""

import math
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """alpha and sigma, float64 [T] on the CPU: z_t = alpha_t x + sigma_t eps.

    Raises ValueError unless alpha >= 0, sigma > 0 and sigma / alpha grows with t. Taught in
    notebook 16.
    """

    alpha: Tensor
    sigma: Tensor

    def __post_init__(self):
        for name, values in (("alpha", self.alpha), ("sigma", self.sigma)):
            if values.ndim != 1 or values.dtype != torch.float64 or values.device.type != "cpu":
                raise ValueError(
                    f"{name} is {values.dtype} {list(values.shape)} on {values.device}; "
                    "it must be float64 [T] on the CPU."
                )
        if len(self.alpha) != len(self.sigma) or not len(self.alpha):
            raise ValueError(
                f"alpha of {len(self.alpha)} and sigma of {len(self.sigma)} times must have one "
                "and the same number of times, at least 1."
            )
        if not (self.alpha >= 0).all() or not (self.sigma > 0).all():  # NaN neither
            raise ValueError("alpha must be at least 0 and sigma more than 0 at every time.")
        if not ((self.alpha / self.sigma).diff() < 0).all():
            raise ValueError("The noise must grow with time: let alpha / sigma fall at every step.")

    def __len__(self) -> int:
        """T, the number of times."""
        return len(self.alpha)

    def at(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma at times t int64 [B], shaped [B, 1, ...] to be multiplied with `like`."""
        shape = (-1, *[1] * (like.ndim - 1))
        alpha, sigma = (x.to(like.dtype).to(like.device)[t] for x in (self.alpha, self.sigma))
        return alpha.view(shape), sigma.view(shape)

    @classmethod
    def from_betas(cls, betas: Tensor) -> "NoiseSchedule":
        """Each step keeps 1 - beta of the signal's power: Ho et al. 2020, equation 4."""
        power = (1 - betas).cumprod(0)
        return cls(power.sqrt(), (1 - power).sqrt())

    @classmethod
    def linear_betas(
        cls, steps: int = 1000, first: float = 0.0015, last: float = 0.0195
    ) -> "NoiseSchedule":
        """Betas on a line, from JEN-1's 0.0015 to 0.0195 (Ho et al. 2020, section 4)."""
        _check_count(steps)
        if not (0 < first < 1 and 0 < last < 1):
            raise ValueError(f"first={first} and last={last} must be betas between 0 and 1.")
        return cls.from_betas(torch.linspace(first, last, steps, dtype=torch.float64))

    @classmethod
    def cosine_betas(cls, steps: int = 1000) -> "NoiseSchedule":
        """alpha^2 falls like a squared cosine (Nichol and Dhariwal 2021, equation 17)."""
        _check_count(steps)
        u = torch.arange(steps + 1, dtype=torch.float64) / steps
        power = ((u + 0.008) / 1.008 * math.pi / 2).cos() ** 2
        return cls.from_betas((1 - power[1:] / power[:-1]).clamp(max=0.999))

    @classmethod
    def straight(cls, steps: int = 1000) -> "NoiseSchedule":
        """From signal to noise on a straight line: flow matching (Lipman et al. 2023, section 4.1).

        The last time is pure noise, so "noise" as an objective tells nothing of the signal there.
        """
        _check_count(steps)
        sigma = torch.arange(1, steps + 1, dtype=torch.float64) / steps
        return cls(1 - sigma, sigma)


def _check_count(steps: int) -> None:
    if not isinstance(steps, Integral) or steps < 1:
        raise ValueError(f"steps={steps!r} must be a whole number of at least 1.")
