"""Our MusicGen beside that of transformers: the same weights, logits, codes and sound."""

import pytest
import torch

from course_lib.interop import from_transformers
from course_lib.models import MusicGen, MusicGenLM
from course_lib.nets.interleaving import interleave

transformers = pytest.importorskip("transformers")


def decoder_config(**options):
    sizes = {"vocab_size": 16, "hidden_size": 32, "ffn_dim": 48, "num_hidden_layers": 3}
    sizes |= {"num_attention_heads": 4, "num_codebooks": 4, "max_position_embeddings": 64}
    sizes |= {"pad_token_id": 16, "bos_token_id": 16, "dropout": 0.0}
    return transformers.MusicgenDecoderConfig(**sizes | options)


def make_clear(model):
    """Weights so large that logits differ and greedy codes are no matter of rounding."""
    for name, parameter in model.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(parameter, mean=float(name.endswith("weight")), std=0.2)
        else:
            torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


def causal(**options):
    torch.manual_seed(0)
    return make_clear(transformers.MusicgenForCausalLM(decoder_config(**options)))


def whole(text_width: int = 24, **options):
    torch.manual_seed(0)
    text = transformers.T5Config(
        vocab_size=50, d_model=text_width, d_kv=6, d_ff=32, num_layers=2, num_heads=4,
        decoder_start_token_id=0,
    )  # fmt: skip
    audio = transformers.EncodecConfig(
        target_bandwidths=[32.0], sampling_rate=16000, num_filters=4, hidden_size=8,
        codebook_size=16, upsampling_ratios=[5, 2], num_lstm_layers=1, use_causal_conv=False,
        norm_type="weight_norm", codebook_dim=8,
    )  # fmt: skip
    config = transformers.MusicgenConfig(
        text_encoder=text, audio_encoder=audio, decoder=decoder_config(**options)
    )
    model = transformers.MusicgenForConditionalGeneration(config)
    make_clear(model.decoder)
    if hasattr(model, "enc_to_dec_proj"):
        make_clear(model.enc_to_dec_proj)
    with torch.no_grad():
        for layer in model.audio_encoder.quantizer.layers:
            layer.codebook.embed.normal_(std=0.5)
    model.generation_config.pad_token_id = 16
    model.generation_config.bos_token_id = 16
    model.generation_config.decoder_start_token_id = 16
    model.generation_config.guidance_scale = 3.0
    return model.eval()


def with_start(sequence: torch.Tensor) -> torch.Tensor:
    """Steps [B, K, S] as transformers takes them: the special code first, [B * K, S + 1]."""
    return torch.cat([torch.full_like(sequence[..., :1], 16), sequence], 2).flatten(0, 1)


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 2])
def test_logits_are_equal(channels):
    theirs = causal(audio_channels=channels)
    ours = from_transformers(theirs)
    assert isinstance(ours, MusicGenLM) and ours.config.channels == channels
    codes = torch.randint(16, (2, 4, 50))
    states = torch.randn(2, 7, 32)
    valid = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    sequence = interleave(codes, ours.config.pattern, 16)
    want = theirs(
        with_start(sequence)[:, :-1],
        encoder_hidden_states=states * valid[..., None],
        encoder_attention_mask=valid.long(),
        use_cache=False,
    ).logits.unflatten(0, (2, 4))  # [B, K, S, V]
    assert want.std() > 1
    steps = ours.config.pattern.steps(50)
    want = want.gather(2, steps[None, ..., None].expand(2, -1, -1, 16))
    found = ours(codes, ours.reading(states, valid))
    torch.testing.assert_close(found, want, rtol=1e-5, atol=1e-5)
    # Nothing to read, in either library.
    want = theirs(with_start(sequence)[:, :-1], use_cache=False).logits.unflatten(0, (2, 4))
    want = want.gather(2, steps[None, ..., None].expand(2, -1, -1, 16))
    torch.testing.assert_close(ours(codes, ours.nothing(2)), want, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_positions_are_equal_far_out():
    theirs = causal(max_position_embeddings=2048)
    from course_lib.nets import cosines_first

    table = theirs.model.decoder.embed_positions.weights
    torch.testing.assert_close(cosines_first(torch.arange(2048), 32), table, rtol=0, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("text_width", [24, 32], ids=["projected", "as wide as the decoder"])
@pytest.mark.parametrize("channels", [1, 2], ids=["mono", "stereo"])
def test_greedy_guided_codes_and_their_sound_are_equal(text_width, channels, monkeypatch):
    theirs = whole(text_width, audio_channels=channels, num_codebooks=2 * channels)
    ours = from_transformers(theirs)
    assert isinstance(ours, MusicGen)
    ids = torch.tensor([[5, 6, 7, 8, 1], [9, 4, 1, 0, 0]])
    valid = ids != 0
    found = []
    decode = theirs.audio_encoder.decode

    def spy(codes, *args, **kwargs):
        found.append(codes[0])
        return decode(codes, *args, **kwargs)

    monkeypatch.setattr(theirs.audio_encoder, "decode", spy)
    frames = 30
    new = ours.lm.config.pattern.count(frames)
    audio = theirs.generate(
        input_ids=ids, attention_mask=valid.long(), do_sample=False, max_new_tokens=new,
        guidance_scale=3.0,
    )  # fmt: skip
    states, valid, _ = ours.lm.text(ids, valid)
    reading = ours.lm.reading(states, valid)
    codes = ours.lm.sample(frames, reading, guidance=3.0, temperature=0)
    want = found[0] if channels == 1 else torch.stack(found, 2).flatten(1, 2)
    assert torch.equal(codes, want)
    assert codes.unique().numel() > 8 and not torch.equal(codes[0], codes[1])
    torch.testing.assert_close(ours.decode(codes), audio, rtol=0, atol=1e-5)
    # It is guidance that was tested: without it the codes are others.
    assert not torch.equal(ours.lm.sample(frames, reading, guidance=1.0, temperature=0), want)


@torch.no_grad()
def test_prompts_are_read_by_their_text_encoder():
    theirs = whole(num_codebooks=2)
    ours = from_transformers(theirs)
    with pytest.raises(ValueError, match="no tokenizer"):
        ours.generate(["a waltz"], 0.01)

    def tokenizer(texts, max_length, **_):
        rows = [[len(word) for word in text.split()][:max_length] + [1] for text in texts]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        return {"input_ids": ids, "attention_mask": (ids > 0).long()}

    ours.lm.text.tokenizer = tokenizer
    audio = ours.generate(["a slow waltz", "flute", ""], 0.01, seed=0)
    assert audio.shape == (3, 1, 160) and audio.isfinite().all()
    pieces = []
    again = ours.generate(["a slow waltz", "flute", ""], 0.01, seed=0, callback=pieces.append)
    assert len(pieces) == 1 and torch.equal(again, audio)  # this codec sees the future


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"activation_function": "relu"}, "activation_function=relu"),
        ({"scale_embedding": True}, "scale_embedding=True"),
        ({"pad_token_id": 3}, "pad_token_id=3: the course's MusicGen has 16"),
    ],
)
def test_what_the_course_does_not_have_is_named(option, words):
    with pytest.raises(ValueError, match=words):
        from_transformers(causal(**option))
