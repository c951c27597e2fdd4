"""The balancer against the paper's formula, its promise, and its resuming."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_lib.training import Balancer, Tensors, fit

WEIGHTS = {"wave": 1.0, "mel": 2.0, "judge": 5.0}
X = torch.randn(32, 1, 40, generator=torch.Generator().manual_seed(0))


def losses_of(y, scale=1.0):
    return {"wave": y.abs().mean(), "mel": scale * y.square().mean(), "judge": (1 - y).exp().mean()}


def test_the_papers_formula():
    """Three steps by hand: R l_i / sum l * g_i / EMA(|g_i|), the average free of its start."""
    balancer, decay = Balancer(WEIGHTS, norm=3.0, decay=0.9), 0.9
    sums, count = dict.fromkeys(WEIGHTS, 0.0), 0.0
    for step in range(3):
        y = (X[8 * step : 8 * step + 8] * (1 + step)).requires_grad_(True)
        count = decay * count + 1
        expected = torch.zeros_like(y)
        for name, loss in losses_of(y).items():
            (g,) = torch.autograd.grad(loss, y)
            sums[name] = decay * sums[name] + g.flatten(1).norm(dim=1).mean()
            expected += 3.0 * WEIGHTS[name] / 8 * g / (sums[name] / count)
        total = balancer(losses_of(y), y)
        total.backward()
        assert torch.allclose(y.grad, expected, rtol=1e-5, atol=1e-7)
        value = sum(WEIGHTS[name] * loss for name, loss in losses_of(y).items())
        assert total.item() == pytest.approx(value.item(), rel=1e-6)


def test_gradients_have_their_shares():
    y = X[:8].clone().requires_grad_(True)
    balancer = Balancer(WEIGHTS)
    balancer(losses_of(y), y)
    scales = balancer.shares / balancer.sums * balancer.count
    for scale, (name, loss) in zip(scales, losses_of(y).items(), strict=True):
        (g,) = torch.autograd.grad(loss, y)
        share = (scale * g).flatten(1).norm(dim=1).mean()
        assert share.item() == pytest.approx(WEIGHTS[name] / 8, rel=1e-5)


def trained(scale, balanced=True, folder=None, stop=None):
    """A small filter trained on three losses, one of them multiplied."""
    torch.manual_seed(0)
    model = nn.Module()
    model.filter = nn.Conv1d(1, 1, 5, padding=2)
    model.balancer = Balancer(WEIGHTS, decay=0.9)

    def loss(model, batch, draws):
        if draws.step == stop:
            raise RuntimeError("killed")
        y = model.filter(batch)
        losses = losses_of(y, scale)
        if balanced:
            return model.balancer(losses, y)
        return sum(WEIGHTS[name] * value for name, value in losses.items())

    fit(model, Tensors(X), loss, steps=12, batch_size=8, lr=1e-2, folder=folder,
        log_every=4, save_seconds=0, progress=False)  # fmt: skip
    return model.state_dict()


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([0.01, 0.5, 100.0, 1e4]))
def test_scaling_one_loss_changes_nothing(scale):
    one, other = trained(1.0), trained(scale)
    assert torch.allclose(one["filter.weight"], other["filter.weight"], rtol=1e-4, atol=1e-6)


def test_without_it_scaling_one_loss_changes_everything():
    one, other = trained(1.0, balanced=False), trained(100.0, balanced=False)
    assert not torch.allclose(one["filter.weight"], other["filter.weight"], rtol=0.02, atol=1e-3)


def test_it_resumes_exactly(tmp_path):
    with pytest.raises(RuntimeError, match="killed"):
        trained(1.0, folder=tmp_path, stop=9)
    for name, value in trained(1.0, folder=tmp_path).items():
        assert torch.equal(value, trained(1.0)[name]), name


def test_nothing_is_read_from_the_device(host_reads):
    y = X[:8].clone().requires_grad_(True)
    balancer = Balancer(WEIGHTS)
    with host_reads() as counter:
        balancer(losses_of(y), y).backward()
    assert not counter.reads


def test_a_loss_without_gradient_does_not_divide_by_nothing():
    y = X[:8].clone().requires_grad_(True)
    total = Balancer({"wave": 1.0, "still": 1.0})({"wave": y.abs().mean(), "still": 0 * y.sum()}, y)
    total.backward()
    assert y.grad.isfinite().all()


@pytest.mark.parametrize(
    "made, words",
    [
        (lambda: Balancer({}), "must be positive, one for each"),
        (lambda: Balancer({"wave": 0.0}), "must be positive, one for each"),
        (lambda: Balancer(WEIGHTS, norm=0), "norm=0 must be positive"),
        (lambda: Balancer(WEIGHTS, decay=1.0), r"decay=1.0 in \[0, 1\)"),
        (lambda: Balancer(WEIGHTS)({"wave": X.sum()}, X), "weights for wave, mel, judge, but"),
    ],
)
def test_what_makes_no_sense_is_refused(made, words):
    with pytest.raises(ValueError, match=words):
        made()
