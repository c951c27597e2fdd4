from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_codecs import CHUNKS, REFLECT, TINY, make, noise

from course_lib.models import Codec, CodecConfig, StreamingDecoder, StreamingEncoder
from course_lib.nets import DACStackConfig, SEANetConfig
from course_lib.nets.streaming import stream

CODECS = {"constant": make(TINY), "reflect": make(REFLECT)}


def cut(x, sizes):
    """x in chunks of the sizes, again and again, along its last dimension."""
    pieces, start, i = [], 0, 0
    while start < x.shape[-1]:
        pieces.append(x[..., start : start + sizes[i % len(sizes)]])
        start, i = start + pieces[-1].shape[-1], i + 1
    return pieces


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(CODECS)),
    length=st.integers(1, 150),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_chunk_by_chunk_is_the_whole_file(name, length, sizes):
    codec = CODECS[name]
    x = noise(codec, length)
    whole = codec.encode(x)
    latents = codec.encoder(codec._whole(x))

    encoder = StreamingEncoder(codec)
    parts = [encoder.latents(chunk) for chunk in cut(x, sizes)]
    parts.append(encoder.latents(x[..., :0], last=True))
    torch.testing.assert_close(torch.cat(parts, -1), latents, rtol=0, atol=1e-5)

    encoder = StreamingEncoder(codec)
    codes = torch.cat([encoder.push(chunk) for chunk in cut(x, sizes)] + [encoder.flush()], -1)
    assert torch.equal(codes, whole.codes)

    decoder = StreamingDecoder(codec)
    audio = torch.cat([decoder.push(chunk) for chunk in cut(codes, sizes)] + [decoder.flush()], -1)
    torch.testing.assert_close(audio[..., :length], codec.decode(whole), rtol=0, atol=1e-5)


def test_zero_padding_codes_from_the_first_frame():
    codec = CODECS["constant"]
    encoder, decoder = StreamingEncoder(codec), StreamingDecoder(codec)
    for hop in cut(noise(codec, 50), [codec.hop]):
        codes = encoder.push(hop)
        assert codes.shape[-1] == 1 and decoder.push(codes).shape[-1] == codec.hop
    assert encoder.flush().shape[-1] == 0 and decoder.flush().shape[-1] == 0


def test_reflection_waits_and_flushes():
    codec = CODECS["reflect"]
    encoder = StreamingEncoder(codec)
    hops = [encoder.push(hop).shape[-1] for hop in cut(noise(codec, 200), [codec.hop])]
    assert hops[0] == 0 and sum(hops) == 20  # behind at first, level in the end
    decoder = StreamingDecoder(codec)
    codes = codec.encode(noise(codec, 50)).codes
    assert decoder.push(codes).shape[-1] == 0  # seven frames are reflected, five are there
    assert decoder.flush().shape[-1] == 50


def test_the_first_n_codebooks_are_streamed_too():
    codec = CODECS["constant"]
    x = noise(codec, 40)
    assert torch.equal(StreamingEncoder(codec, 2).push(x), codec.encode(x, 2).codes)


@pytest.mark.parametrize("options", [{"groups": 2}, {"code_dim": 2, "cosine": True}], ids=str)
def test_every_quantizer_is_streamed(options):
    torch.manual_seed(0)
    codec = Codec(replace(TINY, **options)).eval()
    assert StreamingEncoder(codec).flush().shape == (1, 4, 0)
    assert StreamingDecoder(codec).flush().shape == (1, 1, 0)
    encoder, decoder = StreamingEncoder(codec), StreamingDecoder(codec)
    x = noise(codec, 45)
    codes = torch.cat([encoder.push(chunk) for chunk in cut(x, [7])] + [encoder.flush()], -1)
    assert torch.equal(codes, codec.encode(x).codes)
    audio = torch.cat([decoder.push(codes), decoder.flush()], -1)
    torch.testing.assert_close(audio, codec.decode_codes(codes), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(CODECS))
def test_a_buffer_may_be_used_again(name):
    codec = CODECS[name]
    x, buffer = noise(codec, 60), torch.empty(2, codec.config.channels, 3)
    encoder = StreamingEncoder(codec)
    codes = [encoder.push(buffer.copy_(chunk)) for chunk in cut(x, [3])]
    assert torch.equal(torch.cat([*codes, encoder.flush()], -1), codec.encode(x).codes)


def test_residual_units_wait_for_each_other():
    torch.manual_seed(0)
    config = SEANetConfig(widths=(4, 4), strides=(3,), units=3, compress=1)
    encoder = config.encoder(1, 2)
    x = torch.randn(1, 1, 95)
    layers = stream(encoder)
    parts = [layers.push(chunk) for chunk in cut(x, [4, 1])] + [layers.push(x[..., :0], last=True)]
    torch.testing.assert_close(torch.cat(parts, -1), encoder(x), rtol=0, atol=1e-5)


def test_what_sees_the_future_is_refused():
    with pytest.raises(ValueError, match="chunks of its own"):
        StreamingEncoder(make(CHUNKS))
    stack = SEANetConfig(widths=(4, 6), strides=(2,), causal=False)
    with pytest.raises(ValueError, match="sees the future"):
        stream(stack.encoder(1, 2))
    dac = CodecConfig(stack=DACStackConfig(2, 8, (2, 2)), dim=4, entries=8)
    for made in (StreamingEncoder, StreamingDecoder):
        with pytest.raises(ValueError, match=r"DAC(En|De)coder sees the future"):
            made(Codec(dac))
    with pytest.raises(TypeError, match="Linear"):
        stream(torch.nn.Linear(1, 1))


def test_the_course_s_codec_delays_by_one_hop():
    codec = Codec().eval()
    x = noise(codec, 3 * codec.hop, batch=1)
    codes = StreamingEncoder(codec).push(x[..., : codec.hop])
    assert torch.equal(codes, codec.encode(x).codes[..., :1])
