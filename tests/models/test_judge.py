"""The judge: shapes, invariances by construction, and what each of its three parts hears."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import checkpoints
from course_lib.evaluation import analyse
from course_lib.models import Analyser, AnalyserConfig, Judge, JudgeConfig
from course_lib.models.judge import HarmonyReader, PitchBands, Pulse

CLASSES = {
    "instruments": ("piano", "violin", "tuba"),
    "styles": ("waltz", "house"),
    "modes": ("major", "minor", "dorian", "mixolydian"),
    "metres": ("2/4", "3/4"),
    "tempo_classes": ("slow", "medium", "fast"),
}
SMALL = {"width": 16, "layers": 1, "heads": 2, "reader": 16, "embedding": 8}
CONFIG = JudgeConfig(**CLASSES, **SMALL)


def judge(seed=0):
    torch.manual_seed(seed)
    return Judge(CONFIG).eval()


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def tone(*pitches, seconds=3.0, sample_rate=16000):
    """Tones of MIDI numbers with four harmonics, [1, 1, T]."""
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    waves = [
        torch.sin(2 * math.pi * 440 * 2 ** ((p - 69) / 12) * k * t) / k**2
        for p in pitches
        for k in range(1, 5)
    ]
    return 0.1 * torch.stack(waves).sum(0)[None, None]


def clicks(rate, seconds=8.0, sample_rate=16000):
    """Bursts of noise, `rate` in a second, [1, 1, T]."""
    sound = 0.001 * noise(round(seconds * sample_rate))
    burst = noise(640, seed=1) * torch.exp(-torch.arange(640) / 100)
    for place in torch.arange(0, seconds - 0.05, 1 / rate):
        start = round(float(place) * sample_rate)
        sound[start : start + 640] += burst
    return sound[None, None]


def test_a_judge_of_the_course_is_small_enough():
    model = Judge(JudgeConfig(**CLASSES))
    assert sum(p.numel() for p in model.parameters()) <= 650_000


def test_logits_are_those_of_an_analyser():
    sound = noise(2, 1, 20000)
    analyser = Analyser(AnalyserConfig(**CLASSES)).eval()
    logits, expected = judge()(sound), analyser(sound)
    assert {n: v.shape for n, v in logits.items()} == {n: v.shape for n, v in expected.items()}
    found = analyse(sound, judge())
    assert found.embeddings.shape == (2, 8) and set(found.posteriors) == set(expected) - {"key"}


@settings(max_examples=15, deadline=None)
@given(length=st.integers(16000, 70000))
def test_any_length_from_a_second_up(length):
    embedding, logits = judge().listen(noise(1, 1, length))
    assert torch.isfinite(embedding).all()
    assert all(torch.isfinite(values).all() for values in logits.values())


def test_gain_changes_nothing_and_silence_is_finite():
    model, sound = judge(), noise(1, 1, 32000)
    torch.testing.assert_close(
        model.listen(sound)[0], model.listen(0.01 * sound)[0], atol=1e-4, rtol=0
    )
    assert torch.isfinite(model.listen(torch.zeros(1, 1, 16000))[0]).all()


def test_rows_do_not_depend_on_their_batch():
    model, sound = judge(), noise(3, 1, 20000)
    torch.testing.assert_close(
        model.listen(sound)[0][1:2], model.listen(sound[1:2])[0], atol=1e-5, rtol=0
    )


def test_all_of_it_learns():
    model = judge().train()
    embedding, logits = model.listen(noise(2, 1, 20000))
    sum(v.square().mean() for v in logits.values()).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_a_pitch_is_loudest_in_its_class_and_octave():
    bands = PitchBands(16000)
    for midi in (40, 52, 60, 69, 83, 98):
        t = torch.arange(32000) / 16000
        sine = 0.1 * torch.sin(2 * math.pi * 440 * 2 ** ((midi - 69) / 12) * t)
        found = bands(sine[None, None])[0, :, :, 4:-4].mean(-1)  # [12 bands, 12 classes]
        octave = (midi - PitchBands.LOWEST) // 12
        by_class = found[2 * octave : 2 * octave + 2].mean(0)
        assert int(by_class.argmax()) == midi % 12
        assert int(found.amax(1).argmax()) // 2 == octave


def test_harmony_is_the_same_in_every_key_but_not_in_every_mode():
    model = judge()
    major, minor = (model.pitch(tone(60, 60 + third, 67)) for third in (4, 3))
    answer, key = model.harmony(major)
    turned, turned_key = model.harmony(major.roll(5, dims=2))
    torch.testing.assert_close(turned, answer, atol=1e-5, rtol=0)
    torch.testing.assert_close(turned_key, key.roll(5, dims=2), atol=1e-5, rtol=0)
    assert (model.harmony(minor)[0] - answer).abs().max() > 1e-3


def test_harmony_and_pulse_do_not_hear_how_loud_it_is():
    model = judge()
    pitches, onsets = noise(1, 12, 12, 32), noise(1, 12, 300).relu()
    for louder, expected in zip(model.harmony(pitches + 0.7), model.harmony(pitches), strict=True):
        torch.testing.assert_close(louder, expected)
    spectrum = model.pulse.spectrum(onsets)
    torch.testing.assert_close(model.pulse.spectrum(4 * onsets), spectrum, atol=1e-3, rtol=0)


def test_the_order_of_chords_matters():
    """The reader hears a sequence; a bag of pitch classes would be the same both ways."""
    reader = HarmonyReader(CONFIG.chords, modes=4).eval()
    pitches = noise(1, 12, 12, 32) * 10
    assert (reader(pitches)[0] - reader(pitches.flip(-1))[0]).abs().max() > 1e-4


def test_pulses_show_at_their_rate_and_its_multiples():
    model = judge()
    rates = torch.logspace(math.log2(Pulse.SLOWEST), math.log2(Pulse.FASTEST), Pulse.STEPS, base=2)
    for rate in (1.5, 2.0, 3.1):
        log_mel = model.spectra(clicks(rate)).log_mel
        rises = (log_mel[..., 1:] - log_mel[..., :-1]).clamp(min=0).mean(1, keepdim=True)
        spectrum = model.pulse.spectrum(rises)[0, 0]
        below = rates < 1.4 * rate
        assert float(rates[below][spectrum[below].argmax()]) == pytest.approx(rate, rel=0.05)
        double = (rates / (2 * rate)).log2().abs().argmin()
        between = (rates / (1.5 * rate)).log2().abs().argmin()
        assert spectrum[double - 2 : double + 3].max() > spectrum[between] + 1


def test_mode_and_tonic_follow_from_the_key():
    logits = judge()(noise(2, 1, 16000))
    key = logits["key"].softmax(-1).unflatten(1, (4, 12))
    torch.testing.assert_close(logits["mode"].softmax(-1), key.sum(2))
    torch.testing.assert_close(logits["tonic"].softmax(-1), key.sum(1))


def test_a_judge_comes_back_as_it_was(tmp_path):
    model = judge()
    path = checkpoints.save(tmp_path, "judge", model, {"parents": {}})
    again = checkpoints.read(path)
    assert again.config == CONFIG and isinstance(again, Judge)
    sound = noise(1, 1, 20000)
    torch.testing.assert_close(again.listen(sound)[0], model.listen(sound)[0], atol=5e-3, rtol=0)


def test_a_config_that_no_transformer_has_is_named():
    with pytest.raises(ValueError, match="width=15"):
        JudgeConfig(**CLASSES, width=15)
    with pytest.raises(ValueError, match="embedding=0"):
        JudgeConfig(**CLASSES, embedding=0)
    with pytest.raises(ValueError, match="reader=63"):
        JudgeConfig(**CLASSES, reader=63)
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIG.width = 3


@pytest.mark.parametrize(
    "audio, error, words",
    [
        (torch.zeros(1, 16000), ValueError, r"\[B, 1, T\]"),
        (torch.zeros(1, 2, 16000), ValueError, "mix the channels"),
        (torch.zeros(1, 1, 15999), ValueError, "at least 16000"),
        (torch.zeros(1, 1, 16000).int(), TypeError, "int32"),
    ],
)
def test_wrong_input_to_the_judge_is_named(audio, error, words):
    with pytest.raises(error, match=words):
        judge()(audio)
