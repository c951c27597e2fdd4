import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from course_lib.evaluation.event_rate import event_rate, onset_density, rank_correlation
from course_lib.songbook import Clip
from course_lib.songbook.band import Event


def clip(**notes) -> Clip:
    stems = {
        stem: tuple(Event(onset, 0.5, 60, 0.8) for onset in times) for stem, times in notes.items()
    }
    return Clip(torch.zeros(1, 16000), 16000, 2.0, notes=stems)


def test_onsets_of_all_stems_and_chords_count_once():
    made = clip(lead=(0.0, 0.5, 1.0), chords=(0.5, 0.51, 0.529), bass=(0.54, 1.99, 2.0))
    assert onset_density(made) == 5 / 2  # 0, 0.5, 0.54, 1, 1.99; the clip is over at 2
    assert onset_density(clip()) == 0


def test_a_roll_is_not_one_onset():
    """Each onset is measured from the last that counted, not from the last note."""
    assert onset_density(clip(drums=tuple(0.02 * i for i in range(50)))) == 25 / 2


def test_event_rate_by_hand():
    codes = torch.tensor([[[1, 1, 2, 2, 3], [0, 0, 1, 1, 1]], [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]])
    assert event_rate(codes, 125.0).tolist() == [3 * 125 / 4, 0]
    with pytest.raises(ValueError, match=r"\[2, 2, 1\]; expected \[B, C, F\] with F >= 2"):
        event_rate(codes[..., :1], 125.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_rank_correlation_is_scipy_s(pairs):
    a, b = (list(map(float, x)) for x in zip(*pairs, strict=True))
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert math.isnan(rank_correlation(a, b))
    else:
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)


def test_ranks_alone_count():
    a = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(a, a.exp()) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    with pytest.raises(ValueError, match=r"\[4\] and \[3\]"):
        rank_correlation(a, a[:3])
    with pytest.raises(ValueError, match="1 of 4 pairs hold NaN"):
        rank_correlation([math.nan, 2.0, 3.0, 4.0], a)
