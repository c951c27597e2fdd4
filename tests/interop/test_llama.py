"""Our language model beside LlamaForCausalLM: the same weights, the same logits."""

from types import SimpleNamespace

import pytest
import torch

from course_lib.interop import from_transformers
from course_lib.nets import LanguageModel, LanguageModelConfig, generate

transformers = pytest.importorskip("transformers")


def llama(**options):
    torch.manual_seed(0)
    sizes = {"vocab_size": 37, "hidden_size": 32, "intermediate_size": 88, "num_hidden_layers": 3}
    sizes |= {"num_attention_heads": 4, "rms_norm_eps": 1e-5, "initializer_range": 0.2, **options}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes)).eval()


@torch.no_grad()
def test_logits_are_equal_whole_and_step_by_step():
    theirs = llama()
    ours = from_transformers(theirs)
    codes = torch.randint(37, (2, 1, 60))
    want = theirs(codes[:, 0], use_cache=False).logits
    assert want.std() > 0.5
    cache = ours.cache(2, 60)
    parts = [ours.step(part, cache)[:, 0] for part in codes.split([20] + 40 * [1], dim=2)]
    torch.testing.assert_close(torch.cat(parts, 1), want, rtol=1e-5, atol=1e-5)
    whole = ours.step(codes, ours.cache(2, 60))[:, 0]
    torch.testing.assert_close(whole, want, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_greedy_generation_is_equal():
    theirs = llama()
    prompt = torch.randint(37, (1, 1, 4))
    want = theirs.generate(prompt[:, 0], max_new_tokens=30, do_sample=False, eos_token_id=None)
    ours = from_transformers(theirs)
    # Ours begins with "nothing", which theirs has not seen: give it the prompt's first code.
    ours.embedding.weight[-1] = ours.embedding.weight[prompt[0, 0, 0]]
    codes = generate(ours, 33, prompt=prompt[..., 1:], temperature=0)
    assert torch.equal(codes[0, 0], want[0, 1:])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"num_key_value_heads": 2}, "num_key_value_heads=2"),
        ({"attention_bias": True}, "attention_bias=True"),
        ({"rms_norm_eps": 1e-6}, "rms_norm_eps=1e-06"),
        ({"hidden_act": "gelu"}, "hidden_act=gelu"),
        ({"head_dim": 16}, "head_dim=16: the course's Transformer has 8"),
    ],
)
def test_what_the_course_does_not_have_is_named(option, words):
    with pytest.raises(ValueError, match=words):
        from_transformers(llama(**option))


@pytest.mark.parametrize("name", ["type", "rope_type"])
def test_a_scaling_of_older_configurations_is_named(name):
    """Before version 5 of transformers: `rope_scaling`, its kind under either name."""
    model = llama()
    settings = {k: v for k, v in vars(model.config).items() if k != "rope_parameters"}
    settings |= {"model_type": "llama", "rope_theta": 10_000.0, "rope_scaling": None}
    model.config = SimpleNamespace(**settings)
    assert isinstance(from_transformers(model), LanguageModel)
    model.config.rope_scaling = {name: "linear", "factor": 2.0}
    with pytest.raises(ValueError, match="rope_type=linear"):
        from_transformers(model)


def test_the_two_blocks():
    config = {"width": 16, "layers": 1, "heads": 2}
    gpt, like_llama = (
        LanguageModel(LanguageModelConfig(entries=5, block=block, hidden=24, **config))
        for block in ("gpt", "llama")
    )
    assert not [n for n, _ in like_llama.transformer.named_parameters() if n.endswith("bias")]
    assert [n for n, _ in gpt.transformer.named_parameters() if n.endswith("bias")]
    assert like_llama.transformer.blocks[0].mlp[0].weight.shape == (48, 16)
    with pytest.raises(ValueError, match="block='bert'"):
        LanguageModel(LanguageModelConfig(block="bert", **config))
