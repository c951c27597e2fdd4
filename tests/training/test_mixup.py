"""Mixing clips on their beats: shares, partners, starts, windows."""

import pytest
import torch

from course_lib.training import Draws
from course_lib.training.mixup import WITHIN, Beats, mixup, shares, windows

CPU = torch.device("cpu")


def drawing(step: int, items: int) -> Draws:
    return Draws(0, step, range(items), CPU)


def test_each_item_has_its_own_share():
    a, b = torch.ones(3, 2, 4), torch.zeros(3, 2, 4)
    mixed = mixup(a, b, torch.tensor([1.0, 0.25, 0.0]))
    assert mixed[:, 1, 3].tolist() == [1, 0.25, 0]
    assert torch.equal(mixup(a, b, torch.ones(3)), a)


def test_shares_come_from_beta_5_5():
    drawn = shares(drawing(0, 4000))
    assert drawn.mean().item() == pytest.approx(0.5, abs=0.01)
    assert drawn.var().item() == pytest.approx(0.25 / 11, rel=0.1)  # a b / (a + b)^2 (a + b + 1)
    assert drawn.min() > 0 and drawn.max() < 1


def test_starts_are_beats_with_room_behind_them():
    beats = Beats.of([(0.0, 0.5, 1.0, 1.5), (0.31, 2.5), (3.0,)], [120, 60, 90], 50.0, latest=60)
    assert beats.count.tolist() == [3, 1, 1]
    clips = torch.tensor([0, 1, 2] * 40)
    drawn = beats.start(clips, drawing(0, 120), "begin")
    assert set(drawn[clips == 0].tolist()) == {0, 25, 50}
    assert set(drawn[clips == 1].tolist()) == {16}
    assert set(drawn[clips == 2].tolist()) == {0}  # no beat early enough


def test_partners_are_others_of_nearly_the_tempo():
    tempi = [100.0, 109.0, 92.0, 160.0, 120.0]
    beats = Beats.of([()] * 5, tempi, 50.0, latest=0)
    clips = torch.arange(5).repeat(60)
    found = beats.partner(clips, drawing(0, 300))
    drawn = {i: set(found[clips == i].tolist()) for i in range(5)}
    assert drawn == {0: {1, 2}, 1: {0}, 2: {0}, 3: {3}, 4: {4}}  # 120 is 10.1 % above 109
    assert max(tempi[1] / tempi[0], tempi[0] / tempi[2]) < 1 + WITHIN < tempi[4] / tempi[1]


def test_the_order_of_a_pair_does_not_matter():
    """Who may be mixed with whom is symmetric, at the border, too."""
    for other in (109.99, 110.01):
        found = Beats.of([(), ()], [100.0, other], 50.0, latest=0)
        partners = found.partner(torch.tensor([0, 1]), drawing(0, 2)).tolist()
        assert partners == ([1, 0] if other < 110 else [0, 1])


def test_draws_are_of_the_step_alone():
    beats = Beats.of([(0.0, 0.5), (0.0, 0.4), (0.1, 0.6)], [100, 101, 102], 50.0, latest=60)
    clips = torch.tensor([0, 1, 2, 0, 1, 2])

    def drawn(step):
        draws = drawing(step, 6)
        return beats.partner(clips, draws).tolist(), beats.start(clips, draws, "a").tolist()

    assert drawn(3) == drawn(3)
    assert len({str(drawn(step)) for step in range(8)}) > 4


def test_beats_of_two_clips_coincide():
    """Windows from a beat on have their clicks at the same frames."""
    clicks = torch.zeros(2, 1, 120)
    for clip, first in enumerate((7, 19)):
        clicks[clip, 0, first::25] = 1
    beats = [[f / 50 for f in range(first, 120, 25)] for first in (7, 19)]
    known = Beats.of(beats, [120, 120], 50.0, latest=60)
    for step in range(10):
        draws, clips = drawing(step, 2), torch.tensor([0, 1])
        partners = known.partner(clips, draws)
        assert partners.tolist() == [1, 0]
        a = windows(clicks, known.start(clips, draws, "begin"), 50)
        b = windows(clicks[partners], known.start(partners, draws, "other"), 50)
        assert torch.equal(a, b) and a.sum() == 4


def test_windows_by_hand_and_beyond_the_end():
    x = torch.arange(12.0).view(2, 1, 6)
    assert windows(x, torch.tensor([0, 3]), 3).tolist() == [[[0, 1, 2]], [[9, 10, 11]]]
    for start in ([0, 4], [-1, 0], [0]):
        with pytest.raises(ValueError, match="do not fit into"):
            windows(x, torch.tensor(start), 3)


@pytest.mark.parametrize("beats, tempi", [([()], []), ([], []), ([()], [0.0]), ([(), ()], [100.0])])
def test_beats_need_tempi(beats, tempi):
    with pytest.raises(ValueError, match="positive tempo for each clip"):
        Beats.of(beats, tempi, 50.0, 10)
