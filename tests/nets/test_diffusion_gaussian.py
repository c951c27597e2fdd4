"""A case with a closed form: of normal data, the best network and all that samplers do is known.

For x of N(m, S), the x to be expected from z is m + alpha S (alpha^2 S + sigma^2)^-1 (z - alpha m),
and the path without fresh noise keeps what z is along each principal axis, in standard deviations.
"""

import math

import pytest
import torch

from course_lib.nets import NoiseSchedule, target
from course_lib.nets.diffusion import sample
from course_lib.nets.diffusion_solvers import trailing

SCHEDULES = {
    "linear": NoiseSchedule.linear_betas(),
    "cosine": NoiseSchedule.cosine_betas(),
    "straight": NoiseSchedule.straight(),
}
MEAN = torch.tensor([1.5, -0.5], dtype=torch.float64)
COVARIANCE = torch.tensor([[1.0, 0.6], [0.6, 0.5]], dtype=torch.float64)
AXES = torch.linalg.eigh(COVARIANCE)  # variances [2] along the columns [2, 2]


def spread(schedule, t):
    """Standard deviations of z along the axes at time t."""
    return (schedule.alpha[t] ** 2 * AXES.eigenvalues + schedule.sigma[t] ** 2).sqrt()


def best(schedule, objective):
    """The network that knows the data's distribution."""

    def denoise(z, t):  # z [B, 2]
        alpha, sigma = schedule.at(t, z)
        shrink = alpha * AXES.eigenvalues / (alpha**2 * AXES.eigenvalues + sigma**2)
        x = MEAN + (((z - alpha * MEAN) @ AXES.eigenvectors) * shrink) @ AXES.eigenvectors.T
        return target(schedule, objective, x, (z - alpha * x) / sigma, t)

    return denoise


def along(schedule, units, t):
    """z at time t that is `units` [B, 2] standard deviations from its mean along the axes."""
    return schedule.alpha[t] * MEAN + (units * spread(schedule, t)) @ AXES.eigenvectors.T


@pytest.mark.parametrize("objective", ["data", "velocity", "flow"])
@pytest.mark.parametrize("solver", ["ddim", "dpm2"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_mean_and_covariance_are_those_of_the_data(name, solver, objective):
    # The sampler is linear here: what becomes of 0 is the mean, and of the unit vectors, less that,
    # the columns of a root of the covariance. No draw is needed.
    schedule = SCHEDULES[name]
    units = torch.cat([torch.zeros(1, 2), torch.eye(2)]).double()
    noise = along(schedule, units, len(schedule) - 1)
    x = sample(best(schedule, objective), noise, schedule, objective, 1000, solver)
    torch.testing.assert_close(x[0], MEAN, rtol=0, atol=1e-9)
    root = x[1:] - x[0]
    torch.testing.assert_close(
        root.T @ root, COVARIANCE, rtol=0, atol={"ddim": 1e-2, "dpm2": 2e-3}[solver]
    )


@pytest.mark.parametrize("name", SCHEDULES)
def test_draws_have_the_mean_and_the_covariance_of_the_data(name):
    schedule, count = SCHEDULES[name], 40_000
    generator = torch.Generator().manual_seed(0)
    units = torch.randn(count, 2, generator=generator, dtype=torch.float64)
    noise = along(schedule, units, len(schedule) - 1)
    x = sample(best(schedule, "data"), noise, schedule, "data", 500, "ddpm", generator)
    # Four standard errors: of a mean, 0.02; of a variance v, v sqrt(2 / 40,000) 4 = 0.03.
    torch.testing.assert_close(x.mean(0), MEAN, rtol=0, atol=0.02)
    torch.testing.assert_close(x.T.cov(), COVARIANCE, rtol=0, atol=0.03)


def error(name, solver, steps):
    """How far z is from its path, when a fifth of the times is left.

    Not at the end: the last step, infinitely long in lambda, is of first order in every solver.
    """
    schedule, units = SCHEDULES[name], torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    seen = {}

    def watched(z, t):
        seen[int(t[0])] = z
        return best(schedule, "velocity")(z, t)

    noise = along(schedule, units, len(schedule) - 1)
    sample(watched, noise, schedule, "velocity", steps, solver)
    return (seen[199] - along(schedule, units, 199)).norm().item()


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("dpm2", 2)])
@pytest.mark.parametrize("name", SCHEDULES)
def test_the_order_of_a_solver_is_how_fast_its_error_falls(name, solver, order):
    assert trailing(1000, 100)[80] == trailing(1000, 200)[160] == 199
    measured = math.log2(error(name, solver, 100) / error(name, solver, 200))
    assert measured == pytest.approx(order, abs=0.3)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_second_order_pays_at_few_steps(name):
    assert error(name, "dpm2", 20) < error(name, "ddim", 20) / 3
