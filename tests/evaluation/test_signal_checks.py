"""Tempo and key without weights, on sounds whose tempo and key are known."""

import math

import pytest
import torch

from course_lib.evaluation.signal_checks import beat_tempo, chroma_keys, signal_marks
from course_lib.songbook.draw import MODES
from course_lib.songbook.voicing import SCALES

RATE = 16000


def clicks(bpm, seconds=8.0):
    sound = 0.001 * torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(0))
    burst = torch.randn(800, generator=torch.Generator().manual_seed(1))
    for place in torch.arange(0, seconds - 0.1, 60 / bpm):
        start = round(float(place) * RATE)
        sound[start : start + 800] += 0.3 * burst * torch.exp(-torch.arange(800) / 150)
    return sound[None]


def tune(tonic, mode, seconds=6.0):
    """The scale up and down, its tonic triad held beneath."""
    steps = [*SCALES[mode], 12, *reversed(SCALES[mode])]
    length = round(seconds * RATE / len(steps))
    t = torch.arange(length) / RATE

    def tone(pitch, t):
        return torch.sin(2 * math.pi * 440 * 2 ** ((pitch - 69) / 12) * t)

    line = torch.cat([tone(60 + tonic + step, t) for step in steps])
    third = next(step for step in SCALES[mode] if step in (3, 4))
    held = torch.arange(len(line)) / RATE
    chord = sum(tone(48 + tonic + step, held) for step in (0, third, 7))
    return (0.2 * line + 0.05 * chord)[None]


def test_beats_of_clicks_are_counted():
    tempi = [65, 80, 100, 132, 170]
    found = beat_tempo(torch.stack([clicks(bpm) for bpm in tempi]))
    for bpm, one in zip(tempi, found.tolist(), strict=True):
        octaves = [abs(one / bpm * 2**k - 1) for k in (-1, 0, 1)]
        assert min(octaves) < 0.04 and 60 <= one <= 180
    assert abs(float(found[2]) / 100 - 1) < 0.04
    assert beat_tempo(torch.zeros(1, 1, RATE * 2)).item() == 0


def test_tempi_out_of_range_are_brought_inside_by_octaves(monkeypatch):
    import librosa

    for tapped, brought in ((200.0, 100.0), (500.0, 125.0), (40.0, 80.0), (20.0, 80.0)):
        monkeypatch.setattr(librosa.beat, "beat_track", lambda t=tapped, **_: (t, None))
        assert beat_tempo(torch.ones(1, 1, 10)).item() == brought


@pytest.mark.parametrize("mode", MODES)
def test_keys_of_scales_are_found_on_every_tonic(mode):
    sounds = torch.stack([tune(tonic, mode) for tonic in range(0, 12, 3)])
    modes, tonics = chroma_keys(sounds)
    assert [MODES[m] for m in modes.tolist()] == 4 * [mode]
    assert tonics.tolist() == [0, 3, 6, 9]


def test_marks_are_those_of_tempo_and_mode():
    sounds = torch.stack([clicks(100), clicks(132)])
    marks = signal_marks(sounds)
    assert set(marks) == {"tempo_class", "mode"}
    assert marks["tempo_class"].tolist() == [[False, True, False], [False, False, True]]
    assert marks["mode"].shape == (2, 4) and marks["mode"].sum() == 2
