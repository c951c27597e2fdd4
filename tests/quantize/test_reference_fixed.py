"""Quantizers without a codebook to learn give what vector-quantize-pytorch gives."""

import pytest
import torch
import vector_quantize_pytorch as reference
from side_by_side import batches, compare, learn_to_rebuild

from course_lib.quantize import FSQ, LFQ, RandomProjectionQuantizer


@pytest.mark.parametrize("levels", [[8, 5, 5, 5], [3, 4], [7]])
@pytest.mark.parametrize("projected", [False, True])
def test_fsq(levels, projected):
    torch.manual_seed(0)
    dim = 9 if projected else len(levels)
    ours, theirs = FSQ(levels, dim), reference.FSQ(levels, dim)
    if projected:
        ours.project_in.load_state_dict(theirs.project_in.state_dict())
        ours.project_out.load_state_dict(theirs.project_out.state_dict())
    for z in batches(dim):
        z = (2 * (z - z.mean()) / z.std()).requires_grad_()
        q = ours(z)
        values, codes = theirs(z.transpose(1, 2))
        compare(q, values.transpose(1, 2), codes[:, None].long())
        upstream = torch.randn_like(z)
        (to_ours,) = torch.autograd.grad((q.values * upstream).sum(), z, retain_graph=True)
        (to_theirs,) = torch.autograd.grad(
            (values.transpose(1, 2) * upstream).sum(), z, retain_graph=True
        )
        torch.testing.assert_close(to_ours, to_theirs)
        if projected:
            learn_to_rebuild(z, (ours, q.values), (theirs, values.transpose(1, 2)))
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
    for z in batches(dim):
        z = z.requires_grad_()
        q = ours(z)
        values, codes, loss = theirs(z.transpose(1, 2), inv_temperature=2.0)
        compare(q, values.transpose(1, 2), codes[:, None].long())
        # Theirs cuts logarithms off at 1e-5, ours does not.
        ours_loss = q.commitment + q.codebook_loss
        torch.testing.assert_close(ours_loss, loss, rtol=1e-3, atol=1e-3)
        ((q.values**2 * 2).sum() + 100 * ours_loss).backward(retain_graph=projected)
        to_ours, z.grad = z.grad, None
        ((values**2 * 2).sum() + 100 * loss).backward(retain_graph=projected)
        torch.testing.assert_close(to_ours, z.grad, rtol=1e-2, atol=1e-2)
        if projected:
            learn_to_rebuild(z, (ours, q.values), (theirs, values.transpose(1, 2)))
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
