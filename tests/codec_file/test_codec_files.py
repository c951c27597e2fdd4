"""Sound files of every kind to codec files and back: the documented result or a sentence."""

import numpy as np
import pytest
import soundfile
import torch
from small_codec import small_codec, small_lm

from course_lib import audio, checkpoints, codec_file

CODEC = small_codec()


def sound(samples=24_000, channels=1):
    generator = torch.Generator().manual_seed(0)
    return 0.3 * torch.randn(channels, samples, generator=generator).cumsum(-1).sin()


def there_and_back(tmp_path, name, codec=CODEC, **options) -> torch.Tensor:
    codec_file.encode(tmp_path / name, tmp_path / "a.codec", codec, **options)
    codec_file.decode(tmp_path / "a.codec", tmp_path / "back.wav", codec, options.get("lm"))
    assert not list(tmp_path.glob(".*"))  # nothing is left behind
    return audio.read(tmp_path / "back.wav")


@pytest.mark.parametrize("lm", [None, small_lm()])
def test_a_file_comes_back_as_the_codec_makes_it(tmp_path, lm):
    audio.write(tmp_path / "a.wav", sound(100_001), 16000)
    back = there_and_back(tmp_path, "a.wav", n_codebooks=2, lm=lm)
    want = CODEC.decode(CODEC.encode(audio.read(tmp_path / "a.wav")[None], 2))[0].clamp(-1, 1)
    assert back.shape == want.shape == (1, 100_001)
    assert (back - want).abs().max() < 1.1 / 32768
    header = codec_file.read_header(tmp_path / "a.codec")
    assert (header.codebooks, header.kbps, header.model is None) == (2, 0.5, lm is None)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (8000, 1), (48000, 1), (22050, 3)])
def test_other_rates_and_channels_become_those_of_the_codec(tmp_path, rate, channels):
    audio.write(tmp_path / "a.wav", sound(rate, channels), rate)
    back = there_and_back(tmp_path, "a.wav")
    mono = audio.read(tmp_path / "a.wav", 16000).mean(0, keepdim=True)
    want = CODEC.decode(CODEC.encode(mono[None]))[0].clamp(-1, 1)
    assert back.shape == want.shape == (1, 16000)
    assert (back - want).abs().max() < 1.1 / 32768


def test_mono_into_a_stereo_codec_goes_to_both_channels(tmp_path):
    codec = small_codec(channels=2)
    audio.write(tmp_path / "a.wav", sound(), 16000)
    back = there_and_back(tmp_path, "a.wav", codec)
    both = audio.read(tmp_path / "a.wav").expand(2, -1)[None]
    want = codec.decode(codec.encode(both))[0].clamp(-1, 1)
    assert back.shape == (2, 24_000) and (back - want).abs().max() < 1.1 / 32768


@pytest.mark.parametrize("samples", [1, 319, 320, 321])
def test_short_sounds_and_silence_keep_their_length(tmp_path, samples):
    audio.write(tmp_path / "a.wav", torch.zeros(1, samples), 16000)
    assert there_and_back(tmp_path, "a.wav").shape == (1, samples)


def test_samples_beyond_full_scale_are_counted_and_set_to_it(tmp_path):
    loud = small_codec()
    with torch.no_grad():
        for parameter in list(loud.decoder.parameters())[-2:]:
            parameter *= 1000
    audio.write(tmp_path / "a.wav", sound(), 16000)
    codec_file.encode(tmp_path / "a.wav", tmp_path / "a.codec", loud)
    clipped = codec_file.decode(tmp_path / "a.codec", tmp_path / "a.flac", loud)
    assert clipped > 1000 and audio.read(tmp_path / "a.flac").abs().max() > 0.99


def bad_sounds(folder):
    (folder / "text.wav").write_text("this is text", encoding="utf-8")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "folder.wav").mkdir()
    broken = np.zeros(48_000, np.float32)
    broken[40_000] = np.nan
    soundfile.write(folder / "nan.wav", broken, 16000, subtype="FLOAT")
    soundfile.write(folder / "nothing.wav", broken[:0], 16000)
    loud = 32767 * np.sin(np.arange(48_000, dtype=np.float32))  # 16-bit numbers as floats
    soundfile.write(folder / "loud.wav", loud, 16000, subtype="FLOAT")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("text.wav", "is not a sound file that can be read"),
        ("empty.wav", "is empty"),
        ("folder.wav", "is a folder"),
        ("missing.wav", "does not exist"),
        ("nan.wav", "NaN"),
        ("nothing.wav", "holds no samples"),
        ("loud.wav", "loud.wav has a peak of 3.277e\\+04, and full scale is 1: scale its samples"),
    ],
)
def test_what_is_no_sound_is_a_sentence_and_writes_nothing(tmp_path, name, said):
    bad_sounds(tmp_path)
    (tmp_path / "a.codec").write_bytes(b"what was there")
    with pytest.raises((ValueError, OSError), match=said):
        codec_file.encode(tmp_path / name, tmp_path / "a.codec", CODEC)
    assert (tmp_path / "a.codec").read_bytes() == b"what was there"
    assert not list(tmp_path.glob(".*"))


def test_damage_leaves_what_was_there_and_no_half_sound(tmp_path):
    audio.write(tmp_path / "a.wav", sound(200_000), 16000)
    codec_file.encode(tmp_path / "a.wav", tmp_path / "a.codec", CODEC)
    whole = (tmp_path / "a.codec").read_bytes()
    (tmp_path / "back.wav").write_bytes(b"what was there")
    flipped = bytearray(whole)
    flipped[-60] ^= 4  # in the last block: the ones before are decoded
    for name, data in {"cut": whole[:-50], "bit": bytes(flipped), "wav": b"RIFF"}.items():
        (tmp_path / f"{name}.codec").write_bytes(data)
        with pytest.raises(ValueError, match=f"{name}.codec"):
            codec_file.decode(tmp_path / f"{name}.codec", tmp_path / "back.wav", CODEC)
        assert (tmp_path / "back.wav").read_bytes() == b"what was there"
        assert not list(tmp_path.glob(".*"))
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "x", "does not exist")):
        with pytest.raises(OSError, match=said):
            codec_file.read_header(path)


def test_a_little_more_than_full_scale_is_coded(tmp_path):
    wave = 1.5 * np.sin(0.1 * np.arange(9000, dtype=np.float32))
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype="FLOAT")
    assert there_and_back(tmp_path, "a.wav").shape == (1, 9000)


def test_progress_adds_up(tmp_path):
    audio.write(tmp_path / "a.wav", sound(400_000), 16000)
    seconds, read = [], []
    codec_file.encode(tmp_path / "a.wav", tmp_path / "a.codec", CODEC, progress=seconds.append)
    codec_file.decode(tmp_path / "a.codec", tmp_path / "b.wav", CODEC, progress=read.append)
    assert sum(seconds) == pytest.approx(25) and len(seconds) > 1
    assert sum(read) == (tmp_path / "a.codec").stat().st_size and len(read) > 1


@pytest.mark.skipif("codec" not in checkpoints.available(), reason="no codec is shipped")
def test_the_shipped_codec_and_its_language_model_make_files(tmp_path):
    codec = checkpoints.load("codec")
    lm = checkpoints.load("codec_lm") if "codec_lm" in checkpoints.available() else None
    audio.write(tmp_path / "a.wav", sound(8_001), 16000)
    for n in codec.config.levels:
        assert there_and_back(tmp_path, "a.wav", codec, n_codebooks=n, lm=lm).shape == (1, 8_001)
    assert codec_file.read_header(tmp_path / "a.codec").kbps == 4.0
