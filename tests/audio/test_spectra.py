"""STFT, log-mel, Griffin–Lim and resampling against closed forms, librosa and torchaudio."""

import math
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.1


def plucks(seconds=2.0, sample_rate=16000):
    """Decaying harmonic tones, one every quarter second: close to music, from nothing."""
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    sound = torch.zeros_like(t)
    for i, midi in enumerate([60, 64, 67, 72, 71, 67, 65, 62][: int(seconds * 4)]):
        since, frequency = (t - i / 4).clamp(min=0), 440 * 2 ** ((midi - 69) / 12)
        for harmonic in range(1, 7):
            wave = torch.sin(2 * math.pi * frequency * harmonic * since) / harmonic
            sound += 0.2 * wave * torch.exp(-6 * harmonic**0.5 * since)
    return sound[None, None]


def test_a_sine_on_a_bin_has_its_closed_form():
    n_fft, k = 1024, 64
    sound = 0.5 * torch.cos(2 * math.pi * k / n_fft * torch.arange(8192).double())
    spectrum = audio.stft(sound, n_fft, 256)[:, 4:-4]
    magnitude = spectrum.abs()
    # A periodic Hann window puts half the amplitude times its sum on the bin, half of that beside.
    assert torch.allclose(magnitude[k], torch.tensor(0.5 * n_fft / 4, dtype=torch.float64))
    assert torch.allclose(magnitude[k + 1], magnitude[k] / 2)
    assert magnitude[k + 2 :].max() < 1e-9 and magnitude[: k - 1].max() < 1e-9


def test_parseval():
    """Window energies and spectrum energies agree frame by frame."""
    n_fft, hop = 512, 128
    sound = noise(4096).double()
    spectrum = audio.stft(sound, n_fft, hop)
    padded = torch.nn.functional.pad(sound, (n_fft // 2, n_fft // 2))
    frames = padded.unfold(0, n_fft, hop) * torch.hann_window(n_fft, dtype=torch.float64)
    power = spectrum.abs().square()
    both_sides = 2 * power.sum(0) - power[0] - power[-1]
    assert torch.allclose(frames.square().sum(-1), both_sides / n_fft)


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 5000),
    settings_=st.sampled_from([(1024, 256), (512, 256), (64, 16), (10, 3), (4, 1)]),
)
def test_istft_gives_back_any_length(length, settings_):
    n_fft, hop = settings_
    sound = noise(2, 1, length, seed=length).double()
    spectrum = audio.stft(sound, n_fft, hop)
    assert spectrum.shape == (2, 1, n_fft // 2 + 1, 1 + length // hop)
    back = audio.istft(spectrum, hop, length)
    assert back.shape == sound.shape
    assert (back - sound).abs().max() < 1e-9


@pytest.mark.parametrize(
    "sample_rate, n_fft, hop, n_mels",
    [
        (16000, 1024, 256, 80),
        (22050, 1024, 256, 80),
        (24000, 2048, 512, 128),
        (16000, 512, 160, 40),
    ],
)
def test_log_mel_equals_librosa_and_torchaudio(sample_rate, n_fft, hop, n_mels):
    import librosa
    from torchaudio.transforms import MelSpectrogram

    sound = plucks(1.0)[0] + 0.02 * noise(1, 16000)
    ours = audio.LogMel(sample_rate, n_fft, hop, n_mels)(sound)
    theirs = librosa.feature.melspectrogram(
        y=sound[0].double().numpy(),
        sr=sample_rate,
        n_fft=n_fft,
        hop_length=hop,
        n_mels=n_mels,
        power=1,
    )
    torchaudios = MelSpectrogram(
        sample_rate,
        n_fft,
        hop_length=hop,
        n_mels=n_mels,
        power=1,
        norm="slaney",
        mel_scale="slaney",
        pad_mode="constant",
    )(sound)
    assert ours.shape == torchaudios.shape == (1, n_mels, 1 + 16000 // hop)
    for other in (torch.from_numpy(theirs)[None], torchaudios):
        other = other.clamp(min=1e-5)
        assert (ours.exp() - other).abs().max() < 1e-5 * other.max()
        # The logarithm of a bin far below its frame's peak shows the rounding of float32.
        assert (ours - other.log()).abs().median() < 1e-6
        assert (ours - other.log()).abs().max() < 1e-4


def test_stft_equals_librosa():
    import librosa

    sound = noise(3000).double()
    theirs = librosa.stft(sound.numpy(), n_fft=512, hop_length=128)
    assert np.abs(audio.stft(sound, 512, 128).numpy() - theirs).max() < 1e-9


@given(length=st.integers(1, 3000))
@settings(max_examples=20, deadline=None)
def test_log_mel_frames(length):
    mel = audio.LogMel(n_mels=10)
    assert mel(noise(2, 1, length)).shape == (2, 10, 1 + length // 256)
    assert torch.equal(mel(noise(2, 1, length)), mel(noise(2, length)))


def test_log_mel_is_float32_under_autocast_and_has_gradients():
    sound = plucks(0.5).requires_grad_()
    mel = audio.LogMel()
    expected = mel(sound)
    with torch.autocast("cpu", torch.bfloat16):
        under = mel(sound)
    assert under.dtype == torch.float32 and torch.equal(under, expected)
    expected.mean().backward()
    assert torch.isfinite(sound.grad).all() and sound.grad.abs().max() > 0
    assert mel.state_dict() == {}


def test_silence_has_the_floor():
    assert torch.allclose(audio.LogMel()(torch.zeros(1, 1000)), torch.tensor(math.log(1e-5)))


def spectral_convergence(reference, estimate):
    """|| |X| - |Y| || / || |X| ||, by magnitudes."""
    x, y = audio.stft(reference).abs(), audio.stft(estimate).abs()
    return float((x - y).norm() / x.norm())


def test_griffin_lim_converges_on_plucked_notes():
    sound = plucks(2.0)
    log_mel = audio.LogMel()(sound)
    errors = [
        spectral_convergence(sound, audio.griffin_lim(log_mel, iterations=n, length=32000))
        for n in (0, 8, 32)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.35  # of which 0.27 is what 80 mel bands do not tell


def test_momentum_brings_griffin_lim_nearer_to_the_magnitudes_it_was_given(monkeypatch):
    mel = audio.LogMel()
    log_mel = mel(plucks(2.0))
    wanted = audio.invert_mel(log_mel, mel)
    errors = []
    for momentum in (0.99, 0.0):
        monkeypatch.setattr(sys.modules["course_lib.audio.griffin_lim"], "_MOMENTUM", momentum)
        reached = audio.stft(audio.griffin_lim(log_mel, length=32000)[:, 0]).abs()
        errors.append(float((reached - wanted).norm() / wanted.norm()))
    assert errors[0] < 0.9 * errors[1]


def test_griffin_lim_is_reproducible_and_of_the_asked_length():
    log_mel = audio.LogMel()(plucks(0.5))
    for length in (None, 8000, 7950, 8191):
        expected = (1, 1, length or 256 * 31)
        assert audio.griffin_lim(log_mel, iterations=1, length=length).shape == expected
    again = [audio.griffin_lim(log_mel, iterations=2, seed=s) for s in (1, 1, 2)]
    assert torch.equal(again[0], again[1]) and not torch.equal(again[0], again[2])


def test_griffin_lim_takes_the_settings_of_its_mel():
    mel = audio.LogMel(22050, 512, 128, 60)
    assert audio.griffin_lim(mel(plucks(0.5)), mel, iterations=1).shape == (1, 1, 128 * 62)


def test_inverted_mel_has_the_mel_it_came_from():
    mel = audio.LogMel()
    log_mel = mel(plucks(1.0))
    magnitude = audio.invert_mel(log_mel, mel)
    assert (magnitude >= 0).all()
    target = log_mel.exp()
    assert ((mel.filters @ magnitude - target).norm() / target.norm()) < 0.02


@pytest.mark.parametrize("rates", [(44100, 16000), (16000, 44100), (48000, 16000), (22255, 16000)])
def test_resampled_sine_is_the_sine_at_the_new_rate(rates):
    old, new = rates
    before = sine(1000, old)
    after = audio.resample(before, old, new)
    assert after.shape == (1, new)
    exact = old * Fraction(new, old).limit_denominator(1000)
    assert abs(1200 * math.log2(exact / new)) < 0.005  # cents
    middle = slice(new // 4, -new // 4)
    assert (after - sine(1000, float(exact), new))[0, middle].abs().max() < 1e-4


def test_resampling_removes_what_would_alias():
    assert audio.resample(sine(9000, 44100), 44100, 16000)[:, 300:-300].abs().max() < 1e-4


def sine(frequency, sample_rate, samples=None):
    t = torch.arange(samples or sample_rate, dtype=torch.float64) / sample_rate
    return torch.sin(2 * math.pi * frequency * t)[None]


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: audio.stft(torch.zeros(0)), ValueError, "no sample"),
        (lambda: audio.stft(torch.zeros(100), 1024, 0), ValueError, "hop 0"),
        (lambda: audio.stft(torch.zeros(100), 1024, 600), ValueError, "hop 600"),
        (lambda: audio.istft(torch.zeros(513, 4)), TypeError, "griffin_lim"),
        (lambda: audio.istft(audio.stft(noise(999)), 256, 1024), ValueError, "length is 1024"),
        (lambda: audio.LogMel()(torch.zeros(1, 2, 500)), ValueError, "expected mono"),
        (lambda: audio.LogMel()(torch.zeros(1, 1, 500).long()), TypeError, "torch.int64"),
        (lambda: audio.LogMel(sample_rate=0), ValueError, "sample_rate is 0"),
        (lambda: audio.LogMel(n_mels=0), ValueError, "n_mels is 0"),
        (lambda: audio.griffin_lim(torch.zeros(1, 79, 5)), ValueError, r"\[B, 80, F\]"),
        (lambda: audio.griffin_lim(torch.zeros(1, 80, 1)), ValueError, "length is 0"),
        (lambda: audio.griffin_lim([[0.0]]), TypeError, "log_mel is list"),
        (lambda: audio.griffin_lim(torch.full((1, 80, 5), math.nan)), ValueError, "NaN"),
        (lambda: audio.resample(torch.zeros(1, 9), 0, 16000), ValueError, "from_rate is 0"),
        (lambda: audio.resample(torch.zeros(1, 9), 8000, "16000"), TypeError, "to_rate"),
        (lambda: audio.resample(torch.tensor([math.nan]), 8000, 16000), ValueError, "NaN"),
    ],
)
def test_wrong_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_torchaudio_that_does_not_load_is_explained(monkeypatch):
    import builtins

    real = builtins.__import__

    def broken(name, *args, **kwargs):
        if name.startswith("torchaudio"):
            raise OSError("Could not load this library: _torchaudio.abi3.so")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(ImportError, match="course doctor --fix"):
        audio.resample(torch.zeros(1, 9), 8000, 16000)


def test_importing_the_room_imports_no_heavy_library():
    code = (
        "import sys, course_lib.audio, course_lib.metrics;"
        "print([m for m in ('torchaudio', 'soundfile', 'librosa', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "sample_rate, n_fft, n_mels",
    [
        (16000, 1024, 80),
        (44100, 2048, 320),
        (16000, 32, 5),
        (16000, 512, 128),
        (1500, 256, 20),
    ],
)
def test_mel_filters_equal_librosas(sample_rate, n_fft, n_mels):
    import librosa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, about filters narrower than a bin
        theirs = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels)
    ours = audio.mel_filters(sample_rate, n_fft, n_mels).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=3e-7, atol=1e-9)
