"""Steps from noise to signal, each a line of four numbers: DDPM, DDIM and DPM-Solver++(2M).

Below, alpha and sigma, float64 [steps + 1], are those of the times that a sampler visits, and of
the signal itself; a dash marks the next: alpha' is alpha[1:] where alpha is alpha[:-1].
"""

from numbers import Integral
from typing import Literal, get_args

import torch
from torch import Tensor

from course_lib.nets.noise_schedule import NoiseSchedule

Solver = Literal["ddpm", "ddim", "dpm2"]


def trailing(length: int, steps: int) -> list[int]:
    """Times of `steps` equal strides from the last of `length` down: 999, 749, 499, 249 for 4.

    They begin where the noise does, which not all spacings do (Lin et al. 2024, section 3.3).
    Raises ValueError unless 1 <= steps <= length.
    """
    if not isinstance(steps, Integral) or not 1 <= steps <= length:
        raise ValueError(f"steps={steps!r} must be a whole number from 1 to {length}.")
    return [round(length - i * length / steps) - 1 for i in range(steps)]


def coefficients(schedule: NoiseSchedule, times: list[int], solver: Solver) -> Tensor:
    """One row a step, float64 [steps, 4]: z' = row . (z, x, x of the step before, fresh noise).

    Every solver here is linear in those four. The last step ends at x itself, with alpha 1 and
    sigma 0. Raises ValueError for an unknown solver. Taught in notebook 16.
    """
    solvers = {"ddpm": _ddpm, "ddim": _ddim, "dpm2": _dpm2}
    if solver not in solvers:
        raise ValueError(f"solver={solver!r} must be one of {', '.join(get_args(Solver))}.")
    alpha, sigma = schedule.alpha[times], schedule.sigma[times]
    return solvers[solver](
        torch.cat([alpha, alpha.new_ones(1)]), torch.cat([sigma, sigma.new_zeros(1)])
    )


def _ddim(alpha: Tensor, sigma: Tensor) -> Tensor:
    """The same x, less of the same noise: z' = alpha' x + sigma' eps; eps = (z - alpha x) / sigma.

    Song et al. 2021 (DDIM), equation 12 without its noise. On a straight schedule this is Euler's
    method, z' = z + (sigma' - sigma) u.
    """
    keep = sigma[1:] / sigma[:-1]
    return _rows(keep, alpha[1:] - keep * alpha[:-1])


def _ddpm(alpha: Tensor, sigma: Tensor) -> Tensor:
    """A draw from q(z' | z, x), which is normal: Ho et al. 2020, equations 6 and 7.

    For any schedule, as Kingma et al. 2021 have it (appendix A.2): alpha / alpha' is what the step
    from z' to z kept of the signal, and `added` the power of the noise that it put in.
    """
    kept = alpha[:-1] / alpha[1:]
    added = sigma[:-1] ** 2 - (kept * sigma[1:]) ** 2
    power = sigma[:-1] ** 2
    return _rows(
        kept * sigma[1:] ** 2 / power,
        alpha[1:] * added / power,
        fresh=sigma[1:] * (added / power).sqrt(),
    )


def _dpm2(alpha: Tensor, sigma: Tensor) -> Tensor:
    """DDIM that lets x go on moving as it moved last: Lu et al. 2022 (DPM-Solver++), algorithm 2.

    In lambda = log(alpha / sigma) the strides are h; x is taken half a stride ahead, x + (x - x of
    the step before) h / (2 h before). The first step has nothing before it, and the last one is
    infinitely long: both are DDIM's.
    """
    rows = _ddim(alpha, sigma)
    h = (alpha / sigma).log().diff()
    ahead = torch.zeros_like(h)
    ahead[1:-1] = h[1:-1] / (2 * h[:-2])
    move = rows[:, 1] * ahead
    return _rows(rows[:, 0], rows[:, 1] + move, -move)


def _rows(z: Tensor, x: Tensor, before: Tensor | None = None, fresh: Tensor | None = None):
    zero = torch.zeros_like(z)
    parts = [z, x, zero if before is None else before, zero if fresh is None else fresh]
    return torch.stack(parts, dim=1)
