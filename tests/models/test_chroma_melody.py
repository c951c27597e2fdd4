"""The melody that MusicGen is given: the strongest pitch class, some eight times a second."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.models import chromagram, melody_of, strongest

RATE = 16000


def tone(pitch: float, seconds: float, rate: int = RATE) -> torch.Tensor:
    """A sawtooth-like note [1, 1, T] of a MIDI pitch."""
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * torch.pi * hertz * torch.arange(round(seconds * rate)) / rate
    return sum((phase * k).sin() / k for k in range(1, 5))[None, None] * 0.2


@settings(max_examples=25, deadline=None)
@given(st.integers(48, 84), st.sampled_from([16000, 22050, 32000, 44100]))
def test_a_note_is_its_pitch_class_at_any_rate(pitch, rate):
    heard = melody_of(tone(pitch, 1.0, rate), rate, 50, 50.0)
    assert heard.shape == (1, 12, 50) and torch.equal(
        heard.argmax(1), torch.full((1, 50), pitch % 12)
    )
    assert torch.equal(heard.sum(1), torch.ones(1, 50))


def test_frames_of_the_paper():
    """Windows of 2 ** 14 samples and hops of 2 ** 12 at 32 kHz are 7.8 frames a second."""
    assert chromagram(torch.zeros(1, 1, 32000 * 4), 32000).shape == (1, 12, 1 + 32000 * 4 // 2**12)
    assert chromagram(torch.zeros(1, 1, 16000 * 4), 16000).shape == (1, 12, 1 + 16000 * 4 // 2**11)


def test_notes_are_heard_when_they_sound_and_nothing_after_the_end():
    audio = torch.cat([tone(60, 1.0), tone(67, 1.0), torch.zeros(1, 1, RATE)], 2)
    heard = melody_of(audio, RATE, 200, 50.0)
    assert heard[0, :, 5:40].argmax(0).unique().tolist() == [0]
    assert heard[0, :, 60:90].argmax(0).unique().tolist() == [7]
    assert not heard[0, :, 120:].any()  # silence, then the end at frame 150
    assert not melody_of(tone(60, 1.0), RATE, 200, 50.0)[..., 50:].any()


def test_a_frame_has_the_nearest_chroma():
    audio = torch.cat([tone(60, 0.7), tone(67, 0.7)], 2)
    chroma = chromagram(audio, RATE)
    melody = melody_of(audio, RATE, 70, 50.0, bottleneck=False)
    for frame in range(64):  # hops of 0.128 s; the last frames have the last chroma
        torch.testing.assert_close(melody[..., frame], chroma[..., round(frame / 50 / 0.128)])


def test_quiet_notes_are_heard_as_loud_ones_are():
    loud = melody_of(tone(64, 1.0), RATE, 50, 50.0)
    assert torch.equal(melody_of(0.01 * tone(64, 1.0), RATE, 50, 50.0), loud)  # -56 dBFS
    assert not melody_of(1e-5 * tone(64, 1.0), RATE, 50, 50.0).any()


def test_the_bottleneck_keeps_the_strongest_alone():
    chord = tone(60, 1.0) + 0.5 * tone(64, 1.0)
    full = melody_of(chord, RATE, 50, 50.0, bottleneck=False)
    kept = melody_of(chord, RATE, 50, 50.0)
    assert (full[0, 4, 5:45] > 0.1).all() and not kept[0, 4].any() and kept[0, 0].all()
    assert full.amax(1).max() == 1
    assert torch.equal(strongest(torch.zeros(1, 12, 3)), torch.zeros(1, 12, 3))


@pytest.mark.parametrize(
    ("audio", "rate", "words"),
    [
        (torch.zeros(1, 2, 100), RATE, "mono"),
        (torch.zeros(1, 1, 0), RATE, "mono"),
        (torch.zeros(1, 1, 100), 4000, "sample_rate=4000"),
    ],
)
def test_what_has_no_melody_is_named(audio, rate, words):
    with pytest.raises(ValueError, match=words):
        chromagram(audio, rate)
