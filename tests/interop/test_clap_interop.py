"""Our LAION-CLAP beside transformers' ClapModel: the same weights and vectors, not its loss."""

import pytest
import torch
import torch.nn.functional as F

from course_lib.interop import from_transformers
from course_lib.models.htsat import HTSATConfig
from course_lib.training import symmetric_contrastive_loss

transformers = pytest.importorskip("transformers")


def clap(audio=None, text=None, **options):
    torch.manual_seed(0)
    audio = {
        "num_mel_bins": 16, "spec_size": 32, "window_size": 4, "patch_size": 4,
        "patch_stride": [2, 2], "patch_embeds_hidden_size": 16, "hidden_size": 32, "depths": [2, 3],
        "num_attention_heads": [2, 4], "projection_dim": 24, "initializer_factor": 1.0,
    } | (audio or {})  # fmt: skip
    text = {
        "vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
        "intermediate_size": 56, "max_position_embeddings": 20, "projection_dim": 24,
        "type_vocab_size": 1,
    } | (text or {})  # fmt: skip
    config = transformers.ClapConfig(
        audio_config=audio, text_config=text, projection_dim=24, **options
    )
    model = transformers.ClapModel(config).eval()
    with torch.no_grad():  # zeros and ones would hide what is not copied
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        norm = model.audio_model.audio_encoder.batch_norm
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    return model


def inputs(batch=3, frames=60):
    generator = torch.Generator().manual_seed(1)
    seen = torch.randn(batch, frames, 16, generator=generator)
    ids = torch.randint(2, 50, (batch, 9), generator=generator)
    valid = torch.ones_like(ids).bool()
    valid[1, 5:] = False
    return seen, ids.masked_fill(~valid, 1), valid


@torch.no_grad()
@pytest.mark.parametrize("frames", [64, 60, 7])
def test_vectors_and_logits_are_equal(frames):
    theirs = clap()
    ours = from_transformers(theirs)
    seen, ids, valid = inputs(frames=frames)
    want = theirs(input_ids=ids, attention_mask=valid.long(), input_features=seen[:, None])
    audio, text = ours.embed_spectrogram(seen), ours.embed_ids(ids, valid)
    torch.testing.assert_close(audio, want.audio_embeds, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(text, want.text_embeds, rtol=1e-5, atol=1e-5)
    assert (audio[0] - audio[1]).abs().max() > 0.01 and (text[0] - text[1]).abs().max() > 0.01
    scales = ours.log_scales.exp()
    torch.testing.assert_close(
        scales[1] * text @ audio.T, want.logits_per_text, rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(
        scales[0] * audio @ text.T, want.logits_per_audio, rtol=1e-4, atol=1e-4
    )


def test_their_loss_trains_text_to_audio_alone():
    theirs = clap()
    seen, ids, valid = inputs()
    found = theirs(
        input_ids=ids, attention_mask=valid.long(), input_features=seen[:, None], return_loss=True
    )
    pairs, cosines = torch.arange(3), found.text_embeds @ found.audio_embeds.T
    scales = (theirs.logit_scale_t.exp(), theirs.logit_scale_a.exp())
    # Both halves of theirs are a softmax over sounds: the second is turned round twice.
    text_to_audio = sum(F.cross_entropy(scale * cosines, pairs) for scale in scales) / 2
    torch.testing.assert_close(found.loss, text_to_audio)
    both = [F.cross_entropy(scales[1] * x, pairs) for x in (cosines, cosines.T)]
    assert (both[0] - both[1]).abs() > 1e-3  # the directions are two questions
    ours = symmetric_contrastive_loss(found.audio_embeds, found.text_embeds, scales[1])
    torch.testing.assert_close(ours, sum(both) / 2)
    assert (ours - found.loss).abs() > 1e-3


@torch.no_grad()
def test_sound_of_up_to_ten_seconds_is_seen_as_theirs_sees_it():
    sizes = {"num_mel_bins": 64, "spec_size": 256, "window_size": 8, "patch_stride": [4, 4]}
    ours = from_transformers(clap(audio=sizes))
    extractor = transformers.ClapFeatureExtractor(
        feature_size=64, frequency_min=50, frequency_max=14000, truncation="rand_trunc"
    )
    for seconds in (10, 3.7):
        sound = 0.1 * torch.randn(1, 1, round(seconds * 48000), generator=torch.manual_seed(2))
        want = extractor(sound[0, 0].numpy(), sampling_rate=48000, return_tensors="pt")
        seen = []
        ours.embed_spectrogram = lambda x, seen=seen: seen.append(x) or x.mean(1)
        ours.embed_audio(sound)
        torch.testing.assert_close(
            seen[0], want["input_features"][:, 0].float(), rtol=1e-3, atol=1e-3
        )


@torch.no_grad()
def test_longer_sound_has_the_same_vector_every_time():
    sizes = {"num_mel_bins": 64, "spec_size": 256, "window_size": 8, "patch_stride": [4, 4]}
    ours = from_transformers(clap(audio=sizes))
    sound = 0.1 * torch.randn(1, 1, 12 * 48000, generator=torch.manual_seed(3))
    found = ours.embed_audio(sound)
    assert torch.equal(found, ours.embed_audio(sound))
    torch.testing.assert_close(found.norm(), torch.tensor(1.0))
    ends = [ours.embed_audio(part) for part in (sound[..., :480_000], sound[..., -480_000:])]
    torch.testing.assert_close(found, F.normalize(sum(ends), dim=-1))


@torch.no_grad()
def test_the_spectrogram_is_float32_under_autocast():
    ours, sound = from_transformers(clap()), 0.1 * torch.randn(1, 48000)
    expected = ours.spectrogram(sound)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ours.spectrogram(sound), expected)


def test_masks_and_ids_that_do_not_fit_are_named():
    ours, (_, ids, valid) = from_transformers(clap()), inputs()
    for bad in ((ids, valid.long()), (ids.float(), valid)):  # a tokenizer's mask is int64
        with pytest.raises(TypeError, match=r"expected int64 and bool.*attention_mask.bool\(\)"):
            ours.embed_ids(*bad)
    for bad in ((ids, valid[:, :5]), (ids[0], valid[0]), (ids[:, :0], valid[:, :0])):
        with pytest.raises(ValueError, match=r"expected the same \[B, L\]"):
            ours.embed_ids(*bad)


@torch.no_grad()
def test_a_text_of_more_tokens_than_places_is_named():
    ours = from_transformers(clap())  # 20 places, the first two of which are no token's
    ids = torch.full((1, 19), 5)
    assert ours.embed_ids(ids[:, :18], torch.ones(1, 18).bool()).isfinite().all()
    with pytest.raises(ValueError, match="19 tokens; .* up to 18"):
        ours.embed_ids(ids, torch.ones(1, 19).bool())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"audio": {"enable_fusion": True}}, "enable_fusion=True"),
        ({"audio": {"patch_stride": [2, 4]}}, "squares only"),
        ({"projection_hidden_act": "gelu"}, "audio_config.projection_hidden_act=gelu"),
        ({"text": {"hidden_act": "relu"}}, "text_config.hidden_act=relu"),
    ],
)
def test_what_the_course_does_not_have_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        from_transformers(clap(**options))


def test_configurations_and_spectrograms_are_checked():
    with pytest.raises(ValueError, match="multiple of mels=48"):
        HTSATConfig(mels=48)
    with pytest.raises(ValueError, match="must be a multiple of 64"):
        HTSATConfig(side=192, mels=64)
    for options in ({"mels": 0}, {"kernel": 7}, {"kernel": 2}, {"width": 90}):
        with pytest.raises(ValueError, match="{}={}".format(*next(iter(options.items())))):
            HTSATConfig(**options)
    ours = from_transformers(clap())
    with pytest.raises(ValueError, match="F up to 64"):
        ours.embed_spectrogram(torch.zeros(1, 65, 16))
    with pytest.raises(ValueError, match="expected mono"):
        ours.embed_audio(torch.zeros(1, 2, 48000))
