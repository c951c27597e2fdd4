"""Sound to codec files and back, in parts: what was coded comes out, whatever the parts were."""

import io
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_codec import HOP, small_codec, small_lm

from course_lib import codec_file
from course_lib.codec_file.blocks import Block, Reader, Writer
from course_lib.models import PRESETS, Codec
from course_lib.models.codec_streaming import StreamingEncoder
from course_lib.nets.seanet import SEANetConfig

CODEC, LM = small_codec(), small_lm()


def sound(samples: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.3 * torch.randn(1, samples, generator=generator).cumsum(-1).sin()


def coded(parts, codec=CODEC, n=None, lm=None) -> tuple[bytes, codec_file.Report]:
    file = io.BytesIO()
    report = codec_file.encode_parts(parts, file, codec, n, lm)
    assert report.bytes == len(file.getvalue())
    return file.getvalue(), report


def decoded(data: bytes, codec=CODEC, lm=None) -> torch.Tensor:
    return torch.cat(list(codec_file.decode_parts(io.BytesIO(data), codec, lm, "x.codec")), -1)


@given(
    samples=st.sampled_from((1, HOP - 1, HOP, HOP + 1, 250 * HOP, 250 * HOP + 1)),
    part=st.sampled_from((4 * HOP, 5000, 30_001, 200_000)),
    n=st.sampled_from((1, 2, 4)),
    lm=st.booleans(),
)
@settings(max_examples=12, deadline=None)
def test_the_file_holds_the_codes_of_the_whole_sound(samples, part, n, lm):
    wave, lm = sound(samples), LM if lm else None
    parts = wave.split(part, 1)
    data, report = coded(parts, n=n, lm=lm)
    assert report.seconds == samples / 16000 and report.blocks == -(-samples // (250 * HOP))
    stream = StreamingEncoder(CODEC, n)
    codes = torch.cat([*(stream.push(part[None]) for part in parts), stream.flush()], -1)
    assert (codes != CODEC.encode(wave[None], n).codes).float().mean() < 0.02  # near ties
    blocks = Reader(io.BytesIO(data), "x").blocks()
    coder = codec_file.BlockCoder(report.header, lm)
    found = torch.cat([torch.from_numpy(coder.decode(block)) for block in blocks], 1)
    assert torch.equal(found, codes[0])
    want = CODEC.decode_codes(codes, length=samples)[0]
    torch.testing.assert_close(decoded(data, lm=lm), want, atol=1e-5, rtol=0)


def test_the_bitrate_is_that_of_the_codes_and_little_more():
    wave = sound(30 * 16000)
    for n in (1, 4):
        data, report = coded(wave.split(80_000, 1), n=n)
        assert report.header.kbps == n * 5 * 50 / 1000  # 30 entries take 5 bits
        assert report.header.kbps < report.kbps < report.header.kbps + 0.03
        assert report.kbps == pytest.approx(len(data) * 8 / 30 / 1000)


def test_silence_is_a_sound_like_any_other():
    for lm in (None, LM):
        data, _ = coded([torch.zeros(1, 50_000)], lm=lm)
        assert decoded(data, lm=lm).shape == (1, 50_000)


def test_an_hour_needs_no_more_memory_than_a_minute():
    """Parts are drawn only when needed, and given before the next one is drawn."""
    drawn, written = [], []

    class File(io.BytesIO):
        def write(self, data):
            written.append(len(drawn))
            return super().write(data)

    def parts():
        for i in range(16):
            drawn.append(i)
            yield sound(16000, i)

    file = File()
    codec_file.encode_parts(parts(), file, CODEC)
    assert written[1] <= 6 and len(drawn) == 16  # the first block once 5 s were there

    class Watched(io.BytesIO):
        most = 0

        def read(self, size):
            assert 0 < size <= 1000
            self.most = max(self.most, self.tell())
            return super().read(size)

    file = Watched(file.getvalue())
    parts = codec_file.decode_parts(file, CODEC)
    next(parts)
    assert file.most <= 0.7 * len(file.getvalue())


def test_long_blocks_of_other_writers_are_decoded_in_parts():
    codes = CODEC.encode(sound(700 * HOP)[None]).codes
    header = replace(codec_file.header_of(CODEC), block_frames=1000)
    file = io.BytesIO()
    writer = Writer(file, header)
    writer.block(codec_file.BlockCoder(header).encode(codes[0].numpy()))
    writer.end(700 * HOP - 5)
    parts = list(codec_file.decode_parts(io.BytesIO(file.getvalue()), CODEC))
    assert [part.shape[1] for part in parts] == [250 * HOP, 250 * HOP, 200 * HOP - 5]
    want = CODEC.decode_codes(codes, length=700 * HOP - 5)[0]
    torch.testing.assert_close(torch.cat(parts, 1), want, atol=1e-5, rtol=0)


def test_stereo_codecs_make_stereo_files():
    codec = small_codec(channels=2)
    wave = torch.cat([sound(30_000), 0.1 * sound(30_000, 1)])
    data, report = coded([wave], codec)
    assert report.header.channels == 2
    want = codec.decode(codec.encode(wave[None]))[0]
    torch.testing.assert_close(decoded(data, codec), want, atol=1e-5, rtol=0)


def test_other_models_than_those_of_the_file_are_a_sentence():
    data, _ = coded([sound(5000)], lm=LM)
    other = small_codec(seed=1)
    with pytest.raises(ValueError, match="x.codec was made with another codec \\([0-9a-f]{16}; he"):
        decoded(data, other, LM)
    with pytest.raises(ValueError, match="x.codec was made with another language model"):
        decoded(data, CODEC, small_lm(seed=1))
    with pytest.raises(ValueError, match="made with a language model .* and none was given"):
        decoded(data, CODEC)
    plain, _ = coded([sound(5000)])
    assert decoded(plain, CODEC, small_lm(seed=1)).shape == (1, 5000)  # it does not need one
    with torch.no_grad():
        nearly = small_codec()
        next(nearly.decoder.parameters()).view(-1)[0] += 1e-6
    with pytest.raises(ValueError, match="another codec"):
        decoded(plain, nearly)


def test_a_header_that_lies_about_its_codec_is_a_sentence():
    header = codec_file.header_of(CODEC)
    for wrong in ("sample_rate", "hop", "entries", "channels", "codebooks"):
        file = io.BytesIO()
        writer = Writer(file, replace(header, **{wrong: getattr(header, wrong) + 1}))
        writer.block(Block(1, 1, bytes(3)))
        writer.end(1)
        with pytest.raises(ValueError, match="do not fit each other"):
            decoded(file.getvalue())


def test_what_can_not_be_coded_is_a_sentence():
    with pytest.raises(ValueError, match="no sample to code"):
        coded([])
    with pytest.raises(ValueError, match="n_codebooks=5; the codec has 1 to 4"):
        coded([sound(100)], n=5)
    stack = SEANetConfig((2, 2), (2,), causal=False, norm="group", lstm=0)
    chunked = Codec(replace(PRESETS["encodec_48khz"], stack=stack, dim=4, entries=8)).eval()
    with pytest.raises(ValueError, match="can't be streamed"):
        coded([sound(100).expand(2, -1)], chunked)


def test_fingerprints_tell_weights_apart():
    assert codec_file.fingerprint(small_codec()) == codec_file.fingerprint(CODEC)
    assert codec_file.fingerprint(small_codec(seed=1)) != codec_file.fingerprint(CODEC)
    assert len(codec_file.fingerprint(LM)) == 16
