"""What `fit` does in a step, what it writes down, and what it refuses."""

import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from training_runs import Model, data, loss, model, run

from course_lib.training import Tensors, fit, warmup_cosine
from course_lib.training.data import indices

X = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
TARGET = torch.tensor([[1.0, -2.0, 0.5]])


def line_loss(model, batch, draws):
    return (model(batch) - batch @ TARGET.T).square().mean()


def line() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def fit_line(made=None, loss=line_loss, **settings):
    made = line() if made is None else made
    settings = {"steps": 20, "batch_size": 16, "progress": False} | settings
    return made, fit(made, Tensors(X), loss, **settings)


def test_it_learns():
    made, history = fit_line(steps=300, lr=0.1)
    assert torch.allclose(made.weight, TARGET, atol=1e-2)  # weight decay pulls a little
    assert not made.training and history.steps == 300 and history.device == "cpu"
    steps, losses = history.column("loss")
    assert steps == list(range(10, 301, 10)) and losses[-1] < 1e-3 * losses[0]
    with pytest.raises(KeyError, match="No column 'mse'.*gradient_norm"):
        history.column("mse")


def test_it_is_the_plain_loop():
    """Every step by hand: the same items, AdamW, clipping, schedule; rows are means."""
    made, history = fit_line(lr=0.05, warmup=5, clip=0.5, log_every=4)
    hand = line()
    optimizer = torch.optim.AdamW(hand.parameters(), lr=0.05)
    losses, norms = [], []
    for step in range(20):
        optimizer.param_groups[0]["lr"] = 0.05 * warmup_cosine(step, 20, 5)
        value = line_loss(hand, X[indices(0, step, 16, 64)], None)
        optimizer.zero_grad()
        value.backward()
        norms.append(nn.utils.clip_grad_norm_(hand.parameters(), 0.5).item())
        optimizer.step()
        losses.append(value.item())
    assert torch.allclose(made.weight, hand.weight, rtol=0, atol=1e-6)
    for number, row in enumerate(history.rows):
        part = slice(4 * number, 4 * number + 4)
        assert row["step"] == part.stop
        assert row["loss"] == pytest.approx(sum(losses[part]) / 4, rel=1e-5)
        assert row["gradient_norm"] == pytest.approx(sum(norms[part]) / 4, rel=1e-5)
        assert row["lr"] == pytest.approx(0.05 * warmup_cosine(part.stop - 1, 20, 5))


def test_callbacks_get_each_row_and_evaluation_its_turn():
    seen = []

    def evaluate(model):
        assert not model.training and not torch.is_grad_enabled()
        return {"test": model.weight[0, 0].item()}

    made, history = fit_line(
        steps=25,
        evaluate=evaluate,
        evaluate_every=20,
        average=0.5,
        callbacks=[lambda step, row: seen.append((step, row))],
    )
    assert [step for step, _ in seen] == [10, 20, 25]
    assert tuple(row for _, row in seen) == history.rows
    assert history.column("test")[0] == [20, 25]
    assert history.last["test"] == made.weight[0, 0].item()  # both of the averaged weights


def test_the_model_ends_with_averaged_weights():
    steps = []

    def watch(model, batch, draws):
        steps.append(model.weight.detach().clone())
        return line_loss(model, batch, draws)

    made, _ = fit_line(loss=watch, average=0.7, lr=0.05)
    plain, _ = fit_line(lr=0.05)
    average = steps[0]
    for number, weight in enumerate([*steps[1:], plain.weight], start=1):
        decay = min(0.7, (1 + number) / (10 + number))
        average = decay * average + (1 - decay) * weight
    assert torch.allclose(made.weight, average, atol=1e-6)
    assert not torch.allclose(made.weight, plain.weight, atol=1e-4)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.generator, self.discriminator = nn.Linear(3, 3), nn.Linear(3, 1)


def adversarial(model, batch, draws):
    fake = model.generator(batch)
    real, false = model.discriminator(batch), model.discriminator(fake.detach())
    yield "discriminator", {"loss": (1 - real).relu().mean() + (1 + false).relu().mean()}
    yield "generator", {"loss": -model.discriminator(fake).mean(), "size": fake.square().mean()}


def test_two_optimisers_each_move_their_own():
    """Against the loop by hand, in which the other part is frozen."""
    made, hand = Pair(), Pair()
    optimizers = {
        name: torch.optim.AdamW(getattr(made, name).parameters(), lr=lr)
        for name, lr in (("generator", 0.01), ("discriminator", 0.02))
    }
    history = fit(
        made,
        Tensors(X),
        adversarial,
        steps=10,
        batch_size=16,
        warmup=0,
        optimizers=optimizers,
        progress=False,
    )
    g = torch.optim.AdamW(hand.generator.parameters(), lr=0.01)
    d = torch.optim.AdamW(hand.discriminator.parameters(), lr=0.02)
    gradients = {}
    for step in range(10):
        for optimizer, lr in ((g, 0.01), (d, 0.02)):
            optimizer.param_groups[0]["lr"] = lr * warmup_cosine(step, 10, 0)
        batch = X[indices(0, step, 16, 64)]
        losses = adversarial(hand, batch, None)
        for optimizer, part in ((d, hand.discriminator), (g, hand.generator)):
            hand.requires_grad_(True)
            _, values = next(losses)
            hand.requires_grad_(False)
            part.requires_grad_(True)
            optimizer.zero_grad()
            values["loss"].backward()
            nn.utils.clip_grad_norm_(part.parameters(), 1.0)
            optimizer.step()
            gradients |= {id(p): p.grad.clone() for p in part.parameters()}
            hand.zero_grad()
    for name, value in hand.state_dict().items():
        assert torch.allclose(made.state_dict()[name], value, atol=1e-6), name
    for (name, own), p in zip(made.named_parameters(), hand.parameters(), strict=True):
        # The generator's loss, which comes last, left the discriminator's gradients alone.
        assert torch.allclose(own.grad, gradients[id(p)], atol=1e-6), name
    assert {"generator_loss", "generator_size", "discriminator_loss"} <= history.last.keys()


def test_two_optimisers_resume(tmp_path):
    def go(folder, steps):
        made = Pair()
        parts = {
            name: torch.optim.AdamW(getattr(made, name).parameters(), lr=0.01)
            for name in ("generator", "discriminator")
        }
        settings = {"warmup": 100, "optimizers": parts, "folder": folder, "progress": False}
        if steps < 40:  # stopped by its own loss, so that the schedule is the same

            def stopping(model, batch, draws):
                if draws.step == steps:
                    raise RuntimeError
                yield from adversarial(model, batch, draws)

            with pytest.raises(RuntimeError):
                fit(made, Tensors(X), stopping, steps=40, save_seconds=0, **settings)
        else:
            fit(made, Tensors(X), adversarial, steps=40, **settings)
        return made

    whole = go(None, 40)
    go(tmp_path, 17)
    for name, value in go(tmp_path, 40).state_dict().items():
        assert torch.equal(value, whole.state_dict()[name]), name


def test_an_optimiser_may_start_late(tmp_path):
    """A discriminator that joins later has no state in what was saved before."""

    def go(folder, stop):
        made = Pair()
        parts = {
            name: torch.optim.AdamW(getattr(made, name).parameters(), lr=lr)
            for name, lr in (("generator", 0.01), ("discriminator", 0.02))
        }

        def loss(model, batch, draws):
            if draws.step == stop:
                raise RuntimeError
            yield "generator", -model.discriminator(model.generator(batch)).mean()
            if draws.step >= 14:
                yield "discriminator", model.discriminator(batch).square().mean()

        settings = {"optimizers": parts, "folder": folder, "progress": False}
        history = fit(made, Tensors(X), loss, steps=20, save_seconds=0, warmup=0, **settings)
        return made, history

    whole, history = go(None, None)
    with pytest.raises(RuntimeError):
        go(tmp_path, 12)
    for name, value in go(tmp_path, None)[0].state_dict().items():
        assert torch.equal(value, whole.state_dict()[name]), name
    assert history.last["lr"] == pytest.approx(0.01 * warmup_cosine(19, 20, 0))  # of the first


def test_float64_stays_float64():
    made = line().double()
    seen = []

    def double_loss(model, batch, draws):
        seen.append(model(batch.double()).dtype)
        return (model(batch.double()) - batch.double() @ TARGET.T.double()).square().mean()

    fit_line(made, double_loss, steps=2)
    assert made.weight.dtype == torch.float64 and set(seen) == {torch.float64}


class Reads(TorchDispatchMode):
    """Counts the operators that make the host wait for a number from the device.

    What a kernel calls by itself isn't seen, such as the CPU's AdamW reading its step counters,
    which lie on the CPU.
    """

    names = ("_local_scalar_dense", "is_nonzero", "nonzero", "equal", "masked_select")
    count = 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        self.count += operator.overloadpacket.__name__ in self.names
        return operator(*args, **(kwargs or {}))


def reads(steps: int, loss=loss) -> int:
    """How often a run with quantizer, revival and averages looks at a number of a tensor."""
    made = model()
    settings = {"batch_size": 8, "average": 0.9, "log_every": 1000, "progress": False}
    fit(made, data(), loss, steps=1, **settings)  # k-means on the first batch may look
    with Reads() as seen:
        fit(made, data(), loss, steps=steps, **settings)
    return seen.count


def test_a_step_reads_nothing_back_from_the_device():
    """Runs that differ only in the steps before their one row look equally often."""
    assert reads(30) == reads(10)


def test_the_count_finds_a_read():
    def looking(model, batch, draws):
        value = loss(model, batch, draws)
        return value if value["loss"] > 0 else {}

    assert reads(30, looking) == reads(10) + 30


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_run(tmp_path, bad):
    def breaking(model, batch, draws):
        return loss(model, batch, draws)["loss"] * (bad if draws.step == 7 else 1)

    with pytest.raises(FloatingPointError, match=r"loss became (nan|inf) in steps 7 to 9: lower"):
        run(tmp_path, breaking)
    _, history = run(tmp_path)  # from the last whole state
    assert history.steps == 24 and all(math.isfinite(row["loss"]) for row in history.rows)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"steps": 0}, "steps=0 must be at least 1"),
        ({"batch_size": 0}, "batch_size=0 must be"),
        ({"log_every": 0}, "log_every=0"),
        ({"average": 1.0}, "decay of averaged weights"),
    ],
)
def test_settings_out_of_range_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        fit_line(**settings)


@pytest.mark.parametrize(
    "returned, error, words",
    [
        (lambda value: None, TypeError, "returned None; expected a tensor"),
        (lambda value: {"mse": value}, TypeError, r"a dict of \['mse'\]"),
        (lambda value: value[None], ValueError, r"'loss' of shape \[1\]; expected a scalar"),
        (lambda value: {"loss": value, "a": value[None, None]}, ValueError, r"'a' of shape"),
        (lambda value: iter_of(value), ValueError, "yields 'critic', but optimizers are model"),
    ],
)
def test_a_loss_that_is_no_scalar_is_named(returned, error, words):
    with pytest.raises(error, match=words):
        fit_line(loss=lambda *step: returned(line_loss(*step)))


def iter_of(value):
    yield "critic", value


def test_empty_and_uneven_data_are_refused():
    with pytest.raises(ValueError, match="data set is empty"):
        fit(line(), Tensors(X[:0]), line_loss, steps=1, progress=False)
    with pytest.raises(ValueError, match=r"one length; these have \[64, 3\]"):
        Tensors(X, X[:3])
    with pytest.raises(ValueError, match="one length"):
        Tensors()


def test_the_bar_is_shown_if_asked(capsys):
    fit_line(progress=True)
    assert "20/20" in capsys.readouterr().err
    fit_line()
    assert capsys.readouterr() == ("", "")


def test_the_runs_of_these_tests_revive_and_drop_out():
    """The small model does contain what is hard to resume."""
    made, history = run(None)
    assert isinstance(made, Model) and made.quantize.step == 24
    assert history.last["mse"] < history.rows[0]["mse"]
