from dataclasses import replace

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import VAE, VQVAE, VAEConfig, VQVAEConfig, gaussian_kl, vae_loss, vqvae_loss

SMALL = VQVAEConfig(channels=6, width=8, dim=5, entries=16, units=1)
WAVE = VQVAEConfig(
    channels=1, mean=0.0, scale=0.1, width=8, strides=(4, 4, 4), dim=5, entries=16, units=1
)


def make(config=SMALL, **options) -> VQVAE:
    torch.manual_seed(0)
    return VQVAE(replace(config, **options))


def test_the_default_is_the_course_s():
    model = VQVAE()
    assert 0.6e6 < sum(p.numel() for p in model.parameters()) < 1.3e6
    with torch.no_grad():
        out = model.eval()(torch.randn(1, 80, 63))
    assert out.reconstruction.shape == (1, 80, 63) and out.codes.shape == (1, 1, 16)
    assert model.latents(torch.randn(1, 80, 64)).shape == (1, 64, 16)


def test_coding_keeps_no_graph():
    model, kept = make().eval(), []
    model.encoder.register_forward_hook(lambda module, given, made: kept.append(made.requires_grad))
    model.encode(torch.randn(1, 6, 24))
    model(torch.randn(1, 6, 24))
    assert kept == [False, True]


@pytest.mark.parametrize("config", [SMALL, WAVE])
@pytest.mark.parametrize("causal", [False, True])
def test_any_length_comes_back(config, causal):
    model = make(config, causal=causal).eval()
    for length in (1, 2, model.hop - 1, model.hop, model.hop + 1, 101):
        x = torch.randn(2, config.channels, length)
        out = model(x)
        assert out.reconstruction.shape == x.shape
        codes = model.encode(x)
        assert torch.equal(codes, out.codes) and codes.shape == (2, 1, -(-length // model.hop))
        decoded = model.decode_codes(codes, length)
        torch.testing.assert_close(decoded, out.reconstruction)
        whole = model.decode_codes(codes)
        assert whole.shape[-1] == codes.shape[-1] * model.hop
        assert torch.equal(whole[..., :length], decoded)


def test_batch_equals_single():
    model = make().eval()
    x = torch.randn(3, 6, 41)
    together = model(x)
    for i in range(3):
        alone = model(x[i : i + 1])
        torch.testing.assert_close(alone.reconstruction, together.reconstruction[i : i + 1])
        assert torch.equal(alone.codes, together.codes[i : i + 1])


def test_every_weight_learns_from_its_loss():
    model = make(codebook="gradient")
    x = torch.randn(2, 6, 40)
    losses = vqvae_loss(model, x)
    torch.testing.assert_close(
        losses["loss"],
        losses["reconstruction"] + losses["codebook"] + 0.25 * losses["commitment"],
    )
    losses["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())

    def receivers(name):
        model.zero_grad(set_to_none=True)
        vqvae_loss(model, x)[name].backward()
        return {n.split(".")[0] for n, p in model.named_parameters() if p.grad is not None}

    assert receivers("reconstruction") == {"encoder", "decoder"}
    assert receivers("commitment") == {"encoder"}
    assert receivers("codebook") == {"quantizer"}


def test_reconstruction_is_in_the_input_s_units():
    torch.manual_seed(0)
    x = torch.randn(4, 6, 40).cumsum(2) * 0.3 - 40
    model = make(mean=-40.0, scale=2.0)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    first = vqvae_loss(model, x)["reconstruction"].item()
    for _ in range(40):
        optimiser.zero_grad()
        vqvae_loss(model, x)["loss"].backward()
        optimiser.step()
    assert vqvae_loss(model, x)["reconstruction"] < 0.6 * first
    assert (model.eval()(x).reconstruction.mean() + 40).abs() < 1


@pytest.mark.parametrize("name", ["ema", "rotation"])
def test_a_checkpoint_brings_back_the_same_model(tmp_path, name):
    model = make(gradient="rotation") if name == "rotation" else make()
    model(torch.randn(2, 6, 100))
    model.eval()
    path = checkpoints.save(tmp_path, name, model, {})
    loaded = checkpoints.read(path)
    assert loaded.config == model.config
    x = torch.randn(1, 6, 30)
    assert torch.equal(loaded.encode(x), model.encode(x))
    vae = VAE(VAEConfig(channels=6, width=8, dim=3))
    loaded = checkpoints.read(checkpoints.save(tmp_path, "vae", vae.eval(), {}))
    torch.testing.assert_close(loaded(x).mean, vae(x).mean)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (torch.zeros(1, 5, 9), ValueError, r"\[1, 5, 9\]; expected \[B, 6, T\]"),
        (torch.zeros(6, 9), ValueError, r"\[6, 9\]"),
        (torch.zeros(1, 6, 0), ValueError, r"\[1, 6, 0\]"),
        (torch.zeros(1, 6, 9, dtype=torch.int16), TypeError, "int16"),
    ],
)
def test_bad_input_is_named(x, error, words):
    for call in (make(), make().encode, VAE(VAEConfig(channels=6, width=8, dim=3))):
        with pytest.raises(error, match=words):
            call(x)


def test_bad_codes_and_configurations_are_named():
    model = make()
    with pytest.raises(ValueError, match="between 9 and 12 frames, not length=13"):
        model.decode_codes(torch.zeros(1, 1, 3, dtype=torch.int64), 13)
    vae = VAE(VAEConfig(channels=6, width=8, dim=3))
    for length in (-2, 8, 13):
        with pytest.raises(ValueError, match=f"between 9 and 12 frames, not length={length}"):
            vae.decode(torch.zeros(1, 3, 3), length)
    with pytest.raises(ValueError, match="the codebook has 0 to 15"):
        model.decode_codes(torch.full((1, 1, 3), 16))
    with pytest.raises(ValueError, match="NaN"):
        model.encode(torch.full((1, 6, 9), torch.nan))
    with pytest.raises(ValueError, match="scale=0"):
        VQVAEConfig(scale=0)
    with pytest.raises(ValueError, match=r"strides=\(2, 0\)"):
        VAEConfig(strides=(2, 0))


def test_kl_is_the_closed_form():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0, 1))
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)
    assert gaussian_kl(torch.zeros(3), torch.zeros(3)).sum() == 0


def test_the_vae_draws_in_training_alone():
    model = VAE(VAEConfig(channels=6, width=8, dim=3))
    x, noise = torch.randn(2, 6, 21), torch.randn(2, 3, 6)
    drawn = model(x, noise).reconstruction
    assert torch.equal(drawn, model(x, noise).reconstruction)
    assert not torch.equal(drawn, model(x, -noise).reconstruction)
    out = model.eval()(x)
    assert torch.equal(out.reconstruction, model.decode(out.mean, 21))
    assert out.reconstruction.shape == x.shape and out.kl.shape == (2, 3, 6)


def test_the_vae_s_loss_adds_up():
    model = VAE(VAEConfig(channels=6, width=8, dim=3)).eval()
    x = torch.randn(2, 6, 21)
    losses = vae_loss(model, x, beta=0.5)
    torch.testing.assert_close(losses["loss"], losses["reconstruction"] + 0.5 * losses["kl"])
    torch.testing.assert_close(losses["kl"] * x.numel(), losses["nats"] * 2 * 3 * 6)


def test_a_float64_vae_stays_one():
    model = VAE(VAEConfig(channels=6, width=8, dim=3)).double()
    out = model(torch.randn(2, 6, 21, dtype=torch.float64))
    assert out.reconstruction.dtype == out.kl.dtype == torch.float64


def test_interpolation_goes_from_one_to_the_other():
    model = VAE(VAEConfig(channels=6, width=8, dim=3)).eval()
    a, b = torch.randn(1, 6, 21), torch.randn(1, 6, 21)
    path = model.interpolate(a, b, 5)
    assert path.shape == (5, 6, 21)
    torch.testing.assert_close(path[:1], model(a).reconstruction)
    torch.testing.assert_close(path[-1:], model(b).reconstruction)
    with pytest.raises(ValueError, match="at least 2 steps"):
        model.interpolate(a, b, 1)
