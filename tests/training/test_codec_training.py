"""Who learns from what in a codec's training step, and that it resumes exactly."""

import pytest
import torch
from torch import nn

from course_lib.models import Codec, CodecConfig
from course_lib.nets.discriminators import MultiScaleSTFTDiscriminator
from course_lib.nets.seanet import SEANetConfig
from course_lib.training import (
    CodecTraining,
    Draws,
    MultiScaleMelLoss,
    Tensors,
    draw_kept,
    fit,
    relative_error,
)

STACK = SEANetConfig(widths=(4, 4, 8), strides=(4, 5), conv_shortcut=False, lstm=0, norm=None)
TINY = CodecConfig(stack=STACK, dim=8, entries=16, n_codebooks=4, levels=(1, 2, 4))
MEL = {128: 10, 256: 20}
WEIGHTS = {"wave": 1.0, "mel": 2.0, "adversarial": 1.0, "features": 3.0, "commitment": 0.5}
PLAIN = {"wave": 1.0, "mel": 2.0, "commitment": 0.5}
X = 0.1 * torch.randn(16, 1, 800, generator=torch.Generator().manual_seed(0))


def make(judged=True, **settings) -> CodecTraining:
    torch.manual_seed(0)
    judge = MultiScaleSTFTDiscriminator(width=4, n_ffts=(128,)) if judged else None
    weights = settings.pop("weights", WEIGHTS if judged else PLAIN)
    mel = MultiScaleMelLoss.dac(16000, MEL)
    return CodecTraining(Codec(TINY), mel, weights, judge, **settings)


def draws(step=0, items=16):
    return Draws(0, step, range(items), torch.device("cpu"))


def loss(model, batch, random):
    return model.step(batch, draw_kept(random, 4, TINY.levels, TINY.dropout))


def graded(part: nn.Module) -> bool:
    return any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


@pytest.mark.parametrize("settings", [{}, {"balanced": True, "relative": True}])
def test_each_loss_reaches_its_own_network_alone(settings):
    model = make(**settings).train()
    step = model.step(X[:4])
    name, losses = next(step)
    losses["loss"].backward()
    assert name == "discriminator" and graded(model.discriminator) and not graded(model.codec)
    model.zero_grad()
    name, losses = next(step)
    assert name == "codec" and losses.keys() == {"loss", *WEIGHTS}
    losses["loss"].backward()
    assert graded(model.codec.encoder) and graded(model.codec.decoder)
    assert not graded(model.discriminator)
    assert next(step, None) is None
    assert all(p.requires_grad for p in model.discriminator.parameters())


def test_the_weighted_sum():
    *_, (_, losses) = make().train().step(X[:4])
    expected = sum(weight * losses[name] for name, weight in WEIGHTS.items())
    assert losses["loss"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_without_a_discriminator_there_is_one_loss():
    ((name, losses),) = make(judged=False).train().step(X[:4])
    assert name == "codec" and losses.keys() == {"loss", *PLAIN}


def test_what_has_no_weight_is_not_computed():
    model = make(weights={"adversarial": 1.0}).train()
    model.mel = None
    *_, (_, losses) = model.step(X[:4])
    assert losses.keys() == {"loss", "adversarial"}


@pytest.mark.parametrize("least_squares", [False, True])
def test_the_discriminator_learns_to_tell(least_squares):
    """With the codec still, what it made gets lower logits than the sound."""
    model = make(least_squares=least_squares).train()
    tones = 0.3 * torch.sin(torch.arange(800) * torch.linspace(0.1, 0.6, 16)[:, None, None])
    optimizer = torch.optim.Adam(model.discriminator.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        _, found = next(model.step(tones))
        optimizer.zero_grad()
        found["loss"].backward()
        optimizer.step()
        losses.append(found["loss"].item())
    real = model.discriminator(tones).logits[0].mean()
    fake = model.discriminator(model.codec(tones).audio).logits[0].mean()
    assert losses[-1] < 0.7 * losses[0] and real > fake


def train(folder=None, stop=None, **settings):
    model = make(**settings)

    def mortal(model, batch, random):
        if random.step == stop:
            raise RuntimeError("killed")
        yield from loss(model, batch, random)

    fit(model, Tensors(X), mortal, steps=8, batch_size=4, optimizers=model.optimizers(1e-3),
        average=0.9, log_every=2, save_seconds=0, folder=folder, progress=False)  # fmt: skip
    return model.state_dict()


@pytest.mark.parametrize("judged", [False, True])
def test_killed_it_ends_as_if_it_never_was(tmp_path, judged):
    """Codec, codebooks, discriminator and balancer alike."""
    settings = {"judged": judged, "balanced": True}
    whole = train(**settings)
    with pytest.raises(RuntimeError, match="killed"):
        train(tmp_path, stop=5, **settings)
    resumed = train(tmp_path, **settings)
    assert "balancer.sums" in whole and any("discriminator" in n for n in whole) == judged
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_scaling_one_loss_by_100_changes_nothing_with_the_balancer():
    def scaled(factor, balanced):
        model = make(balanced=balanced).train()
        plain = model.mel.forward
        model.mel.forward = lambda x, y: factor * plain(x, y)
        fit(model, Tensors(X), loss, steps=5, batch_size=4, progress=False,
            optimizers=model.optimizers(1e-3))  # fmt: skip
        return torch.cat([p.flatten() for p in model.codec.parameters()])

    start = torch.cat([p.flatten() for p in make().codec.parameters()])
    one, hundred = scaled(0.01, True), scaled(1, True)
    assert (one - hundred).norm() < 0.02 * (one - start).norm()
    one, hundred = scaled(0.01, False), scaled(1, False)
    assert (one - hundred).norm() > 0.2 * (one - start).norm()


def test_a_step_reads_nothing_from_the_device(host_reads):
    model = make(balanced=True).train()
    for _, losses in model.step(X[:4]):  # k-means on the first batch may look
        losses["loss"].backward()
    with host_reads() as counter:
        for _, losses in loss(model, X[:4], draws(1, 4)):
            losses["loss"].backward()
    assert not counter.reads


def test_drawn_levels():
    many = draws(items=4000)
    kept = draw_kept(many, 8, (1, 2, 4, 8), 0.5)
    assert kept.dtype == torch.int64 and set(kept.tolist()) == {1, 2, 4, 8}
    assert (kept == 1).float().mean().item() == pytest.approx(0.125, abs=0.02)
    assert (kept == 8).float().mean().item() == pytest.approx(0.625, abs=0.03)
    assert (draw_kept(many, 8, (1, 2), 0.0) == 8).all()
    half = Draws(0, 0, range(2000, 4000), torch.device("cpu"))
    assert torch.equal(draw_kept(half, 8, (1, 2, 4, 8), 0.5), kept[2000:])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no loss 'pitch' to weigh"):
        make(weights={"pitch": 1.0})
    with pytest.raises(ValueError, match="is NoneType, .*adversarial, features: give both or"):
        make(judged=False, weights=WEIGHTS)
    with pytest.raises(ValueError, match="is MultiScaleSTFTDiscriminator, .*none: give both or"):
        make(weights=PLAIN)


def test_without_quantizing_the_codebooks_rest():
    model = make(judged=False).train()
    before = model.codec.quantizer.state_dict()
    before = {name: value.clone() for name, value in before.items()}
    [(_, losses)] = model.step(X[:4], quantize=False)
    losses["loss"].backward()
    assert losses["commitment"] == 0
    assert graded(model.codec.encoder) and graded(model.codec.decoder)
    for name, value in model.codec.quantizer.state_dict().items():
        assert torch.equal(value, before[name])


def test_relative_error_is_one_over_the_signal_to_noise_ratio():
    error = relative_error(X, 0.9 * X)
    assert error.item() == pytest.approx(0.01, rel=1e-5)
    assert relative_error(10 * X, 9 * X).item() == pytest.approx(0.01, rel=1e-5)
    assert relative_error(X, torch.zeros_like(X)).item() == pytest.approx(1.0)


def test_relative_error_of_silence_is_finite_and_small():
    silence = torch.zeros(2, 1, 800)
    assert relative_error(silence, silence) == 0
    assert relative_error(silence, silence + 1e-3).item() == pytest.approx(1e-2, rel=1e-4)


def test_decoder_only_leaves_encoder_and_codes_alone():
    weights = {"error": 1.0, "mel": 2.0, "adversarial": 1.0, "features": 1.0}
    model = make(weights=weights, balanced=True, decoder_only=True).train()
    model.codec.train()(X)  # places the codebooks
    before = {name: value.clone() for name, value in model.codec.state_dict().items()}
    codes = model.codec.encode(X).codes
    fit(model, Tensors(X), loss, steps=3, batch_size=4, lr=1e-2, progress=False,
        optimizers=model.optimizers(1e-2, 1e-2))  # fmt: skip
    for name, value in model.codec.state_dict().items():
        assert torch.equal(value, before[name]) != name.startswith("decoder."), name
    assert torch.equal(model.codec.encode(X).codes, codes)


def test_decoder_only_drops_the_codebooks_that_an_item_may_not_use():
    model = make(judged=False, weights={"error": 1.0}, decoder_only=True).train()
    model.codec.train()(X)
    kept = torch.tensor([1, 2, 4, 4])
    out = model._decoded(X[:4], kept)
    for item, count in enumerate(kept):
        codes = out.codes[item]
        assert (codes[:count] >= 0).all() and (codes[count:] == -1).all()
        alone = model.codec.decode_codes(codes[None, :count], length=X.shape[-1])
        assert torch.allclose(out.audio[item], alone[0], atol=1e-6)
