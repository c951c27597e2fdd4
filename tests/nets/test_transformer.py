import pytest
import torch
from torch import nn

from course_lib.nets import Transformer, TransformerConfig, rotary, sinusoidal, turn

POSITIONS = ["rotary", "sinusoidal"]


def make(**options) -> Transformer:
    torch.manual_seed(0)
    config = TransformerConfig(**{"width": 32, "layers": 2, "heads": 4, **options})
    return Transformer(config).eval()


def test_sines_are_right_far_out_in_every_dtype():
    positions = torch.arange(1500)
    table = sinusoidal(positions, 64)
    exact = positions.double()[:, None] * 10_000 ** (-torch.arange(32).double() / 32)
    exact = torch.cat([exact.sin(), exact.cos()], 1)
    assert table.dtype == torch.float32 and (table - exact).abs().max() < 2e-4
    for dtype, error in ((torch.float16, 1e-3), (torch.bfloat16, 5e-3)):
        model = make(positions="sinusoidal", width=64, layers=1).to(dtype)
        seen = []
        model.blocks[0].register_forward_pre_hook(lambda _, args, seen=seen: seen.append(args[0]))
        model(torch.zeros(1, 1500, 64, dtype=dtype))
        assert (seen[0][0].double() - exact).abs().max() < error


def test_turned_products_depend_on_distance_alone():
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 16, dtype=torch.float32)
    q, k = q.expand(1, 1, 60, 16), k.expand(1, 1, 60, 16)

    def products(shift):
        angles = rotary(torch.arange(60) + shift, 16)
        return turn(q, *angles)[0, 0] @ turn(k, *angles)[0, 0].T

    torch.testing.assert_close(products(0), products(700), rtol=0, atol=2e-3)
    near = products(0)
    torch.testing.assert_close(near[:-1, :-1], near[1:, 1:], rtol=0, atol=1e-4)
    assert near[0].std() > 0.1  # and they do depend on it
    torch.testing.assert_close(turn(q, *rotary(torch.arange(60), 16)).norm(dim=-1), q.norm(dim=-1))


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_model_in_float64_computes_in_float64_throughout(positions):
    model = make(positions=positions).double()
    x = torch.randn(1, 200, 32, dtype=torch.float64)
    cache = model.cache(1, 200)
    with torch.no_grad():
        cached = torch.cat([model(part, cache=cache) for part in x.split(1, 1)], 1)
        difference = (cached - model(x)).abs().max()
        less = (make(positions=positions)(x.float()) - model(x)).abs().max()
    assert difference < 1e-12 < 1e-8 < less


@pytest.mark.parametrize("positions", POSITIONS)
def test_causal_tokens_do_not_see_the_future(positions):
    model = make(positions=positions)
    x = torch.randn(2, 12, 32)
    changed = x.clone()
    changed[:, 7:] += torch.randn(32)  # a constant would be lost in the norm
    before, after = model(x), model(changed)
    torch.testing.assert_close(before[:, :7], after[:, :7])
    assert (before[:, 7:] - after[:, 7:]).abs().amax(2).min() > 1e-3
    both_ways = make(positions=positions, causal=False)
    assert (both_ways(x) - both_ways(changed))[:, :7].abs().amax(2).min() > 1e-5


def test_a_prefix_sees_itself_whole():
    model = make()
    x = torch.randn(1, 10, 32)
    for place, first_changed in ((3, 0), (4, 4), (8, 8)):
        changed = x.clone()
        changed[:, place] += torch.randn(32)
        difference = (model(x, prefix=4) - model(changed, prefix=4)).abs().amax((0, 2))
        assert difference[first_changed:].min() > 1e-5
        assert difference[:first_changed].sum() < 1e-6
    torch.testing.assert_close(model(x, prefix=1), model(x))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("positions", POSITIONS)
def test_padded_items_equal_single_items(positions, causal):
    model = make(positions=positions, causal=causal, memory_width=20)
    lengths, texts = (9, 4, 6), (5, 2, 7)
    x, memory = torch.randn(3, 9, 32), torch.randn(3, 7, 20)
    valid = torch.arange(9) < torch.tensor(lengths)[:, None]
    memory_valid = torch.arange(7) < torch.tensor(texts)[:, None]
    together = model(x, memory, memory_valid, valid)
    assert together.isfinite().all()
    for i, (length, text) in enumerate(zip(lengths, texts, strict=True)):
        alone = model(x[i : i + 1, :length], memory[i : i + 1, :text])
        torch.testing.assert_close(together[i, :length], alone[0], rtol=1e-5, atol=1e-5)
    assert (model(x, memory)[1] - together[1]).abs().max() > 1e-2  # unmasked padding matters


def test_memory_that_is_all_padding_stays_finite():
    model = make(memory_width=20)
    valid = torch.tensor([[True, False], [False, False]])
    assert model(torch.randn(2, 3, 32), torch.randn(2, 2, 20), valid).isfinite().all()


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("prefix", [0, 3])
def test_cached_equals_uncached(positions, prefix):
    model = make(positions=positions, memory_width=20)
    x, memory = torch.randn(2, 11, 32), torch.randn(2, 5, 20)
    valid = torch.tensor([[True] * 5, [True, True, False, False, False]])
    with torch.no_grad():
        expected = model(x, memory, valid, prefix=prefix)
        cache = model.cache(2, 14, memory, valid)
        parts = [model(x[:, :4], cache=cache, prefix=prefix)]
        parts += [model(x[:, i : i + 1], cache=cache) for i in range(4, 9)]
        parts += [model(x[:, 9:], cache=cache)]
    torch.testing.assert_close(torch.cat(parts, 1), expected, rtol=1e-5, atol=1e-5)
    assert cache.position.item() == cache.written == 11
    with pytest.raises(ValueError, match="14 positions, 11 of them written; 4 more"):
        model(x[:, :4], cache=cache)


def test_some_layers_read_the_memory():
    model = make(layers=5, memory_width=20, memory_every=2)
    assert [block.reads for block in model.blocks] == [True, False, True, False, True]
    assert len([name for name, _ in model.named_modules() if name.endswith(".cross")]) == 3
    x, memory = torch.randn(2, 6, 32), torch.randn(2, 4, 20)
    with torch.no_grad():
        cache = model.cache(2, 6, memory)
        parts = [model(part, cache=cache) for part in x.split(1, 1)]
        torch.testing.assert_close(torch.cat(parts, 1), model(x, memory), rtol=1e-5, atol=1e-5)
    assert (model(x, memory) - model(x, memory.flip(0))).abs().max() > 1e-3
    assert not any(block.reads for block in make().blocks)
    with pytest.raises(ValueError, match="memory_every=3 must be from 1 to layers=2"):
        make(memory_width=20, memory_every=3)


def test_a_cache_works_under_autocast():
    model = make()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        cache = model.cache(1, 4)
        y = torch.cat([model(x, cache=cache) for x in torch.ones(1, 4, 32).split(1, 1)], 1)
        torch.testing.assert_close(y, model(torch.ones(1, 4, 32)), rtol=0, atol=0.1)
    assert cache.keys.dtype == torch.bfloat16


def copy_attention(ours, theirs, names):
    qkv, out = names
    getattr(ours, qkv).load_state_dict(
        {"weight": theirs.in_proj_weight, "bias": theirs.in_proj_bias}
    )
    getattr(ours, out).load_state_dict(theirs.out_proj.state_dict())


def randomise(module):
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)


def test_the_block_is_torch_s_encoder_layer():
    model = make(layers=1, causal=False, positions="sinusoidal").double()
    layer = nn.TransformerEncoderLayer(
        32, 4, 128, activation="gelu", batch_first=True, norm_first=True, dropout=0.0
    ).double()
    randomise(layer)
    block = model.blocks[0]
    copy_attention(block.attention, layer.self_attn, ("qkv", "out"))
    block.attention_norm.load_state_dict(layer.norm1.state_dict())
    block.mlp_norm.load_state_dict(layer.norm2.state_dict())
    block.mlp[0].load_state_dict(layer.linear1.state_dict())
    block.mlp[3].load_state_dict(layer.linear2.state_dict())
    x = torch.randn(2, 7, 32, dtype=torch.float64)
    attend = {"mask": None, "causal": False, "angles": None}
    torch.testing.assert_close(block(x, attend, None), layer(x))
    mask = nn.Transformer.generate_square_subsequent_mask(7, dtype=torch.float64)
    attend["causal"] = True
    torch.testing.assert_close(block(x, attend, None), layer(x, mask))


def test_the_block_with_memory_is_torch_s_decoder_layer():
    model = make(layers=1, memory_width=32).double()
    layer = nn.TransformerDecoderLayer(
        32, 4, 128, activation="gelu", batch_first=True, norm_first=True, dropout=0.0
    ).double()
    randomise(layer)
    block = model.blocks[0]
    copy_attention(block.attention, layer.self_attn, ("qkv", "out"))
    weight, bias = layer.multihead_attn.in_proj_weight, layer.multihead_attn.in_proj_bias
    block.cross.q.load_state_dict({"weight": weight[:32], "bias": bias[:32]})
    block.cross.kv.load_state_dict({"weight": weight[32:], "bias": bias[32:]})
    block.cross.out.load_state_dict(layer.multihead_attn.out_proj.state_dict())
    for name, norm in (("attention", "norm1"), ("cross", "norm2"), ("mlp", "norm3")):
        getattr(block, f"{name}_norm").load_state_dict(getattr(layer, norm).state_dict())
    block.mlp[0].load_state_dict(layer.linear1.state_dict())
    block.mlp[3].load_state_dict(layer.linear2.state_dict())
    x, memory = torch.randn(2, 7, 32).double(), torch.randn(2, 5, 32).double()
    valid = torch.arange(5) < torch.tensor([[5], [3]])
    causal = nn.Transformer.generate_square_subsequent_mask(7, dtype=torch.float64)
    expected = layer(x, memory, causal, memory_key_padding_mask=~valid)
    attend = {"mask": None, "causal": True, "angles": None}
    cross = (block.cross.read(memory), valid[:, None, None])
    torch.testing.assert_close(block(x, attend, cross), expected)


def test_dropout_is_for_training_alone():
    model = make(dropout=0.5)
    x = torch.randn(1, 5, 32)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": torch.zeros(1, 3, 31)}, r"\[1, 3, 31\]; expected \[B, F, 32\]"),
        ({"x": torch.zeros(1, 0, 32)}, r"\[1, 0, 32\]"),
        ({"memory": torch.zeros(1, 2, 5)}, "was configured without memory"),
        (
            {"valid": torch.ones(1, 2, dtype=torch.bool)},
            r"valid must be bool \[1, 3\], not torch.bool \[1, 2\]",
        ),
        ({"valid": torch.ones(1, 3)}, "valid must be bool .*, not torch.float32"),
        ({"memory_valid": torch.ones(1, 3, dtype=torch.bool)}, "memory_valid needs the memory"),
        ({"prefix": -1}, "prefix=-1"),
    ],
)
def test_bad_input_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        make()(**{"x": torch.zeros(1, 3, 32), **arguments})


def test_bad_memory_and_configurations_are_named():
    model, x = make(memory_width=20), torch.zeros(2, 3, 32)
    with pytest.raises(ValueError, match="needs a memory"):
        model(x)
    with pytest.raises(ValueError, match=r"\[2, 4, 21\]; expected \[2, L, 20\]"):
        model(x, torch.zeros(2, 4, 21))
    with pytest.raises(ValueError, match=r"must be bool \[2, 4\]"):
        model(x, torch.zeros(2, 4, 20), torch.ones(2, 4))
    with pytest.raises(ValueError, match="for 3 sequences, the tokens are 2"):
        make()(x, cache=make().cache(3, 4))
    cache = model.cache(2, 4, torch.zeros(2, 5, 20))
    with pytest.raises(ValueError, match="pass the memory to cache"):  # it would be ignored
        model(x, memory_valid=torch.ones(2, 5, dtype=torch.bool), cache=cache)
    with pytest.raises(ValueError, match="width=30"):
        make(width=30)
    with pytest.raises(ValueError, match="positions='alibi'"):
        make(positions="alibi")
    with pytest.raises(ValueError, match="causal"):
        make(causal=False).cache(1, 4)
    with pytest.raises(ValueError, match="whole prefix of 4"):
        make()(x, cache=make().cache(2, 8), prefix=4)
