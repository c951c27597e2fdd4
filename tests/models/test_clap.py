"""CLAP: unit vectors, the same every time, of sound of any length; a scale within its bounds."""

import math

import pytest
import torch

from course_lib.models import CLAP, AudioTowerConfig, CLAPConfig, TextTowerConfig

RATE = 16000
WORDS = ("a", "fast", "flute", "slow", "waltz")
TEXT = TextTowerConfig(WORDS, width=16, layers=1, heads=2)


def small(**audio) -> CLAP:
    torch.manual_seed(0)
    tower = {"mels": 20, "channels": (8, 8), "width": 16, "layers": 1, "heads": 2, "segment": 2.0}
    return CLAP(CLAPConfig(AudioTowerConfig(**tower | audio), TEXT, embedding=8)).eval()


@pytest.fixture
def model() -> CLAP:
    return small()


def sound(seconds: float, batch: int = 2) -> torch.Tensor:
    return 0.1 * torch.randn(batch, 1, round(seconds * RATE), generator=torch.manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("seconds", [1.0, 1.37, 2.0, 2.01, 7.3])
def test_vectors_have_length_one_and_are_the_same_every_time(model, seconds):
    audio = sound(seconds)
    found = model.embed_audio(audio)
    assert found.shape == (2, 8)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    assert torch.equal(found, model.embed_audio(audio))
    torch.testing.assert_close(found[:1], model.embed_audio(audio[:1]))
    texts = model.embed_text(["a slow waltz", "", "🎷 " * 500])
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))


@torch.no_grad()
def test_long_audio_is_the_mean_of_segments_that_cover_it(model):
    seen = model.audio.spectrogram(sound(5.0))  # [2, 20, 313], 126 frames a segment
    parts = model.audio.segments(seen)
    assert [part.shape[-1] for part in parts] == [126] * 3
    torch.testing.assert_close(parts[0], seen[..., :126])
    torch.testing.assert_close(parts[1], seen[..., 93:219])
    torch.testing.assert_close(parts[2], seen[..., -126:])
    mean = sum(model.embed_spectrogram(part) for part in parts)
    torch.testing.assert_close(model.embed_audio(sound(5.0)), mean / mean.norm(dim=1)[:, None])
    assert len(model.audio.segments(seen[..., :126])) == 1  # a segment is heard once


@torch.no_grad()
def test_every_second_is_heard(model):
    audio = sound(5.0)
    found = model.embed_audio(audio)
    tone = torch.sin(torch.arange(RATE) / 3)
    for second in range(5):
        place = slice(second * RATE, (second + 1) * RATE)
        changed = audio.clone()  # as loud as before: another gain would be heard everywhere
        changed[..., place] = tone * (audio[..., place].norm(dim=-1, keepdim=True) / tone.norm())
        assert (model.embed_audio(changed) - found).abs().max() > 0.02


@torch.no_grad()
def test_a_segment_s_vector_is_mean_and_spread_of_its_states():
    tower, kept = small(layers=0).audio, []
    tower.mix.register_forward_hook(lambda module, inputs, states: kept.append(states))
    found = tower(tower.spectrogram(sound(2.0)))
    states = torch.nn.functional.gelu(kept[0])  # [2, frames, 16]
    assert states.shape == (2, 32, 16) and found.shape == (2, tower.dims)
    torch.testing.assert_close(found, torch.cat([states.mean(1), states.std(1, correction=0)], 1))


@torch.no_grad()
def test_gain_changes_nothing_and_silence_has_a_vector(model):
    audio = sound(2.0)
    for gain in (0.02, 8.0):
        torch.testing.assert_close(
            model.embed_audio(gain * audio), model.embed_audio(audio), atol=1e-4, rtol=1e-4
        )
    assert model.embed_audio(torch.zeros(1, 1, RATE)).isfinite().all()


@torch.no_grad()
def test_without_layers_the_tower_is_a_cnn():
    model = small(layers=0)
    assert model.audio.transformer is None
    assert not any("transformer" in name for name, _ in model.audio.named_parameters())
    assert model.embed_audio(sound(1.5)).shape == (2, 8)


def test_the_scale_stays_within_1_and_100_and_keeps_its_gradient(model):
    assert model.scale.item() == pytest.approx(1 / 0.07)
    for wild, kept in ((9.0, math.log(100)), (-3.0, 0.0)):
        with torch.no_grad():
            model.log_scale.fill_(wild)
        model.scale.backward()
        assert model.log_scale.item() == pytest.approx(kept)
        assert model.log_scale.grad.item() == pytest.approx(math.exp(kept), rel=1e-5)
        model.log_scale.grad = None


@pytest.mark.parametrize(
    ("audio", "error", "words"),
    [
        (torch.zeros(1, 2, RATE), ValueError, "mix the channels"),
        (torch.zeros(1, RATE), ValueError, "expected mono"),
        (torch.zeros(1, 1, RATE - 1), ValueError, "at least 16000, one second"),
        (torch.zeros(0, 1, RATE), ValueError, "no sample"),
        (torch.zeros(1, 1, RATE, dtype=torch.int16), TypeError, "int16"),
    ],
)
def test_what_is_no_mono_sound_of_a_second_is_refused(model, audio, error, words):
    with pytest.raises(error, match=words):
        model.embed_audio(audio)


def test_one_text_is_no_list(model):
    with pytest.raises(TypeError, match="list of strings"):
        model.embed_text("a slow waltz")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"segment": 0.5}, "segment=0.5"),
        ({"segment": math.inf}, "segment=inf"),
        ({"segment": math.nan}, "segment=nan"),
        ({"channels": (12,)}, "multiples of 8"),
        ({"width": 0, "layers": 0}, "width=0"),
    ],
)
def test_configurations_are_checked(options, words):
    with pytest.raises(ValueError, match=words):
        AudioTowerConfig(**options)


@pytest.mark.parametrize("options", [{"temperature": 0}, {"temperature": 2.0}, {"embedding": 0}])
def test_a_scale_beyond_its_bounds_is_refused(options):
    with pytest.raises(ValueError, match="{}={}".format(*next(iter(options.items())))):
        CLAPConfig(**options)
