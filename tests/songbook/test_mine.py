"""The student's own music: an ABC tune, a name, a recording; kept for later notebooks."""

import numpy as np
import pytest
import soundfile
import torch

from course_lib.songbook import mine
from course_lib.songbook.name_tune import pitch_class, tune_of
from course_lib.songbook.own_music import kind_of


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "mine"


def test_a_default_tune_stands_in(home):
    clip = mine()
    assert clip.title == "Ode to Joy" and clip.audio.shape == (1, 64000)
    assert clip.attributes.style == "music_box" and clip.attributes.tonic == "D"
    assert [e.pitch % 12 for e in clip.notes["lead"][:4]] == [6, 6, 7, 9]
    assert set(clip.captions) and clip.chords and clip.beats
    assert not home.exists()  # nothing was entered, so nothing is saved


def test_an_abc_tune_is_kept(home):
    entered = mine("K:G\nGABc d2d2|g2d2 B4", style="chiptune")
    assert entered.attributes.style == "chiptune" and entered.attributes.tonic == "G"
    again = mine()
    assert torch.equal(again.audio, entered.audio) and again.attributes == entered.attributes
    assert mine(style="house").attributes.style == "house"
    assert mine(seconds=2.0, sample_rate=22050).audio.shape == (1, 44100)


def test_the_letters_of_a_name_are_kept(home):
    entered = mine("Johann Sebastian BACH")
    assert entered.title == "Johann Sebastian BACH"
    assert torch.equal(mine().audio, entered.audio)


def test_bach_signs_with_his_name():
    tune = tune_of("Bach")
    assert [note.pitch % 12 for note in tune.voices[0]] == [10, 9, 0, 11]
    assert pitch_class("s") == 3
    assert [pitch_class(c) for c in "abcdefgh"] == [pitch_class(c) for c in "ijklmnop"]


@pytest.mark.parametrize("name", ["José", "jose", "JOSÉ", " José! "])
def test_accents_and_case_do_not_matter(name):
    assert tune_of(name).voices == tune_of("Jose").voices


@pytest.mark.parametrize("name", ["Ada", "李小龙", "Ægir", "Straße", "Zoë Q. Xu", "a", "Ирина"])
def test_names_of_all_alphabets_make_playable_tunes(name):
    tune = tune_of(name)
    (voice,) = tune.voices
    assert all(60 <= note.pitch <= 79 and note.duration > 0 for note in voice)
    ends = [note.onset + note.duration for note in voice]
    assert ends[:-1] == [note.onset for note in voice[1:]] and ends[-1] % 96 == 0
    assert mine(name, seconds=1.0).notes["lead"]


def test_a_recording_is_kept_without_labels(tmp_path, home):
    path = tmp_path / "singing.wav"
    wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(44100 * 2) / 44100)
    soundfile.write(path, np.stack([wave, wave], axis=1), 44100)
    clip = mine(path)
    assert clip.audio.shape == (1, 64000) and clip.title == "singing.wav"
    assert clip.attributes is None and clip.stems == {} and clip.captions == {} == clip.notes
    assert torch.fft.rfft(clip.audio[0, :16000]).abs().argmax() == 440
    assert clip.audio[0, 32100:].abs().max() == 0  # two seconds of sound, then silence
    assert clip.audio.abs().max() <= 0.89
    path.unlink()
    assert torch.equal(mine().audio, clip.audio)
    mine("Ada")
    assert mine().title == "Ada"


def test_kinds_are_told_apart(tmp_path):
    (tmp_path / "file").touch()
    for source, kind in {
        "Ada Lovelace": "name",
        "CDEF|GABc": "abc",
        "C2 D2": "abc",
        "T:x\nK:C\nCDE": "abc",
        "song.mp3": "recording",
        str(tmp_path / "file"): "recording",
        "O'Carolan": "name",
    }.items():
        assert kind_of(source) == kind, source
    assert kind_of(tmp_path) == kind_of(str(tmp_path)) == "recording"


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("", ValueError, "no letter"),
        ("!?", ValueError, "no letter"),
        ("x" * 300, ValueError, "200"),
        ("|||", ValueError, "no notes"),
        ("missing.wav", FileNotFoundError, "missing.wav"),
        (3, TypeError, "int"),
        ("K:H\nCDE|", ValueError, "H"),
    ],
)
def test_wrong_sources_are_named_and_not_kept(home, source, error, words):
    with pytest.raises(error, match=words) as raised:
        mine(source)
    assert "\n" not in str(raised.value)
    assert not home.exists()


def test_bad_recordings_are_named_and_not_kept(home, tmp_path):
    path = tmp_path / "text.wav"
    path.write_text("no sound", encoding="utf-8")
    with pytest.raises(ValueError, match="text.wav"):
        mine(path)
    with pytest.raises(IsADirectoryError):
        mine(tmp_path)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    with pytest.raises(ValueError, match="silent.wav is silent"):
        mine(tmp_path / "silent.wav")
    with pytest.raises(ValueError, match="'polka'"):
        mine("Ada", style="polka")
    assert not home.exists()


def test_a_damaged_file_is_named(home):
    mine("Ada")
    (home / "tune.json").write_text('{"kind": "abc"', encoding="utf-8")
    with pytest.raises(ValueError, match="tune.json is damaged"):
        mine()
    assert mine("Ada").title == "Ada"


def test_a_home_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    with pytest.raises(OSError, match="file.*COURSE_HOME"):
        mine("Ada")
