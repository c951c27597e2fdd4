"""The student's own files: any rate and channels, what is unusable named, long files in parts."""

import pickle

import numpy as np
import pytest
import soundfile
import torch

from course_lib.songbook import AudioFolder, cache, folder


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "folders"


@pytest.fixture
def music(tmp_path):
    made = tmp_path / "music"
    made.mkdir()
    return made


def tone(seconds, rate, hertz=440.0, channels=1):
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * hertz * time)
    return np.stack([wave * (0.5**c) for c in range(channels)], axis=1)


def write(path, seconds=2.5, rate=16000, **more):
    soundfile.write(path, tone(seconds, rate, **more), rate)


def test_rates_channels_and_formats_become_one(music):
    write(music / "a.wav", rate=44100, channels=2)
    write(music / "b.flac", rate=22050, hertz=880.0, channels=4)
    (music / "deeper").mkdir()
    write(music / "deeper" / "c.OGG", rate=8000, hertz=220.0)
    (music / "notes.txt").write_text("not audio", encoding="utf-8")
    book = AudioFolder(music, seconds=1.0)
    assert len(book) == 6 and [file.name for file in book.files] == ["a.wav", "b.flac", "c.OGG"]
    assert not book.problems
    assert book.origin(3) == (music / "b.flac", 1.0)
    batch = book.batch([0, 3, -1])
    assert batch.shape == (3, 1, 16000) and batch.dtype == torch.float32
    spectra = torch.fft.rfft(batch[:, 0]).abs()
    assert spectra.argmax(dim=1).tolist() == [440, 880, 220]
    # Channels are averaged: 0.5 and 0.25.
    assert batch[0].abs().max() == pytest.approx(0.375, abs=0.01)
    stereo = AudioFolder(music, seconds=1.0, channels=2, sample_rate=44100)
    assert stereo[0].shape == (2, 44100)
    assert stereo[0][1].abs().max() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(stereo[2][0], stereo[2][1])  # four channels were averaged to both


@pytest.fixture
def mixed(music):
    write(music / "good.wav")
    write(music / "short.wav", seconds=0.5)
    soundfile.write(music / "silent.wav", np.zeros(40000), 16000)
    soundfile.write(music / "nothing.wav", np.zeros(0), 16000)
    soundfile.write(music / "nan.wav", np.full(40000, np.nan), 16000, subtype="FLOAT")
    (music / "empty.mp3").touch()
    (music / "text.wav").write_text("I am a text", encoding="utf-8")
    return music


REASONS = {
    "short.wav": "0.50 s, less than a clip of 1 s",
    "silent.wav": "silent",
    "nothing.wav": "no samples",
    "nan.wav": "NaN",
    "empty.mp3": "empty",
    "text.wav": "not a sound file",
}


def test_unusable_files_are_reported_by_name(mixed):
    book = AudioFolder(mixed, seconds=1.0)
    assert len(book) == 2 and [file.name for file in book.files] == ["good.wav"]
    assert set(book.problems) == set(REASONS)
    for name, words in REASONS.items():
        assert words in book.problems[name], (name, book.problems[name])


@pytest.mark.parametrize("name", REASONS)
def test_unusable_files_are_refused_when_asked(mixed, name):
    for other in REASONS:
        if other != name:
            (mixed / other).unlink()
    with pytest.raises(ValueError, match=f"{name} cannot be used.*{REASONS[name]}"):
        AudioFolder(mixed, seconds=1.0, bad="refuse")


def test_a_file_that_breaks_off_in_the_middle_leaves_no_clips(music):
    write(music / "a.wav", hertz=440.0)
    wave = tone(3.0, 16000)
    wave[40000] = np.nan
    soundfile.write(music / "b.wav", wave, 16000, subtype="FLOAT")
    write(music / "c.wav", hertz=880.0)
    book = AudioFolder(music, seconds=1.0)
    assert [file.name for file in book.files] == ["a.wav", "c.wav"] and "b.wav" in book.problems
    assert torch.fft.rfft(book[2][0]).abs().argmax() == 880


def test_files_are_read_once_and_again_when_changed(music, monkeypatch):
    write(music / "a.wav")
    first = AudioFolder(music, seconds=1.0).batch([0, 1])
    read = folder.audio.read_blocks
    monkeypatch.setattr(folder.audio, "read_blocks", lambda *a: pytest.fail("read again"))
    assert torch.equal(AudioFolder(music, seconds=1.0).batch([0, 1]), first)
    monkeypatch.setattr(folder.audio, "read_blocks", read)
    write(music / "a.wav", seconds=4.0, hertz=880.0)
    again = AudioFolder(music, seconds=1.0)
    assert len(again) == 4 and not torch.equal(again[0], first[0])


def test_a_spoilt_cache_is_made_again(music, cache_folder):
    write(music / "a.wav")
    first = AudioFolder(music, seconds=1.0).batch([0, 1])
    (path,) = cache_folder.glob("*.pcm")
    path.write_bytes(path.read_bytes()[: cache.HEADER + 100])
    assert torch.equal(AudioFolder(music, seconds=1.0).batch([0, 1]), first)


def test_long_files_are_read_in_parts(music, monkeypatch):
    write(music / "long.wav", seconds=60.0)
    largest = 0
    blocks = folder.audio.read_blocks

    def watched(*arguments):
        nonlocal largest
        for part in blocks(*arguments):
            largest = max(largest, part.shape[-1])
            yield part

    monkeypatch.setattr(folder.audio, "read_blocks", watched)
    book = AudioFolder(music, seconds=2.0)
    assert len(book) == 30 and largest == 32000


def test_a_folder_may_go_to_another_process(music):
    write(music / "a.wav")
    book = AudioFolder(music, seconds=1.0)
    book.batch([0])
    assert torch.equal(pickle.loads(pickle.dumps(book))[1], book[1])


def test_wrong_arguments_are_named(music, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        AudioFolder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="no usable sound file"):
        AudioFolder(music)
    write(music / "a.wav")
    with pytest.raises(NotADirectoryError, match="a.wav"):
        AudioFolder(music / "a.wav")
    with pytest.raises(ValueError, match="'delete'"):
        AudioFolder(music, bad="delete")
    with pytest.raises(ValueError, match="seconds"):
        AudioFolder(music, seconds=0.0)
    with pytest.raises(ValueError, match=r"a.wav: it lasts 2.50 s"):
        AudioFolder(music)
    book = AudioFolder(music, seconds=1.0)
    with pytest.raises(IndexError, match="2 clips"):
        book[2]
    with pytest.raises(TypeError, match="whole number"):
        book[0.5]
    with pytest.raises(ValueError, match="at least one"):
        book.batch([])


def test_a_cache_that_cannot_be_written_is_said(music, tmp_path, monkeypatch):
    write(music / "a.wav")
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match="COURSE_CACHE"):
        AudioFolder(music, seconds=1.0)
