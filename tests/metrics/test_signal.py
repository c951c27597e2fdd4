"""SI-SDR, mel and STFT distance against closed forms, mir_eval and librosa."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_si_sdr_of_orthogonal_noise_has_its_closed_form():
    t = torch.arange(1600).double() / 1600
    tone = torch.sin(2 * math.pi * 10 * t)[None]
    other = torch.sin(2 * math.pi * 35 * t)[None]
    for level in (1.0, 0.1, 0.01):
        expected = -20 * math.log10(level)
        assert float(metrics.si_sdr(tone, tone + level * other)) == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(gain=st.floats(0.01, 100), offset=st.floats(-1, 1), sign=st.sampled_from([-1, 1]))
def test_si_sdr_ignores_scale_sign_and_mean(gain, offset, sign):
    x, e = noise(1, 4000), noise(1, 4000) + 0.3 * noise(1, 4000, seed=1)
    assert float(metrics.si_sdr(x, sign * gain * e + offset)) == pytest.approx(
        float(metrics.si_sdr(x, e)), abs=1e-2
    )


@pytest.mark.filterwarnings("ignore::FutureWarning")  # mir_eval's, on moving separation elsewhere
def test_si_sdr_equals_mir_evals():
    """On signals without a mean, where mir_eval's projection is the scale-invariant one."""
    from mir_eval.separation import _bss_decomp_mtifilt, _bss_source_crit

    x, e = noise(1, 3000).double(), (noise(1, 3000) + 0.5 * noise(1, 3000, seed=2)).double()
    x, e = x - x.mean(), e - e.mean()
    parts = _bss_decomp_mtifilt(x.numpy(), e[0].numpy(), 0, 1)  # a filter of one tap: a gain
    sdr, _, _ = _bss_source_crit(*parts)
    assert float(metrics.si_sdr(x, e)) == pytest.approx(float(sdr), abs=1e-6)


def test_si_sdr_at_its_ends():
    x = noise(2, 1, 500)
    assert metrics.si_sdr(x, 0.5 * x).tolist() == [math.inf, math.inf]
    assert math.isnan(float(metrics.si_sdr(torch.zeros(1, 500), x[0])))
    assert metrics.si_sdr(x, torch.zeros_like(x)).tolist() == [-math.inf, -math.inf]


def librosa_magnitudes(sound, window):
    import librosa

    return np.abs(
        librosa.stft(
            sound.double().numpy(), n_fft=window, hop_length=window // 4, pad_mode="reflect"
        )
    )


def test_mel_distance_equals_librosas():
    """The definition of DAC's loss, put together from librosa's parts."""
    import warnings

    import librosa

    x, e = noise(4000), 0.7 * noise(4000) + 0.2 * noise(4000, seed=1)
    expected = 0.0
    for window, n_mels in zip(
        (32, 64, 128, 256, 512, 1024, 2048), (5, 10, 20, 40, 80, 160, 320), strict=True
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            filters = librosa.filters.mel(sr=16000, n_fft=window, n_mels=n_mels)
        mels = [np.maximum(filters @ librosa_magnitudes(s, window), 1e-5) for s in (x, e)]
        expected += np.abs(np.log10(mels[0]) - np.log10(mels[1])).mean()
    assert float(metrics.mel_distance(x[None], e[None])) == pytest.approx(expected, rel=1e-5)


def test_stft_distance_equals_librosas():
    x, e = noise(4000), 0.7 * noise(4000) + 0.2 * noise(4000, seed=1)
    expected = 0.0
    for window in (2048, 512):
        a, b = (librosa_magnitudes(s, window) for s in (x, e))
        logs = [np.log10(np.maximum(m, 1e-5) ** 2) for m in (a, b)]
        expected += np.abs(logs[0] - logs[1]).mean() + np.abs(a - b).mean()
    assert float(metrics.stft_distance(x[None], e[None])) == pytest.approx(expected, rel=1e-5)


DISTANCES = [metrics.mel_distance, metrics.stft_distance]


@pytest.mark.parametrize("distance", DISTANCES)
def test_distances_are_zero_for_a_copy_and_grow_with_noise(distance):
    x = noise(3, 2, 4000)
    assert distance(x, x).tolist() == [0, 0, 0]
    values = [distance(x, x + level * noise(3, 2, 4000, seed=5)) for level in (0.01, 0.1, 1.0)]
    assert (values[0] < values[1]).all() and (values[1] < values[2]).all()
    assert torch.allclose(distance(x[1], 0.5 * x[1]), distance(x, 0.5 * x)[1])


@pytest.mark.parametrize("distance", DISTANCES)
def test_distances_have_gradients_at_silence_too(distance):
    estimate = torch.zeros(1, 2000, requires_grad=True)
    (
        distance(noise(1, 2000), estimate)
        + distance(noise(1, 2000), noise(1, 2000, seed=1) + estimate)
    ).backward()
    assert torch.isfinite(estimate.grad).all() and estimate.grad.abs().max() > 0


def test_halving_the_level_has_its_closed_form():
    """Every log10 magnitude moves by log10(2), so seven windows give seven times that."""
    x = torch.randn(1, 1, 16000, generator=torch.Generator().manual_seed(0))
    assert float(metrics.mel_distance(x, x / 2)) == pytest.approx(7 * math.log10(2), rel=0.01)


@pytest.mark.parametrize("metric", [metrics.si_sdr, *DISTANCES])
@pytest.mark.parametrize(
    "reference, estimate, error, words",
    [
        (torch.zeros(1, 2000), torch.zeros(1, 2001), ValueError, "the same"),
        (torch.zeros(2000), torch.zeros(2000), ValueError, r"\[B, C, T\]"),
        (torch.zeros(1, 0), torch.zeros(1, 0), ValueError, "no sample"),
        (torch.zeros(1, 2000), torch.full((1, 2000), math.nan), ValueError, "estimate has 2000"),
        (torch.zeros(1, 2000).int(), torch.zeros(1, 2000), TypeError, "reference has dtype"),
    ],
)
def test_wrong_input_is_named(metric, reference, estimate, error, words):
    with pytest.raises(error, match=words):
        metric(reference, estimate)


@pytest.mark.parametrize("distance", DISTANCES)
def test_short_clips_are_refused(distance):
    with pytest.raises(ValueError, match="at least 1025"):
        distance(noise(1, 1024), noise(1, 1024))
    assert float(distance(noise(1, 1025), noise(1, 1025))) == 0


def test_snr_counts_a_wrong_level_as_noise():
    x = noise(2, 1, 4000)
    assert metrics.snr(x, 0.9 * x).tolist() == pytest.approx([20, 20], abs=1e-4)
    assert metrics.snr(x, torch.zeros_like(x)).tolist() == pytest.approx([0, 0])
    assert metrics.snr(x, x).tolist() == [math.inf, math.inf]
    assert math.isnan(float(metrics.snr(torch.zeros(1, 500), noise(1, 500))))


def test_spectral_convergence_by_hand():
    x, e = noise(1, 4000), noise(1, 4000, seed=1)
    a, b = (librosa_magnitudes(y[0], 1024) for y in (x, e))
    expected = 20 * math.log10(np.linalg.norm(a - b) / np.linalg.norm(a))
    assert float(metrics.spectral_convergence(x, e)) == pytest.approx(expected, abs=1e-3)
    silence = metrics.spectral_convergence(x[None], 0 * x[None])
    assert silence.tolist() == pytest.approx([0.0], abs=1e-6)
    assert float(metrics.spectral_convergence(x, -x)) < -100  # phase does not count
    assert math.isnan(float(metrics.spectral_convergence(0 * x, x)))
    with pytest.raises(ValueError, match="512 samples; expected at least 513"):
        metrics.spectral_convergence(x[..., :512], x[..., :512])
