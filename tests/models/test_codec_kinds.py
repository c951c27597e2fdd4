"""The codecs that are not SEANet's: HiFi-Codec and DAC."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import checkpoints
from course_lib.models import PRESETS, Codec
from course_lib.nets.dac_stack import DACStackConfig
from course_lib.nets.hifigan import HiFiGANConfig

NAMES = ("hificodec", "dac_16khz", "dac_24khz", "dac_44khz")


def small(name, **options):
    """A preset with its widths cut down, its strides, dilations and codebooks kept."""
    torch.manual_seed(0)
    config = PRESETS[name]
    stack = replace(config.stack, width=2, decoder_width=32)
    if isinstance(stack, HiFiGANConfig):
        stack = replace(stack, kernels=(3, 5))
    codec = Codec(replace(config, stack=stack, dim=16, **options)).eval()
    assert codec.config.stack.strides == config.stack.strides
    return codec


def test_presets_have_the_published_rates():
    codecs = {name: small(name) for name in NAMES}
    assert [round(c.bitrate(), 1) for c in codecs.values()] == [3000.0, 6000.0, 24000.0, 7752.0]
    assert [c.hop for c in codecs.values()] == [320, 320, 320, 512]
    assert codecs["dac_44khz"].frame_rate == pytest.approx(86.13, abs=0.01)
    stages = codecs["dac_44khz"].quantizer.stages
    assert len(stages) == 9 and stages[0].lookup.codebook.shape == (1024, 8)
    groups = codecs["hificodec"].quantizer.groups
    assert [len(group.stages) for group in groups] == [2, 2]
    assert groups[0].stages[0].codebook.shape == (1024, 8)  # half of the latent's 16


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5, deadline=None)
@given(length=st.integers(1, 1700))
def test_the_output_is_as_long_as_the_input(name, length):
    codec = small(name)
    audio = 0.3 * torch.randn(1, 1, length)
    encoded = codec.encode(audio)
    assert encoded.codes.shape == (1, codec.config.n_codebooks, -(-length // codec.hop))
    assert codec.decode(encoded).shape == audio.shape
    out = codec(audio)
    assert out.audio.shape == audio.shape and torch.equal(out.codes, encoded.codes)
    torch.testing.assert_close(out.audio, codec.decode(encoded))


@pytest.mark.parametrize("name", ["hificodec", "dac_44khz"])
def test_it_learns_by_gradient_through_the_codes(name):
    codec = small(name, n_codebooks=4, levels=(2, 4), entries=8).train()
    audio = 0.3 * torch.randn(2, 1, 3000)
    out = codec(audio)
    (out.audio.square().mean() + 0.25 * out.commitment + out.codebook_loss).backward()
    for part in (codec.encoder, codec.quantizer, codec.decoder):
        assert all(p.grad is not None for p in part.parameters())
    assert codec.encoder.layers[0].parametrizations.weight.original1.grad.abs().sum() > 0
    folded = codec.eval().folded()
    assert not any("parametrizations" in key for key, _ in folded.named_parameters())
    torch.testing.assert_close(folded(audio).audio, codec(audio).audio, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", [*NAMES, "soundstream", "encodec_24khz", "encodec_48khz"])
def test_it_trains_under_autocast_and_codes_in_bfloat16(name):
    options = {"n_codebooks": 2, "levels": (1, 2), "entries": 8}
    if name in NAMES:
        codec = small(name, **options).train()
    else:
        config = PRESETS[name]
        stack = replace(config.stack, widths=(4, 4, 4, 4, 4), compress=1)
        codec = Codec(replace(config, stack=stack, dim=8, **options)).train()
    audio = 0.3 * torch.randn(2, codec.config.channels, 1000)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = codec(audio)
    (out.audio.float().square().mean() + out.commitment + out.codebook_loss).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in codec.parameters())
    assert codec.encoder.layers[0].bias.grad.abs().sum() > 0
    half = codec.eval().bfloat16()
    encoded = half.encode(audio.bfloat16())
    assert half.decode(encoded).dtype == torch.bfloat16
    assert half.decode(encoded).shape == audio.shape


def test_fewer_codebooks_are_a_coarser_code():
    dac, hifi = small("dac_16khz"), small("hificodec")
    audio = 0.3 * torch.randn(1, 1, 2000)
    for codec, n in ((dac, 3), (hifi, 2)):
        few, all_ = codec.encode(audio, n), codec.encode(audio)
        assert torch.equal(few.codes, all_.codes[:, :n])
        assert not torch.allclose(codec.decode(few), codec.decode(all_))


@pytest.mark.parametrize("name", ["hificodec", "dac_24khz", "course_16khz"])
def test_artefacts_know_which_stack_they_are_of(name, tmp_path):
    codec = Codec(replace(PRESETS[name], entries=8)) if name == "course_16khz" else small(name)
    codec = codec.eval()
    codec = checkpoints.read(checkpoints.save(tmp_path, "one", codec, {}))  # float16 now
    again = checkpoints.read(checkpoints.save(tmp_path, "two", codec, {}))
    assert again.config == codec.config and type(again.config.stack) is type(codec.config.stack)
    audio = 0.3 * torch.randn(1, 1, 700)
    assert torch.equal(again.encode(audio).codes, codec.encode(audio).codes)


def test_a_stack_of_no_kind_is_refused(tmp_path):
    path = checkpoints.save(tmp_path, "one", small("dac_24khz"), {})
    path.write_text(path.read_text(encoding="utf-8").replace('"whole_strides"', '"whole_steps"'))
    with pytest.raises(ValueError, match="whole_steps"):
        checkpoints.read(path)
    assert isinstance(PRESETS["dac_24khz"].stack, DACStackConfig)
