import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.quantize import hysteresis_round

numbers = st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=40)


def one_by_one(z: list[float], margin: float) -> list[float]:
    """The definition, number by number."""
    held = torch.tensor(z[0]).round().item()
    kept = [held]
    for now in z[1:]:
        if abs(now - held) > 0.5 + margin:
            held = torch.tensor(now).round().item()
        kept.append(held)
    return kept


@given(numbers, st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_it_is_its_definition(z, margin):
    got = hysteresis_round(torch.tensor(z, dtype=torch.float64), margin)
    assert got.tolist() == one_by_one(z, margin)


@given(numbers, st.sampled_from([0.0, 0.5, 2.0]))
def test_it_stays_near_and_moves_only_when_it_must(z, margin):
    z = torch.tensor(z, dtype=torch.float64)
    got = hysteresis_round(z, margin)
    assert ((got - z).abs() <= 0.5 + margin).all() and torch.equal(got, got.round())
    moved = got[1:] != got[:-1]
    assert ((z[1:] - got[:-1]).abs()[moved] > 0.5 + margin).all()
    assert ((z[1:] - got[1:]).abs()[moved] <= 0.5).all()


def test_a_number_that_lingers_near_a_half_does_not_flicker():
    z = 2.5 + 0.3 * torch.tensor([1.0, -1.0]).repeat(50)
    plain, held = (hysteresis_round(z, margin) for margin in (0.0, 0.5))
    assert (plain[1:] != plain[:-1]).sum() == 99
    assert (held == held[0]).all()


def test_channels_do_not_mix_and_nothing_is_read(host_reads):
    z = torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    with host_reads() as counter:
        got = hysteresis_round(z, 0.5)
    assert not counter.reads and got.dtype == z.dtype and not got.requires_grad
    for b in range(3):
        for c in range(4):
            assert torch.equal(got[b, c], hysteresis_round(z[b, c], 0.5))


@pytest.mark.parametrize(
    "z, margin, error, words",
    [
        (torch.zeros(3, dtype=torch.int64), 0.5, TypeError, "int64"),
        (torch.zeros(2, 0), 0.5, ValueError, r"\[2, 0\]; expected \[..., F\]"),
        (torch.zeros(()), 0.5, ValueError, r"shape \[\]"),
        (torch.zeros(3), -0.1, ValueError, "margin=-0.1"),
        (torch.zeros(3), float("nan"), ValueError, "margin=nan"),
    ],
)
def test_bad_input_is_named(z, margin, error, words):
    with pytest.raises(error, match=words):
        hysteresis_round(z, margin)
