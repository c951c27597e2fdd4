from dataclasses import replace

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import VQVAE2, Maps, VQVAE2Config, VQVAE2Priors, VQVAE2PriorsConfig

SMALL = VQVAE2PriorsConfig(
    top_entries=8,
    bottom_entries=8,
    rows=2,
    columns=4,
    coarser=(2, 2),
    width=8,
    heads=2,
    top_layers=1,
    bottom_layers=1,
)


def make(**options) -> VQVAE2Priors:
    torch.manual_seed(0)
    return VQVAE2Priors(replace(SMALL, **options)).eval()


def maps(batch: int = 2, columns: int = 4, seed: int = 0) -> Maps:
    generator = torch.Generator().manual_seed(seed)
    top = torch.randint(8, (batch, 2, columns), generator=generator)
    return Maps(top, torch.randint(8, (batch, 4, 2 * columns), generator=generator))


def test_the_default_fits_the_budget():
    assert 0.5e6 < sum(p.numel() for p in VQVAE2Priors().parameters()) < 0.8e6


def test_the_losses_are_those_of_maps_written_column_by_column():
    model, (top, bottom) = make(), maps()
    losses = model.loss(top, bottom)
    torch.testing.assert_close(losses["loss"], losses["top"] + losses["bottom"])
    written = torch.stack([top[:, row, column] for column in range(4) for row in range(2)], 1)
    bands = torch.stack([model.top_bands[row] for _ in range(4) for row in range(2)])
    expected = model.top.loss(written[:, None], condition=bands.expand(2, -1, -1))
    torch.testing.assert_close(losses["top"], expected)


def test_a_bottom_code_knows_the_top_around_it_alone():
    """A change of one top code reaches the bottom columns that a 3 x 3 convolution lets it."""
    model, (top, _) = make(columns=8), maps(1, 8)
    before = model._bottom_condition(top)
    changed = top.clone()
    changed[0, 0, 4] = (top[0, 0, 4] + 1) % 8
    differs = (model._bottom_condition(changed) != before).any(-1).view(16, 4)  # [2W, 2H]
    assert differs[6:12].any() and not differs[:6].any() and not differs[12:].any()


def test_every_weight_learns():
    model = make().train()
    model.loss(*maps())["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_samples_are_maps():
    model = make()
    found = model.sample(batch=3, generator=torch.Generator().manual_seed(0))
    assert found.top.shape == (3, 2, 4) and found.bottom.shape == (3, 4, 8)
    again = model.sample(batch=3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found.top, again.top) and torch.equal(found.bottom, again.bottom)
    assert model.sample(3).top.shape == (1, 2, 3)


def test_the_bottom_map_may_be_finer_in_time_alone():
    model = make(coarser=(1, 4))
    found = model.sample(batch=2)
    assert found.top.shape == (2, 2, 4) and found.bottom.shape == (2, 2, 16)
    losses = model.loss(*found)
    torch.testing.assert_close(losses["loss"], losses["top"] + losses["bottom"])


def test_a_prompt_is_kept_and_a_top_map_too():
    model, prompt = make(), maps(2, 3)
    found = model.sample(prompt=prompt, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found.top[..., :3], prompt.top)
    assert torch.equal(found.bottom[..., :6], prompt.bottom)
    top = maps().top
    generator = torch.Generator().manual_seed(0)
    drawn = [model.sample(top=top, generator=generator) for _ in range(2)]
    assert torch.equal(drawn[0].top, top) and torch.equal(drawn[1].top, top)
    assert not torch.equal(drawn[0].bottom, drawn[1].bottom)


def test_learned_maps_are_sampled():
    """Two clips that are all 1 and all 5: what is drawn is one of them, the bottom like the top."""
    torch.manual_seed(0)
    model = make(columns=3)
    top = torch.tensor([1, 5])[:, None, None].expand(2, 2, 3)
    bottom = torch.tensor([2, 7])[:, None, None].expand(2, 4, 6)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        model.loss(top, bottom)["loss"].backward()
        optimiser.step()
    found = model.sample(batch=20, top_p=0.9, generator=torch.Generator().manual_seed(0))
    pairs = set(zip(found.top[:, 1, 2].tolist(), found.bottom[:, 3, 5].tolist(), strict=True))
    assert pairs == {(1, 2), (5, 7)}


def test_embeddings_start_as_the_codebooks():
    torch.manual_seed(0)
    autoencoder = VQVAE2(VQVAE2Config(bands=16, width=8, dim=4, top_entries=8, bottom_entries=8))
    model = make()
    model.start_from(autoencoder)
    for part, quantizer in (
        (model.top, autoencoder.top_quantizer),
        (model.bottom, autoencoder.bottom_quantizer),
    ):
        distances = torch.cdist(quantizer.codebook, quantizer.codebook)
        found = torch.cdist(*[part.embedding.weight[:8].detach()] * 2)
        torch.testing.assert_close(found / found.max(), distances / distances.max())


def test_a_checkpoint_brings_back_the_same_priors(tmp_path):
    model = make()
    loaded = checkpoints.read(checkpoints.save(tmp_path, "vqvae2_priors", model, {}))
    torch.testing.assert_close(loaded.loss(*maps())["loss"], model.loss(*maps())["loss"])


def test_codes_to_go_on_from_are_looked_at():
    model, (top, bottom), whole = make(), maps(2, 3), maps().top
    for prompt in (Maps(top * 0 + 8, bottom), Maps(top, bottom * 0 + 8)):  # 8 means "nothing here"
        with pytest.raises(ValueError, match="from 8 to 8; the codebook has 0 to 7"):
            model.sample(prompt=prompt)
    with pytest.raises(ValueError, match="from 9 to 9; the codebook has 0 to 7"):
        model.sample(top=whole * 0 + 9)
    with pytest.raises(TypeError, match="int64, not torch.float32"):
        model.sample(top=whole.float())
    for other in (Maps(7 - whole[..., :3], bottom), Maps(whole[:1, :, :3], bottom[:1])):
        with pytest.raises(ValueError, match="does not begin with the prompt's"):
            model.sample(top=whole, prompt=other)
    prompt = Maps(whole[..., :3], bottom)
    assert torch.equal(model.sample(top=whole, prompt=prompt).bottom[..., :6], bottom)


def test_bad_input_is_named():
    model, (top, bottom) = make(), maps()
    with pytest.raises(ValueError, match=r"\[2, 2, 5\].*W from 1 to the 4 columns"):
        model.loss(*maps(2, 5))
    with pytest.raises(ValueError, match=r"\[2, 4, 7\]; expected \[2, 4, 8\]"):
        model.loss(top, bottom[..., :7])
    with pytest.raises(ValueError, match="columns=5; these priors were trained on maps of 1 to 4"):
        model.sample(5)
    with pytest.raises(ValueError, match=r"top map has shape \[2, 2, 4\]; expected \[B, 2, 3\]"):
        model.sample(3, top=top)
    with pytest.raises(ValueError, match="leaves nothing to generate"):
        model.sample(prompt=maps())
    with pytest.raises(ValueError, match="rows=0"):
        VQVAE2PriorsConfig(rows=0)
