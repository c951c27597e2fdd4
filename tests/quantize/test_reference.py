"""The same weights and inputs give what vector-quantize-pytorch gives, and go on doing so."""

import random

import pytest
import torch
import vector_quantize_pytorch as reference

from course_lib.quantize import (
    FSQ,
    LFQ,
    CosineVQ,
    FactorisedVQ,
    GroupedResidualVQ,
    MultiHeadVQ,
    ProductVQ,
    RandomProjectionQuantizer,
    ResidualVQ,
    VectorQuantizer,
    orthogonal_loss,
)

PLAIN = {"init": "random", "dead": 0, "decay": 0.9}  # every random part off
THEIRS = {"decay": 0.9, "rotation_trick": False}


def same_entries(ours: VectorQuantizer, theirs: reference.VectorQuantize) -> None:
    book = theirs._codebook
    with torch.no_grad():
        book.embed.copy_(ours.codebook[None])
        book.embed_avg.copy_(ours.codebook[None])


def check_entries(ours: VectorQuantizer, theirs: reference.VectorQuantize) -> None:
    book = theirs._codebook
    torch.testing.assert_close(ours.counts, book.cluster_size[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.sums, book.embed_avg[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.codebook, book.embed[0], rtol=0, atol=1e-5)
    assert (ours.counts > 0.1).sum() > ours.size / 4  # about more than a few entries


def batches(dim: int, steps: int = 50):
    """Latents that drift and whose numbers are correlated, so that codebooks must move."""
    generator = torch.Generator().manual_seed(7)
    mix = torch.randn(dim, dim, generator=generator)
    for step in range(steps):
        z = torch.randn(3, 30, dim, generator=generator) @ mix / dim**0.5
        yield (z + step / steps).transpose(1, 2)  # [B, D, F]


def compare(q, values, codes, loss=None, atol=1e-5):
    assert torch.equal(q.codes, codes)
    torch.testing.assert_close(q.values, values, rtol=0, atol=atol)
    if loss is not None:
        torch.testing.assert_close(q.commitment, loss, rtol=1e-5, atol=1e-6)


def test_residual():
    torch.manual_seed(0)
    ours = ResidualVQ(8, 32, 4, **PLAIN)
    theirs = reference.ResidualVQ(dim=8, codebook_size=32, num_quantizers=4, **THEIRS)
    for stage, layer in zip(ours.stages, theirs.layers, strict=True):
        same_entries(stage, layer)
    for z in batches(8):
        z = z.requires_grad_()
        q = ours(z)
        values, codes, losses = theirs(z.transpose(1, 2))
        compare(q, values.transpose(1, 2), codes.permute(0, 2, 1), losses.sum())
        (to_ours,) = torch.autograd.grad(q.commitment, z)
        (to_theirs,) = torch.autograd.grad(losses.sum(), z)
        torch.testing.assert_close(to_ours, to_theirs)
    for stage, layer in zip(ours.stages, theirs.layers, strict=True):
        check_entries(stage, layer)
    ours.eval(), theirs.eval()
    values, codes, _ = theirs(z.transpose(1, 2))
    compare(ours(z), values.transpose(1, 2), codes.permute(0, 2, 1))
    back = theirs.get_output_from_indices(ours.encode(z).permute(0, 2, 1)).transpose(1, 2)
    torch.testing.assert_close(ours.decode(ours.encode(z)), back, rtol=0, atol=1e-6)


def test_the_reference_multiplies_the_gradient_of_the_encoder_and_ours_does_not():
    for stages in (1, 4, 8):
        torch.manual_seed(0)
        ours = ResidualVQ(6, 16, stages, **PLAIN)
        theirs = reference.ResidualVQ(dim=6, codebook_size=16, num_quantizers=stages, **THEIRS)
        z = torch.randn(2, 6, 10, requires_grad=True)
        upstream = torch.randn_like(z)
        (to_ours,) = torch.autograd.grad((ours(z).values * upstream).sum(), z)
        out = theirs(z.transpose(1, 2))[0].transpose(1, 2)
        (to_theirs,) = torch.autograd.grad((out * upstream).sum(), z)
        torch.testing.assert_close(to_ours, upstream)
        torch.testing.assert_close(to_theirs, stages * upstream)


def test_residual_with_dropout_by_batch():
    """Their draw of the last stage kept, repeated and handed to ours."""
    torch.manual_seed(0)
    ours = ResidualVQ(8, 32, 4, **PLAIN)
    theirs = reference.ResidualVQ(
        dim=8, codebook_size=32, num_quantizers=4, quantize_dropout=True, **THEIRS
    )
    for stage, layer in zip(ours.stages, theirs.layers, strict=True):
        same_entries(stage, layer)
    seen = set()
    for seed, z in enumerate(batches(8)):
        values, codes, losses = theirs(z.transpose(1, 2), rand_quantize_dropout_fixed_seed=seed)
        kept = random.Random(seed).randrange(0, 4) + 1
        seen.add(kept)
        q = ours(z, kept=torch.full((len(z),), kept))
        compare(q, values.transpose(1, 2), codes.permute(0, 2, 1), losses.sum())
    assert seen == {1, 2, 3, 4}
    for stage, layer in zip(ours.stages, theirs.layers, strict=True):
        check_entries(stage, layer)


def test_grouped_residual():
    torch.manual_seed(0)
    ours = GroupedResidualVQ(8, 16, 6, groups=2, **PLAIN)
    theirs = reference.GroupedResidualVQ(
        dim=8, groups=2, codebook_size=16, num_quantizers=3, **THEIRS
    )
    for group, rvq in zip(ours.groups, theirs.rvqs, strict=True):
        for stage, layer in zip(group.stages, rvq.layers, strict=True):
            same_entries(stage, layer)
    for z in batches(8):
        z = z.requires_grad_()
        values, codes, losses = theirs(z.transpose(1, 2))  # codes [G, B, F, Q]
        in_order = codes.permute(1, 3, 0, 2).flatten(1, 2)  # stage by stage, group by group
        compare(ours(z), values.transpose(1, 2), in_order, losses.sum() / 2)
    for group, rvq in zip(ours.groups, theirs.rvqs, strict=True):
        for stage, layer in zip(group.stages, rvq.layers, strict=True):
            check_entries(stage, layer)


def test_product():
    """Theirs: separate codebooks for heads, and no projection."""
    torch.manual_seed(0)
    ours = ProductVQ(8, 16, 4, **PLAIN)
    theirs = reference.VectorQuantize(
        8, 16, heads=4, codebook_dim=2, separate_codebook_per_head=True, **THEIRS
    )
    with torch.no_grad():
        books = torch.stack([group.stages[0].codebook for group in ours.groups])
        theirs._codebook.embed.copy_(books)
        theirs._codebook.embed_avg.copy_(books)
    for z in batches(8):
        values, codes, loss = theirs(z.transpose(1, 2))
        compare(ours(z), values.transpose(1, 2), codes.permute(0, 2, 1), loss.squeeze())
    learned = torch.stack([group.stages[0].codebook for group in ours.groups])
    torch.testing.assert_close(learned, theirs._codebook.embed, rtol=0, atol=1e-5)


@pytest.mark.parametrize("gradient", ["straight_through", "rotation"])
def test_multi_head(gradient):
    torch.manual_seed(0)
    ours = MultiHeadVQ(8, 16, heads=4, gradient=gradient, **PLAIN)
    theirs = reference.VectorQuantize(
        8, 16, heads=4, codebook_dim=2, decay=0.9, rotation_trick=gradient == "rotation"
    )
    same_entries(ours.quantizer, theirs)
    weight = torch.randn(8, 1)
    for z in batches(8):
        z = z.requires_grad_()
        q = ours(z)
        values, codes, loss = theirs(z.transpose(1, 2))
        compare(q, values.transpose(1, 2), codes.permute(0, 2, 1), loss.squeeze())
        (to_ours,) = torch.autograd.grad((q.values * weight).square().sum() + q.commitment, z)
        (to_theirs,) = torch.autograd.grad(
            (values.transpose(1, 2) * weight).square().sum() + loss.squeeze(), z
        )
        torch.testing.assert_close(to_ours, to_theirs, rtol=1e-4, atol=1e-4)
    check_entries(ours.quantizer, theirs)


def test_cosine():
    torch.manual_seed(0)
    ours = CosineVQ(8, 32, **PLAIN)
    theirs = reference.VectorQuantize(8, 32, use_cosine_sim=True, **THEIRS)
    same_entries(ours, theirs)
    for z in batches(8):
        z = z.requires_grad_()
        q = ours(z)
        values, codes, loss = theirs(z.transpose(1, 2))
        compare(q, values.transpose(1, 2), codes[:, None], loss.squeeze())
        (to_ours,) = torch.autograd.grad(q.values.square().sum() * 3 + q.commitment, z)
        (to_theirs,) = torch.autograd.grad(values.square().sum() * 3 + loss.squeeze(), z)
        torch.testing.assert_close(to_ours, to_theirs, rtol=1e-4, atol=1e-5)
    check_entries(ours, theirs)


def test_factorised():
    torch.manual_seed(0)
    ours = FactorisedVQ(12, 32, 4, cosine=False, codebook="ema", **PLAIN)
    theirs = reference.VectorQuantize(12, 32, codebook_dim=4, **THEIRS)
    same_entries(ours.lookup, theirs)
    ours.project_in.load_state_dict(theirs.project_in.state_dict())
    ours.project_out.load_state_dict(theirs.project_out.state_dict())
    steps = [torch.optim.Adam(m.parameters(), lr=1e-3) for m in (ours, theirs)]
    for z in batches(12):
        z = z.requires_grad_()
        q = ours(z)
        values, codes, loss = theirs(z.transpose(1, 2))
        compare(q, values.transpose(1, 2), codes[:, None], loss.squeeze())
        for step in steps:
            step.zero_grad()
        ((q.values - z.detach()).square().mean() + q.commitment).backward()
        to_ours, z.grad = z.grad, None
        ((values.transpose(1, 2) - z.detach()).square().mean() + loss.squeeze()).backward()
        torch.testing.assert_close(to_ours, z.grad, rtol=1e-4, atol=1e-6)
        for step in steps:
            step.step()
    check_entries(ours.lookup, theirs)
    torch.testing.assert_close(ours.project_in.weight, theirs.project_in.weight)


def test_orthogonal_loss():
    torch.manual_seed(0)
    ours = VectorQuantizer(6, 16, codebook="gradient", init="random", dead=0)
    theirs = reference.VectorQuantize(
        6, 16, orthogonal_reg_weight=10.0, ema_update=False, learnable_codebook=True, **THEIRS
    )
    with torch.no_grad():
        theirs._codebook.embed.copy_(ours.codebook[None])
    steps = [torch.optim.SGD(m.parameters(), lr=0.05) for m in (ours, theirs)]
    for z in batches(6):
        q = ours(z)
        values, codes, loss = theirs(z.transpose(1, 2))
        compare(q, values.transpose(1, 2), codes[:, None])
        for step in steps:
            step.zero_grad()
        (q.codebook_loss + 10 * orthogonal_loss(ours.codebook)).backward()
        loss.sum().backward()
        for step in steps:
            step.step()
    torch.testing.assert_close(ours.codebook, theirs._codebook.embed[0], rtol=0, atol=1e-5)
    active = reference.vector_quantize_pytorch.orthogonal_loss_fn(
        ours.codebook[q.codes.unique()][None]
    )
    torch.testing.assert_close(orthogonal_loss(ours.codebook, q.codes), active)


@pytest.mark.parametrize("levels", [[8, 5, 5, 5], [3, 4], [7]])
@pytest.mark.parametrize("projected", [False, True])
def test_fsq(levels, projected):
    torch.manual_seed(0)
    dim = 9 if projected else len(levels)
    ours, theirs = FSQ(levels, dim), reference.FSQ(levels, dim)
    if projected:
        ours.project_in.load_state_dict(theirs.project_in.state_dict())
        ours.project_out.load_state_dict(theirs.project_out.state_dict())
    for _ in range(5):
        z = (2 * torch.randn(3, dim, 30)).requires_grad_()
        q = ours(z)
        values, codes = theirs(z.transpose(1, 2))
        compare(q, values.transpose(1, 2), codes[:, None].long())
        upstream = torch.randn_like(z)
        (to_ours,) = torch.autograd.grad((q.values * upstream).sum(), z)
        (to_theirs,) = torch.autograd.grad((values.transpose(1, 2) * upstream).sum(), z)
        torch.testing.assert_close(to_ours, to_theirs)
    back = theirs.indices_to_codes(q.codes[:, 0]).transpose(1, 2)
    torch.testing.assert_close(ours.decode(q.codes), back)
    assert len(q.codes.unique()) > 4


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("bits", [1, 5, 8])
def test_lfq(bits, projected):
    torch.manual_seed(0)
    dim = 9 if projected else bits
    ours = LFQ(bits, dim, diversity=0.7, sharpness=2.0)
    theirs = reference.LFQ(
        dim=dim,
        codebook_size=2**bits,
        entropy_loss_weight=1.0,
        commitment_loss_weight=1.0,
        diversity_gamma=0.7,
    )
    if projected:
        ours.project_in.load_state_dict(theirs.project_in.state_dict())
        ours.project_out.load_state_dict(theirs.project_out.state_dict())
    for z in batches(dim, 5):
        z = z.requires_grad_()
        q = ours(z)
        values, codes, loss = theirs(z.transpose(1, 2), inv_temperature=2.0)
        compare(q, values.transpose(1, 2), codes[:, None].long())
        # Theirs cuts logarithms off at 1e-5, ours does not.
        ours_loss = q.commitment + q.codebook_loss
        torch.testing.assert_close(ours_loss, loss, rtol=1e-3, atol=1e-3)
        ((q.values**2 * 2).sum() + 100 * ours_loss).backward()
        to_ours, z.grad = z.grad, None
        ((values**2 * 2).sum() + 100 * loss).backward()
        torch.testing.assert_close(to_ours, z.grad, rtol=1e-2, atol=1e-2)
        z.grad = None
    back = theirs.indices_to_codes(q.codes[:, 0]).transpose(1, 2)
    torch.testing.assert_close(ours.decode(q.codes), back)


def test_random_projection():
    ours = RandomProjectionQuantizer(12, 64, 6, n_codebooks=3)
    for k in range(3):  # with several codebooks theirs mixes projections by one more random map
        theirs = reference.RandomProjectionQuantizer(dim=12, codebook_size=64, codebook_dim=6)
        with torch.no_grad():
            theirs.rand_projs.copy_(ours.projections[k : k + 1])
            theirs.vq._codebook.embed.copy_(ours.codebooks[k : k + 1])
        for z in batches(12, 5):
            assert torch.equal(ours(z)[:, k], theirs(z.transpose(1, 2)))
    assert torch.equal(ours.encode(5 * z + 2), ours(z))  # shift and scale do not matter
    assert len(ours(z).unique()) > 20
