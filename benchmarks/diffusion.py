"""Latent diffusion's solvers beside those of diffusers, and how long ten seconds of music take.

    python benchmarks/diffusion.py [--threads 1] [--pairs 5] [--steps 50] [--device cpu]

Both solvers walk the same schedule with the same denoiser, whose answers cost nothing, on latents
of 10 s; they are first shown to end at the same latents (1e-4, float32), otherwise nothing is
timed. One process, interleaved A B A B; a ratio is the median of the pairs' ratios, with its middle
half. Then the course's own size, from prompt to audio, 20 steps with guidance; and how often a step
reads back from the device. Times are those of the processor on one thread, of the clock otherwise.
"""

import argparse
import platform

import diffusers
import torch
from clocks import clock_of, seconds_of
from codec import ratio
from host_reads import reads
from torch import Tensor

from course_lib import checkpoints
from course_lib.models import LatentDiffusion
from course_lib.nets import NoiseSchedule
from course_lib.nets.diffusion import sample

SHAPE = (1, 32, 500)  # latents of 10 s
SECONDS, STEPS = 10.0, 20


def denoise(z: Tensor, t: Tensor) -> Tensor:
    """A network that costs nothing: it calls a fixed part of z noise."""
    return 0.7 * z


def ours(noise: Tensor, steps: int, solver: str) -> Tensor:
    return sample(denoise, noise, NoiseSchedule.linear_betas(), "noise", steps, solver)


def theirs(noise: Tensor, steps: int, solver: str) -> Tensor:
    """The same walk by a scheduler of diffusers, set up anew as its pipelines do."""
    betas = {"beta_start": 0.0015, "beta_end": 0.0195, "beta_schedule": "linear"}
    if solver == "ddim":
        scheduler = diffusers.DDIMScheduler(
            **betas, clip_sample=False, set_alpha_to_one=True, timestep_spacing="trailing"
        )
    else:
        scheduler = diffusers.DPMSolverMultistepScheduler(
            **betas,
            algorithm_type="dpmsolver++",
            solver_order=2,
            final_sigmas_type="zero",
            timestep_spacing="trailing",
        )
    scheduler.set_timesteps(steps, device=noise.device)
    z = noise
    for t in scheduler.timesteps:
        z = scheduler.step(denoise(z, t), t, z).prev_sample
    return z


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description="Latent diffusion beside diffusers.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    clock = clock_of(options.threads, options.device)
    print(
        f"torch {torch.__version__}, diffusers {diffusers.__version__}, {options.threads} "
        f"thread(s), {platform.machine()}, {options.device}; {options.steps} steps of a solver"
    )
    print(f"{'':28}{'ours':>13} {'theirs':>13}   theirs / ours")
    noise = torch.randn(SHAPE, device=options.device)
    for solver in ("ddim", "dpm2"):
        pair = [f(noise, options.steps, solver) for f in (ours, theirs)]
        torch.testing.assert_close(*pair, atol=1e-4, rtol=1e-4)
        line = ratio(
            lambda s=solver: ours(noise, options.steps, s),
            lambda s=solver: theirs(noise, options.steps, s),
            options.pairs,
            clock,
        )
        print(f"{solver:28}{line}", flush=True)
    count = [reads(lambda n=n: ours(noise, n, "dpm2")) for n in (10, 110)]
    print(f"\n100 steps more read {count[1] - count[0]} times more from the device")
    parts = (checkpoints.load(name) for name in ("autoencoder", "clap", "diffusion"))
    system = LatentDiffusion(*parts).eval().to(options.device)
    for solver in ("ddim", "dpm2"):
        took = seconds_of(
            lambda s=solver: system.generate(["a waltz"], SECONDS, STEPS, solver=s, seed=0), clock
        )
        print(
            f"{SECONDS:g} s of music, {STEPS} steps of {solver} with guidance: {took:.2f} s, "
            f"{SECONDS / took:.1f} times faster than real time"
        )


if __name__ == "__main__":
    main()
