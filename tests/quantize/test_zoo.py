"""What holds of every quantizer."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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

ZOO = {
    "VQ": lambda: VectorQuantizer(8, 16),
    "VQ by angle": lambda: VectorQuantizer(8, 16, lookup="cosine"),
    "cosine": lambda: CosineVQ(8, 16),
    "factorised": lambda: FactorisedVQ(8, 16, 3),
    "factorised, EMA": lambda: FactorisedVQ(8, 16, 3, cosine=False, codebook="ema"),
    "residual": lambda: ResidualVQ(8, 16, 3),
    "residual, factorised": lambda: ResidualVQ(8, 16, 3, code_dim=2, cosine=True),
    "grouped residual": lambda: GroupedResidualVQ(8, 16, 4, groups=2),
    "product": lambda: ProductVQ(8, 16, 4),
    "multi-head": lambda: MultiHeadVQ(8, 16, 4),
    "FSQ": lambda: FSQ([5, 4, 3], 8),
    "LFQ": lambda: LFQ(5, 8),
}


def make(name):
    torch.manual_seed(0)
    return ZOO[name]()


def latents(batch=3, frames=20, seed=0, dim=8):
    return torch.randn(batch, dim, frames, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ZOO)
@settings(max_examples=8, deadline=None)
@given(st.integers(1, 4), st.integers(1, 30), st.integers(0, 99), st.floats(0.01, 30))
def test_codes_values_and_shapes_agree(name, batch, frames, seed, scale):
    quantizer = make(name)
    quantizer(latents(seed=seed))
    z = latents(batch, frames, seed + 1) * scale
    training = quantizer(z.requires_grad_())
    assert training.values.shape == z.shape and training.values.dtype == z.dtype
    (training.values.sum() + training.commitment + training.codebook_loss).backward()
    assert z.grad.isfinite().all() and z.grad.abs().sum() > 0
    quantizer.eval()
    with torch.no_grad():
        q = quantizer(z)
    assert q.codes.shape == (batch, quantizer.n_codebooks, frames)
    assert q.codes.dtype == torch.int64
    assert q.codes.min() >= 0 and q.codes.max() < quantizer.size
    assert torch.equal(quantizer.encode(z), q.codes)
    torch.testing.assert_close(quantizer.decode(q.codes), q.values, rtol=1e-5, atol=1e-5)
    assert q.commitment.shape == q.codebook_loss.shape == ()


@pytest.mark.parametrize("name", ZOO)
def test_evaluation_changes_nothing_and_items_do_not_meet(name):
    quantizer = make(name)
    for seed in range(3):
        quantizer(latents(seed=seed))
    quantizer.eval()
    before = copy.deepcopy(quantizer.state_dict())
    z = latents(5, 11)
    together = quantizer(z)
    for i in range(5):
        alone = quantizer(z[i : i + 1])
        assert torch.equal(alone.codes[0], together.codes[i])
        torch.testing.assert_close(alone.values[0], together.values[i])
    assert all(torch.equal(value, quantizer.state_dict()[n]) for n, value in before.items())


@pytest.mark.parametrize("name", ZOO)
def test_saved_and_loaded_it_goes_on(name):
    quantizer = make(name)
    quantizer(latents())
    other = ZOO[name]()
    other.load_state_dict(quantizer.state_dict())
    for seed in range(3):
        a, b = quantizer(latents(seed=seed)), other(latents(seed=seed))
        assert torch.equal(a.codes, b.codes) and torch.equal(a.values, b.values)


@pytest.mark.parametrize("name", ZOO)
def test_no_training_step_reads_from_the_device(name, host_reads):
    quantizer = make(name)
    z = latents().requires_grad_()
    quantizer(z)
    with host_reads() as counter:
        q = quantizer(z)
        (q.values.sum() + q.commitment + q.codebook_loss).backward()
    assert counter.reads == []


@pytest.mark.parametrize("name", ZOO)
def test_autocast_changes_no_code(name):
    quantizer = make(name)
    quantizer(latents())
    quantizer.eval()
    z = latents()
    expected = quantizer(z)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        q = quantizer(z)
        assert torch.equal(quantizer.encode(z), expected.codes)
    assert torch.equal(q.codes, expected.codes) and torch.equal(q.values, expected.values)
    assert quantizer(z.bfloat16()).values.dtype == torch.bfloat16


@pytest.mark.parametrize("name", [*ZOO, "random projection"])
def test_bad_latents_and_codes_are_named(name):
    if name == "random projection":
        quantizer = RandomProjectionQuantizer(8, 16, 4)
    else:
        quantizer = make(name)
        with pytest.raises(TypeError, match="float32"):
            quantizer.decode(torch.zeros(1, quantizer.n_codebooks, 3))
        wrong = torch.full((1, quantizer.n_codebooks, 3), quantizer.size)
        with pytest.raises(ValueError, match=f"to {quantizer.size}; the codebook has"):
            quantizer.decode(wrong)
        with pytest.raises(ValueError, match="expected"):
            quantizer.decode(torch.zeros(1, 9, 3, dtype=torch.int64))
    for call in (quantizer, quantizer.encode):
        with pytest.raises(ValueError, match=r"\[2, 7, 3\]"):
            call(torch.zeros(2, 7, 3))
        with pytest.raises(TypeError, match="int64"):
            call(torch.zeros(2, 8, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="NaN"):
        quantizer.encode(torch.full((1, 8, 3), torch.nan))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: FSQ([4, 2]), r"levels=\[4, 2\]"),
        (lambda: FSQ([]), r"levels=\[\]"),
        (lambda: LFQ(0), "bits=0"),
        (lambda: LFQ(21), "bits=21"),
        (lambda: FactorisedVQ(0, 4, 2), "dim=0"),
        (lambda: CosineVQ(4, 8, codebook="gradient"), "gradient"),
        (lambda: MultiHeadVQ(9, 4, 2), "dim=9"),
        (lambda: ProductVQ(9, 4, 2), "dim=9"),
        (lambda: RandomProjectionQuantizer(4, 0, 2), "size=0"),
        (lambda: VectorQuantizer(4, 8, lookup="dot"), "lookup='dot'"),
    ],
)
def test_bad_options_are_named(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_cosine_keeps_everything_at_length_one():
    vq = make("cosine")
    ones = torch.ones(16)
    torch.testing.assert_close(vq.codebook.norm(dim=1), ones)
    for seed in range(5):
        q = vq(latents(seed=seed) * 7)
        torch.testing.assert_close(vq.codebook.norm(dim=1), ones)
        torch.testing.assert_close(q.values.norm(dim=1), torch.ones(3, 20))
    assert torch.equal(vq.encode(latents() * 100), vq.encode(latents()))


def test_an_angular_lookup_ignores_lengths_and_keeps_them():
    vq = make("VQ by angle").eval()
    with torch.no_grad():
        vq.codebook.mul_(torch.linspace(1, 9, 16)[:, None])
    z = latents()
    codes = vq.encode(z)
    assert torch.equal(codes, vq.encode(z * 9))
    cosines = torch.cosine_similarity(z.transpose(1, 2)[:, :, None], vq.codebook, dim=-1)
    assert torch.equal(codes[:, 0], cosines.argmax(-1))
    torch.testing.assert_close(vq.decode(codes).transpose(1, 2), vq.codebook[codes[:, 0]])


def test_every_code_of_fsq_is_a_value_of_its_own():
    fsq = FSQ([8, 5, 4])
    codes = torch.arange(160)[None, None]
    values = fsq.decode(codes)  # [1, 3, 160]
    assert values.min() == -1 and values.max() == 1
    assert len(values[0].T.unique(dim=0)) == 160
    # The values are fixed points: what would be bounded to them is coded as them.
    inner = values * (fsq.count // 2)[:, None]
    z = ((inner + fsq.offset[:, None]) / fsq.reach[:, None]).atanh() - fsq.shift[:, None]
    assert torch.equal(fsq.encode(z), codes)
    assert not list(fsq.parameters()) and fsq.size == 160


def test_codes_of_fsq_are_exact_above_two_to_the_24th():
    fsq = FSQ([8] * 9)  # 2^27 entries: float32 would count by 8
    codes = torch.tensor([[[0, 2**24 + 1, 2**27 - 1]]])
    inner = fsq.decode(codes) * 4
    z = ((inner + fsq.offset[:, None]) / fsq.reach[:, None]).atanh() - fsq.shift[:, None]
    assert torch.equal(fsq.encode(z), codes) and torch.equal(fsq(z).codes, codes)


def test_lfq_codes_are_signs_and_the_entropies_are_those_of_all_corners():
    torch.manual_seed(0)
    lfq = LFQ(5, sharpness=0.5, diversity=0.6).double()
    z = torch.randn(3, 5, 40, dtype=torch.float64)
    codes = lfq.encode(z)
    corners = lfq.decode(torch.arange(32)[None, None])[0].T.double()  # [32, 5]
    assert torch.equal(corners[codes[:, 0]].transpose(1, 2), z.sign())
    p = (2 * 0.5 * z.transpose(1, 2).flatten(0, 1) @ corners.T).softmax(-1)  # [N, 32]
    each = torch.special.entr(p).sum(1).mean()
    whole = torch.special.entr(p.mean(0)).sum()
    torch.testing.assert_close(lfq(z).codebook_loss, each - 0.6 * whole)
    assert lfq.eval()(z).codebook_loss == 0


def test_the_entropy_loss_spreads_latents_over_the_corners():
    torch.manual_seed(0)
    lfq = LFQ(6)
    z = torch.nn.Parameter(0.1 * torch.randn(4, 6, 60) + 0.3)  # most in one corner
    before = len(lfq(z).codes.unique())
    optimizer = torch.optim.Adam([z], 0.02)
    for _ in range(80):
        optimizer.zero_grad()
        lfq(z).codebook_loss.backward()
        optimizer.step()
    assert len(lfq(z).codes.unique()) > 1.5 * before


def test_orthogonal_loss_is_zero_for_orthogonal_entries_and_one_for_parallel_ones():
    basis = torch.eye(6) * torch.arange(1, 7)[:, None]
    assert orthogonal_loss(basis).abs() < 1e-6
    parallel = torch.ones(6, 3) * torch.arange(1, 7)[:, None]
    torch.testing.assert_close(orthogonal_loss(parallel), torch.tensor(1 - 1 / 6))
    codes = torch.tensor([[[0, 2, 2]]])
    torch.testing.assert_close(orthogonal_loss(parallel, codes), torch.tensor(0.5))
    entries = torch.nn.Parameter(torch.randn(12, 8) + 2)
    before = orthogonal_loss(entries).item()
    optimizer = torch.optim.Adam([entries], 0.05)
    for _ in range(150):
        optimizer.zero_grad()
        orthogonal_loss(entries).backward()
        optimizer.step()
    assert orthogonal_loss(entries).item() < before / 5


def test_random_projections_depend_on_the_seed_alone_and_name_directions():
    a, b, c = (RandomProjectionQuantizer(8, 32, 4, 2, seed=s) for s in (0, 0, 1))
    z = latents(4, 50)
    assert torch.equal(a(z), b(z)) and not torch.equal(a(z), c(z))
    assert a(z).shape == (4, 2, 50)
    near = (a(z + 0.01 * latents(4, 50, seed=1)) == a(z)).float().mean()
    far = (a(latents(4, 50, seed=2)) == a(z)).float().mean()
    assert near > 0.9 and far < 0.3
