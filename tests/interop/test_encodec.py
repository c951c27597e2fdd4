from dataclasses import replace

import pytest
import torch

from course_lib.interop import from_transformers
from course_lib.models import PRESETS, Codec

transformers = pytest.importorskip("transformers")

TINY = dict(
    num_filters=4,
    hidden_size=16,
    codebook_size=64,
    upsampling_ratios=[4, 3, 2],
    target_bandwidths=[6.0, 24.0],
)
FULL_BAND = dict(
    use_causal_conv=False,
    norm_type="time_group_norm",
    normalize=True,
    chunk_length_s=0.1,
    overlap=0.01,
    audio_channels=2,
)


def published(**settings):
    torch.manual_seed(0)
    model = transformers.EncodecModel(transformers.EncodecConfig(**{**TINY, **settings})).eval()
    for layer in model.quantizer.layers:  # transformers leaves them 0
        layer.codebook.embed.normal_(std=0.3)
    return model


def theirs(model, x, kbps):
    with torch.no_grad():
        out = model.encode(x, bandwidth=kbps)
        audio = model.decode(
            out.audio_codes, out.audio_scales, last_frame_pad_length=out.last_frame_pad_length
        )[0]
    return torch.cat(list(out.audio_codes), -1), audio[..., : x.shape[-1]], out.audio_scales


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"audio_channels": 2},
        {"pad_mode": "constant"},
        {"use_causal_conv": False},
        FULL_BAND,
        {"num_residual_layers": 3, "use_conv_shortcut": False, "compress": 1},
        {"trim_right_ratio": 0.5, "num_lstm_layers": 1},
        {"upsampling_ratios": [5, 3, 1], "last_kernel_size": 3},
    ],
    ids=str,
)
def test_equal_to_transformers_for_every_length(settings):
    model = published(**settings)
    codec = from_transformers(model)
    hop, kernel = codec.hop, model.config.kernel_size
    torch.manual_seed(1)
    for length in (1, kernel - 1, kernel, hop - 1, hop, hop + 1, 101, 777, 2400, 5001):
        x = 0.3 * torch.randn(2, codec.config.channels, length)
        kbps = 6.0 if length % 2 else 24.0
        n = model.quantizer.get_num_quantizers_for_bandwidth(kbps)
        codes, audio, scales = theirs(model, x, kbps)
        ours = codec.encode(x, n)
        assert torch.equal(ours.codes, codes), length
        if model.config.normalize:
            torch.testing.assert_close(ours.scale, torch.cat(list(scales), 1))
        decoded = codec.decode(ours)
        assert decoded.shape == x.shape
        torch.testing.assert_close(decoded, audio, rtol=0, atol=1e-5)


def test_the_levels_are_the_published_bandwidths():
    assert from_transformers(published(target_bandwidths=[6.0, 12.0, 24.0])).config.levels == (
        1,
        2,
        4,
    )


STEREO = dict(  # facebook/encodec_48khz
    FULL_BAND, sampling_rate=48000, chunk_length_s=1.0, target_bandwidths=[3.0, 6.0, 12.0, 24.0]
)


@pytest.mark.parametrize(
    ("name", "settings", "rates"),
    [("encodec_24khz", {}, (1500, 24000)), ("encodec_48khz", STEREO, (3000, 24000))],
)
def test_the_presets_are_the_published_models(name, settings, rates):
    with torch.device("meta"):
        reference = transformers.EncodecModel(transformers.EncodecConfig(**settings))
        ours, theirs = Codec(PRESETS[name]), from_transformers(reference)
    folded = replace(ours.config.stack, norm=theirs.config.stack.norm)
    assert replace(ours.config, stack=folded) == theirs.config
    count = sum(p.numel() for p in ours.parameters())
    assert count == sum(p.numel() for p in reference.parameters())
    assert (ours.bitrate(2), ours.bitrate()) == rates


def test_other_models_are_named():
    with pytest.raises(TypeError, match="Linear"):
        from_transformers(torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="'replicate'"):
        from_transformers(published(pad_mode="replicate"))
