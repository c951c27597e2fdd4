"""Verdicts on made-up numbers, one for each way a claim can end."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.tables import claims
from course_lib.tables.claims import HOLDS, NOT_TESTED, REVERSED, UNDECIDED, Claim, judge


def claim(direction="lower", smallest=0.1, relative=False):
    return Claim("A beats B.", "mse", direction, "A", "B", smallest, relative)


B = [1.0, 1.1, 0.9]


@pytest.mark.parametrize(
    "direction, a, words, why",
    [
        ("lower", [0.5, 0.61, 0.41], HOLDS, "an effect that matters"),
        ("lower", [1.5, 1.61, 1.41], REVERSED, "the other way"),
        ("higher", [1.5, 1.61, 1.41], HOLDS, "an effect that matters"),
        ("higher", [0.5, 0.61, 0.41], REVERSED, "the other way"),
        ("lower", [0.2, 1.4, 0.9], UNDECIDED, "effects that matter and others"),
        ("lower", [0.95, 1.04, 0.86], UNDECIDED, "smaller than what matters"),
        ("lower", [0.9, 1.04, 0.7], UNDECIDED, "effects that matter and others"),
        ("same", [1.01, 1.1, 0.92], HOLDS, "within what matters"),
        ("same", [1.5, 1.61, 1.41], REVERSED, "beyond what matters"),
        ("same", [0.5, 0.61, 0.41], REVERSED, "beyond what matters"),
        ("same", [1.2, 1.1, 0.9], UNDECIDED, "reaches beyond"),
    ],
)
def test_verdicts(direction, a, words, why):
    verdict = judge(claim(direction), a, B)
    assert verdict.words == words and why in verdict.why and verdict.seeds == 3


def test_pairing_decides_what_the_means_leave_open():
    """Seeds differ by far more than rows do, but the difference is the same in each."""
    than = [1.0, 5.0, 9.0]
    better = [0.79, 4.81, 8.8]
    assert judge(claim(), better, than).words == HOLDS
    assert judge(claim(), better[::-1], than).words == UNDECIDED


def test_interval_is_students():
    """By hand: 1, 2, 3 have mean 2, deviation 1, t(2, 0.975) = 4.3027."""
    mean, low, high = claims.interval([1, 2, 3])
    assert mean == 2 and high - mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert mean - low == pytest.approx(high - mean)
    with pytest.raises(ValueError, match="two seeds, not 1"):
        claims.interval([1.0])


def test_relative_effects_are_fractions_of_the_other_row():
    a, b = [0.9, 1.81, 2.7], [1.0, 2.0, 3.0]
    assert judge(claim(smallest=0.05, relative=True), a, b).words == HOLDS
    assert judge(claim(smallest=0.2, relative=True), a, b).words == UNDECIDED
    effect = judge(claim(smallest=0.05, relative=True), a, b).effect
    assert effect == pytest.approx((0.1 + 0.19 / 2 + 0.1) / 3)


def test_one_seed_nan_and_what_is_impossible():
    assert judge(claim(), [0.1], [1.0]).words == UNDECIDED
    assert "not end with a number" in judge(claim(), [0.1, math.nan], [1.0, 1.0]).why
    assert "not end with a number" in judge(claim(relative=True), [0.1, 0.1], [1.0, 0.0]).why
    spoken = Claim("Listeners prefer A.", impossible="it takes listeners")
    assert judge(spoken, [], []).words == NOT_TESTED
    assert judge(spoken, [], []).why == "it takes listeners"


def test_equal_rows_hold_nothing():
    for smallest in (0.0, 0.1):
        assert judge(claim(smallest=smallest), B, B).words == UNDECIDED


@pytest.mark.parametrize(
    "wrong",
    [
        {"direction": "best"},
        {"metric": ""},
        {"than": ""},
        {"smallest": -1},
        {"direction": "same", "smallest": 0},
    ],
)
def test_a_claim_that_no_number_could_contradict_is_refused(wrong):
    with pytest.raises(ValueError):
        Claim(**{"sentence": "A", "metric": "mse", "better": "A", "than": "B"} | wrong)


numbers = st.lists(st.floats(-100, 100), min_size=2, max_size=6)


@given(numbers, st.data(), st.floats(0.001, 10))
def test_turning_a_claim_round_turns_the_verdict(a, data, smallest):
    b = data.draw(st.lists(st.floats(-100, 100), min_size=len(a), max_size=len(a)))
    one = judge(claim("lower", smallest), a, b).words
    other = judge(claim("lower", smallest), b, a).words
    turned = judge(claim("higher", smallest), b, a).words
    opposite = {HOLDS: REVERSED, REVERSED: HOLDS, UNDECIDED: UNDECIDED}
    assert other == opposite[one] and turned == one
    if one != UNDECIDED:
        assert judge(claim("same", smallest), a, b).words != HOLDS or max(
            abs(x - y) for x, y in zip(a, b, strict=True)
        ) == pytest.approx(smallest)
