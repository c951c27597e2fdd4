"""Reading and writing sound files: round trips, parts, and every way a file can be wrong."""

import math

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio, paths


def tone(seconds=0.5, sample_rate=16000, frequency=440.0, channels=1):
    t = torch.arange(round(seconds * sample_rate)) / sample_rate
    sound = 0.5 * torch.sin(2 * math.pi * frequency * t)
    return torch.stack([sound / (c + 1) for c in range(channels)])


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_sixteen_bit_formats_return_samples_within_one_step(tmp_path, suffix, channels):
    sound = tone(channels=channels)
    audio.write(tmp_path / f"a{suffix}", sound, 16000)
    back = audio.read(tmp_path / f"a{suffix}")
    assert back.dtype == torch.float32 and back.shape == sound.shape
    assert (back - sound).abs().max() <= 1.01 / 32768


def test_float_wav_returns_the_same_bits(tmp_path):
    sound = torch.randn(2, 999, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    audio.write(tmp_path / "a.wav", sound, 44100, float32=True)
    assert torch.equal(audio.read(tmp_path / "a.wav"), sound)


@pytest.mark.parametrize("suffix, snr", [(".ogg", 20), (".mp3", 20)])
def test_lossy_formats_keep_length_and_sound(tmp_path, suffix, snr):
    sound = tone(seconds=2.0)
    audio.write(tmp_path / f"a{suffix}", sound, 16000)
    back = audio.read(tmp_path / f"a{suffix}")
    assert back.shape == sound.shape
    noise = (back - sound)[:, 2000:-2000].square().mean()
    assert 10 * math.log10(float(sound.square().mean() / noise)) > snr


def test_opus_is_read_at_the_rate_asked_for(tmp_path):
    audio.write(tmp_path / "a.opus", tone(), 16000)
    assert audio.read(tmp_path / "a.opus", sample_rate=16000).shape == (1, 8000)


def test_long_ogg_is_written(tmp_path):
    audio.write(tmp_path / "a.ogg", tone(seconds=90), 16000)
    assert audio.info(tmp_path / "a.ogg").samples == 90 * 16000


def test_info_reads_the_header(tmp_path):
    audio.write(tmp_path / "a.wav", tone(channels=2), 22050)
    assert audio.info(tmp_path / "a.wav") == audio.Info(22050, 2, 8000)
    assert audio.info(tmp_path / "a.wav").seconds == 8000 / 22050


def test_read_resamples(tmp_path):
    audio.write(tmp_path / "a.wav", tone(sample_rate=44100, seconds=1.0), 44100)
    back = audio.read(tmp_path / "a.wav", sample_rate=16000)
    assert back.shape == (1, 16000)
    assert (back - tone(seconds=1.0))[:, 200:-200].abs().max() < 1e-3


@settings(max_examples=30, deadline=None)
@given(
    length=st.integers(1, 9000),
    seconds=st.floats(0.001, 0.4),
    rates=st.sampled_from(
        [(8000, None), (8000, 16000), (44100, 16000), (16000, 44100), (22255, 16000), (48000, 8000)]
    ),
)
def test_blocks_joined_equal_the_whole_file(tmp_path_factory, length, seconds, rates):
    path = tmp_path_factory.mktemp("blocks") / "a.wav"
    sound = torch.rand(2, length, generator=torch.Generator().manual_seed(length)) * 2 - 1
    audio.write(path, sound, rates[0], float32=True)
    whole = audio.read(path, sample_rate=rates[1])
    blocks = list(audio.read_blocks(path, seconds=seconds, sample_rate=rates[1]))
    size = max(1, round(seconds * (rates[1] or rates[0])))
    assert {block.shape[-1] for block in blocks[:-1]} <= {size}
    assert 1 <= blocks[-1].shape[-1] <= size
    joined = torch.cat(blocks, dim=-1)
    assert joined.shape == whole.shape
    assert (joined - whole).abs().max() < 1e-5


READERS = [audio.read, audio.info, lambda path: list(audio.read_blocks(path))]


@pytest.mark.parametrize("reader", READERS)
def test_files_that_are_no_sound(tmp_path, reader):
    with pytest.raises(FileNotFoundError, match="missing.wav does not exist"):
        reader(tmp_path / "missing.wav")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        reader(tmp_path)
    (tmp_path / "text.wav").write_text("these are words\n" * 50, encoding="utf-8")
    with pytest.raises(ValueError, match="text.wav is not a sound file"):
        reader(tmp_path / "text.wav")
    (tmp_path / "zeros.mp3").write_bytes(bytes(5000))
    with pytest.raises(ValueError, match=r"zeros.mp3 is not .* \(no frame of MP3 in it\); exp"):
        reader(tmp_path / "zeros.mp3")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(ValueError, match="empty.wav is empty"):
        reader(tmp_path / "empty.wav")


@pytest.mark.parametrize("reader", [READERS[0], READERS[2]])
def test_files_without_usable_samples(tmp_path, reader):
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1), np.float32), 16000)
    with pytest.raises(ValueError, match="none.wav holds no samples"):
        reader(tmp_path / "none.wav")
    bad = np.zeros(100, np.float32)
    bad[7] = np.nan
    soundfile.write(tmp_path / "nan.wav", bad, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match="nan.wav has 1 samples that are NaN"):
        reader(tmp_path / "nan.wav")


def test_a_file_cut_short_is_read_as_far_as_it_goes_or_refused(tmp_path):
    audio.write(tmp_path / "a.wav", tone(), 16000)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(content[: len(content) // 2])
    assert 3000 < audio.read(tmp_path / "cut.wav").shape[-1] < 4001
    (tmp_path / "header.wav").write_bytes(content[:20])
    with pytest.raises(ValueError, match="header.wav"):
        audio.read(tmp_path / "header.wav")


@pytest.mark.parametrize(
    "sound, error, words",
    [
        (torch.tensor([[0.0, float("nan")]]), ValueError, "1 samples that are NaN"),
        (torch.tensor([[0.0, float("inf")]]), ValueError, "NaN or infinite"),
        (torch.tensor([[0.0, -1.5]]), ValueError, "peak of 1.5"),
        (torch.zeros(1, 0), ValueError, "no sample"),
        (torch.zeros(16000, 2), ValueError, "transpose"),
        (torch.zeros(2, 1, 100), ValueError, "one clip"),
        (torch.zeros(1, 100, dtype=torch.int16), TypeError, "divide 16-bit integers"),
        (np.zeros((1, 100)), TypeError, "torch.as_tensor"),
    ],
)
def test_write_refuses_what_is_not_audio(tmp_path, sound, error, words):
    with pytest.raises(error, match=words):
        audio.write(tmp_path / "a.wav", sound, 16000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name, rate, error, words",
    [
        ("a.wav", 0, ValueError, "sample_rate is 0"),
        ("a.wav", 16000.0, TypeError, "whole number of Hz"),
        ("a.xyz", 16000, ValueError, "'.xyz'; expected one of .wav"),
        ("a", 16000, ValueError, "expected one of .wav"),
        ("a.mp3", 12345, ValueError, "12345 Hz"),
    ],
)
def test_write_refuses_names_and_rates(tmp_path, name, rate, error, words):
    with pytest.raises(error, match=words):
        audio.write(tmp_path / name, tone(), rate)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    audio.write(path, tone(), 16000)
    before = path.read_bytes()

    def full(self, data):
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with pytest.raises(OSError, match="a.wav could not be written .*disk full"):
        audio.write(path, tone(frequency=220.0), 16000)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_full_before_the_first_sample_is_no_fault_of_the_format(tmp_path, monkeypatch):
    def full(*arguments, **settings):
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile, "SoundFile", full)
    with pytest.raises(OSError, match="a.wav could not be written .*disk full"):
        audio.write(tmp_path / "a.wav", tone(), 16000)
    assert list(tmp_path.iterdir()) == []


def test_write_replaces_a_file_by_rename(tmp_path, monkeypatch):
    seen = []
    original = paths.replace_file
    monkeypatch.setattr(paths, "replace_file", lambda *a: (seen.append(a[0]), original(*a)))
    audio.write(tmp_path / "new" / "a.wav", tone(), 16000)
    assert seen == [tmp_path / "new" / "a.wav"] and seen[0].exists()


@pytest.mark.parametrize("call", [audio.read, audio.read_blocks])
def test_reading_refuses_bad_rates_and_lengths(tmp_path, call):
    audio.write(tmp_path / "a.wav", tone(), 16000)
    with pytest.raises(ValueError, match="sample_rate is -1"):
        call(tmp_path / "a.wav", sample_rate=-1)
    with pytest.raises(ValueError, match="seconds is nan"):
        audio.read_blocks(tmp_path / "a.wav", seconds=float("nan"))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_blocks_make_the_file_of_the_whole(tmp_path, suffix):
    sound = tone(seconds=9, channels=2)
    audio.write(tmp_path / f"whole{suffix}", sound, 16000)
    audio.write_blocks(tmp_path / f"blocks{suffix}", iter(sound.split(70_001, 1)), 16000)
    whole, blocks = (audio.read(tmp_path / f"{name}{suffix}") for name in ("whole", "blocks"))
    assert torch.equal(whole, blocks)


def test_what_a_block_raises_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.wav"
    audio.write(path, tone(), 16000)
    before = path.read_bytes()

    def broken():
        yield tone()
        raise RuntimeError("on the way")

    bad = {
        "on the way": broken(),
        "There is no sound": iter([]),
        "all need the same": iter([tone(), tone(channels=2)]),
        "a peak of 2": iter([tone(), torch.full((1, 5), 2.0)]),
    }
    for said, blocks in bad.items():
        with pytest.raises((RuntimeError, ValueError), match=said):
            audio.write_blocks(path, blocks, 16000)
        assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.wav"]
