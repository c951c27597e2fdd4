"""Ours beside the schedulers of diffusers: whole trajectories of the same network, within 1e-5.

Their tables are float32, in which 1 - alpha^2 is off by up to 4e-5 of itself at time 0, and 1000
steps or a network that tells noise from next to no signal make more of it. So tables are compared
with tables, and trajectories in float64, with our tables in their schedulers.
"""

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.guiders.guider_utils import rescale_noise_cfg

from course_lib.nets import NoiseSchedule, guided, noised, target
from course_lib.nets.diffusion import sample
from course_lib.nets.diffusion_solvers import trailing

pytestmark = pytest.mark.filterwarnings("ignore:__array__")  # diffusers under NumPy 2

BETAS = {
    "linear": {"beta_schedule": "linear", "beta_start": 0.0015, "beta_end": 0.0195},
    "cosine": {"beta_schedule": "squaredcos_cap_v2"},
}
SCHEDULES = {"linear": NoiseSchedule.linear_betas(), "cosine": NoiseSchedule.cosine_betas()}
NAMES = {"noise": "epsilon", "data": "sample", "velocity": "v_prediction"}
FIRST = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def theirs(scheduler, name, objective, steps=None, **options):
    """A scheduler of diffusers, its own tables replaced by ours if it gets `steps`."""
    made = scheduler(
        **BETAS[name], prediction_type=NAMES[objective], timestep_spacing="trailing", **options
    )
    if steps is not None:
        made.set_timesteps(steps)
        made.alphas_cumprod = SCHEDULES[name].alpha ** 2
        if hasattr(made, "sigmas"):
            ratio = (SCHEDULES[name].sigma / SCHEDULES[name].alpha)[made.timesteps]
            made.sigmas = torch.cat([ratio, torch.zeros(1)])
    return made


def network(schedule, objective):
    """Sees data of variance 1, and waves in it that are not there, of all that it reads."""

    def denoise(z, t):
        alpha, sigma = schedule.at(t, z)
        wave = torch.sin(2 * z + z.roll(1, -1) + 0.01 * t.view(-1, 1, 1))
        x = alpha * z + 0.3 * sigma * wave
        return target(schedule, objective, x, (z - alpha * x) / sigma, t)

    return denoise


def trajectory(schedule, objective, steps, solver, generator=None):
    """All z that the network reads and the signal, [steps + 1, ...], and the times."""
    seen, times, denoise = [], [], network(schedule, objective)

    def watched(z, t):
        seen.append(z)
        times.append(int(t[0]))
        return denoise(z, t)

    x = sample(watched, FIRST, schedule, objective, steps, solver, generator)
    return torch.stack([*seen, x]), times


def reference(scheduler, schedule, objective, times=None, **options):
    """The same from a scheduler of diffusers; times, the network's, are the scheduler's own."""
    seen, denoise = [FIRST], network(schedule, objective)
    times = scheduler.timesteps.tolist() if times is None else times
    for t, own in zip(times, scheduler.timesteps, strict=True):
        output = denoise(seen[-1], torch.full((len(FIRST),), t))
        seen.append(scheduler.step(output, own, seen[-1], **options).prev_sample)
    return torch.stack(seen), times


def agree(ours, wanted):
    assert ours[1] == wanted[1]
    torch.testing.assert_close(ours[0], wanted[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", BETAS)
def test_schedules(name):
    scheduler = theirs(DDPMScheduler, name, "noise")
    alpha, sigma = SCHEDULES[name].alpha, SCHEDULES[name].sigma
    torch.testing.assert_close(alpha, scheduler.alphas_cumprod.double() ** 0.5, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        sigma, (1 - scheduler.alphas_cumprod.double()) ** 0.5, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", BETAS)
def test_noising_and_velocity(name):
    scheduler, schedule = theirs(DDPMScheduler, name, "velocity"), SCHEDULES[name]
    t, noise = torch.tensor([40, 900]), FIRST.flip(0)
    for ours, wanted in (
        (noised(schedule, FIRST, noise, t), scheduler.add_noise(FIRST, noise, t)),
        (target(schedule, "velocity", FIRST, noise, t), scheduler.get_velocity(FIRST, noise, t)),
    ):
        torch.testing.assert_close(ours, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", BETAS)
@pytest.mark.parametrize("objective", NAMES)
@pytest.mark.parametrize("steps", [1, 7, 50, 1000])
def test_ddpm(name, objective, steps):
    scheduler = theirs(DDPMScheduler, name, objective, steps, clip_sample=False)
    ours, wanted = (torch.Generator().manual_seed(1) for _ in range(2))
    agree(
        trajectory(SCHEDULES[name], objective, steps, "ddpm", ours),
        reference(scheduler, SCHEDULES[name], objective, generator=wanted),
    )


@pytest.mark.parametrize("name", BETAS)
@pytest.mark.parametrize("objective", NAMES)
@pytest.mark.parametrize("steps", [1, 8, 50, 200])  # theirs needs a divisor of 1,000
def test_ddim(name, objective, steps):
    scheduler = theirs(DDIMScheduler, name, objective, steps, clip_sample=False)
    agree(
        trajectory(SCHEDULES[name], objective, steps, "ddim"),
        reference(scheduler, SCHEDULES[name], objective),
    )


@pytest.mark.parametrize("name", BETAS)
@pytest.mark.parametrize("objective", NAMES)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20, 50])
def test_dpm2(name, objective, steps):
    options = {"algorithm_type": "dpmsolver++", "solver_order": 2, "solver_type": "midpoint"}
    scheduler = theirs(DPMSolverMultistepScheduler, name, objective, steps, **options)
    agree(
        trajectory(SCHEDULES[name], objective, steps, "dpm2"),
        reference(scheduler, SCHEDULES[name], objective),
    )


@pytest.mark.parametrize("steps", [1, 7, 50, 1000])
def test_flow_matching_with_ddim_is_their_euler(steps):
    schedule, scheduler = NoiseSchedule.straight(), FlowMatchEulerDiscreteScheduler()
    times = trailing(1000, steps)
    scheduler.set_timesteps(sigmas=[(t + 1) / 1000 for t in times])
    agree(
        trajectory(schedule, "flow", steps, "ddim"),
        reference(scheduler, schedule, "flow", times),
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 50])
def test_flow_matching_with_dpm2(steps):
    schedule, times = NoiseSchedule.straight(), trailing(1000, steps)
    scheduler = DPMSolverMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=1.0
    )
    scheduler.set_timesteps(steps)  # not quite at these times: theirs begin at 0.999
    scheduler.timesteps = torch.tensor(times)
    scheduler.sigmas = torch.tensor([(t + 1) / 1000 for t in times] + [0.0], dtype=torch.float64)
    agree(
        trajectory(schedule, "flow", steps, "dpm2"),
        reference(scheduler, schedule, "flow"),
    )


@pytest.mark.parametrize("rescale", [0.0, 0.7, 1.0])
def test_rescaled_guidance(rescale):
    c, u = FIRST, FIRST.roll(1, -1)
    want = rescale_noise_cfg(u + 3 * (c - u), c, guidance_rescale=rescale)
    torch.testing.assert_close(guided(c, u, 3.0, rescale), want, rtol=1e-5, atol=1e-5)
