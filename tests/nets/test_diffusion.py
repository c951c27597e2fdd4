"""The diffusion core: schedules, objectives, loss, guidance, and how sampling behaves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.nets import NoiseSchedule, both, diffusion_loss, guided, noised, target
from course_lib.nets.diffusion import sample
from course_lib.nets.diffusion_solvers import trailing

SCHEDULES = {
    "linear": NoiseSchedule.linear_betas(),
    "cosine": NoiseSchedule.cosine_betas(),
    "straight": NoiseSchedule.straight(),
}
OBJECTIVES = ("noise", "data", "velocity", "flow")
# The last time of a straight schedule is noise alone, which "noise" only says again.
PAIRS = [(s, o) for s in SCHEDULES for o in OBJECTIVES if (s, o) != ("straight", "noise")]
SOLVERS = ("ddpm", "ddim", "dpm2")


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bend(z, t):
    """A network that knows nothing, but depends on all it reads."""
    return torch.sin(2 * z + 0.01 * t.view(-1, *[1] * (z.ndim - 1)))


# --- Schedules


def test_schedules_at_both_ends():
    for name, schedule in SCHEDULES.items():
        assert len(schedule) == 1000
        power = schedule.alpha**2 + schedule.sigma**2
        if name == "straight":
            assert torch.equal(schedule.alpha + schedule.sigma, torch.ones_like(power))
        else:
            torch.testing.assert_close(power, torch.ones_like(power))
    linear, cosine, straight = SCHEDULES.values()
    assert linear.sigma[0] ** 2 == pytest.approx(0.0015)  # JEN-1's betas, first and last
    kept = (linear.alpha[-1] / linear.alpha[-2]) ** 2
    assert 1 - kept == pytest.approx(0.0195)
    assert cosine.alpha[499] == pytest.approx(0.5**0.5, abs=0.01)
    assert straight.alpha[-1] == 0 and straight.sigma[0] == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: NoiseSchedule.linear_betas(0), "steps=0 .*at least 1"),
        (lambda: NoiseSchedule.cosine_betas(2.5), "steps=2.5 "),
        (lambda: NoiseSchedule.straight("9"), "steps='9' "),
        (lambda: NoiseSchedule.linear_betas(9, first=0.0), "first=0.0 .*between 0 and 1"),
        (lambda: NoiseSchedule.linear_betas(9, last=1.0), "last=1.0 "),
        (lambda: NoiseSchedule(torch.ones(3), torch.ones(3)), "alpha is torch.float32 .*float64"),
        (lambda: NoiseSchedule(draw(3), draw(3, 1)), r"sigma is torch.float64 \[3, 1\]"),
        (lambda: NoiseSchedule(draw(3), draw(4)), "alpha of 3 and sigma of 4 "),
        (lambda: NoiseSchedule(draw(0), draw(0)), "at least 1"),
        (lambda: NoiseSchedule(draw(3).abs(), 0 * draw(3)), "sigma more than 0"),
        (lambda: NoiseSchedule(0 / (0 * draw(3)), draw(3).abs()), "alpha must be at least 0"),
        (lambda: NoiseSchedule(draw(1).expand(3) ** 2, draw(1).expand(3) ** 2), "must grow"),
    ],
)
def test_schedules_that_are_none(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


# --- Objectives


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(SCHEDULES)),
    st.sampled_from(OBJECTIVES),
    st.lists(st.integers(0, 998), min_size=1, max_size=3),
    st.sampled_from([(), (2,), (2, 5)]),
    st.integers(0, 99),
)
def test_the_target_and_the_noised_signal_tell_both(name, objective, times, shape, seed):
    schedule, t = SCHEDULES[name], torch.tensor(times)
    x, noise = draw(2, len(times), *shape, seed=seed)
    z = noised(schedule, x, noise, t)
    output = target(schedule, objective, x, noise, t)
    assert z.shape == output.shape == x.shape
    signal, rest = both(schedule, objective, z, output, t)
    torch.testing.assert_close(signal, x)
    torch.testing.assert_close(rest, noise)


def test_what_each_objective_is():
    schedule, t = SCHEDULES["cosine"], torch.tensor([300])
    x, noise = draw(2, 1, 4)
    alpha, sigma = schedule.alpha[300], schedule.sigma[300]
    want = {"noise": noise, "data": x, "velocity": alpha * noise - sigma * x, "flow": noise - x}
    for objective in OBJECTIVES:
        torch.testing.assert_close(target(schedule, objective, x, noise, t), want[objective])
    torch.testing.assert_close(noised(schedule, x, noise, t), alpha * x + sigma * noise)
    with pytest.raises(ValueError, match="objective='eps' must be one of noise, data"):
        target(schedule, "eps", x, noise, t)


def test_flow_is_how_the_signal_moves_on_a_straight_schedule():
    schedule = SCHEDULES["straight"]
    x, noise = draw(2, 1, 4)
    z, later = (noised(schedule, x, noise, torch.tensor([t])) for t in (400, 401))
    flow = target(schedule, "flow", x, noise, torch.tensor([400]))
    torch.testing.assert_close((later - z) * 1000, flow)


def test_the_last_time_of_a_straight_schedule_tells_both_but_from_the_noise():
    schedule, t = SCHEDULES["straight"], torch.tensor([999])
    x, noise = draw(2, 1, 4)
    for objective in ("data", "velocity", "flow"):
        output = target(schedule, objective, x, noise, t)
        signal, rest = both(schedule, objective, noise, output, t)
        torch.testing.assert_close(signal, x)
        torch.testing.assert_close(rest, noise)


# --- Loss


def test_the_loss_of_frames_that_count():
    schedule, t = SCHEDULES["linear"], torch.tensor([3, 700])
    x, noise, output = draw(3, 2, 4, 6).float()
    valid = torch.tensor([[True] * 6, [True] * 2 + [False] * 4])
    want = target(schedule, "velocity", x, noise, t)
    loss = diffusion_loss(schedule, "velocity", output, x, noise, t)
    torch.testing.assert_close(loss, torch.nn.functional.mse_loss(output, want))
    loss = diffusion_loss(schedule, "velocity", output, x, noise, t, valid)
    shown = torch.cat([(output - want)[0], (output - want)[1, :, :2]], dim=1)
    torch.testing.assert_close(loss, (shown**2).mean())
    assert diffusion_loss(schedule, "velocity", want, x, noise, t) == 0
    none = torch.zeros_like(valid)
    assert diffusion_loss(schedule, "velocity", output, x, noise, t, none) == 0
    output = output.bfloat16()  # a network under autocast
    assert diffusion_loss(schedule, "velocity", output, x, noise, t).dtype == torch.float32


def test_the_loss_of_shapes_that_differ():
    schedule, t = SCHEDULES["linear"], torch.tensor([3, 700])
    x = torch.zeros(2, 4, 6)
    with pytest.raises(ValueError, match=r"output \[2, 1, 6\] .*\[2, 4, 6\]"):
        diffusion_loss(schedule, "noise", x[:, :1], x, x, t)
    with pytest.raises(ValueError, match=r"bool \[2, 4\], must be bool \[B, F\] = \[2, 6\]"):
        diffusion_loss(schedule, "noise", x, x, x, t, torch.ones(2, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"float32 \[2, 6\], must be bool"):
        diffusion_loss(schedule, "noise", x, x, x, t, torch.ones(2, 6))


# --- Guidance


def test_guidance_goes_from_one_output_to_the_other_and_beyond():
    c, u = draw(2, 3, 4, 5)
    torch.testing.assert_close(guided(c, u, 1.0), c)
    assert torch.equal(guided(c, u, 0.0), u)
    torch.testing.assert_close(guided(c, u, 3.0), u + 3 * (c - u))
    full = guided(c, u, 3.0, rescale=1.0)  # each item as large as c's, its shape kept
    assert (
        torch.corrcoef(torch.stack([full[0].ravel(), (u + 3 * (c - u))[0].ravel()])).min() > 0.9999
    )
    torch.testing.assert_close(full.std((1, 2)), c.std((1, 2)))
    half = guided(c, u, 3.0, rescale=0.5)
    torch.testing.assert_close(half, (guided(c, u, 3.0) + full) / 2)
    with pytest.raises(ValueError, match="rescale=1.5 must be from 0"):
        guided(c, u, 3.0, rescale=1.5)


def test_guidance_of_a_network_that_says_zero_is_zero():
    zero = torch.zeros(2, 4, 5)
    assert torch.equal(guided(zero, zero, 3.0, rescale=0.7), zero)


# --- Sampling


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("name", "objective"), PAIRS)
@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_a_network_that_knows_the_signal_gets_there(name, objective, solver, steps):
    schedule = SCHEDULES[name]
    x, noise = draw(2, 2, 3, 4)

    def denoise(z, t):
        alpha, sigma = schedule.at(t, z)
        return target(schedule, objective, x, (z - alpha * x) / sigma, t)

    got = sample(denoise, noise, schedule, objective, steps, solver)
    torch.testing.assert_close(got, x, rtol=1e-6, atol=1e-6)


def test_a_callback_sees_each_step_and_the_network_each_time():
    schedule, seen, times = SCHEDULES["straight"], [], []

    def denoise(z, t):
        assert t.dtype == torch.int64 and t.shape == (2,)
        times.append(t[0].item())
        return bend(z, t)

    noise = draw(2, 3, 4)
    got = sample(
        denoise, noise, schedule, "flow", 4, callback=lambda step, x: seen.append((step, x))
    )
    assert times == [999, 749, 499, 249] == trailing(1000, 4)
    assert [step for step, _ in seen] == [0, 1, 2, 3]
    assert torch.equal(seen[-1][1], got) and got.shape == noise.shape
    torch.testing.assert_close(seen[0][1], noise - bend(noise, torch.tensor([999])))


@settings(deadline=None)
@given(st.integers(1, 1200), st.data())
def test_trailing_times_are_distinct_and_begin_at_the_last(length, data):
    steps = data.draw(st.integers(1, length))
    times = trailing(length, steps)
    assert len(times) == steps and times[0] == length - 1 and times[-1] >= 0
    strides = {a - b for a, b in zip(times, times[1:], strict=False)}
    assert strides <= {length // steps, length // steps + 1}


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_same_seed_gives_the_same_samples(solver):
    def run(seed):
        generator = torch.Generator().manual_seed(seed)
        return sample(
            bend, draw(2, 3, 4), SCHEDULES["linear"], "velocity", 6, solver, generator=generator
        )

    assert torch.equal(run(1), run(1))
    assert torch.equal(run(1), run(2)) == (solver != "ddpm")


@pytest.mark.parametrize("solver", SOLVERS)
def test_sampling_reads_nothing_from_the_device(solver, host_reads):
    with host_reads() as counter:
        sample(bend, draw(2, 3, 4), SCHEDULES["straight"], "flow", 5, solver)
    assert counter.reads == []
    with host_reads() as counter:
        torch.ones(1).item()
    assert counter.reads


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("own", "networks"), [("float32", "bfloat16"), ("bfloat16", "float32"), ("float64", "float32")]
)
def test_sampling_keeps_the_dtype_of_the_noise(solver, own, networks):
    def other(z, t):
        assert z.dtype == getattr(torch, own)
        return bend(z, t).to(getattr(torch, networks))

    noise = draw(2, 3, 4).to(getattr(torch, own)).requires_grad_()
    got = sample(other, noise, SCHEDULES["linear"], "velocity", 5, solver)
    assert got.dtype == noise.dtype and not got.requires_grad


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 0}, "steps=0 must be a whole number from 1 to 1000"),
        ({"steps": -3}, "steps=-3 "),
        ({"steps": 1001}, "steps=1001 "),
        ({"steps": 2.0}, "steps=2.0 "),
        ({"steps": None}, "steps=None "),
        ({"solver": "euler"}, "solver='euler' must be one of ddpm, ddim, dpm2"),
        ({"objective": "eps"}, "objective='eps' must be one of"),
        ({"objective": "noise"}, "nothing of the signal at time 999"),
    ],
)
def test_what_cannot_be_sampled_is_said_in_words(change, words):
    options = {"schedule": SCHEDULES["straight"], "objective": "flow", "steps": 4} | change

    def never(z, t):
        raise AssertionError("the network is not asked")

    with pytest.raises(ValueError, match=words):
        sample(never, draw(2, 3, 4), **options)


def test_a_network_that_makes_another_shape_is_said_in_words():
    """One that would broadcast, too."""
    for output in (lambda z: z[:, :1], lambda z: z[..., 1:]):
        with pytest.raises(ValueError, match=r"made \[2, .* of \[2, 3, 4\]"):
            sample(lambda z, t, f=output: f(z), draw(2, 3, 4), SCHEDULES["linear"], "velocity", 2)
