"""The text tower: padding changes nothing, words and their order do."""

import pytest
import torch

from course_lib.models import TextTower, TextTowerConfig

TEXTS = ["a slow waltz", "a fast tune on a flute"]


@pytest.fixture
def tower() -> TextTower:
    torch.manual_seed(0)
    words = ("a", "fast", "flute", "on", "slow", "tune", "waltz")
    return TextTower(TextTowerConfig(words, width=16, layers=2, heads=2, longest=8)).eval()


@torch.no_grad()
def test_states_of_a_sentence_do_not_hang_on_its_neighbours(tower):
    both, alone = tower.read(TEXTS), tower.read(TEXTS[:1])
    assert both.states.shape == (2, 7, 16) and alone.states.shape == (1, 4, 16)
    assert torch.equal(both.valid.sum(1), torch.tensor([4, 7]))
    torch.testing.assert_close(both.states[:1, :4], alone.states)
    torch.testing.assert_close(both.pooled[:1], alone.pooled)
    torch.testing.assert_close(both.pooled, both.states[:, 0])


@torch.no_grad()
def test_what_stands_in_padding_changes_nothing(tower):
    ids, valid = tower.encode(TEXTS)
    changed = ids.masked_fill(~valid, 5)
    assert not torch.equal(changed, ids)
    states, other = tower(ids, valid), tower(changed, valid)
    torch.testing.assert_close(states.states[valid], other.states[valid])
    # Without the mask it would: the check can fail.
    assert (tower(changed, torch.ones_like(valid)).pooled - states.pooled).abs().max() > 1e-3


@torch.no_grad()
def test_words_and_their_order_change_the_summary(tower):
    pooled = tower.read(["slow waltz", "fast waltz", "waltz slow", "slow waltz"]).pooled
    torch.testing.assert_close(pooled[0], pooled[3])
    for other in (1, 2):
        assert (pooled[0] - pooled[other]).abs().max() > 1e-3


@torch.no_grad()
def test_empty_long_and_foreign_texts_have_a_summary(tower):
    found = tower.read(["", "waltz " * 400, "慢い", "🎷"])
    assert found.states.shape == (4, 8, 16) and found.pooled.isfinite().all()
    cut = tower.read(["waltz " * 7]).pooled  # the eighth token is the last that is read
    torch.testing.assert_close(found.pooled[1:2], cut)


def test_configurations_are_checked():
    with pytest.raises(ValueError, match="longest=0"):
        TextTowerConfig(longest=0)
    with pytest.raises(ValueError, match="comes twice"):
        TextTower(TextTowerConfig(words=("a", "a")))
