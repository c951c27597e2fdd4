"""The same weights and inputs give what vector-quantize-pytorch gives, and go on doing so."""

import importlib
import random

import pytest
import torch
import vector_quantize_pytorch as reference
from side_by_side import PLAIN, THEIRS, batches, check_entries, compare, same_entries

from course_lib.quantize import (
    CosineVQ,
    FactorisedVQ,
    GroupedResidualVQ,
    MultiHeadVQ,
    ProductVQ,
    ResidualVQ,
    VectorQuantizer,
    orthogonal_loss,
)


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


def test_kmeans_from_the_same_rows(monkeypatch):
    """Both begin with the first rows of the first batch; Lloyd's iterations end before 10."""
    module = importlib.import_module("course_lib.quantize.kmeans")  # not the function in it
    monkeypatch.setattr(module, "_spread_rows", lambda x, size, generator: x[:size])
    torch.manual_seed(0)
    ours = ResidualVQ(8, 12, 2, dead=0, decay=0.9)
    theirs = reference.ResidualVQ(
        dim=8, codebook_size=12, num_quantizers=2, kmeans_init=True, kmeans_iters=10, **THEIRS
    )
    for layer in theirs.layers:
        layer._codebook.sample_fn = lambda samples, size: samples[:, :size]
    for z in batches(8):
        values, codes, losses = theirs(z.transpose(1, 2))
        compare(ours(z), values.transpose(1, 2), codes.permute(0, 2, 1), losses.sum())
    for stage, layer in zip(ours.stages, theirs.layers, strict=True):
        check_entries(stage, layer)


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
