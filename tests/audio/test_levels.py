"""Loudness against the standard and torchaudio; normalisation, for ears and for networks."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio
from course_lib.audio.checks import check_mono, check_second
from course_lib.audio.levels import to_one_level


def sine(frequency, sample_rate, seconds, amplitude=1.0):
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    return amplitude * torch.sin(2 * math.pi * frequency * t)[None]


@pytest.mark.parametrize("sample_rate", [16000, 44100, 48000])
def test_full_scale_sine_near_1_khz_is_minus_3_lufs(sample_rate):
    """BS.1770-4, annex 1: a 997 Hz sine at full scale in one channel reads -3.01."""
    assert float(audio.loudness(sine(997, sample_rate, 2), sample_rate)) == pytest.approx(
        -3.01, abs=0.1
    )


@pytest.mark.parametrize("channels, sample_rate", [(1, 8000), (2, 16000), (5, 8000)])
def test_loudness_equals_torchaudio(channels, sample_rate):
    from torchaudio.functional import loudness

    generator = torch.Generator().manual_seed(channels)
    sound = 0.05 * torch.randn(2, channels, sample_rate, generator=generator)
    sound[..., sample_rate // 2 :] *= 0.02  # the quiet half is gated out
    sound[0] *= 3
    ours, theirs = audio.loudness(sound, sample_rate), loudness(sound, sample_rate)
    assert (ours - theirs).abs().max() < 1e-3


def test_the_gate_leaves_pauses_out():
    sound = sine(500, 16000, 4)
    paused = torch.cat([sound, torch.zeros(1, 16000 * 8)], dim=-1)
    assert float(audio.loudness(paused, 16000) - audio.loudness(sound, 16000)) > -0.3


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, 6500))
def test_short_clips_have_a_loudness(length):
    level = audio.loudness(
        torch.full((1, length), 0.5) * torch.tensor([1.0, -1.0]).repeat(length)[:length], 16000
    )
    assert math.isfinite(float(level)) and float(level) > audio.levels.QUIETEST


def test_a_short_tone_is_as_loud_as_a_long_one():
    short = audio.loudness(sine(1000, 16000, 0.1), 16000)
    assert float(short - audio.loudness(sine(1000, 16000, 2), 16000)) == pytest.approx(0, abs=0.1)


def test_silence_is_minus_70_and_stays_silent():
    silence = torch.zeros(2, 1, 9000)
    assert audio.loudness(silence, 16000).tolist() == [-70, -70]
    assert torch.equal(audio.normalise(silence, 16000), silence)


@settings(max_examples=25, deadline=None)
@given(gain=st.floats(1e-3, 1.0), target=st.floats(-40, -10))
def test_normalise_reaches_its_target_or_its_peak(gain, target):
    generator = torch.Generator().manual_seed(0)
    sound = gain * torch.rand(1, 2, 16000, generator=generator)
    after = audio.normalise(sound, 16000, lufs=target)
    peak = float(after.abs().max())
    assert peak <= 0.89 * (1 + 1e-5)
    if peak < 0.8899:
        assert float(audio.loudness(after, 16000)) == pytest.approx(target, abs=0.2)


def test_a_click_in_quiet_is_held_at_the_peak():
    sound = sine(440, 16000, 1, 0.01)
    sound[0, 8000] = 0.5
    assert float(audio.normalise(sound, 16000).abs().max()) == pytest.approx(0.89, rel=1e-5)


def test_normalise_treats_clips_apart_and_channels_together():
    sound = torch.stack([sine(440, 16000, 1, 0.5), sine(440, 16000, 1, 0.01)])
    sound = torch.cat([sound, sound / 2], dim=1)
    after = audio.normalise(sound, 16000)
    assert torch.allclose(after[0], after[1], atol=1e-5)
    assert torch.allclose(after[:, 1], after[:, 0] / 2)


@pytest.mark.parametrize(
    "sound, error, words",
    [
        (torch.zeros(500), ValueError, r"\[..., C, T\]"),
        (torch.zeros(6, 500), ValueError, "6 channels"),
        (torch.zeros(1, 0), ValueError, "no sample"),
        (torch.tensor([[math.nan]]), ValueError, "NaN"),
        (torch.zeros(1, 5, dtype=torch.int32), TypeError, "int32"),
    ],
)
@pytest.mark.parametrize("call", [audio.loudness, audio.normalise])
def test_wrong_input_is_named(call, sound, error, words):
    with pytest.raises(error, match=words):
        call(sound, 16000)


def test_networks_hear_one_level():
    sound = torch.stack(
        [sine(440, 16000, 1, a) for a in (0.5, 0.01, 1e-5)] + [torch.zeros(1, 16000)]
    )
    level = to_one_level(sound).square().mean(-1).sqrt()[:, 0]
    raised = 1e-5 / 2**0.5 * 1000  # by 60 dB and no more
    assert level.tolist() == pytest.approx([0.1, 0.1, raised, 0], rel=1e-4)


def test_quiet_sound_in_half_precision_is_levelled_as_precisely():
    sound = 5e-4 * sine(440, 16000, 1.0)[None]  # whose squares float16 cannot hold
    found = to_one_level(sound.half())
    assert found.dtype == torch.float32 and to_one_level(sound.double()).dtype == torch.float64
    assert float(found.square().mean().sqrt()) == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize(
    "sound, error, words",
    [
        (torch.zeros(16000), ValueError, r"\[16000\]; expected mono \[B, 1, T\]"),
        (torch.zeros(1, 2, 16000), ValueError, "mix the channels"),
        (torch.zeros(1, 1, 15999), ValueError, "15999 samples; the judge needs at least 16000"),
        (torch.zeros(0, 1, 16000), ValueError, "no sample"),
        (torch.zeros(1, 1, 16000, dtype=torch.int16), TypeError, "int16"),
    ],
)
def test_less_than_a_second_of_mono_is_named(sound, error, words):
    with pytest.raises(error, match=words):
        check_second(sound, 16000, "the judge")
    check_second(torch.full((1, 1, 16000), math.nan), 16000, "the judge")  # not looked for
    with pytest.raises(ValueError, match="NaN"):
        check_mono(torch.full((1, 1, 16000), math.nan))


def test_peak_must_be_a_level():
    with pytest.raises(ValueError, match="peak is 2"):
        audio.normalise(torch.ones(1, 10), 16000, peak=2)
