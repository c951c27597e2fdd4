"""Ranks, recall and mean average precision, by hand, by definition and by chance."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.metrics import (
    chance_map_at_10,
    chance_recall_at,
    mean_average_precision_at_10,
    ranks,
    recall_at,
)


def test_by_hand():
    similarity = torch.tensor([[0.9, 0.1, 0.2], [0.5, 0.4, 0.1], [0.3, 0.2, 0.1]])
    assert ranks(similarity).tolist() == [1, 2, 3]
    assert recall_at(1, similarity) == pytest.approx(1 / 3)
    assert recall_at(2, similarity) == pytest.approx(2 / 3)
    assert mean_average_precision_at_10(similarity) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert ranks(similarity, torch.tensor([2, 0, 0])).tolist() == [2, 1, 1]


def test_beyond_the_tenth_place_nothing_counts():
    similarity = torch.arange(12.0).expand(1, 12)
    places = [mean_average_precision_at_10(similarity, torch.tensor([i])) for i in range(12)]
    assert places[-1] == 1 and places[2] == pytest.approx(1 / 10) and places[:2] == [0, 0]


def test_a_model_that_says_the_same_of_everything_finds_nothing():
    similarity = torch.ones(20, 20)
    assert recall_at(10, similarity) == mean_average_precision_at_10(similarity) == 0


def test_captions_that_come_twice_stand_behind_each_other_unless_given_once():
    audio = torch.eye(3)
    text = audio.clone()
    audio[1] = text[1] = text[0]  # clips 0 and 1 are called the same
    assert ranks(audio @ text.T).tolist() == [2, 2, 1]
    once, right = text[[0, 2]], torch.tensor([0, 0, 1])
    assert ranks(audio @ once.T, right).tolist() == [1, 1, 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(1, 15), st.integers(0, 999), st.booleans())
def test_ranks_are_those_of_a_sorted_list(queries, items, seed, coarse):
    generator = torch.Generator().manual_seed(seed)
    similarity = torch.randn(queries, items, generator=generator)
    similarity = similarity.round() if coarse else similarity  # with ties, or without
    target = torch.randint(items, (queries,), generator=generator)
    for row, right, found in zip(
        similarity, target.tolist(), ranks(similarity, target), strict=True
    ):
        ordered = sorted(range(items), key=lambda i: (-row[i].item(), i == right))
        assert ordered.index(right) + 1 == found


def test_guessing_is_at_chance():
    generator = torch.Generator().manual_seed(0)
    similarity = torch.randn(40_000, 50, generator=generator)
    target = torch.randint(50, (40_000,), generator=generator)
    for k in (1, 5, 10):
        assert recall_at(k, similarity, target) == pytest.approx(chance_recall_at(k, 50), abs=0.008)
    found = mean_average_precision_at_10(similarity, target)
    assert found == pytest.approx(chance_map_at_10(50), abs=0.005)
    assert chance_recall_at(10, 4) == 1 and chance_map_at_10(2) == 0.75


def test_what_can_not_be_ranked_is_refused():
    with pytest.raises(TypeError, match="int64"):
        ranks(torch.ones(2, 2, dtype=torch.int64))
    for bad in (torch.ones(3), torch.ones(0, 2), torch.full((2, 2), torch.nan)):
        with pytest.raises(ValueError, match="expected \\[Q, N\\]"):
            ranks(bad)
    with pytest.raises(ValueError, match="from 0 to 2"):
        ranks(torch.ones(3, 2))
    for target in (torch.tensor([0]), torch.tensor([], dtype=torch.int64)):
        with pytest.raises(ValueError, match="for each of 2 queries"):
            ranks(torch.ones(2, 2), target)
    with pytest.raises(ValueError, match="from -1 to 0"):
        ranks(torch.ones(2, 2), torch.tensor([0, -1]))
    for target, found in ((torch.zeros(2), "float32"), ([0, 1], "list")):
        with pytest.raises(TypeError, match=f"target is .*{found}; expected int64"):
            ranks(torch.ones(2, 2), target)
    with pytest.raises(ValueError, match="at least 1"):
        recall_at(0, torch.ones(2, 2))
    with pytest.raises(ValueError, match="at least 1"):
        chance_map_at_10(0)
