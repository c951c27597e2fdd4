import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.models import ContinuousAutoencoder, ContinuousAutoencoderConfig
from course_lib.models.continuous_autoencoder import PIECE
from course_lib.nets.seanet import SEANetConfig

STACK = SEANetConfig(
    widths=(4, 8, 8), strides=(4, 2), units=1, padding="constant", norm=None, lstm=0
)


def small(kept: int = 6) -> ContinuousAutoencoder:
    torch.manual_seed(0)
    config = ContinuousAutoencoderConfig(stack=STACK, dim=8, kept=kept)
    return ContinuousAutoencoder(config).eval()


def mixed(count: int = 4000) -> torch.Tensor:
    """Frames [N, 8] that depend on each other, around a mean that is not 0."""
    generator = torch.Generator().manual_seed(1)
    turn = torch.randn(8, 8, generator=generator)
    scales = torch.tensor([4.0, 3.0, 2.0, 1.0, 0.5, 0.3, 0.2, 0.1])
    return torch.randn(count, 8, generator=generator) * scales @ turn + 3


def test_whitened_frames_have_mean_0_variance_1_and_no_correlation():
    model, frames = small(), mixed()
    model.whiten(frames)
    latents = model._whiten(frames.T[None])[0]  # [K, N]
    assert latents.mean(1).abs().max() < 1e-4
    torch.testing.assert_close(torch.cov(latents), torch.eye(6), atol=1e-3, rtol=0)
    assert not torch.allclose(torch.cov(frames.T), torch.eye(8), atol=0.5)  # it was otherwise


def test_the_leading_axes_are_those_that_keep_most():
    """What is left out is what the least axes held, by Eckart, Young and Mirsky."""
    model, frames = small(3), mixed()
    share = model.whiten(frames)
    back = model._colour(model._whiten(frames.T[None]))[0].T
    lost = (back - frames).square().sum() / (frames - frames.mean(0)).square().sum()
    assert lost.item() == pytest.approx(share[3:].sum().item(), rel=1e-3)
    assert torch.equal(share, share.sort(descending=True).values)


def test_all_axes_lose_nothing():
    model, frames = small(8), mixed()
    model.whiten(frames)
    back = model._colour(model._whiten(frames.T[None]))[0].T
    torch.testing.assert_close(back, frames, atol=1e-4, rtol=1e-4)


@settings(max_examples=15, deadline=None)
@given(length=st.integers(1, 100))
def test_audio_comes_back_as_long_as_it_went_in(length):
    model = small()
    audio = torch.randn(2, 1, length)
    latents = model.encode(audio)
    assert latents.shape == (2, 6, -(-length // 8)) and model.hop == 8
    assert model.decode(latents, length).shape == audio.shape
    assert model.decode(latents).shape[-1] == 8 * latents.shape[-1]


@pytest.mark.parametrize("length", [90, 2 * PIECE * 8 + 13])
def test_forward_is_encode_then_decode(length):
    """Also of what `encode` and `decode` take piece by piece."""
    model, audio = small(), torch.randn(2, 1, length)
    model.whiten(mixed())
    out = model(audio)
    torch.testing.assert_close(out.latents, model.encode(audio), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out.audio, model.decode(out.latents, length), atol=1e-5, rtol=1e-4)


def test_a_masked_frame_says_nothing_to_the_decoder():
    """What it held changes no sample; what is kept does."""
    model, audio = small(), torch.randn(1, 1, 80)
    model.whiten(mixed())
    kept = torch.ones(1, 10, dtype=torch.bool)
    kept[0, 4] = False
    masked = model(audio, kept).audio
    zeroed = model(audio).latents.clone()
    zeroed[..., 4] = 0
    torch.testing.assert_close(masked, model.decode(zeroed, 80))
    assert not torch.allclose(masked, model(audio).audio)


def test_whitening_is_saved_with_the_weights():
    model, other = small(), small()
    model.whiten(mixed())
    other.load_state_dict(model.state_dict())
    audio = torch.randn(1, 1, 64)
    assert torch.equal(model.encode(audio), other.encode(audio))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.encode(torch.zeros(1, 2, 80)), "expected"),
        (lambda m: m.decode(torch.zeros(1, 8, 10)), r"expected \[B, 6, F\]"),
        (lambda m: m.decode(torch.zeros(1, 6, 0)), r"\[1, 6, 0\]"),
        (lambda m: m.decode(torch.zeros(1, 6, 10), 0), "length=0"),
        (lambda m: m(torch.zeros(1, 1, 80), torch.ones(1, 9)), r"expected \[1, 10\]"),
        (lambda m: m.whiten(torch.zeros(4, 8)), "N >= 8"),
        (lambda m: m.whiten(torch.full((20, 8), torch.nan)), "NaN"),
        (lambda m: ContinuousAutoencoderConfig(dim=8, kept=9), "kept=9"),
        (lambda m: ContinuousAutoencoderConfig(kept=0), "kept=0"),
    ],
)
def test_what_does_not_fit_is_said_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call(small())
