import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_quantize_pytorch import VectorQuantize

from course_lib.quantize import VectorQuantizer, rotate, straight_through


def reference(ours: VectorQuantizer, gradient: str, **options) -> VectorQuantize:
    """vector-quantize-pytorch with the same entries and every random part off."""
    theirs = VectorQuantize(
        ours.dim,
        ours.size,
        decay=ours.decay,
        eps=ours.eps,
        channel_last=False,
        rotation_trick=gradient == "rotation",
        **options,
    )
    with torch.no_grad():
        theirs._codebook.embed.copy_(ours.codebook[None])
        theirs._codebook.embed_avg.copy_(ours.codebook[None])
    return theirs


@pytest.mark.parametrize("gradient", ["straight_through", "rotation"])
def test_fifty_steps_equal_vector_quantize_pytorch(gradient):
    torch.manual_seed(0)
    ours = VectorQuantizer(8, 32, decay=0.9, gradient=gradient, init="random", dead=0)
    theirs = reference(ours, gradient)
    weight = torch.randn(8, 1)
    for _ in range(50):
        z = torch.randn(4, 8, 25)
        z_ours, z_theirs = z.clone().requires_grad_(), z.clone().requires_grad_()
        q = ours(z_ours)
        values, codes, loss = theirs(z_theirs)
        assert torch.equal(q.codes[:, 0], codes)
        torch.testing.assert_close(q.values, values, rtol=0, atol=1e-6)
        torch.testing.assert_close(q.commitment, loss.squeeze(), rtol=0, atol=1e-6)
        ((q.values * weight).square().sum() + q.commitment).backward()
        ((values * weight).square().sum() + loss).backward()
        torch.testing.assert_close(z_ours.grad, z_theirs.grad, rtol=1e-5, atol=1e-5)
    book = theirs._codebook
    assert torch.equal(ours.counts, book.cluster_size[0])
    torch.testing.assert_close(ours.sums, book.embed_avg[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.codebook, book.embed[0], rtol=0, atol=1e-6)
    assert (ours.counts > 0.5).sum() > 16  # the comparison was about more than a few entries
    ours.eval(), theirs.eval()
    z = torch.randn(2, 8, 9)
    assert torch.equal(ours(z).values, theirs(z)[0])


def test_a_codebook_trained_by_gradient_equals_vector_quantize_pytorch():
    torch.manual_seed(0)
    ours = VectorQuantizer(6, 16, codebook="gradient", init="random", dead=0)
    theirs = reference(ours, "straight_through", learnable_codebook=True, ema_update=False)
    steps = [torch.optim.Adam(m.parameters(), lr=0.01) for m in (ours, theirs)]
    for _ in range(50):
        z = torch.randn(3, 6, 20)
        z_ours, z_theirs = z.clone().requires_grad_(), z.clone().requires_grad_()
        q = ours(z_ours)
        values, codes, loss = theirs(z_theirs)
        assert torch.equal(q.codes[:, 0], codes)
        # Theirs is one squared distance that trains both sides; ours is two with one side each.
        torch.testing.assert_close(q.commitment, loss.squeeze())
        torch.testing.assert_close(q.codebook_loss, loss.squeeze())
        for step in steps:
            step.zero_grad()
        (q.values.sum() + q.commitment + q.codebook_loss).backward()
        (values.sum() + loss).backward()
        torch.testing.assert_close(z_ours.grad, z_theirs.grad)
        for step in steps:
            step.step()
    torch.testing.assert_close(ours.codebook, theirs._codebook.embed[0], rtol=0, atol=1e-6)


def test_kmeans_centroids_survive_the_first_step():
    torch.manual_seed(0)
    z = torch.randn(4, 5, 100) * 3 + 7
    vq = VectorQuantizer(5, 16, dead=0)
    error = vq(z).commitment  # with the centroids as k-means left them
    centroids = (vq.sums / vq.counts[:, None]).clone()
    torch.testing.assert_close(vq.codebook, centroids, rtol=1e-3, atol=1e-3)
    after = vq.eval()(z).commitment
    assert after <= error * 1.001  # one known implementation makes this 1.7 times worse
    assert vq.codebook.norm(dim=1).min() > 10  # and divides the entries by their counts


def test_a_first_batch_smaller_than_the_codebook_will_do():
    vq = VectorQuantizer(3, 50)
    z = torch.randn(2, 3, 5)
    assert vq(z).codes.max() < 50 and vq.codebook.isfinite().all()
    for _ in range(20):
        q = vq(torch.randn(2, 3, 60))
    assert q.codes.unique().numel() > 25


@pytest.mark.parametrize("codebook", ["ema", "gradient"])
def test_revived_entries_survive_the_step_that_revives_them(codebook):
    torch.manual_seed(0)
    vq = VectorQuantizer(4, 8, codebook=codebook, init="random", dead=0.1)
    with torch.no_grad():
        vq.codebook[2:] += 1000  # never nearest
        vq.counts[2:] = 0
        if codebook == "ema":
            vq.sums.copy_(vq.codebook * vq.counts[:, None])
    z = torch.randn(2, 4, 30)
    vq(z)
    rows = z.transpose(1, 2).flatten(0, 1)
    revived = vq.codebook[2:].detach()
    assert (distances(revived, rows).min(1).values < 1e-6).all()  # frames of the batch
    assert distances(revived, revived).fill_diagonal_(1).min() > 1e-3  # different ones
    used = vq(z).codes.unique()
    assert len(used) == 8
    if codebook == "ema":  # and the average that follows starts from them
        assert (distances(vq.codebook[2:], rows).min(1).values < 0.5).all()


def test_revival_can_be_switched_off():
    vq = VectorQuantizer(4, 8, init="random", dead=0)
    with torch.no_grad():
        vq.codebook[2:] += 1000
        vq.sums.copy_(vq.codebook)
    for _ in range(3):
        assert vq(torch.randn(2, 4, 30)).codes.max() <= 1


def test_draws_depend_on_seed_and_step_alone():
    def run(seed, skip=0):
        data = torch.Generator().manual_seed(9)
        vq = VectorQuantizer(4, 32, decay=0.5, init="random", dead=0.5, seed=seed)
        with torch.no_grad():
            vq.codebook.copy_(torch.linspace(-1, 1, 32)[:, None].expand(32, 4))
            vq.sums.copy_(vq.codebook)
        for step in range(4):
            if step == skip:  # whatever else draws random numbers changes nothing
                torch.rand(7)
            vq(torch.randn(2, 4, 30, generator=data))
        return vq.codebook

    assert torch.equal(run(0), run(0, skip=2))
    assert not torch.equal(run(0), run(1))


@pytest.mark.parametrize("gradient", ["straight_through", "rotation"])
@pytest.mark.parametrize("codebook", ["ema", "gradient"])
def test_who_receives_which_gradient(codebook, gradient):
    torch.manual_seed(0)
    vq = VectorQuantizer(4, 8, codebook=codebook, gradient=gradient, init="random", dead=0).double()
    z = torch.randn(2, 4, 6, dtype=torch.float64, requires_grad=True)
    q = vq(z)
    entries = [vq.codebook] if codebook == "gradient" else []

    def gradients(output):
        return torch.autograd.grad(output, [z, *entries], retain_graph=True, allow_unused=True)

    to_z, *to_entries = gradients(q.commitment)
    chosen = q.values.detach()
    torch.testing.assert_close(to_z, 2 * (z - chosen).detach() / z.numel())
    assert all(g is None for g in to_entries)

    if codebook == "gradient":
        to_z, to_entry = gradients(q.codebook_loss)
        assert to_z is None
        expected = torch.zeros_like(vq.codebook)
        rows, places = (z.detach() - chosen).transpose(1, 2).flatten(0, 1), q.codes.flatten()
        expected.index_add_(0, places, -2 * rows / z.numel())
        torch.testing.assert_close(to_entry, expected)
    else:
        assert q.codebook_loss == 0 and not q.codebook_loss.requires_grad

    upstream = torch.randn_like(z)
    to_z, *to_entries = gradients((q.values * upstream).sum())
    assert all(g is None for g in to_entries)
    if gradient == "straight_through":
        assert torch.equal(to_z, upstream)
    else:  # turned with the latent and scaled, so norms scale alike
        ratio = chosen.norm(dim=1) / z.detach().norm(dim=1)
        torch.testing.assert_close(to_z.norm(dim=1), upstream.norm(dim=1) * ratio)


def test_rotation_turns_the_latent_into_its_entry():
    torch.manual_seed(0)
    z, q = torch.randn(50, 6, dtype=torch.float64), torch.randn(50, 6, dtype=torch.float64)
    torch.testing.assert_close(rotate(z, q), q)
    torch.testing.assert_close(straight_through(z, q), q)
    torch.testing.assert_close(rotate(z, -z), -z)  # opposite directions
    matrix = torch.autograd.functional.jacobian(lambda u: rotate(u, q[0]), z[0])
    scale = q[0].norm() / z[0].norm()
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(6, dtype=torch.float64) * scale**2)
    torch.testing.assert_close(matrix @ z[0], q[0])


def distances(x, y):
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


@pytest.mark.parametrize("codebook", ["ema", "gradient"])
def test_a_training_step_reads_nothing_from_the_device(codebook, host_reads):
    vq = VectorQuantizer(4, 8, codebook=codebook, gradient="rotation", dead=0.5)
    z = torch.randn(2, 4, 30, requires_grad=True)
    with host_reads() as first:
        vq(z)
    assert first.reads  # the counter counts: k-means may look at its data, once
    with host_reads() as mode:
        q = vq(z)
        (q.values.sum() + q.commitment + q.codebook_loss).backward()
    assert mode.reads == []


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(1, 40),
    st.integers(1, 50),
    st.integers(0, 99),
    st.floats(0.01, 100),
    st.booleans(),
)
def test_codes_name_the_nearest_entries(batch, dim, size, frames, seed, scale, training):
    torch.manual_seed(seed)
    vq = VectorQuantizer(dim, size).train(training).double()
    z = torch.randn(batch, dim, frames, dtype=torch.float64) * scale
    q = vq(z)
    assert q.codes.shape == (batch, 1, frames) and q.codes.dtype == torch.int64
    assert q.codes.min() >= 0 and q.codes.max() < size
    codes = vq.encode(z)
    decoded = vq.decode(codes)
    assert decoded.shape == z.shape
    rows = z.transpose(1, 2).flatten(0, 1)
    best = distances(rows, vq.codebook).min(1).values
    ours = (z - decoded).transpose(1, 2).flatten(0, 1).norm(dim=1)
    torch.testing.assert_close(ours, best, rtol=1e-6, atol=1e-6 * scale)
    again = vq.decode(vq.encode(decoded))  # quantizing twice is quantizing once
    torch.testing.assert_close(again, decoded, rtol=1e-6, atol=1e-6 * scale)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_codes_and_averages_in_float32(dtype):
    torch.manual_seed(0)
    plain = VectorQuantizer(64, 256, init="random")
    cast = copy.deepcopy(plain)
    for _ in range(3):
        z = torch.randn(4, 64, 50) + 5
        expected = plain(z)
        with torch.autocast("cpu", dtype=dtype):
            q = cast(z)
            assert torch.equal(cast.encode(z), plain.encode(z))
        assert torch.equal(q.codes, expected.codes) and q.commitment.dtype == torch.float32
        assert torch.equal(q.commitment, expected.commitment)
    assert torch.equal(cast.codebook, plain.codebook)
    low = z.to(dtype)
    assert cast.eval()(low).values.dtype == dtype
    assert torch.equal(cast.encode(low), plain.encode(low.float()))


def test_state_goes_on_where_it_was():
    torch.manual_seed(0)
    vq = VectorQuantizer(4, 16)
    vq(torch.randn(2, 4, 30))
    other = VectorQuantizer(4, 16, seed=0)
    other.load_state_dict(vq.state_dict())
    z = torch.randn(2, 4, 30)
    vq(z), other(z)
    for name, value in vq.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert other.step == 2
    fresh = VectorQuantizer(4, 16).state_dict()
    other.load_state_dict(fresh)  # and an untrained state asks for k-means again
    other(z + 100)
    assert other.codebook.min() > 50


def test_evaluation_changes_nothing():
    vq = VectorQuantizer(4, 16).eval()
    before = copy.deepcopy(vq.state_dict())
    vq(torch.randn(2, 4, 30, requires_grad=True))
    vq.encode(torch.randn(2, 4, 30))
    assert all(torch.equal(value, vq.state_dict()[name]) for name, value in before.items())


@pytest.mark.parametrize(
    ("z", "error", "words"),
    [
        (torch.zeros(2, 5, 3), ValueError, r"\[2, 5, 3\]; expected \[B, 4, F\]"),
        (torch.zeros(4, 3), ValueError, r"\[4, 3\]"),
        (torch.zeros(2, 4, 0), ValueError, r"\[2, 4, 0\]"),
        (torch.zeros(0, 4, 3), ValueError, r"\[0, 4, 3\]"),
        (torch.zeros(2, 4, 3, dtype=torch.int64), TypeError, "int64"),
    ],
)
def test_bad_latents_are_named(z, error, words):
    vq = VectorQuantizer(4, 8)
    for call in (vq, vq.encode):
        with pytest.raises(error, match=words):
            call(z)


def test_nan_is_named_and_does_not_reach_the_codebook():
    vq = VectorQuantizer(4, 8)
    z = torch.full((1, 4, 3), torch.nan)
    with pytest.raises(ValueError, match="NaN"):
        vq.encode(z)
    with pytest.raises(ValueError, match="NaN"):
        vq(z)  # k-means looks at the first batch
    assert vq.codebook.isfinite().all()


@pytest.mark.parametrize(
    ("codes", "error", "words"),
    [
        (torch.zeros(1, 1, 3), TypeError, "float32"),
        (torch.zeros(1, 3, dtype=torch.int64), ValueError, r"\[1, 3\]; expected \[B, 1, F\]"),
        (torch.zeros(1, 2, 3, dtype=torch.int64), ValueError, r"\[1, 2, 3\]"),
        (torch.zeros(1, 1, 0, dtype=torch.int64), ValueError, r"\[1, 1, 0\]"),
        (torch.tensor([[[0, 8]]]), ValueError, "from 0 to 8; the codebook has 0 to 7"),
        (torch.tensor([[[-1, 3]]]), ValueError, "from -1 to 3"),
    ],
)
def test_bad_codes_are_named(codes, error, words):
    with pytest.raises(error, match=words):
        VectorQuantizer(4, 8).decode(codes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"codebook": "adam"}, "codebook='adam'"),
        ({"gradient": "none"}, "gradient='none'"),
        ({"init": "zeros"}, "init='zeros'"),
        ({"decay": 1.0}, "decay=1.0"),
        ({"dead": -1}, "dead=-1"),
        ({"size": 0}, "size=0"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        VectorQuantizer(**{"dim": 4, "size": 8, **options})


def test_sums_that_were_not_stored_are_made_of_entries_and_counts():
    """Trained on from there, the codebook moves as if they had been stored."""
    torch.manual_seed(0)
    one, other = VectorQuantizer(4, 8, dead=0), VectorQuantizer(4, 8, dead=0)
    for _ in range(30):
        one(torch.randn(4, 4, 20))
    state = one.state_dict()
    del state["sums"]
    other.load_state_dict(state)
    assert "sums" not in state
    torch.testing.assert_close(other.sums, one.sums)
    z = torch.randn(4, 4, 20)
    one(z), other(z)
    torch.testing.assert_close(other.codebook, one.codebook)
    del state["counts"]
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict(state)
