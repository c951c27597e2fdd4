"""The encoders and decoders of DAC and HiFi-Codec."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_lib.nets.dac_stack import DACStackConfig
from course_lib.nets.hifigan import HiFiGANConfig, MultiReceptiveField
from course_lib.nets.padded_convolution import folded_state

SMALL = (
    DACStackConfig(width=4, decoder_width=16, strides=(2, 3), dilations=(1, 3)),
    HiFiGANConfig(width=4, decoder_width=16, strides=(2, 3), kernels=(3, 5), dilations=(1, 3)),
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("config", SMALL, ids=["dac", "hifigan"])
@settings(max_examples=15, deadline=None)
@given(length=st.integers(1, 40), strides=st.sampled_from([(2, 3), (5, 2), (3, 3), (1, 4), (7, 1)]))
def test_lengths_are_exact_for_odd_strides_too(config, length, strides):
    config = replace(config, strides=strides)
    encoder, decoder = config.encoder(2, 6), config.decoder(2, 6)
    z = encoder(torch.randn(1, 2, length))
    assert z.shape == (1, 6, -(-length // config.hop))
    y = decoder(z)
    assert y.shape == (1, 2, z.shape[-1] * config.hop)
    assert y.abs().max() <= 1


@pytest.mark.parametrize("config", SMALL, ids=["dac", "hifigan"])
def test_every_weight_learns(config):
    encoder, decoder = config.encoder(1, 6), config.decoder(1, 6)
    audio = torch.randn(2, 1, 60)
    decoder(encoder(audio)).square().sum().backward()
    for network in (encoder, decoder):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("config", SMALL, ids=["dac", "hifigan"])
def test_folded_weights_compute_the_same(config):
    audio = torch.randn(1, 1, 60)
    normed, plain = config.encoder(1, 6), replace(config, norm=None).encoder(1, 6)
    plain.load_state_dict(folded_state(normed))
    torch.testing.assert_close(plain(audio), normed(audio))


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (
            replace(SMALL[0], norm=None),
            [{"width": 8}, {"strides": (3, 2)}, {"dilations": (1,)}, {"activation": "relu"}],
        ),
        (
            replace(SMALL[1], norm=None),
            [{"width": 8}, {"strides": (3, 2)}, {"kernels": (3,)}, {"dilations": (1, 2)}],
        ),
    ],
    ids=["dac", "hifigan"],
)
def test_every_option_changes_the_output(config, options):
    audio = torch.randn(1, 1, 60)

    def latents(config):
        torch.manual_seed(1)
        return config.encoder(1, 6)(audio)

    assert torch.equal(latents(config), latents(config))
    for option in options:
        assert not torch.equal(latents(config), latents(replace(config, **option))), option


def test_short_strides_are_what_published_models_make():
    """One sample less at each odd stride, which moves nothing but the end of that layer."""
    short = DACStackConfig(4, 16, (3,), dilations=(), norm=None, whole_strides=False)
    whole = replace(short, whole_strides=True)
    one, other = short.decoder(1, 6), whole.decoder(1, 6)
    other.load_state_dict(one.state_dict())
    z = torch.randn(1, 6, 5)
    up = nn.ConvTranspose1d(16, 8, 6, 3, padding=2)
    up.load_state_dict(one.layers[2].state_dict())
    x = one.layers[:2](z)
    torch.testing.assert_close(one.layers[2](x), up(x))
    assert one(z).shape[-1] == 14 and other(z).shape[-1] == 15
    torch.testing.assert_close(one(z)[..., :11], other(z)[..., :11])
    even = replace(short, strides=(4,))
    assert even.decoder(1, 6)(z).shape[-1] == 20


def test_a_field_is_the_mean_of_its_blocks():
    field = MultiReceptiveField(SMALL[1], 4)
    x = torch.randn(1, 4, 20)
    torch.testing.assert_close(field(x), (field.blocks[0](x) + field.blocks[1](x)) / 2)


def test_sizes_that_make_no_network_are_named():
    for make in (
        lambda: DACStackConfig(strides=()),
        lambda: DACStackConfig(decoder_width=100),
        lambda: DACStackConfig(activation="elu"),
        lambda: DACStackConfig(norm="group"),
        lambda: DACStackConfig(width=0),
        lambda: HiFiGANConfig(kernels=()),
        lambda: HiFiGANConfig(decoder_width=100),
        lambda: HiFiGANConfig(norm="group"),
    ):
        with pytest.raises(ValueError, match=r"must be|unknown"):
            make()
