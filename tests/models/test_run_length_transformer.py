import itertools

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import RunLengthTransformer, RunLengthTransformerConfig, write_events
from course_lib.models.run_length_transformer import Standing, standings
from course_lib.quantize import Events, run_length_encode, stack_events

TINY = RunLengthTransformerConfig(channels=2, levels=3, longest=4, width=16, layers=2, heads=2)


def make(**options) -> RunLengthTransformer:
    torch.manual_seed(0)
    model = RunLengthTransformer(RunLengthTransformerConfig(**(vars(TINY) | options))).eval()
    with torch.no_grad():  # far from uniform
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def codes_of(items: int, frames: int, channels: int = 2, levels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    fresh = torch.randint(levels, (items, channels, frames), generator=generator)
    moves = torch.rand(items, channels, frames, generator=generator) > 0.6
    moves[..., 0] = True
    latest = torch.where(moves, torch.arange(frames), 0).cummax(2).values
    return fresh.gather(2, latest)


def events_of(codes: torch.Tensor, longest: int = 4) -> Events:
    return stack_events([run_length_encode(c, longest) for c in codes])


@torch.no_grad()
@pytest.mark.parametrize("frames, longest", [(3, 2), (4, 3), (4, 9)])
def test_the_probabilities_of_all_frames_add_up_to_1(frames, longest):
    """256 clips of two channels of two levels: exactly one stream for each, none left out."""
    model = make(levels=2, longest=longest)
    every = itertools.product((0, 1), repeat=2 * frames)
    codes = torch.tensor(list(every)).view(-1, 2, frames)
    nats = model.nats(events_of(codes, longest))
    assert torch.exp(-nats.double()).sum().item() == pytest.approx(1, abs=1e-5)
    assert nats.std() > 0.1


@torch.no_grad()
def test_padding_and_the_batch_change_nothing():
    model, codes = make(), codes_of(3, 30)
    together = model.nats(events_of(codes))
    alone = [model.nats(events_of(c[None])) for c in codes]
    torch.testing.assert_close(together, torch.cat(alone))
    assert model.loss(events_of(codes)) == pytest.approx(
        together.sum().item() / sum(len(run_length_encode(c, 4).values) for c in codes)
    )


@torch.no_grad()
def test_an_event_sees_the_events_before_alone():
    model = make()
    events = events_of(codes_of(1, 40))
    values, lengths = model(events)
    for n in (3, 9):
        changed = events._replace(values=events.values.clone(), lengths=events.lengths.clone())
        changed.values[0, n] = (events.values[0, n] + 1) % 3
        changed.lengths[0, n] = events.lengths[0, n] % 4 + 1
        other_values, other_lengths = model(changed)
        torch.testing.assert_close(other_values[:, : n + 1], values[:, : n + 1])
        torch.testing.assert_close(other_lengths[:, :n], lengths[:, :n])
        assert not torch.allclose(other_lengths[:, n], lengths[:, n])  # its own value is known
        assert not torch.allclose(other_values[:, n + 1], values[:, n + 1])


def test_standings_by_hand():
    codes = torch.tensor([[5, 5, 5, 8], [2, 2, 2, 2]])
    got = standings(events_of(codes[None], longest=3), 2)
    assert got.channel.tolist() == [[0, 1, 0, 1]]  # 5x3, 2x3, 8x1, 2x1
    assert got.held.tolist() == [[[0, 0], [5, 0], [5, 2], [8, 2]]]
    assert got.run.tolist() == [[[0, 0], [3, 0], [3, 3], [1, 3]]]
    assert got.left.tolist() == [[[0, 0], [3, 0], [0, 0], [1, 0]]]
    assert got.gap.tolist() == [[0, 0, 3, 0]]


@torch.no_grad()
def test_step_by_step_equals_at_once():
    model, codes = make(), codes_of(1, 30)
    events = events_of(codes)
    values, lengths = model(events)
    cache, standing = model.cache(1, events.values.shape[1]), standings(events, 2)
    value, length = torch.tensor([3]), torch.tensor([0])
    for n in range(events.values.shape[1]):
        now = Standing(*(part[:, n] for part in standing))
        features, found = model.step(value, length, now, cache)
        torch.testing.assert_close(found, values[:, n], atol=1e-5, rtol=1e-4)
        value, length = events.values[:, n], events.lengths[:, n]
        found = model.length_given(features, value)
        torch.testing.assert_close(found, lengths[:, n], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_what_is_written_has_the_model_s_probabilities():
    """Two channels of two frames: 16 clips, drawn 4,000 times."""
    model = make(levels=2, longest=3)
    codes = write_events(model, 2, 4000, generator=torch.Generator().manual_seed(0))
    every = torch.tensor(list(itertools.product((0, 1), repeat=4))).view(-1, 2, 2)
    expected = torch.exp(-model.nats(events_of(every, 3)))
    places = (codes.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1)
    found = torch.bincount(places, minlength=16) / 4000
    assert (found - expected).abs().max() < 4 * (0.25 / 4000) ** 0.5


@torch.no_grad()
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_prompt_stays_and_goes_on(temperature):
    model, prompt = make(), codes_of(3, 11)
    options = {"prompt": prompt, "temperature": temperature}
    once, again = (
        write_events(model, 25, generator=torch.Generator().manual_seed(0), **options)
        for _ in range(2)
    )
    assert once.shape == (3, 2, 25) and torch.equal(once[..., :11], prompt)
    assert torch.equal(once, again)


@torch.no_grad()
def test_a_run_at_the_end_of_the_prompt_is_drawn_to_be_at_least_as_long():
    """One channel, two frames of prompt: how often does the run go on?"""
    model = make(channels=1, levels=2, longest=5)
    prompt = torch.zeros(4000, 1, 2, dtype=torch.int64)
    codes = write_events(model, 3, prompt=prompt, generator=torch.Generator().manual_seed(0))
    every = torch.tensor([[[0, 0, 0]], [[0, 0, 1]]])
    p = torch.exp(-model.nats(events_of(every, 5)))
    expected = (p[0] / p.sum()).item()
    assert (codes[:, 0, 2] == 0).float().mean().item() == pytest.approx(expected, abs=0.03)


@torch.no_grad()
def test_a_prompt_is_read_as_its_own_events(monkeypatch):
    """The model is told the events that the encoder would write, open runs at least as long."""
    model, prompt = make(longest=9), codes_of(1, 12)
    told, step = [], model.step

    def spy(value, length, *rest):
        told.append((value.item(), length.item()))
        return step(value, length, *rest)

    monkeypatch.setattr(model, "step", spy)
    write_events(model, 30, prompt=prompt, generator=torch.Generator().manual_seed(0))
    events = run_length_encode(prompt[0], 9)
    for (value, length), *said, end in zip(
        told[1:], events.values.tolist(), events.lengths.tolist(),
        (events.starts + events.lengths).tolist(), strict=False,
    ):  # fmt: skip
        assert value == said[0]
        assert length == said[1] if end < 12 else length >= said[1]


def test_it_learns_what_follows_what():
    """Values that rise by one, lengths that are value + 1: after some steps, little surprise."""
    torch.manual_seed(0)
    model = RunLengthTransformer(TINY)
    channel = torch.tensor([0, 1, 1, 2, 2, 2]).repeat(4)
    codes = torch.stack([channel, channel.roll(1)])[None]
    events = events_of(codes)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    first = model.loss(events).item()
    for _ in range(60):
        optimiser.zero_grad()
        loss = model.loss(events)
        loss.backward()
        optimiser.step()
    assert loss < 0.1 * first


def test_a_step_of_training_reads_nothing(host_reads):
    model, events = make(), events_of(codes_of(2, 20))
    with host_reads() as counter:
        model.loss(events).backward()
    assert not counter.reads


def test_writing_looks_at_the_device_seldom(host_reads):
    from course_lib.models import run_length_sampling

    model = make()
    with host_reads() as counter:
        codes = write_events(model, 60, 2, generator=torch.Generator().manual_seed(0))
    streams = [len(run_length_encode(c, 4).values) for c in codes]
    looks = max(streams) // run_length_sampling.LOOK + 1
    assert len(counter.reads) <= looks


def test_a_checkpoint_brings_back_the_same_model(tmp_path):
    model = make(width=32)
    loaded = checkpoints.read(checkpoints.save(tmp_path, "prior", model, {}))
    events = events_of(codes_of(2, 20))
    torch.testing.assert_close(loaded.nats(events), model.nats(events), atol=0.05, rtol=1e-2)


def test_bad_input_is_named():
    model, events = make(), events_of(codes_of(2, 20))
    with pytest.raises(TypeError, match="values of events must be int64, not torch.float32"):
        model(events._replace(values=events.values.float()))
    with pytest.raises(ValueError, match=r"lengths of events have shape .*expected \[B, N\]"):
        model(events._replace(lengths=events.lengths[:, 1:]))
    with pytest.raises(ValueError, match="values of events have shape"):
        model(Events(*(part[0] for part in events)))
    with pytest.raises(ValueError, match="levels=1"):
        RunLengthTransformerConfig(levels=1)
    with pytest.raises(ValueError, match="frames=5 leaves nothing to write after 5"):
        write_events(model, 5, prompt=torch.zeros(1, 2, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match="0 to 2"):
        write_events(model, 9, prompt=torch.full((1, 2, 5), 3))
