"""Draws, order of items, schedule, precision, averaged weights: each on its own."""

import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.quantize import VectorQuantizer
from course_lib.training import (
    AveragedWeights,
    Draws,
    fit,
    generator,
    in_float32,
    precision,
    warmup_cosine,
)
from course_lib.training.data import Tensors, indices

module = sys.modules["course_lib.training.precision"]  # in the package its name is the function's
CPU = torch.device("cpu")


def test_draws_are_the_same_for_ever():
    """Numbers on paper: a change here changes every artefact."""
    assert generator(0, 0).initial_seed() == 7683044551549099801
    assert generator(1, 2, 3, "noise").initial_seed() == 8633089142435644996


@given(st.integers(0, 2**31), st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 3))
def test_halves_of_a_batch_draw_what_the_whole_draws(seed, step, half, width):
    whole = Draws(seed, step, range(2 * half), CPU)
    halves = [Draws(seed, step, range(half), CPU), Draws(seed, step, range(half, 2 * half), CPU)]
    for draw in ("normal", "uniform"):
        parts = [getattr(d, draw)(width, 2, stream="a") for d in halves]
        assert torch.equal(torch.cat(parts), getattr(whole, draw)(width, 2, stream="a"))
    parts = [d.integers(7, width) for d in halves]
    assert torch.equal(torch.cat(parts), whole.integers(7, width))


def test_draws_differ_by_seed_step_item_and_stream():
    def draw(seed=0, step=0, item=0, stream=""):
        return Draws(seed, step, range(item, item + 1), CPU).normal(4, stream=stream)

    drawn = [draw(), draw(seed=1), draw(step=1), draw(item=1), draw(stream="a")]
    assert len({tuple(d[0].tolist()) for d in drawn}) == 5
    many = Draws(0, 0, range(64), CPU)
    assert many.normal(1000).mean().abs() < 0.02 and (many.normal(1000).std() - 1).abs() < 0.02
    assert set(many.integers(3, 5).unique().tolist()) == {0, 1, 2}


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 20))
def test_every_item_comes_once_in_an_epoch(items, batch_size, seed):
    steps = -(-items * 3 // batch_size)
    order = torch.cat([indices(seed, step, batch_size, items) for step in range(steps)])
    assert order.shape == (steps * batch_size,)
    for epoch in order[: 3 * items].view(3, items):
        assert sorted(epoch.tolist()) == list(range(items))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = [indices(s, e, 50, 50).tolist() for s in (0, 1) for e in (0, 1)]
    assert len(set(map(tuple, orders))) == 4


def test_warmup_then_half_a_cosine():
    factors = [warmup_cosine(step, 100, 20) for step in range(100)]
    assert factors[0] == pytest.approx(1 / 21) and factors[20] == 1 and factors[60] == 0.5
    assert all(a < b for a, b in zip(factors[:20], factors[1:21], strict=True))
    assert all(a > b for a, b in zip(factors[20:], factors[21:], strict=False))
    assert 0 < factors[-1] < 0.001
    assert warmup_cosine(100, 100, 20, last=0.1) == pytest.approx(0.1)
    assert warmup_cosine(5, 10, 0) == pytest.approx(0.5) and warmup_cosine(5, 3, 8) <= 1


@pytest.mark.parametrize(
    "capability, dtype, scaled",
    [
        ((7, 5), torch.float16, True),
        ((7, 0), torch.float16, True),
        ((8, 0), torch.bfloat16, False),
        ((8, 9), torch.bfloat16, False),
        ((9, 0), torch.bfloat16, False),
    ],
)
def test_precision_by_compute_capability(monkeypatch, capability, dtype, scaled):
    monkeypatch.setattr(module, "compute_capability", lambda device: capability)
    chosen = precision("cuda")
    assert chosen.dtype == dtype and chosen.scaled == scaled
    assert precision("cpu").dtype == torch.float32 and not precision("cpu").scaled


class Watched(nn.Module):
    """A quantizer between two layers, that notes in which numbers each part computes."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Conv1d(3, 4, 1)
        self.quantize = VectorQuantizer(4, 8)
        self.seen = {}

    def forward(self, x):
        z = self.encode(x)
        self.seen["network"] = z.dtype
        return z, self.quantize(z)


@in_float32
def spectral_loss(a, b):
    difference = torch.stft(a[:, 0], 16, window=torch.hann_window(16), return_complex=True)
    assert not torch.is_autocast_enabled("cpu")
    return difference.abs().mean() + (a @ b.transpose(1, 2)).mean()


def test_on_a_t4_the_delicate_parts_stay_float32(monkeypatch):
    """A faked compute capability of 7.5; what autocast then does, it does on the CPU here."""
    from course_lib.quantize import vector_quantizer

    monkeypatch.setattr(module, "compute_capability", lambda device: (7, 5))
    chosen = precision("cuda")
    monkeypatch.setattr(sys.modules["course_lib.training.fit"], "precision", lambda device: chosen)
    made, seen = Watched(), {}
    nearest = vector_quantizer.nearest

    def watched_nearest(rows, entries):
        seen["distances"] = (rows.dtype, entries.dtype, torch.is_autocast_enabled("cpu"))
        return nearest(rows, entries)

    monkeypatch.setattr(vector_quantizer, "nearest", watched_nearest)

    def loss(model, batch, draws):
        z, quantized = model(batch)
        seen["values"] = quantized.values.dtype
        spectral = spectral_loss(quantized.values, z)
        seen["spectral"] = spectral.dtype
        return spectral + quantized.commitment

    x = torch.randn(16, 3, 64, generator=torch.Generator().manual_seed(0))
    before = made.encode.weight.detach().clone()
    history = fit(made, Tensors(x), loss, steps=30, batch_size=8, log_every=1, progress=False)
    assert made.seen["network"] == seen["values"] == torch.float16
    assert seen["distances"] == (torch.float32, torch.float32, False)
    assert seen["spectral"] == torch.float32
    for name in ("codebook", "sums", "counts"):
        assert getattr(made.quantize, name).dtype == torch.float32
    assert made.encode.weight.dtype == torch.float32
    assert not torch.equal(made.encode.weight, before)  # the scaled gradients arrived
    assert history.last["gradient_norm"] < 1e3  # and were unscaled


def test_in_float32_widens_what_is_half_and_leaves_the_rest():
    @in_float32
    def kinds(a, b, *, c):
        return a.dtype, [x.dtype for x in b], c

    half, double = torch.zeros(1).half(), torch.zeros(1).double()
    assert kinds(half, [half.bfloat16(), double], c=3) == (
        torch.float32,
        [torch.float32, torch.float64],
        3,
    )


def test_averaged_weights_are_lent_and_given_back():
    made = nn.Linear(2, 2)
    averages = AveragedWeights(made, 0.5)
    start = made.weight.detach().clone()
    with torch.no_grad():
        made.weight.add_(1)
    averages.update(100)
    with pytest.raises(ZeroDivisionError), averages.applied():
        assert torch.allclose(made.weight, start + 0.5)
        1 / 0  # noqa: B018
    assert torch.allclose(made.weight, start + 1)
    averages.copy_to_model()
    assert torch.allclose(made.weight, start + 0.5)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(ValueError, match="decay of averaged weights"):
        AveragedWeights(nn.Linear(1, 1), decay)


def test_native_bfloat16_casts_only_on_a_cpu_that_computes_in_it(monkeypatch):
    from course_lib.training.precision import native_bfloat16

    x = torch.randn(4, 4)
    for capable in (True, False):
        known = {"avx512_bf16": capable}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known, raising=False)
        with native_bfloat16("cpu"):
            assert (x @ x).dtype == (torch.bfloat16 if capable else torch.float32)
        with native_bfloat16("cuda"):
            assert (x @ x).dtype == torch.float32
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    with native_bfloat16("cpu"):
        assert (x @ x).dtype == torch.float32
