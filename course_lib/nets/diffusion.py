"""The diffusion core: a signal disappears in noise, and a network leads the way back.

Forward, z = alpha x + sigma eps, at integer times t = 0 ... T - 1 at which the noise grows. Back, a
network that reads (z, t) tells one mixture of x and eps, its objective; with z that gives both. A
solver then takes a step to less noise, and another, until x is left. Taught in notebook 16.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from course_lib.nets.diffusion_solvers import Solver, coefficients, trailing
from course_lib.nets.noise_schedule import NoiseSchedule

Objective = Literal["noise", "data", "velocity", "flow"]
Weight = float | Tensor


def noised(schedule: NoiseSchedule, x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """z = alpha x + sigma noise at times t int64 [B]; x, noise and z [B, ...].

    Ho et al. 2020, equation 4. Taught in notebook 16.
    """
    alpha, sigma = schedule.at(t, x)
    return alpha * x + sigma * noise


def mixture(objective: Objective, alpha: Weight, sigma: Weight) -> tuple[Weight, Weight]:
    """(p, q) of the objective p x + q eps, for alpha and sigma as numbers or as tensors.

    noise: eps (Ho et al. 2020); data: x; velocity: v = alpha eps - sigma x (Salimans and Ho 2022,
    section 4); flow: u = eps - x, how z moves on a straight schedule (Lipman et al. 2023; their
    time runs from noise to signal, so theirs is -u). Raises ValueError for another. Taught in
    notebook 16.
    """
    mixtures = {"noise": (0, 1), "data": (1, 0), "velocity": (-sigma, alpha), "flow": (-1, 1)}
    if objective not in mixtures:
        raise ValueError(f"objective={objective!r} must be one of {', '.join(mixtures)}.")
    return mixtures[objective]


def target(
    schedule: NoiseSchedule, objective: Objective, x: Tensor, noise: Tensor, t: Tensor
) -> Tensor:
    """What the network shall tell at times t int64 [B], from x and noise [B, ...]: [B, ...]."""
    p, q = mixture(objective, *schedule.at(t, x))
    return p * x + q * noise


def both(
    schedule: NoiseSchedule, objective: Objective, z: Tensor, output: Tensor, t: Tensor
) -> tuple[Tensor, Tensor]:
    """Signal and noise, each [B, ...], from z and the network's output at times t int64 [B].

    Two equations with two unknowns, whatever the objective. Where alpha is 0 (the last time of
    `straight`), "noise" and z say the same thing, and the signal comes out infinite or NaN. Taught
    in notebook 16.
    """
    return _solve(objective, z, output, *schedule.at(t, z))


def _solve(
    objective: Objective, z: Tensor, output: Tensor, alpha: Weight, sigma: Weight
) -> tuple[Tensor, Tensor]:
    """x and eps of  z = alpha x + sigma eps  and  output = p x + q eps."""
    p, q = mixture(objective, alpha, sigma)
    determinant = alpha * q - sigma * p
    return (q * z - sigma * output) / determinant, (alpha * output - p * z) / determinant


def diffusion_loss(
    schedule: NoiseSchedule,
    objective: Objective,
    output: Tensor,
    x: Tensor,
    noise: Tensor,
    t: Tensor,
    valid: Tensor | None = None,
) -> Tensor:
    """Mean squared error of the network's output [B, ..., F] against its target, in float32.

    valid bool [B, F]: frames that count; all do if None, and where none does the loss is 0. Raises
    ValueError for shapes that differ and a `valid` that is not bool. Taught in notebook 16.
    """
    if output.shape != x.shape or noise.shape != x.shape:
        raise ValueError(
            f"output {list(output.shape)} and noise {list(noise.shape)} must have x's shape, "
            f"{list(x.shape)}."
        )
    error = (output.float() - target(schedule, objective, x, noise, t).float()) ** 2
    if valid is None:
        return error.mean()
    if x.ndim < 2 or valid.dtype != torch.bool or valid.shape != (len(x), x.shape[-1]):
        raise ValueError(
            f"valid, {valid.dtype} {list(valid.shape)}, must be bool [B, F] = "
            f"{[len(x), x.shape[-1]]} for x {list(x.shape)}."
        )
    counts = valid.view(len(x), *[1] * (x.ndim - 2), -1).expand_as(error)
    return error.where(counts, 0).sum() / counts.sum().clamp_min(1)


def guided(
    conditional: Tensor, unconditional: Tensor, guidance: float, rescale: float = 0.0
) -> Tensor:
    """u + guidance (c - u) of outputs c and u [B, ...]: 1 is c itself, 0 is u, more exaggerates.

    Classifier-free guidance (Ho and Salimans 2022, equation 6, whose w is guidance - 1). It makes
    outputs larger, too; `rescale` from 0 to 1 gives that part of c's standard deviation back (Lin
    et al. 2024, section 3.4; 0.7 there). Raises ValueError beyond. Taught in notebook 16.
    """
    check_rescale(rescale)
    output = unconditional + guidance * (conditional - unconditional)
    if rescale == 0:
        return output
    dims = tuple(range(1, output.ndim))
    wanted, got = (x.std(dims, correction=0, keepdim=True) for x in (conditional, output))
    # A network that has not learnt anything yet says zero, which no factor makes larger.
    factor = wanted / got.clamp_min(torch.finfo(got.dtype).tiny)
    return output * (rescale * factor + 1 - rescale)


def check_rescale(rescale: float) -> None:
    """Raise ValueError unless `rescale` is from 0 to 1."""
    if not 0 <= rescale <= 1:
        raise ValueError(f"rescale={rescale} must be from 0 (none) to 1 (all of it).")


@torch.no_grad()
def sample(
    denoise: Callable[[Tensor, Tensor], Tensor],
    noise: Tensor,
    schedule: NoiseSchedule,
    objective: Objective,
    steps: int,
    solver: Solver = "ddim",
    generator: torch.Generator | None = None,
    callback: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """From noise [B, ...] to a signal [B, ...] in `steps` calls of denoise(z, t int64 [B]).

    solver: "ddpm" adds fresh noise at each step (from `generator`, on whatever device it is),
    "ddim" none, "dpm2" none and looks back one step, which makes it of second order; see
    `coefficients`. callback: gets the step, counted from 0, and the signal as the network sees it
    then, [B, ...]. Numbers are in the dtype of `noise`; nothing is read back from the device.
    Raises ValueError for steps beyond 1 ... T, an unknown solver or objective, "noise" as an
    objective where a schedule ends without signal, and outputs of another shape than z. Taught in
    notebook 16.
    """
    times = trailing(len(schedule), steps)
    levels = torch.stack([schedule.alpha[times], schedule.sigma[times]], dim=1).tolist()
    mixture(objective, *levels[0])  # raises for an unknown one, whatever the schedule
    if objective == "noise" and levels[0][0] == 0:
        raise ValueError(
            f"objective='noise' tells nothing of the signal at time {times[0]}, where alpha is 0; "
            "take 'data', 'velocity' or 'flow', or a schedule that keeps some signal."
        )
    rows = coefficients(schedule, times, solver).tolist()
    z, before = noise, torch.zeros_like(noise)
    for step, (t, level, row) in enumerate(zip(times, levels, rows, strict=True)):
        output = denoise(z, z.new_full((len(z),), t, dtype=torch.int64))
        if output.shape != z.shape:  # it might broadcast
            raise ValueError(
                f"The network made {list(output.shape)} of {list(z.shape)}; expected the same."
            )
        x, _ = _solve(objective, z, output.to(z.dtype), *level)
        z = row[0] * z + row[1] * x + row[2] * before
        if row[3]:
            z = z + row[3] * _fresh(z, generator)
        before = x
        if callback is not None:
            callback(step, x)
    return z


def _fresh(z: Tensor, generator: torch.Generator | None) -> Tensor:
    device = z.device if generator is None else generator.device
    return torch.randn(z.shape, generator=generator, device=device, dtype=z.dtype).to(z.device)
