"""The denoiser of latents and the system around it, on tiny untrained networks."""

import pytest
import torch
from tiny_diffusion import (
    HOP,
    tiny_autoencoder,
    tiny_clap,
    tiny_denoiser,
    tiny_transformer,
    tiny_unet,
)

from course_lib.models import (
    Condition,
    ContinuousAutoencoder,
    ContinuousAutoencoderConfig,
    Known,
    LatentDenoiser,
    LatentDenoiserConfig,
    LatentDiffusion,
)

WORDS = ("a", "drums", "flute", "waltz")
K = 6
NETS = {"unet": tiny_unet(K), "transformer": tiny_transformer(K)}


def denoiser(net: str = "unet", **options) -> LatentDenoiser:
    return tiny_denoiser(NETS[net], **options)


@pytest.fixture(scope="module")
def system() -> LatentDiffusion:
    return LatentDiffusion(tiny_autoencoder(K), tiny_clap(WORDS), denoiser()).eval()


def asked(batch: int = 2) -> Condition:
    generator = torch.Generator().manual_seed(1)
    memory = torch.randn(batch, 5, 8, generator=generator)
    valid = torch.arange(5) < torch.tensor([[3], [5]])[:batch]
    return Condition(memory, valid, torch.randn(batch, 10, generator=generator))


def latents(batch: int = 2, frames: int = 12, seed: int = 2) -> torch.Tensor:
    return torch.randn(batch, K, frames, generator=torch.Generator().manual_seed(seed))


# --- The denoiser ---------------------------------------------------------------------------------


@pytest.mark.parametrize("net", NETS)
def test_what_is_known_comes_out_as_it_went_in_and_the_rest_is_made(net):
    model, x = denoiser(net), latents()
    known = Known(x, torch.arange(12).expand(2, -1) < 5)
    made = model.sample(latents(seed=3), asked(), known, steps=3)
    assert torch.equal(made[..., :5], x[..., :5])
    assert not torch.isclose(made[..., 5:], x[..., 5:]).any() and made.isfinite().all()


@pytest.mark.parametrize("net", NETS)
def test_what_is_not_known_is_not_seen(net):
    """Latents of frames that are to be made change nothing; those of known frames do."""
    model, x, t = denoiser(net), latents(), torch.tensor([5, 700])
    there = torch.arange(12).expand(2, -1) < 5
    other = x.clone()
    other[..., 5:] = torch.nan
    first, second = (model(latents(seed=3), t, asked(), Known(y, there)) for y in (x, other))
    assert torch.equal(first, second)
    other[..., 4] = 7.0
    assert not torch.allclose(model(latents(seed=3), t, asked(), Known(other, there)), first)


def test_a_known_0_is_not_the_same_as_an_unknown_frame():
    model, t, z = denoiser(), torch.tensor([5, 700]), latents()
    zeros = torch.zeros_like(z)
    all_known = Known(zeros, torch.ones(2, 12, dtype=torch.bool))
    assert not torch.allclose(
        model(z, t, asked(), all_known), model(z, t, asked(), Known.nothing(z))
    )


@pytest.mark.parametrize("net", NETS)
def test_causally_no_frame_learns_of_a_later_one_from_noise_or_from_what_is_known(net):
    model, z, t = denoiser(net), latents(), torch.tensor([5, 700])
    there = torch.ones(2, 12, dtype=torch.bool)
    changed_z, changed_known = z.clone(), z.clone()
    changed_z[..., 7:] += 1
    changed_known[..., 7:] -= 1
    for causal in (True, False):
        one = model(z, t, asked(), Known(z, there), causal)[..., :7]
        two = model(changed_z, t, asked(), Known(changed_known, there), causal)[..., :7]
        assert torch.allclose(one, two, atol=1e-5) == causal


def test_guidance_is_u_plus_s_times_c_minus_u():
    """By hand, on one step: what is sampled is linear in the guidance."""
    model, noise = denoiser(), latents(seed=3)
    made = {s: model.sample(noise, asked(), steps=1, guidance=s) for s in (0, 1, 2.5, -1)}
    for s in (2.5, -1):
        torch.testing.assert_close(made[s], made[0] + s * (made[1] - made[0]), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(made[1], made[0])


def test_rescaled_guidance_makes_predictions_as_large_as_without():
    """By hand, on one step from noise alone, after which what is sampled is the prediction."""
    model, noise = denoiser(schedule="straight", objective="data"), latents(seed=3)
    c, u, full, half = (
        model.sample(noise, asked(), steps=1, guidance=s, rescale=r)
        for s, r in ((1, 0), (0, 0), (4.0, 1.0), (4.0, 0.5))
    )
    plain = u + 4 * (c - u)
    torch.testing.assert_close(full.std((1, 2)), c.std((1, 2)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(half, (full + plain) / 2, atol=1e-4, rtol=1e-4)


def test_guidance_of_0_hears_no_prompt():
    model, noise = denoiser(), latents(seed=3)
    nothing = asked().where(torch.tensor([False, False]))
    heard = model.sample(noise, asked(), steps=2, guidance=0)
    torch.testing.assert_close(heard, model.sample(noise, nothing, steps=2, guidance=1))


def test_where_leaves_no_trace_of_what_is_not_read():
    model, z, t = denoiser(), latents(), torch.tensor([5, 700])
    kept = torch.tensor([True, False])
    other = Condition(asked().memory.flip(0) * 9, asked().valid, asked().vector * -3)
    one, two = (model(z, t, c.where(kept), Known.nothing(z)) for c in (asked(), other))
    assert torch.equal(one[1], two[1]) and not torch.allclose(one[0], two[0])


def test_a_memory_of_which_nothing_is_said_to_be_valid_is_all_valid():
    """What is not read, and the half of guidance that reads nothing, must not read it."""
    model, noise, t = denoiser(), latents(seed=3), torch.tensor([5, 700])
    whole = torch.ones(2, 5, dtype=torch.bool)
    bare, said = (Condition(asked().memory, valid) for valid in (None, whole))
    none, nothing = torch.tensor([False, False]), Known.nothing(noise)
    for one, other in ((bare, said), (bare.where(none), said.where(none))):
        assert torch.equal(model(noise, t, one, nothing), model(noise, t, other, nothing))
    assert torch.equal(*(model.sample(noise, words, steps=1) for words in (bare, said)))


def test_guidance_of_1_asks_the_network_once_a_step_and_another_twice():
    model, seen = denoiser(), []
    model.net.register_forward_hook(lambda net, given, out: seen.append(len(out)))
    for guidance in (1, 3.0):
        model.sample(latents(), asked(), steps=2, guidance=guidance)
    assert seen == [2, 2, 4, 4]


@pytest.mark.parametrize("guidance", [1, 3.0])
@pytest.mark.parametrize("solver", ["ddpm", "dpm2"])
def test_sampling_latents_reads_nothing_from_the_device(guidance, solver, host_reads):
    model, x = denoiser(), latents()
    known = Known(x, torch.arange(12).expand(2, -1) < 5)
    with host_reads() as counter:
        model.sample(latents(seed=3), asked(), known, 3, guidance, 0.5, solver)
    assert counter.reads == []


@pytest.mark.parametrize("samples", [False, True])
@pytest.mark.parametrize(
    ("z", "known", "words"),
    [
        (latents(), Known(latents()[:, :5], torch.ones(2, 12).bool()), r"known latents .*2, 5, 12"),
        (latents(), Known(latents(), torch.ones(2, 11).bool()), r"bool \[2, 11\]; expected bool"),
        (latents(), Known(latents(), torch.ones(2, 12)), r"float32 \[2, 12\]; expected bool"),
        (latents()[:, :5], Known.nothing(latents()), r"noisy latents .*2, 5, 12\]; .*\[B, 6, F"),
        (latents()[0], Known.nothing(latents()), r"noisy latents .*\[6, 12\]"),
    ],
)
def test_what_is_known_must_fit(samples, z, known, words):
    model = denoiser()
    with pytest.raises(ValueError, match=words):
        if samples:
            model.sample(z, asked(), known)
        else:
            model(z, torch.tensor([5, 700]), asked(), known)


def test_loss_is_that_of_its_objective_and_falls_with_a_better_answer():
    model, x, noise = denoiser(objective="data"), latents(), latents(seed=4)
    t = torch.tensor([5, 700])
    error = model.loss(x, asked(), Known.nothing(x), noise, t)
    alpha, sigma = (
        s[t].float()[:, None, None] for s in (model.schedule.alpha, model.schedule.sigma)
    )
    told = model(alpha * x + sigma * noise, t, asked(), Known.nothing(x))
    assert error.item() == pytest.approx((told - x).square().mean().item(), rel=1e-5)


def test_modes_of_parts_are_as_before_after_sampling():
    model = denoiser().train()
    model.net.eval()
    model.sample(latents(), asked(), steps=1)
    assert model.training and not model.net.training


# --- The system -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.1, 0.8, 1.7])
def test_a_sentence_becomes_audio_of_its_seconds(system, seconds):
    told = []
    made = system.generate(
        ["a waltz", None], seconds, steps=2, seed=3, callback=lambda *x: told.append(x)
    )
    assert made.shape == (2, 1, system.frames(seconds) * HOP) and made.isfinite().all()
    steps = 2 * (1 if seconds <= 0.8 else 3)  # windows of 40 frames that begin 24 apart
    assert told == [(i, steps) for i in range(1, steps + 1)]


@pytest.mark.parametrize("solver", ["ddpm", "dpm2"])
def test_the_same_seed_the_same_audio(system, solver):
    drawn = {"steps": 2, "solver": solver}
    one, two, other, new, newer = (
        system.generate(["a waltz"], 1.2, seed=s, **drawn) for s in (1, 1, 2, None, None)
    )
    assert torch.equal(one, two) and not torch.allclose(one, other)
    assert not torch.allclose(new, newer)


def test_each_solver_goes_its_own_way(system):
    made = [system.generate(["a"], 0.5, 4, solver=s, seed=1) for s in ("ddpm", "ddim", "dpm2")]
    for one, other in zip(made, made[1:] + made[:1], strict=True):
        assert not torch.allclose(one, other, atol=1e-4)


def test_what_follows_something_is_made_causally_and_nothing_else(system, monkeypatch):
    """The first window of a piece, and a hole, know of both sides."""
    ways, honest = [], system.denoiser.sample

    def note(noise, asked, known, causal=False, **options):
        ways.append((causal, known.frames[0].sum().item(), known.frames.shape[1]))
        return honest(noise, asked, known, causal=causal, **options)

    monkeypatch.setattr(system.denoiser, "sample", note)
    system.generate(["a waltz"], 1.7, steps=1)  # 85 frames in windows of 40
    assert ways == [(False, 0, 40), (True, 16, 40), (True, 19, 40)]
    ways.clear()
    system.extend(NOISE[..., : 10 * HOP], 0.2, steps=1)
    system.inpaint(NOISE, HALF, steps=1)
    assert ways == [(True, 10, 20), (False, 20, 40)]


def test_every_part_is_in_evaluation_mode_meanwhile(system):
    modes = []

    def note(part, given, out):
        modes.append(part.training)

    parts = (system.clap.text, system.denoiser.net, system.autoencoder.decoder)
    hooks = [part.register_forward_hook(note) for part in parts]
    system.train()
    try:
        system.generate(["a"], 0.1, steps=1)
        system.extend(NOISE, 0.1, steps=1)
        system.inpaint(NOISE, HALF, steps=1)
        assert len(modes) == 9 and not any(modes)
        assert all(part.training for part in parts)
    finally:
        system.eval()
        for hook in hooks:
            hook.remove()


def test_prompts_are_read_and_blank_ones_ask_for_nothing(system):
    drawn = {"steps": 2, "seed": 1}
    waltz, flute = (system.generate([p], 0.5, **drawn) for p in ("a waltz", "a flute"))
    assert not torch.allclose(waltz, flute)
    none, blank = (system.generate([p], 0.5, **drawn) for p in (None, "  "))
    assert torch.equal(none, blank)
    unheard = system.generate(["a waltz"], 0.5, guidance=0, **drawn)
    torch.testing.assert_close(none, unheard, atol=1e-5, rtol=1e-4)


def test_extending_keeps_what_is_there_and_adds_its_seconds(system):
    audio = 0.1 * torch.randn(1, 1, 50 * HOP, generator=torch.Generator().manual_seed(1))
    made = system.extend(audio, 0.6, ["a waltz", "a flute"], seed=1, steps=2)
    assert made.shape == (2, 1, 80 * HOP)
    through = system.autoencoder.decode(system.autoencoder.encode(audio))
    there = 48 * HOP  # the decoder hears a little of what follows
    torch.testing.assert_close(made[..., :there], through[..., :there].expand(2, -1, -1))
    again = system.extend(audio, 0.6, ["a waltz", "a flute"], seed=1, steps=2)
    assert torch.equal(made, again)
    assert not torch.allclose(made[0, 0, 50 * HOP :], made[1, 0, 50 * HOP :])


def test_an_extension_does_not_hang_on_what_its_window_has_not(system):
    """Of long audio only the last 40 % of a context is looked at."""
    audio = 0.1 * torch.randn(1, 1, 100 * HOP, generator=torch.Generator().manual_seed(1))
    changed = audio.clone()
    changed[..., : 60 * HOP] *= -1
    one, two = (system.extend(x, 0.4, seed=1, steps=2)[..., 102 * HOP :] for x in (audio, changed))
    torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-4)


def test_inpainting_makes_what_the_mask_names_and_nothing_else(system):
    audio = 0.1 * torch.randn(1, 1, 40 * HOP - 7, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(40, dtype=torch.bool)
    mask[10:30] = True
    made = system.inpaint(audio, mask, ["a waltz"], seed=1, steps=2)
    assert made.shape == audio.shape
    z, before = system.autoencoder.encode(made), system.autoencoder.encode(audio)
    assert z.shape == before.shape
    through = system.autoencoder.decode(before, audio.shape[-1])
    torch.testing.assert_close(made[..., : 8 * HOP], through[..., : 8 * HOP])
    torch.testing.assert_close(made[..., 38 * HOP :], through[..., 38 * HOP :])
    middle = slice(11 * HOP, 29 * HOP)
    assert not torch.isclose(made[..., middle], through[..., middle], atol=1e-4).all()
    told, drawn = [], {"seed": 1, "steps": 2, "callback": lambda *x: told.append(x)}
    prompts = ["a waltz", None]
    both, one = (
        system.inpaint(audio, m, prompts, **drawn) for m in (mask.expand(2, -1), mask[None])
    )
    assert both.shape == (2, 1, 40 * HOP - 7) and torch.equal(both, one)
    assert told == [(1, 2), (2, 2)] * 2


def test_audio_of_another_rate_is_resampled(system):
    audio = 0.1 * torch.randn(1, 1, 8000, generator=torch.Generator().manual_seed(1))
    assert system.extend(audio, 0.5, steps=1, sample_rate=8000).shape == (1, 1, 75 * HOP)


NOISE = 0.1 * torch.randn(1, 1, 40 * HOP, generator=torch.Generator().manual_seed(5))
HALF = torch.arange(40) < 20
STEREO = ContinuousAutoencoder(ContinuousAutoencoderConfig(channels=2, kept=K))
OTHER_WORDS = tiny_denoiser(tiny_unet(K, memory_width=9))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda s: s.generate("a waltz", 1), TypeError, "list of texts"),
        (lambda s: s.generate([], 1), ValueError, "text"),
        (lambda s: s.generate([3], 1), TypeError, "3"),
        (lambda s: s.generate(["a"], 0), ValueError, "seconds=0"),
        (lambda s: s.generate(["a"], -1), ValueError, "seconds=-1"),
        (lambda s: s.generate(["a"], 1e9), ValueError, "at most 600"),
        (lambda s: s.generate(["a"], "1"), TypeError, "seconds='1'"),
        (lambda s: s.generate(["a"], 1, steps=0), ValueError, "steps=0"),
        (lambda s: s.generate(["a"], 1, steps=2.5), ValueError, "steps=2.5"),
        (lambda s: s.generate(["a"], 1, steps=1001), ValueError, "1000"),
        (lambda s: s.generate(["a"], 1, guidance="3"), TypeError, "guidance='3'"),
        (lambda s: s.generate(["a"], 1, guidance=float("nan")), ValueError, "guidance=nan"),
        (lambda s: s.generate(["a"], 1, guidance=torch.inf), ValueError, "inf must be finite"),
        (lambda s: s.generate(["a"], 1, guidance=1, rescale=2), ValueError, "rescale=2"),
        (lambda s: s.generate(["a"], 1, rescale=2), ValueError, "rescale=2"),
        (lambda s: s.generate(["a"], 1, solver="euler"), ValueError, "'euler'"),
        (lambda s: s.generate(["a"], 1, seed="x"), ValueError, "seed='x'"),
        (lambda s: s.extend(NOISE, 0), ValueError, "seconds=0"),
        (lambda s: s.extend(NOISE[0], 1), ValueError, r"expected \[B, 1, T\]"),
        (lambda s: s.extend(NOISE * torch.nan, 1), ValueError, "NaN"),
        (lambda s: s.extend(NOISE.expand(3, -1, -1), 1, ["a", "a"]), ValueError, "3 pieces"),
        (lambda s: s.inpaint(NOISE, HALF[:39]), ValueError, "the audio has 40 frames"),
        (lambda s: s.inpaint(NOISE, HALF.expand(3, -1)), ValueError, "the audio has 40 frames"),
        (lambda s: s.inpaint(NOISE, HALF.float()), TypeError, "bool"),
        (lambda s: s.inpaint(NOISE, [True] * 40), TypeError, "list"),
        (lambda s: s.inpaint(NOISE, torch.ones(40).bool()), ValueError, "use `generate`"),
        (lambda s: s.inpaint(NOISE, torch.zeros(40).bool()), ValueError, "names no frame"),
        (lambda s: LatentDenoiserConfig(K), ValueError, "latents=6"),
        (lambda s: LatentDenoiserConfig(schedule="x"), ValueError, "schedule='x'"),
        (lambda s: LatentDenoiserConfig(context=0), ValueError, "context=0"),
        (lambda s: LatentDenoiserConfig(objective="eps"), ValueError, "objective='eps': choose"),
        (
            lambda s: LatentDenoiserConfig(schedule="straight", objective="noise"),
            ValueError,
            "noise",
        ),
        (lambda s: LatentDiffusion(s.autoencoder, s.clap, LatentDenoiser()), ValueError, "32"),
        (lambda s: LatentDiffusion(s.autoencoder, s.clap, OTHER_WORDS), ValueError, "of 9 and 10"),
        (lambda s: LatentDiffusion(STEREO, s.clap, s.denoiser), ValueError, "has 2 channels"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(system, call, error, words):
    with pytest.raises(error, match=words):
        call(system)


@pytest.mark.parametrize("prompt", ["x" * 2000, "вальс 🎻", "a\nb\t", "flute " * 300])
def test_any_text_is_a_prompt(system, prompt):
    assert system.generate([prompt], 0.1, steps=1, seed=1).isfinite().all()


@pytest.mark.parametrize("guidance", [0, -2.0, 1, 12])
def test_any_guidance_makes_audio(system, guidance):
    assert system.generate(["a waltz"], 0.1, steps=2, guidance=guidance, seed=1).isfinite().all()
