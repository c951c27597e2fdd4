"""The same clip through a SoundFont: other sound, same labels."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib import songbook
from course_lib.songbook import soundfont
from course_lib.songbook.band import INSTRUMENTS


def test_every_instrument_has_a_program():
    tuned = {name for name, player in INSTRUMENTS.items() if player.family != "drums"}
    assert set(soundfont.PROGRAMS) == tuned
    assert len(set(soundfont.PROGRAMS.values())) == len(tuned)


def test_wrong_files_and_clips_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    clip = songbook.mine(seconds=1.0)
    with pytest.raises(FileNotFoundError, match="none.sf2"):
        soundfont.render(clip, tmp_path / "none.sf2")
    recording = songbook.Clip(audio=torch.zeros(1, 10), sample_rate=16000, seconds=1.0, title="Me")
    with pytest.raises(ValueError, match="'Me' has no notes"):
        soundfont.render(recording, tmp_path / "none.sf2")


def find_font() -> Path | None:
    """The font of COURSE_SOUNDFONT, or the one that pretty_midi ships."""
    if "COURSE_SOUNDFONT" in os.environ:
        return Path(os.environ["COURSE_SOUNDFONT"])
    found = find_spec("pretty_midi")
    return Path(found.origin).with_name("TimGM6mb.sf2") if found else None


@pytest.fixture(scope="module")
def font():
    pytest.importorskip("tinysoundfont")
    path = find_font()
    if path is None or not path.is_file():
        pytest.skip("no SoundFont: set COURSE_SOUNDFONT")
    return path


def test_labels_stay_and_sound_changes(font):
    clip = songbook.in_style("bach-145.5", "fiddle_session", 3.0, channels=2)
    played = soundfont.render(clip, font)
    assert played.audio.shape == clip.audio.shape and not torch.equal(played.audio, clip.audio)
    assert (played.notes, played.beats, played.chords) == (clip.notes, clip.beats, clip.chords)
    assert (played.attributes, played.captions) == (clip.attributes, clip.captions)
    torch.testing.assert_close(sum(played.stems.values()), played.audio, atol=1e-6, rtol=0)
    assert all(stem.abs().max() > 0.01 for stem in played.stems.values())
    assert torch.equal(soundfont.render(clip, font).audio, played.audio)
    assert soundfont.render(clip, font, 32000).audio.shape == (2, 96000)


def test_onsets_and_pitches_are_exact(font):
    # Half a beat of each of these notes on a piano, whose attack is sudden.
    clip = songbook.in_style("oneill-0102", "ragtime", 4.0, seed=1, tempo=80)
    lead = soundfont.render(clip, font).stems["lead"][0].double().numpy()
    # The font sounds its first sample some blocks after the event; none may come before it.
    first = clip.notes["lead"][0]
    start = np.flatnonzero(np.abs(lead - lead[0]) > 1e-3)[0] / 16000
    assert -1e-4 <= start - first.onset < 0.02
    for event in clip.notes["lead"][:6]:
        a, b = (round(16000 * t) for t in (event.onset, event.onset + event.duration))
        heard = np.abs(np.fft.rfft(lead[a + 400 : b] * np.hanning(b - a - 400), 1 << 17))
        hertz = np.arange(len(heard)) * 16000 / (1 << 17)
        fundamental = 440 * 2 ** ((event.pitch - 69) / 12)
        near = [
            heard[np.abs(hertz - fundamental * h) < 0.02 * fundamental * h].max() for h in (1, 2)
        ]
        off = heard[np.abs(hertz - fundamental * 2 ** (1.5 / 12)) < 0.02 * fundamental].max()
        assert max(near) > 4 * off


def test_a_text_is_no_soundfont(font, tmp_path):
    path = tmp_path / "text.sf2"
    path.write_text("no font", encoding="utf-8")
    clip = songbook.in_style("oneill-0102", "ragtime", 1.0)
    with pytest.raises(ValueError, match="text.sf2.*no SoundFont"):
        soundfont.render(clip, path)
