"""The analyser: shapes, invariances by construction, and that each branch can learn its labels."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.models.analyser import Analyser, AnalyserConfig, Harmony, Rhythm

CONFIG = AnalyserConfig(
    instruments=("piano", "violin", "tuba"),
    styles=("waltz", "house"),
    modes=("major", "minor", "dorian", "mixolydian"),
    metres=("2/4", "3/4"),
    tempo_classes=("slow", "medium", "fast"),
)


def analyser(seed=0):
    torch.manual_seed(seed)
    return Analyser(CONFIG).eval()


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def chord(pitches, seconds=2.0, sample_rate=16000):
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    tones = [
        torch.sin(2 * math.pi * 440 * 2 ** ((p - 69) / 12) * k * t) / k**2
        for p in pitches
        for k in range(1, 5)
    ]
    return 0.1 * torch.stack(tones).sum(0)


def clicks(every, seconds=4.0, sample_rate=16000, accent=0):
    """A click `every` so many seconds; every `accent`-th a thump instead."""
    sound = noise(round(seconds * sample_rate)) * 0.01
    decay = torch.exp(-torch.arange(640) / 100)
    click, thump = noise(640, seed=1), 0.2 * torch.sin(torch.arange(640) / 16000 * 2000)
    for i, place in enumerate(torch.arange(0, seconds - 0.05, every)):
        start = round(float(place) * sample_rate)
        first = accent and i % accent == 0
        sound[start : start + 640] += 5 * decay * (thump if first else click)
    return sound


def test_size_and_shapes():
    model = analyser()
    assert sum(p.numel() for p in model.parameters()) <= 800_000
    logits = model(noise(2, 1, 20000))
    assert {name: tuple(v.shape) for name, v in logits.items()} == {
        "style": (2, 2),
        "mode": (2, 4),
        "tonic": (2, 12),
        "key": (2, 48),
        "metre": (2, 2),
        "tempo_class": (2, 3),
        "instruments": (2, 3),
        "drums": (2, 1),
    }
    assert model.embed(noise(2, 1, 20000)).shape == (2, 128)


@settings(max_examples=15, deadline=None)
@given(length=st.integers(16000, 70000))
def test_any_length_from_a_second_up(length):
    assert torch.isfinite(analyser().embed(noise(1, 1, length))).all()


def test_gain_changes_nothing_and_silence_is_finite():
    model, sound = analyser(), noise(1, 1, 32000)
    assert torch.allclose(model.embed(sound), model.embed(0.01 * sound), atol=1e-4)
    assert torch.isfinite(model.embed(torch.zeros(1, 1, 16000))).all()


def test_rows_do_not_depend_on_their_batch():
    model, sound = analyser(), noise(3, 1, 20000)
    assert torch.allclose(model.embed(sound)[1:2], model.embed(sound[1:2]), atol=1e-5)


def test_embedding_has_gradients_down_to_the_audio():
    model, sound = analyser().train(), noise(2, 1, 20000).requires_grad_()
    sum(v.square().mean() for v in model(sound).values()).backward()
    assert torch.isfinite(sound.grad).all() and sound.grad.abs().max() > 0
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_harmony_is_the_same_in_every_key():
    torch.manual_seed(0)
    harmony = Harmony(16000, out=32, modes=4)
    circle = harmony.circle(chord([60, 64, 67])[None, None])
    assert circle.shape[:3] == (1, 15, 12)
    answer, key = harmony.listen(circle)
    turned, turned_key = harmony.listen(circle.roll(5, dims=2))
    assert torch.allclose(turned, answer, atol=1e-5)
    assert torch.allclose(turned_key, key.roll(5, dims=2), atol=1e-5)
    minor = harmony.circle(chord([60, 63, 67])[None, None])
    assert (harmony.listen(minor)[0] - answer).abs().max() > 1e-2


def test_mode_and_tonic_follow_from_the_key():
    logits = analyser()(noise(2, 1, 16000))
    key = logits["key"].softmax(-1).unflatten(1, (4, 12))
    assert torch.allclose(logits["mode"].softmax(-1), key.sum(2), atol=1e-6)
    assert torch.allclose(logits["tonic"].softmax(-1), key.sum(1), atol=1e-6)


def test_harmony_filters_peak_at_their_pitch():
    harmony = Harmony(16000, out=32, modes=4)
    for midi in (48, 60, 69, 81):
        tone = torch.sin(2 * math.pi * 440 * 2 ** ((midi - 69) / 12) * torch.arange(32000) / 16000)
        found = int(harmony.spectrum(tone[None, None])[0].mean(-1).argmax())
        assert found == (midi - Harmony.LOWEST) * Harmony.BINS + Harmony.BINS // 2


def test_tempogram_peaks_at_the_time_between_clicks():
    model = analyser()
    places = 0.1 * 2 ** torch.linspace(0, math.log2(40), Rhythm.STEPS)
    for every in (0.3, 0.5, 0.8):
        log_mel = (model.mel(clicks(every)[None, None]) + 5) / 3
        rises = (log_mel[..., 1:] - log_mel[..., :-1]).clamp(min=0).mean(1, keepdim=True)
        tempogram = model.rhythm.tempogram(rises)[0, 0]
        window = places < 1.5 * every
        peak = float(places[window][tempogram[window][10:].argmax() + 10])
        assert peak == pytest.approx(every, rel=0.05)


def learnt(branch, features, classes, steps=40):
    """Share of the last quarter told apart after training on the rest, on top of a branch."""
    torch.manual_seed(0)
    head = torch.nn.Linear(32, 2)
    optimizer = torch.optim.AdamW([*branch.parameters(), *head.parameters()], lr=3e-3)
    cut = len(features) * 3 // 4
    for _ in range(steps):
        rows = torch.randint(cut, (16,))
        loss = torch.nn.functional.cross_entropy(head(branch(features[rows])), classes[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return (head(branch(features[cut:])).argmax(-1) == classes[cut:]).float().mean()


def test_harmony_learns_major_from_minor_in_keys_it_has_not_heard():
    heard, new = [48, 50, 52, 53, 55, 57, 58, 60, 62, 64, 65, 67], [49, 51, 54, 56]
    roots = torch.tensor(heard * 2 + new * 2)
    minor = torch.tensor([0] * 12 + [1] * 12 + [0] * 4 + [1] * 4)
    sounds = [chord([r, r + 4 - m, r + 7], 1.0) for r, m in zip(roots, minor, strict=True)]
    torch.manual_seed(0)
    harmony = Harmony(16000, out=32, modes=4)
    circles = harmony.circle(torch.stack(sounds)[:, None])
    harmony.forward = lambda circle: harmony.listen(circle)[0]
    assert learnt(harmony, circles, minor) == 1


def test_rhythm_learns_waltz_from_march_at_tempi_it_has_not_heard():
    beats = torch.cat([torch.linspace(0.3, 0.6, 18), torch.linspace(0.31, 0.59, 6)])
    beats, triple = beats.repeat_interleave(2), torch.tensor([0, 1]).repeat(24)
    sounds = [
        clicks(float(b), 6.0, accent=3 if t else 2) for b, t in zip(beats, triple, strict=True)
    ]
    log_mel = (analyser().mel(torch.stack(sounds)) + 5) / 3
    torch.manual_seed(0)
    assert learnt(Rhythm(62.5, out=32), log_mel, triple) > 0.9


def test_config_is_frozen_and_json():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIG.width = 3
    assert set(CONFIG.classes) == {"style", "mode", "tonic", "metre", "tempo_class"}


@pytest.mark.parametrize(
    "audio, error, words",
    [
        (torch.zeros(1, 16000), ValueError, r"\[B, 1, T\]"),
        (torch.zeros(1, 2, 16000), ValueError, "mix the channels"),
        (torch.zeros(1, 1, 15999), ValueError, "at least 16000"),
        (torch.zeros(0, 1, 16000), ValueError, "no sample"),
        (torch.zeros(1, 1, 16000).int(), TypeError, "int32"),
    ],
)
def test_wrong_input_is_named(audio, error, words):
    with pytest.raises(error, match=words):
        analyser()(audio)
