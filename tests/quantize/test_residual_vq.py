import copy

import pytest
import torch

from course_lib.quantize import GroupedResidualVQ, QuantizerDropout, ResidualVQ


def latents(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trained(steps=20, **settings) -> ResidualVQ:
    torch.manual_seed(0)
    rvq = ResidualVQ(6, 16, 4, **settings)
    for step in range(steps):
        rvq(latents(4, 6, 40, seed=step))
    return rvq.eval()


def test_the_value_is_the_sum_of_entries_and_each_stage_quantizes_what_is_left():
    rvq = trained(gradient="straight_through")
    z = latents(2, 6, 9)
    codes = rvq.encode(z)
    left = z
    for k, stage in enumerate(rvq.stages):
        distances = torch.cdist(left.transpose(1, 2), stage.codebook[None])  # [B, F, V]
        assert torch.equal(codes[:, k], distances.argmin(-1))
        left = left - stage.codebook[codes[:, k]].transpose(1, 2)
    torch.testing.assert_close(rvq(z).values, z - left)
    torch.testing.assert_close(rvq.decode(codes), z - left)


def test_more_stages_err_less_and_the_first_codes_stay():
    rvq = trained()
    z = latents(8, 6, 50, seed=99)
    codes = rvq.encode(z)
    errors = []
    for n in range(1, 5):
        q = rvq(z, n)
        assert torch.equal(q.codes, codes[:, :n]) and torch.equal(rvq.encode(z, n), codes[:, :n])
        torch.testing.assert_close(rvq.decode(codes[:, :n]), q.values)
        errors.append((q.values - z).square().mean().item())
    assert errors == sorted(errors, reverse=True) and errors[3] < errors[0] / 3


def test_first_batch_places_every_stage_where_the_stages_before_left_something():
    torch.manual_seed(0)
    rvq = ResidualVQ(6, 16, 4)
    z = latents(8, 6, 50)
    first = rvq(z, n_codebooks=1)  # though only one is asked for
    assert all(stage.is_initialised() for stage in rvq.stages)
    q = rvq.eval()(z)
    assert ((q.values - z).square().mean() < first.commitment / 3).item()
    used = [code.unique().numel() for code in q.codes.unbind(1)]
    assert min(used) >= 14  # of 16


def test_every_stage_pulls_the_encoder():
    """The commitment's gradient is the sum over stages of what each leaves."""
    rvq = trained().train()
    z = latents(2, 6, 9).requires_grad_()
    codes = rvq.encode(z.detach())
    left, pull = z.detach(), 0
    for k, stage in enumerate(rvq.stages):
        left = left - stage.codebook[codes[:, k]].transpose(1, 2)
        pull = pull + 2 * left / z.numel()
    (gradient,) = torch.autograd.grad(rvq(z).commitment, z)
    torch.testing.assert_close(gradient, pull)


def test_codebooks_learned_by_gradient():
    torch.manual_seed(0)
    rvq = ResidualVQ(6, 16, 3, codebook="gradient")
    optimizer = torch.optim.Adam(rvq.parameters(), 0.02)
    losses = []
    for step in range(60):
        q = rvq(latents(4, 6, 40, seed=step) + 1)
        optimizer.zero_grad()
        q.codebook_loss.backward()
        optimizer.step()
        torch.testing.assert_close(q.codebook_loss, q.commitment)
        losses.append(q.codebook_loss.item())
    assert sum(losses[-10:]) < sum(losses[:10])
    assert all(stage.codebook.grad.abs().sum() > 0 for stage in rvq.stages)


def test_dropped_stages_have_no_code_no_value_no_loss_and_teach_nothing():
    rvq = trained().train()
    z, kept = latents(3, 6, 20).requires_grad_(), torch.tensor([1, 3, 4])
    single = [rvq.eval()(z[i : i + 1], n_codebooks=int(n)) for i, n in enumerate(kept)]
    before = copy.deepcopy(rvq.stages)
    q = rvq.train()(z, kept=kept)
    for i, (n, alone) in enumerate(zip(kept, single, strict=True)):
        assert torch.equal(q.codes[i, :n], alone.codes[0])
        assert (q.codes[i, n:] == -1).all()
        torch.testing.assert_close(q.values[i], alone.values[0])
    expected = sum(s.commitment for s in single) / 3
    torch.testing.assert_close(q.commitment, expected)
    torch.testing.assert_close(before[3].decode(q.codes[2:, 3:4]).sum(), q.values[2].sum() - (
        rvq_sum(before, q.codes[2:, :3])
    ))  # fmt: skip
    # Stage 4 saw the third item alone.
    counts = torch.bincount(q.codes[2, 3], minlength=16)
    torch.testing.assert_close(rvq.stages[3].counts, before[3].counts.lerp(counts.float(), 0.01))
    torch.testing.assert_close(rvq.decode(q.codes)[0], rvq.decode(q.codes[:1, :1])[0])


def rvq_sum(stages, codes):
    return sum(s.decode(c[:, None]).sum() for s, c in zip(stages, codes.unbind(1), strict=False))


def test_a_stage_that_nobody_uses_stays_as_it_is():
    rvq = trained(dead=0.9).train()
    before = copy.deepcopy(rvq.stages[2].state_dict())
    rvq(latents(2, 6, 20), kept=torch.tensor([1, 2]))
    for name in ("codebook", "sums", "counts"):
        assert torch.equal(before[name], getattr(rvq.stages[2], name)), name


def test_revival_takes_frames_of_items_that_use_the_stage():
    torch.manual_seed(0)
    rvq = ResidualVQ(2, 8, 2, init="random", dead=0.9, decay=0.1)
    z = torch.cat([torch.full((4, 2, 10), -50.0), torch.full((2, 2, 10), 50.0)])
    z += latents(6, 2, 10)
    rvq(z, kept=torch.tensor([1, 1, 1, 1, 2, 2]))
    revived = rvq.stages[1].codebook
    assert (revived > 20).sum() >= 8 and not (revived < -20).any()


@pytest.mark.parametrize("stack", [ResidualVQ, GroupedResidualVQ])
def test_dropout_draws(stack):
    torch.manual_seed(0)
    options = {"groups": 2} if stack is GroupedResidualVQ else {}
    rvq = stack(8, 4, 8, dropout=0.5, dropout_levels=(1, 2, 4, 8), **options)
    q = rvq(latents(400, 8, 1))
    kept = (q.codes >= 0).sum(1).flatten()
    shares = torch.bincount(kept, minlength=9) / 400
    expected = torch.zeros(9)
    expected[[1, 2, 4, 8]] = 0.125
    expected[8] += 0.5
    assert (shares - expected).abs().max() < 0.06 and shares[expected == 0].sum() == 0
    rvq = stack(8, 4, 8, dropout=1.0, dropout_per="batch", **options)
    counts = [(rvq(latents(5, 8, 2)).codes >= 0).sum(1).unique() for _ in range(60)]
    assert all(len(count) == 1 for count in counts)
    assert len({int(count) for count in counts}) == 8  # every number of codebooks came
    assert (rvq.eval()(latents(5, 8, 2)).codes >= 0).all()


def test_parts_of_a_grouped_stack():
    torch.manual_seed(0)
    grvq = GroupedResidualVQ(6, 8, 4, groups=2)
    for step in range(10):
        grvq(latents(4, 6, 40, seed=step))
    z = latents(2, 6, 9)
    codes = grvq.eval().encode(z)
    for g, group in enumerate(grvq.groups):
        part = z[:, 3 * g : 3 * g + 3]
        assert torch.equal(group.encode(part), codes[:, g::2])
    one = grvq(z, n_codebooks=1)
    assert (one.values[:, 3:] == 0).all() and (one.values[:, :3] != 0).all()
    assert torch.equal(one.values, grvq.decode(codes[:, :1]))
    three = grvq(z, n_codebooks=3)
    assert torch.equal(three.codes, codes[:, :3]) and torch.equal(grvq.encode(z, 3), codes[:, :3])
    assert torch.equal(three.values, grvq.decode(codes[:, :3]))
    dropped = grvq(z, kept=torch.tensor([1, 3]))
    torch.testing.assert_close(dropped.values[0], one.values[0])
    torch.testing.assert_close(dropped.values[1], three.values[1])
    assert torch.equal(grvq.decode(dropped.codes), dropped.values)


@pytest.mark.parametrize("code_dim", [None, 3])
def test_nothing_is_read_from_the_device(code_dim, host_reads):
    rvq = ResidualVQ(6, 16, 4, dropout=0.5, dead=0.5, code_dim=code_dim)
    z = latents(4, 6, 30).requires_grad_()
    rvq(z)
    with host_reads() as counter:
        q = rvq(z)
        (q.values.sum() + q.commitment + q.codebook_loss).backward()
        rvq.eval()
        rvq.decode_unchecked(rvq.encode_unchecked(z, 2))
    assert counter.reads == []


def test_the_whole_stack_is_passed_straight_through_or_rotated():
    for gradient in ("straight_through", "rotation"):
        rvq = trained(gradient=gradient)
        z = latents(2, 6, 9).requires_grad_()
        q = rvq(z)
        upstream = latents(2, 6, 9, seed=5)
        (to_z,) = torch.autograd.grad((q.values * upstream).sum(), z)
        if gradient == "straight_through":
            torch.testing.assert_close(to_z, upstream)
        else:
            ratio = q.values.detach().norm(dim=1) / z.detach().norm(dim=1)
            torch.testing.assert_close(to_z.norm(dim=1), upstream.norm(dim=1) * ratio)


def test_stages_draw_differently():
    rvq = ResidualVQ(6, 16, 4, seed=7)
    assert len({stage.seed for stage in rvq.stages}) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_codebooks": 0}, "n_codebooks=0"),
        ({"dropout": 1.5}, "dropout=1.5"),
        ({"dropout_per": "frame"}, "dropout_per='frame'"),
        ({"dropout_levels": (2, 9)}, r"dropout_levels=\(2, 9\)"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        ResidualVQ(**{"dim": 4, "size": 8, "n_codebooks": 4, **options})


def test_bad_calls_are_named():
    rvq = ResidualVQ(4, 8, 3)
    z = latents(2, 4, 5)
    for call in (rvq, rvq.encode):
        for n in (0, 4):
            with pytest.raises(ValueError, match=f"n_codebooks={n} must lie in 1 to 3"):
                call(z, n)
    for kept in (torch.ones(2), torch.ones(3, dtype=torch.int64)):
        with pytest.raises(ValueError, match="expected int64"):
            rvq(z, kept=kept)
    with pytest.raises(ValueError, match=r"\[B, 1 to 3, F\]"):
        rvq.decode(torch.zeros(1, 4, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match="from -2 to -2"):
        rvq.decode(torch.full((1, 2, 2), -2))
    with pytest.raises(ValueError, match="groups=4"):
        GroupedResidualVQ(8, 4, 6, groups=4)
    with pytest.raises(ValueError, match="dim=9"):
        GroupedResidualVQ(9, 4, 4, groups=2)


def test_dropout_alone():
    draw = QuantizerDropout(8, 0.25, levels=[2])
    torch.manual_seed(0)
    kept = draw.draw(4000)
    assert kept.dtype == torch.int64 and set(kept.tolist()) == {2, 8}
    assert abs((kept == 2).float().mean() - 0.25) < 0.03
    assert draw.given(None, torch.zeros(3, 1, 1), training=False) is None
