import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.quantize import (
    count_changes,
    run_length_decode,
    run_length_encode,
    stack_events,
)

WORKED = torch.tensor(
    [[5, 5, 5, 5, 8, 8, 8], [2] * 7, [0, 0, 3, 3, 3, 3, 3], [1, 1, 1, 1, 6, 6, 6]]
)  # the example of the module


@st.composite
def channels(draw):
    """Codes [C, F] with runs of all lengths."""
    count, frames = draw(st.integers(1, 5)), draw(st.integers(1, 60))
    levels, stay = draw(st.integers(1, 15)), draw(st.floats(0, 1))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    fresh = torch.randint(levels, (count, frames), generator=generator)
    moves = torch.rand(count, frames, generator=generator) >= stay
    moves[:, 0] = True
    latest = torch.where(moves, torch.arange(frames), 0).cummax(1).values
    return fresh.gather(1, latest)


def test_the_worked_example():
    events = run_length_encode(WORKED)
    assert events.values.tolist() == [5, 2, 0, 1, 3, 8, 6]
    assert events.lengths.tolist() == [4, 7, 2, 4, 5, 3, 3]
    assert events.channels.tolist() == [0, 1, 2, 3, 2, 0, 3]
    assert events.starts.tolist() == [0, 0, 0, 0, 2, 4, 4]


@given(channels(), st.integers(1, 70))
def test_there_and_back(codes, longest):
    events = run_length_encode(codes, longest)
    assert torch.equal(run_length_decode(events.values, events.lengths, len(codes)), codes)
    assert 1 <= events.lengths.min() and events.lengths.max() <= longest
    assert events.lengths.sum() == codes.numel()


@given(channels(), st.integers(1, 70))
def test_events_are_whole_runs_in_the_order_of_the_stream(codes, longest):
    values, lengths, owners, starts = run_length_encode(codes, longest)
    count = len(codes)
    order = starts * count + owners
    assert (order[1:] > order[:-1]).all()
    for channel in range(count):
        mine = owners == channel
        ends = (starts + lengths)[mine]
        assert starts[mine][0] == 0 and torch.equal(starts[mine][1:], ends[:-1])
        same = values[mine][1:] == values[mine][:-1]
        assert (lengths[mine][:-1][same] == longest).all()  # only a run too long is cut
    if longest >= codes.shape[1]:
        assert len(values) == count + count_changes(codes[None]).item()


@given(channels(), st.integers(1, 60))
def test_what_goes_beyond_is_cut(codes, frames):
    events = run_length_encode(codes, 7)
    frames = min(frames, codes.shape[1])
    begun = events.starts < frames
    got = run_length_decode(events.values[begun], events.lengths[begun], len(codes), frames)
    assert torch.equal(got, codes[:, :frames])


def test_streams_become_a_batch():
    streams = [run_length_encode(WORKED), run_length_encode(WORKED[:, :3])]
    batch = stack_events(streams)
    assert batch.values.shape == (2, 7)
    assert batch.lengths[1].tolist() == [3, 3, 2, 3, 1, 0, 0]
    for row, stream in zip(zip(*batch, strict=True), streams, strict=True):
        for part, whole in zip(row, stream, strict=True):
            assert torch.equal(part[: len(whole)], whole) and not part[len(whole) :].any()
    with pytest.raises(ValueError, match="no streams to stack"):
        stack_events([])


@pytest.mark.parametrize(
    "codes, longest, error, words",
    [
        (torch.zeros(2, 3), 5, TypeError, "float32"),
        (torch.zeros(3, dtype=torch.int64), 5, ValueError, r"\[3\]; expected \[C, F\]"),
        (torch.zeros(2, 0, dtype=torch.int64), 5, ValueError, r"\[2, 0\]"),
        (WORKED, 0, ValueError, "longest=0"),
    ],
)
def test_what_cannot_be_coded(codes, longest, error, words):
    with pytest.raises(error, match=words):
        run_length_encode(codes, longest)


@pytest.mark.parametrize(
    "values, lengths, count, frames, error, words",
    [
        ([1, 2], [3, 2], 2, None, ValueError, r"end at frames \[3, 2\]: events are missing"),
        ([1, 2], [3, 2], 2, 3, ValueError, r"\[3, 2\], which is before frame 3"),
        ([], [], 2, None, ValueError, "before frame 0"),
        ([1, 2], [3, 0], 2, None, ValueError, "A run of 0 frames"),
        ([1, 2], [3], 2, None, ValueError, r"\[2\] and lengths \[1\]"),
        ([1, 2], [3, 3], 0, None, ValueError, "0 channels"),
        ([1.0], [1], 1, None, TypeError, "values of events must be int64, not torch.float32"),
        ([1], [1.0], 1, None, TypeError, "lengths of events must be int64"),
    ],
)
def test_streams_that_say_nothing(values, lengths, count, frames, error, words):
    values, lengths = (torch.tensor(x, dtype=None if x else torch.int64) for x in (values, lengths))
    with pytest.raises(error, match=words):
        run_length_decode(values, lengths, count, frames)
