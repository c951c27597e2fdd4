from dataclasses import replace

import pytest
import torch

from course_lib.interop import from_transformers
from course_lib.interop.dac import from_dac
from course_lib.models import PRESETS

transformers = pytest.importorskip("transformers")

TINY = dict(
    encoder_hidden_size=4,
    decoder_hidden_size=32,
    downsampling_ratios=(2, 4, 4),
    n_codebooks=3,
    codebook_size=64,
)


def published(**settings):
    """A DacModel of random weights, its codebooks and frequencies those of no fresh model."""
    torch.manual_seed(0)
    model = transformers.DacModel(transformers.DacConfig(**{**TINY, **settings})).eval()
    for module in model.modules():
        if hasattr(module, "alpha"):
            torch.nn.init.uniform_(module.alpha, 0.3, 3.0)
        elif isinstance(module, (torch.nn.Conv1d, torch.nn.ConvTranspose1d)):
            module.reset_parameters()  # transformers leaves biases 0
        elif isinstance(module, torch.nn.Embedding):
            torch.nn.init.normal_(module.weight)
    return model


def theirs(model, x, n):
    with torch.no_grad():
        codes = model.encode(x, n).audio_codes
        return codes, model.decode(audio_codes=codes).audio_values[:, None]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"downsampling_ratios": (2, 4, 5, 8)},
        {"downsampling_ratios": (3, 5)},
        {"codebook_dim": 2, "n_codebooks": 5},
        {"encoder_hidden_size": 8, "decoder_hidden_size": 64},
    ],
    ids=str,
)
def test_equal_to_transformers_on_whole_frames(settings):
    model = published(**settings)
    codec = from_dac(model, whole_strides=False)
    torch.manual_seed(1)
    for frames in (1, 2, 3, 17):
        x = 0.3 * torch.randn(2, 1, frames * codec.hop)
        for n in (1, codec.config.n_codebooks):
            codes, audio = theirs(model, x, n)
            ours = codec.encode(x, n)
            assert torch.equal(ours.codes, codes), frames
            decoded = codec.decode(ours)
            torch.testing.assert_close(decoded, audio, rtol=0, atol=1e-5)


@pytest.mark.parametrize("ratios", [(2, 4, 4), (2, 4, 5, 8), (3, 5)])
def test_other_lengths_are_those_of_the_zero_padded_input(ratios):
    model = published(downsampling_ratios=ratios)
    codec, short = from_transformers(model), from_dac(model, whole_strides=False)
    hop = codec.hop
    torch.manual_seed(2)
    for length in (1, 6, hop - 1, hop, hop + 1, 3 * hop + 101):
        x = 0.3 * torch.randn(1, 1, length)
        whole = torch.nn.functional.pad(x, (0, -length % hop))
        codes, audio = theirs(model, whole, None)
        ours = codec.encode(x)
        assert torch.equal(ours.codes, codes)
        assert torch.equal(short.encode(x).codes, codes)
        assert codec.decode(ours).shape == x.shape
        same = audio[..., :length]
        torch.testing.assert_close(
            short.decode(ours)[..., : same.shape[-1]], same, rtol=0, atol=1e-5
        )
        if all(ratio % 2 == 0 for ratio in ratios):
            torch.testing.assert_close(codec.decode(ours), same, rtol=0, atol=1e-5)


def test_weight_norm_of_the_published_model_is_folded():
    model, normed = published(), published()
    normed.apply_weight_norm()
    x = torch.randn(1, 1, 320)
    one, other = from_transformers(model), from_transformers(normed)
    torch.testing.assert_close(other(x).audio, one(x).audio, rtol=0, atol=1e-5)
    assert not any("parametrizations" in name for name, _ in other.named_parameters())


def test_losses_and_their_gradients_are_transformers():
    model = published()
    codec = from_transformers(model)
    torch.manual_seed(3)
    z = torch.randn(2, codec.config.dim, 9)
    one, other = z.clone().requires_grad_(), z.clone().requires_grad_()
    model.quantizer.train(), codec.quantizer.train()
    values, codes, _, commitment, codebook_loss = model.quantizer(one)
    ours = codec.quantizer(other, kept=torch.full((2,), 3))
    assert torch.equal(ours.codes, codes)
    torch.testing.assert_close(ours.values, values, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.commitment.expand(2), commitment)
    torch.testing.assert_close(ours.codebook_loss.expand(2), codebook_loss)
    weights = torch.randn_like(z)
    ((values * weights).sum() + 0.25 * commitment[0] + codebook_loss[0]).backward()
    ((ours.values * weights).sum() + 0.25 * ours.commitment + ours.codebook_loss).backward()
    torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-5)
    for stage, source in zip(codec.quantizer.stages, model.quantizer.quantizers, strict=True):
        torch.testing.assert_close(
            stage.lookup.codebook.grad, source.codebook.weight.grad, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(
    ("name", "ratios", "n_codebooks"),
    [
        ("dac_16khz", (2, 4, 5, 8), 12),
        ("dac_24khz", (2, 4, 5, 8), 32),
        ("dac_44khz", (2, 4, 8, 8), 9),
    ],
)
def test_the_presets_are_the_published_models(name, ratios, n_codebooks):
    ours = PRESETS[name]
    settings = transformers.DacConfig(
        downsampling_ratios=ratios, n_codebooks=n_codebooks, sampling_rate=ours.sample_rate
    )
    with torch.device("meta"):
        theirs = from_transformers(transformers.DacModel(settings)).config
    folded = replace(ours.stack, norm=None)
    assert replace(ours, stack=folded, dropout=theirs.dropout) == theirs


def test_the_configuration_is_the_published_one():
    settings = transformers.DacConfig(
        encoder_hidden_size=4, decoder_hidden_size=32, n_codebooks=2, sampling_rate=24000
    )
    config = from_transformers(transformers.DacModel(settings)).config
    assert (config.sample_rate, config.stack.hop, config.dim) == (24000, 512, 64)
    assert config.levels == (1, 2) and config.code_dim == 8 and config.cosine
