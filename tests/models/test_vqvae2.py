from dataclasses import replace

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import VQVAE2, VQVAE2Config, vqvae2_loss

SMALL = VQVAE2Config(bands=16, width=8, units=1, dim=4, top_entries=8, bottom_entries=8)
SQUARE = {"coarser": (2, 2)}  # as in the paper


def make(**options) -> VQVAE2:
    """A small model whose codebooks have seen a batch."""
    torch.manual_seed(0)
    model = VQVAE2(replace(SMALL, **options))
    model(torch.randn(4, 16, 40) - 4)
    return model.eval()


def test_the_default_is_the_course_s():
    model = VQVAE2().eval()
    assert 0.4e6 < sum(p.numel() for p in model.parameters()) < 0.6e6
    with torch.no_grad():
        out = model(torch.randn(1, 64, 64))
    assert out.maps.top.shape == (1, 16, 4) and out.maps.bottom.shape == (1, 16, 16)


@pytest.mark.parametrize("coarser", [(1, 4), (2, 2), (4, 1)])
def test_any_length_comes_back(coarser):
    model = make(coarser=coarser)
    high, wide = coarser
    frames = 4 * wide
    for length in (1, frames - 1, frames, frames + 1, 33):
        x = torch.randn(2, 16, length) - 4
        out = model(x)
        columns = -(-length // frames)
        assert out.reconstruction.shape == x.shape
        assert out.maps.top.shape == (2, 4 // high, columns)
        assert out.maps.bottom.shape == (2, 4, wide * columns)
        top, bottom = model.encode(x)
        assert torch.equal(top, out.maps.top) and torch.equal(bottom, out.maps.bottom)
        torch.testing.assert_close(model.decode_codes(top, bottom, length), out.reconstruction)
        assert model.decode_codes(top, bottom).shape[-1] == frames * columns


def test_batch_equals_single():
    model = make()
    x = torch.randn(3, 16, 24) - 4
    together = model(x)
    for i in range(3):
        alone = model(x[i : i + 1])
        torch.testing.assert_close(alone.reconstruction, together.reconstruction[i : i + 1])
        assert torch.equal(alone.maps.bottom, together.maps.bottom[i : i + 1])


def test_a_map_that_is_none_is_zeroed():
    model = make()
    x = torch.randn(2, 16, 32) - 4
    top, bottom = model.encode(x)
    kept = torch.tensor([True, False])
    out = model(x, kept).reconstruction
    torch.testing.assert_close(out[:1], model.decode_codes(top, bottom)[:1])
    torch.testing.assert_close(out[1:], model.decode_codes(top, None)[1:])
    without_top = model.decode_codes(None, bottom)
    assert not torch.allclose(without_top, out) and without_top.shape == out.shape
    changed = (top + 1) % 8
    assert not torch.allclose(model.decode_codes(changed, None), model.decode_codes(top, None))


def test_the_bottom_is_coded_in_the_knowledge_of_the_top():
    model = make()
    x = torch.randn(1, 16, 24) - 4
    before = model.encode(x).bottom
    with torch.no_grad():
        for p in model.top_decoder.parameters():
            p.mul_(-3)
    assert not torch.equal(model.encode(x).bottom, before)


def test_every_weight_learns_and_the_losses_add_up():
    model = make().train()
    x = torch.randn(2, 16, 24) - 4
    losses = vqvae2_loss(model, x, commitment=0.5)
    total = losses["reconstruction"] + 0.5 * losses["commitment"]
    torch.testing.assert_close(losses["loss"], total)
    losses["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    model.zero_grad(set_to_none=True)
    losses = vqvae2_loss(model, x, commitment=0, kept=torch.zeros(2, dtype=torch.bool))
    losses["loss"].backward()
    assert model.top_encoder.layers[0].weight.grad.abs().sum() > 0
    assert model.to_bottom.weight.grad.abs().sum() == 0  # the decoder has not seen it


def test_it_learns_in_the_input_s_units():
    torch.manual_seed(0)
    x = torch.randn(4, 16, 1).expand(-1, -1, 32) * 3 - 40
    model = VQVAE2(replace(SMALL, mean=-40.0, scale=3.0, decay=0.9))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    first = vqvae2_loss(model, x)["reconstruction"].item()
    for _ in range(60):
        optimiser.zero_grad()
        vqvae2_loss(model, x)["loss"].backward()
        optimiser.step()
    assert vqvae2_loss(model, x)["reconstruction"] < 0.5 * first


def test_encoding_leaves_the_model_as_it_was():
    model = make().train()
    codebook = model.top_quantizer.codebook.clone()
    model.encode(torch.randn(1, 16, 24))
    assert model.training and torch.equal(model.top_quantizer.codebook, codebook)


def test_encoding_keeps_no_graph():
    model = make()
    kept = []
    model.to_top.register_forward_hook(lambda module, given, made: kept.append(made.requires_grad))
    model.encode(torch.randn(1, 16, 24))
    model(torch.randn(1, 16, 24))
    assert kept == [False, True]


@pytest.mark.parametrize("int8", [False, True])
def test_a_checkpoint_brings_back_the_same_model(tmp_path, int8):
    model = make()
    loaded = checkpoints.read(checkpoints.save(tmp_path, "vqvae2", model, {}, int8))
    assert loaded.config == model.config
    x = torch.randn(1, 16, 24) - 4
    assert torch.equal(loaded.encode(x).top, model.encode(x).top)


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (torch.zeros(1, 15, 9), ValueError, r"\[1, 15, 9\]; expected \[B, 16, F\]"),
        (torch.zeros(16, 9), ValueError, r"\[16, 9\]"),
        (torch.zeros(1, 16, 0), ValueError, r"\[1, 16, 0\]"),
        (torch.zeros(1, 16, 9, dtype=torch.int16), TypeError, "int16"),
    ],
)
def test_bad_input_is_named(x, error, words):
    for call in (make(), make().encode):
        with pytest.raises(error, match=words):
            call(x)


@pytest.mark.parametrize("kept", [torch.ones(1).bool(), torch.ones(2, 1).bool(), torch.ones(2)])
def test_what_says_wrongly_which_bottom_maps_are_kept_is_named(kept):
    with pytest.raises(ValueError, match=r"kept must be bool \[2\], not torch"):
        make()(torch.randn(2, 16, 32) - 4, kept)


def test_bad_codes_and_configurations_are_named():
    model = make(**SQUARE)
    top, bottom = torch.zeros(1, 2, 3, dtype=torch.int64), torch.zeros(1, 4, 6, dtype=torch.int64)
    with pytest.raises(ValueError, match="Both maps are None"):
        model.decode_codes(None, None)
    with pytest.raises(ValueError, match=r"top map has shape \[1, 4, 6\]; expected \[B, 2, 6\]"):
        model.decode_codes(bottom, bottom)
    with pytest.raises(ValueError, match=r"bottom map has shape \[1, 4, 5\]; expected \[B, 4, 6\]"):
        model.decode_codes(top, bottom[..., :5])
    with pytest.raises(ValueError, match="are 2 top maps and 1 bottom maps; expected as many"):
        model.decode_codes(top.repeat(2, 1, 1), bottom)
    with pytest.raises(ValueError, match="between 17 and 24 frames, not length=16"):
        model.decode_codes(top, bottom, 16)
    with pytest.raises(ValueError, match="the codebook has 0 to 7"):
        model.decode_codes(top + 8, bottom)
    with pytest.raises(TypeError, match="int32"):
        model.decode_codes(top.int(), None)
    with pytest.raises(ValueError, match="NaN"):
        model.encode(torch.full((1, 16, 9), torch.nan))
    with pytest.raises(ValueError, match="bands=12 must be a multiple of 8"):
        VQVAE2Config(bands=12, **SQUARE)
    with pytest.raises(ValueError, match=r"coarser=\(1, 3\)"):
        VQVAE2Config(coarser=(1, 3))
    with pytest.raises(ValueError, match="dropout=1"):
        VQVAE2Config(dropout=1.0)
