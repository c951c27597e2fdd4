import math

import pytest
import torch

from course_lib.audio import LogMel
from course_lib.evaluation.harmony import (
    TONICS,
    best_triad,
    chord_accuracy,
    chroma,
    chroma_correlation,
    chroma_rate,
    mel_chroma,
)


def tones(*midi: int, seconds: float = 1.0, harmonics: int = 4, rate: int = 16000):
    """Notes [1, 1, T] with harmonics that fall off."""
    t = torch.arange(round(seconds * rate)) / rate
    parts = [
        torch.sin(2 * math.pi * 440 * 2 ** ((m - 69) / 12) * k * t) / k**2
        for m in midi
        for k in range(1, harmonics + 1)
    ]
    return 0.1 * torch.stack(parts).sum(0)[None, None]


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("midi", [48, 57, 66, 81])
def test_a_note_is_its_pitch_class_in_every_octave(midi, rate):
    found = chroma(tones(midi, harmonics=1, rate=rate), rate)
    assert found.shape[:2] == (1, 12)
    assert (found[..., 2:-2].argmax(1) == midi % 12).all()  # frames without an edge
    torch.testing.assert_close(found.norm(dim=1), torch.ones(1, found.shape[-1]))
    assert abs(found.shape[-1] - chroma_rate(rate)) <= 1  # a second


def test_a_note_is_its_pitch_class_in_a_mel_spectrogram_too():
    mel = LogMel(n_mels=64)
    for midi in (60, 64, 67, 71, 74):
        found = mel_chroma(mel(tones(midi, harmonics=10)), mel)
        assert found[..., 5:-5].sum(-1).argmax() == midi % 12


def test_silence_and_gain():
    assert (chroma(torch.zeros(1, 1, 8000)) == 0).all()
    sound = tones(60, 64, 67)
    torch.testing.assert_close(chroma(sound), chroma(4 * sound))


def test_correlation_knows_same_other_and_noise():
    torch.manual_seed(0)
    chord, other = chroma(tones(60, 64, 67)), chroma(tones(61, 66, 70))
    assert chroma_correlation(chord, chord).item() == pytest.approx(1)
    assert chroma_correlation(chord, other).item() < 0
    noise = torch.stack([chroma(0.1 * torch.randn(1, 1, 16000))[0] for _ in range(8)])
    assert chroma_correlation(chord.expand(8, -1, -1), noise).mean().abs() < 0.15


@pytest.mark.parametrize("kind", ["maj", "min"])
def test_triads_are_named_in_every_key(kind):
    third = {"maj": 4, "min": 3}[kind]
    for place, tonic in enumerate(TONICS):
        strengths = torch.zeros(12)
        strengths[[place, (place + third) % 12, (place + 7) % 12]] = torch.tensor([1.0, 0.6, 0.8])
        assert best_triad(strengths) == f"{tonic}:{kind}"


def test_chord_accuracy_is_a_share_of_time():
    sound = torch.cat([tones(60, 64, 67), tones(57, 60, 64, seconds=3)], -1)  # C:maj, A:min
    heard, rate = chroma(sound), chroma_rate()
    assert chord_accuracy(heard, [[(0.0, 1.0, "C:maj7"), (1.0, 4.0, "A:min")]], rate) == 1
    assert chord_accuracy(heard, [[(0.0, 1.0, "C:maj"), (1.0, 4.0, "A:maj")]], rate) == 0.25
    # Diminished chords have no template; what lies after the end is not there.
    late = [[(0.0, 1.0, "B:dim"), (1.0, 3.0, "A:min"), (9.0, 10.0, "C:maj")]]
    assert chord_accuracy(heard, late, rate) == 1


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"\[1, 2, 800\]; expected mono"):
        chroma(torch.zeros(1, 2, 800))
    with pytest.raises(ValueError, match=r"\[1, 80, 5\]; expected \[B, 64, F\]"):
        mel_chroma(torch.zeros(1, 80, 5), LogMel(n_mels=64))
    with pytest.raises(ValueError, match=r"\[1, 12, 5\] and \[1, 12, 6\]"):
        chroma_correlation(torch.zeros(1, 12, 5), torch.zeros(1, 12, 6))
    with pytest.raises(ValueError, match="sample_rate is 130; expected more than 130 Hz"):
        chroma(torch.zeros(1, 1, 800), 130)
    assert chroma(torch.zeros(1, 1, 800), 131).shape[:2] == (1, 12)
    for classes, rate in ((torch.zeros(1, 11, 5), 16.0), (torch.zeros(12, 5), 16.0)):
        with pytest.raises(ValueError, match=r"shape \[.*\], .*expected \[B, 12, F\]"):
            chord_accuracy(classes, [[(0.0, 1.0, "C:maj")]], rate)
    with pytest.raises(ValueError, match="frames_per_second is 0.0"):
        chord_accuracy(torch.zeros(1, 12, 5), [[(0.0, 1.0, "C:maj")]], 0.0)
    with pytest.raises(ValueError, match="1 clips and chords of 2"):
        chord_accuracy(torch.zeros(1, 12, 5), [[], []], 16.0)
    with pytest.raises(ValueError, match="No clip"):
        chord_accuracy(torch.zeros(1, 12, 5), [[(0.0, 1.0, "C:dim")]], 16.0)
