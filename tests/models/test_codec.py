from dataclasses import replace

import pytest
import torch
from tiny_codecs import CHUNKS, REFLECT, TINY, make, noise

from course_lib import checkpoints
from course_lib.models import PRESETS, Codec, CodecConfig
from course_lib.nets import SEANetConfig


def test_the_course_s_codec_has_50_frames_a_second_of_8_codebooks():
    codec = Codec()
    assert (codec.sample_rate, codec.hop, codec.frame_rate) == (16000, 320, 50)
    assert [codec.bitrate(n) for n in (1, 2, 4, 8)] == [500, 1000, 2000, 4000]
    assert codec.bitrate() == 4000 and codec.config == PRESETS["course_16khz"]
    stack = codec.config.stack
    assert stack.causal and stack.padding == "constant" and stack.lstm == 0


@pytest.mark.parametrize("config", [TINY, REFLECT, CHUNKS], ids=["tiny", "reflect", "chunks"])
def test_any_length_comes_back(config):
    codec = make(config)
    for length in (1, 6, 9, 10, 11, 99, 100, 101, 185, 190, 191, 333):
        x = noise(codec, length)
        for n in (1, 4):
            encoded = codec.encode(x, n)
            y = codec.decode(encoded)
            assert y.shape == x.shape and y.isfinite().all()
            assert encoded.codes.shape[:2] == (2, n) and encoded.length == length
        if not codec.config.chunk:
            assert encoded.codes.shape[-1] == -(-length // 10)
            out = codec(x)
            assert torch.equal(out.codes, encoded.codes) and out.audio.shape == x.shape
            torch.testing.assert_close(out.audio, y)
            whole = codec.decode_codes(encoded.codes)
            assert whole.shape[-1] == encoded.codes.shape[-1] * 10
            assert torch.equal(whole[..., :length], y)


def test_lengths_above_two_to_the_24th_are_right():
    length = 2**24 + 1
    no_lstm = replace(REFLECT, stack=replace(REFLECT.stack, lstm=0))  # it counts no samples
    with torch.device("meta"):
        for config in (TINY, no_lstm):
            codec = Codec(config).eval()
            z = codec.encoder(codec._whole(torch.empty(1, config.channels, length)))
            assert z.shape[-1] == -(-length // 10)
            assert codec.decoder(z).shape[-1] >= length


@pytest.mark.parametrize("config", [TINY, REFLECT], ids=["tiny", "reflect"])
def test_long_signals_go_through_in_pieces(config, monkeypatch):
    codec = make(config)
    x = noise(codec, 1234)
    whole = codec.encode(x)
    audio = codec.decode(whole)
    monkeypatch.setattr("course_lib.models.codec.PIECE", 7)
    assert torch.equal(codec.encode(x).codes, whole.codes)
    torch.testing.assert_close(codec.decode(whole), audio, rtol=0, atol=1e-5)


def test_a_padded_batch_is_its_items():
    codec = make()
    clips = [noise(codec, n, batch=1, seed=n)[0] for n in (1, 9, 10, 57, 120)]
    longest = torch.stack([torch.nn.functional.pad(c, (0, 120 - c.shape[-1])) for c in clips])
    codes = codec.encode(longest).codes
    decoded = codec.decode_codes(codes)
    for i, clip in enumerate(clips):
        alone = codec.encode(clip[None])
        frames = alone.codes.shape[-1]
        assert torch.equal(alone.codes[0], codes[i, :, :frames])
        torch.testing.assert_close(
            codec.decode(alone)[0], decoded[i, :, : clip.shape[-1]], rtol=0, atol=1e-5
        )


def test_whole_frames_of_a_padded_batch_are_those_of_its_items_with_reflection_too():
    codec = make(REFLECT)
    clips = [noise(codec, n, batch=1, seed=n)[0] for n in (75, 95, 120)]
    longest = torch.stack([torch.nn.functional.pad(c, (0, 120 - c.shape[-1])) for c in clips])
    codes = codec.encode(longest).codes
    for i, clip in enumerate(clips):
        frames = clip.shape[-1] // codec.hop  # the last, cut one reflects what is not there
        alone = codec.encode(clip[None]).codes
        assert torch.equal(alone[0, :, :frames], codes[i, :, :frames])


@pytest.mark.parametrize("config", [TINY, REFLECT, CHUNKS], ids=["tiny", "reflect", "chunks"])
def test_clips_of_unequal_length_are_encoded_as_if_alone(config):
    codec = make(config)
    clips = [noise(codec, n, batch=1, seed=n)[0] for n in (1, 57, 230)]
    for clip, encoded in zip(clips, codec.encode_each(clips, 2), strict=True):
        alone = codec.encode(clip[None], 2)
        assert torch.equal(alone.codes, encoded.codes) and alone.length == encoded.length
        assert (alone.scale is None) == (encoded.scale is None)


def test_chunks_are_loud_alike_and_faded_into_each_other():
    codec = make(CHUNKS)
    x = noise(codec, 280)
    encoded = codec.encode(x)
    assert encoded.codes.shape == (2, 4, 40) and encoded.scale.shape == (2, 4)  # 0, 90, 180, 270
    louder = codec.encode(4 * x)
    assert torch.equal(louder.codes, encoded.codes)
    torch.testing.assert_close(louder.scale, 4 * encoded.scale)
    assert codec.decode_codes(encoded.codes, encoded.scale).shape[-1] == 3 * 90 + 100
    silent = codec.encode(0 * x)
    assert silent.scale.min() > 0 and codec.decode(silent).abs().max() < 1e-6


def test_training_sees_the_loudness_that_coding_sees():
    codec = make(CHUNKS)
    x = noise(codec, 100)
    out, encoded = codec(x), codec.encode(x)
    assert torch.equal(out.codes, encoded.codes[..., :10])  # the second chunk is the overlap
    louder = codec(4 * x)
    assert torch.equal(louder.codes, out.codes)
    torch.testing.assert_close(louder.audio, 4 * out.audio)


def test_folded_is_the_same_function():
    codec = make()
    for parameter in codec.encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    folded = codec.folded()
    x = noise(codec, 333)
    assert folded.config.stack.norm is None
    assert torch.equal(folded.encode(x).codes, codec.encode(x).codes)
    torch.testing.assert_close(folded(x).audio, codec(x).audio)


def test_nothing_is_read_back_from_the_device(host_reads):
    for config in (TINY, REFLECT, CHUNKS):
        codec = make(config)
        x = noise(codec, 280)
        with host_reads() as counter:
            codec.decode(codec.encode(x, 2))
        assert counter.reads == []
    codec = make().train()
    codec(x[:, :1])  # places the codebooks, once
    kept = torch.tensor([1, 4])
    with host_reads() as counter:
        out = codec(x[:, :1], kept=kept)
        (out.audio.square().mean() + out.commitment).backward()
    assert counter.reads == []


def test_every_weight_learns_from_its_loss():
    codec = make().train()
    x = noise(codec, 400)

    def receivers(loss):
        codec.zero_grad(set_to_none=True)
        loss(codec(x)).backward()
        return {n.split(".")[0] for n, p in codec.named_parameters() if p.grad is not None}

    assert receivers(lambda out: (out.audio - x).square().mean()) == {"encoder", "decoder"}
    assert all(p.grad.abs().sum() > 0 for p in codec.parameters())
    assert receivers(lambda out: out.commitment) == {"encoder"}


def test_saved_and_loaded_it_is_the_same(tmp_path):
    codec = make(CHUNKS)
    path = checkpoints.save(tmp_path, "codec", codec, {})
    again = checkpoints.read(path)
    assert again.config == codec.config
    x = noise(codec, 280)
    again.load_state_dict(codec.state_dict())  # float16 rounds
    assert torch.equal(again.encode(x).codes, codec.encode(x).codes)


def test_bad_input_is_named():
    codec = make()
    codes = torch.zeros(1, 4, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"\[2, 10\]"):
        codec.encode(torch.zeros(2, 10))
    with pytest.raises(TypeError, match="int16"):
        codec.encode(torch.zeros(1, 1, 10, dtype=torch.int16))
    with pytest.raises(ValueError, match="n_codebooks=5"):
        codec.encode(torch.zeros(1, 1, 10), 5)
    with pytest.raises(TypeError, match="float32"):
        codec.decode_codes(codes.float())
    with pytest.raises(ValueError, match=r"\[1, 5, 3\]"):
        codec.decode_codes(torch.zeros(1, 5, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="31"):
        codec.decode_codes(codes, length=31)
    with pytest.raises(ValueError, match="not used"):
        codec.decode_codes(codes, torch.ones(1, 1))
    chunked = make(CHUNKS)
    with pytest.raises(ValueError, match="needed"):
        chunked.decode_codes(codes)
    with pytest.raises(ValueError, match="15 frames"):
        chunked.decode_codes(torch.zeros(1, 4, 15, dtype=torch.int64))
    with pytest.raises(ValueError, match="chunks are not those of 900"):
        chunked.decode_codes(torch.zeros(1, 4, 20, dtype=torch.int64), torch.ones(1, 2), 900)
    with pytest.raises(ValueError, match="entries=0"):
        CodecConfig(entries=0)
    with pytest.raises(ValueError, match=r"levels=\(9,\)"):
        CodecConfig(levels=(9,))
    with pytest.raises(ValueError, match=r"widths=\(4, 8\)"):
        SEANetConfig(widths=(4, 8))
    with pytest.raises(ValueError, match="padding='zero'"):
        SEANetConfig(padding="zero")
    for options, words in (
        ({"widths": (0, 4), "strides": (2,)}, r"widths=\(0, 4\)"),
        ({"widths": (4, 8), "strides": (2,), "compress": 8}, "compress=8"),
        ({"compress": 0}, "compress=0"),
        ({"units": -1}, "units=-1"),
        ({"trim_right": 1.5}, "trim_right=1.5"),
    ):
        with pytest.raises(ValueError, match=words):
            SEANetConfig(**options)
    with pytest.raises(ValueError, match=r"\[1, 1, 0\]"):
        codec.encode_each([torch.zeros(1, 5), torch.zeros(1, 0)])
    assert codec.encode_each([]) == []
