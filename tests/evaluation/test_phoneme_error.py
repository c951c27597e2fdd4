import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.evaluation.phonemes import edits, phoneme_error, recognised
from course_lib.models.phonemes import PhonemeRecogniser, PhonemeRecogniserConfig

words = st.lists(st.integers(0, 3), max_size=9)


def reference(a, b):
    """Wagner and Fischer 1974, cell by cell."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@settings(deadline=None)
@given(words, words)
def test_edits_are_levenshteins(a, b):
    assert edits(a, b) == reference(a, b) == edits(b, a)


def test_edits_of_symbols():
    assert edits("kitten", "sitting") == 3
    assert edits(("sh", "a"), ["s", "a"]) == 1 and edits((), ("m", "o")) == 2


class Stub(PhonemeRecogniser):
    """Hears "a" where a clip is positive, "m o" where it is negative."""

    def __init__(self):
        super().__init__(PhonemeRecogniserConfig(width=8, layers=1))
        self.batches = []

    def recognise(self, audio):
        assert not self.training
        self.batches.append(len(audio))
        return [("a",) if x.mean() > 0 else ("m", "o") for x in audio]


def test_the_error_counts_edits_over_all_phonemes():
    audio = torch.ones(3, 1, 8)
    audio[1] = -1
    stub = Stub()
    assert phoneme_error(stub, audio, [["a"], ["m", "o"], ["a"]]) == 0
    assert phoneme_error(stub, audio, [["a", "s"], ["o"], ["e"]]) == pytest.approx(3 / 4)
    assert phoneme_error(stub, list(audio), [[], ["m"], ["a"]]) == pytest.approx(1.0)
    assert stub.training
    assert recognised(stub, torch.ones(17, 1, 8)) == [("a",)] * 17
    assert stub.batches[-2:] == [16, 1]


def test_wrong_input_is_refused():
    audio = torch.ones(2, 1, 8)
    with pytest.raises(ValueError, match="2 clips and 1 lyrics"):
        phoneme_error(Stub(), audio, [["a"]])
    with pytest.raises(ValueError, match="'x'.*sh"):
        phoneme_error(Stub(), audio, [["a"], ["x"]])
    with pytest.raises(ValueError, match="called 3: the recogniser knows a, e"):
        phoneme_error(Stub(), audio, [["a", "x"], [3]])  # numbers, or some of both
    with pytest.raises(ValueError, match="at least one"):
        phoneme_error(Stub(), audio, [[], []])
