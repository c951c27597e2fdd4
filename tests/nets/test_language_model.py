import pytest
import torch

from course_lib.nets import LanguageModel, LanguageModelConfig, generate, keep_likely, sample


def make(**options) -> LanguageModel:
    torch.manual_seed(0)
    options = {"entries": 11, "codebooks": 2, "width": 16, "layers": 2, "heads": 2, **options}
    model = LanguageModel(LanguageModelConfig(**options)).eval()
    torch.nn.init.normal_(model.head.weight)  # far from uniform, so that tokens matter
    return model


def test_logits_of_a_frame_are_made_of_earlier_frames():
    model = make()
    codes = torch.randint(11, (2, 2, 9))
    changed = codes.clone()
    changed[:, 1, 4] = (changed[:, 1, 4] + 1) % 11
    difference = (model(codes) - model(changed)).abs().amax((0, 1, 3))
    assert difference[:5].max() < 1e-6 and difference[5:].min() > 1e-5


def test_it_may_start_from_codebooks():
    model, codebooks = make(), torch.randn(2, 11, 5)
    model.start_from(codebooks)
    rows = model.embedding.weight.unflatten(0, (2, 12))[:, :11]
    near = torch.cdist(codebooks, codebooks) / codebooks.norm(dim=-1).mean()
    torch.testing.assert_close(torch.cdist(rows, rows), near, rtol=1e-4, atol=1e-3)
    assert rows.norm(dim=-1).mean().item() == pytest.approx(1)
    torch.testing.assert_close(model.head.weight, 0.1 * rows.flatten(0, 1))
    for wrong in (torch.randn(1, 11, 5), torch.randn(2, 12, 5), torch.randn(2, 11, 17)):
        with pytest.raises(ValueError, match="expected|do not fit into a width of 16"):
            model.start_from(wrong)


def test_loss_is_the_mean_of_minus_log_p():
    model = make()
    codes = torch.randint(11, (3, 2, 6))
    log_p = model(codes).log_softmax(-1).gather(-1, codes[..., None])
    torch.testing.assert_close(model.loss(codes), -log_p.mean())
    holes = codes.clone()
    holes[:, 1, 3:] = model.nothing  # not predicted, but seen
    log_p = model(holes).log_softmax(-1).gather(-1, codes[..., None])[..., 0]
    expected = -log_p[holes != model.nothing].mean()
    torch.testing.assert_close(model.loss(holes), expected)


def test_each_codebook_has_its_own_entries():
    model = make()
    assert model.embedding.weight.shape == (2 * 12, 16) and model.head.weight.shape == (22, 16)
    codes = torch.tensor([[[3], [5]]])
    torch.testing.assert_close(
        model._embed(codes)[0, 0], model.embedding.weight[3] + model.embedding.weight[12 + 5]
    )
    assert not torch.allclose(model._embed(codes), model._embed(codes.flip(1)))


def test_steps_equal_the_whole():
    model = make(memory_width=6)
    codes, memory = torch.randint(11, (2, 2, 8)), torch.randn(2, 3, 6)
    cache = model.cache(2, 8, memory)
    inputs = torch.cat([torch.full((2, 2, 1), model.nothing), codes], 2)
    steps = [model.step(inputs[..., i : i + 1], cache) for i in range(8)]
    torch.testing.assert_close(torch.cat(steps, 2), model(codes, memory), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("given", [0, 3])
@pytest.mark.parametrize("conditioned", [False, True])
def test_greedy_generation_equals_the_loop_without_a_cache(given, conditioned):
    model = make()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)  # so that all of the past matters
    prompt = torch.randint(11, (8, 2, given)) if given else None
    condition = torch.randn(8, 9, 16) if conditioned else None
    ours = generate(model, 9, batch=8, prompt=prompt, temperature=0, condition=condition)
    codes = torch.zeros(8, 2, 0, dtype=torch.int64) if prompt is None else prompt
    while codes.shape[-1] < 9:
        room = torch.cat([codes, torch.zeros(8, 2, 1, dtype=torch.int64)], 2)
        known = condition[:, : room.shape[-1]] if conditioned else None
        codes = torch.cat([codes, model(room, condition=known)[:, :, -1:].argmax(-1)], 2)
    assert torch.equal(ours, codes)


def test_a_condition_helps_to_predict_its_frame_and_later_ones():
    model = make()
    codes, condition = torch.randint(11, (2, 2, 9)), torch.randn(2, 9, 16)
    changed = condition.clone()
    changed[:, 4] += torch.randn(16)  # a constant would be lost in the norm
    difference = model(codes, condition=condition) - model(codes, condition=changed)
    by_frame = difference.abs().amax((0, 1, 3))
    assert by_frame[:4].max() < 1e-6 and by_frame[4:].min() > 1e-5
    torch.testing.assert_close(model(codes), model(codes, condition=torch.zeros(2, 9, 16)))
    want = torch.nn.functional.cross_entropy(
        model(codes, condition=condition).flatten(0, 2), codes.flatten()
    )
    torch.testing.assert_close(model.loss(codes, condition=condition), want)


def test_a_condition_that_does_not_fit_is_named():
    codes = torch.zeros(2, 2, 5, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"\[2, 4, 16\]; expected \[2, 5, 16\]"):
        make()(codes, condition=torch.zeros(2, 4, 16))
    with pytest.raises(ValueError, match="condition has 4 frames; expected 5"):
        generate(make(), 5, condition=torch.zeros(2, 4, 16))


def test_generation_follows_the_model():
    # A model that has learned "0 1 2 3 4 0 1 ..." goes on with it.
    model = make(entries=5, codebooks=1)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    codes = (torch.arange(20) + torch.arange(5)[:, None])[:, None] % 5
    for _ in range(40):
        optimiser.zero_grad()
        model.loss(codes).backward()
        optimiser.step()
    model.train()
    generator = torch.Generator().manual_seed(0)
    out = generate(model, 15, prompt=torch.tensor([[[2, 3]]]), top_p=0.9, generator=generator)
    assert out.tolist() == [[[(i + 2) % 5 for i in range(15)]]]
    assert model.training  # as it was


def test_training_goes_on_where_sampling_was_stopped(monkeypatch):
    model = make().train()
    monkeypatch.setattr(model, "step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        generate(model, 5)
    assert model.training


@pytest.mark.parametrize(
    ("prompt", "error", "words"),
    [
        (torch.rand(3, 2, 2), TypeError, "int64, not torch.float32"),
        (torch.tensor([1, 2]), ValueError, r"\[2\]; expected \[B, 2, F\]"),
        (torch.zeros(3, 1, 2, dtype=torch.int64), ValueError, r"\[3, 1, 2\]; expected \[B, 2, F\]"),
        (torch.tensor([[[12], [3]]]), ValueError, "from 3 to 12"),  # else the other codebook's row
    ],
)
def test_a_prompt_that_does_not_fit_is_named(prompt, error, words):
    with pytest.raises(error, match=words):
        generate(make(), 4, prompt=prompt)


def test_a_prompt_may_have_holes():
    holes = torch.tensor([[[3, 4], [11, 5]]])  # 11 is "nothing here"
    out = generate(make(), 4, prompt=holes, temperature=0)
    assert torch.equal(out[..., :2], holes) and out[..., 2:].max() < 11


def test_the_generator_decides():
    model = make()
    runs = [
        generate(model, 12, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    ]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_generation_reads_nothing_from_the_device(host_reads):
    model = make(memory_width=6)
    valid = torch.tensor([[True, False]])
    with host_reads() as mode:
        generate(model, 6, memory=torch.randn(1, 2, 6), memory_valid=valid, top_k=5, top_p=0.9)
    assert mode.reads == []
    with host_reads() as mode:
        torch.ones(3).multinomial(1)
    assert mode.reads


def test_sampling_follows_the_probabilities():
    generator = torch.Generator().manual_seed(0)
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().expand(40_000, 4)

    def shares(**options):
        return torch.bincount(sample(logits, generator=generator, **options), minlength=4) / 40_000

    closed = {
        (): [0.5, 0.3, 0.15, 0.05],
        (("temperature", 0.5),): [0.6849, 0.2466, 0.0616, 0.0068],  # squares, normalised
        (("top_k", 2),): [0.625, 0.375, 0, 0],
        (("top_p", 0.8),): [0.625, 0.375, 0, 0],
        (("top_p", 0.81),): [10 / 19, 6 / 19, 3 / 19, 0],
        (("top_p", 0.1),): [1, 0, 0, 0],
        (("temperature", 0),): [1, 0, 0, 0],
    }
    for options, expected in closed.items():
        found = shares(**dict(options))
        torch.testing.assert_close(found, torch.tensor(expected).float(), rtol=0, atol=0.012)


def test_the_coldest_draws_take_the_largest():
    """Divided by so little the logits would be infinite, and their softmax no number."""
    logits = torch.tensor([[-40.0, 1.0, 3.0], [-2.0, 90.0, 89.0]])
    for temperature in (1e-3, 1e-38, 1e-46, 5e-324):
        assert sample(logits, temperature).tolist() == [2, 1]


def test_shapes_and_ties():
    assert sample(torch.randn(2, 3, 4, 5)).shape == (2, 3, 4)
    kept = keep_likely(torch.zeros(1, 5), top_k=2)
    assert kept.isfinite().all()  # nothing tells equals apart
    assert keep_likely(torch.zeros(1, 5), top_p=0.4).isfinite().sum() == 2
    assert torch.equal(
        keep_likely(torch.randn(3, 4), top_k=99).isfinite().sum(1), torch.full((3,), 4)
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": -1}, "temperature=-1"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_k": 0}, "top_k=0"),
        ({"top_p": 0}, "top_p=0"),
        ({"top_p": 1.5}, "top_p=1.5"),
    ],
)
def test_bad_sampling_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        sample(torch.zeros(3), **options)


def test_bad_codes_are_named():
    model = make()
    with pytest.raises(TypeError, match="int64, not torch.float32"):
        model(torch.zeros(1, 2, 3))
    with pytest.raises(ValueError, match=r"\[1, 1, 3\]; expected \[B, 2, F\]"):
        model(torch.zeros(1, 1, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="frames=3 leaves nothing"):
        generate(model, 3, prompt=torch.zeros(1, 2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="entries=0"):
        LanguageModelConfig(entries=0)
