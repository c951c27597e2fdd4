"""BLEU by hand and by the examples of its paper, and the recall of facts."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.metrics.text import attribute_recall, bleu

# Papineni et al. 2002, examples 1 and 2.
REFERENCES = (
    "It is a guide to action that ensures that the military will forever heed Party commands",
    "It is the guiding principle which guarantees the military forces always being under the "
    "command of the Party",
    "It is the practical guide for the army always to heed the directions of the party",
)
FIRST = (
    "It is a guide to action which ensures that the military always obeys the commands of the party"
)
SECOND = "It is to insure the troops forever hearing the activity guidebook that party direct"


def test_precisions_of_the_papers_examples():
    # Section 2.1: modified unigram precisions 17/18 and 8/14, bigram precisions 10/17 and 1/13.
    assert bleu([FIRST], [REFERENCES], 1) == pytest.approx(17 / 18)
    assert bleu([FIRST], [REFERENCES], 2) == pytest.approx(math.sqrt(17 / 18 * 10 / 17))
    penalty = math.exp(1 - 16 / 14)  # the references have 16, 18 and 16 words
    assert bleu([SECOND], [REFERENCES], 1) == pytest.approx(8 / 14 * penalty)
    assert bleu([SECOND], [REFERENCES], 2) == pytest.approx(math.sqrt(8 / 14 / 13) * penalty)
    assert bleu([SECOND], [REFERENCES], 4) == 0
    words = ["the the the the the the the"]
    both = [["The cat is on the mat", "There is a cat on the mat"]]
    assert bleu(words, both, 1) == pytest.approx(2 / 7)


def test_counts_are_pooled_over_texts():
    # 2 of 3 and 3 of 4 words right; 1 of 2 and 2 of 3 pairs; as long as the references.
    texts, references = ["a slow waltz", "a fast soul number"], ["a slow tango", "a fast soul song"]
    expected = math.sqrt(5 / 7 * 3 / 5)
    assert bleu(texts, [[r] for r in references], 2) == pytest.approx(expected)


def test_brevity_costs_and_the_nearest_reference_counts():
    assert bleu(["a b"], [["a b c d"]], 1) == pytest.approx(math.exp(1 - 4 / 2))
    assert bleu(["a b"], [["a b c d", "a b c"]], 1) == pytest.approx(math.exp(1 - 3 / 2))
    assert bleu(["a b c"], [["a b", "a b c d"]], 1) == 1  # 2 and 4 are as near: the shorter counts
    assert bleu(["a b c d"], [["a b"]], 1) == 0.5


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=5, max_size=9), min_size=1, max_size=4),
    st.integers(1, 4),
)
def test_a_text_among_its_references_scores_1_and_nothing_scores_more(texts, n):
    lines = [" ".join(text) for text in texts]
    assert bleu(lines, [[line, "x y z"] for line in lines], n) == pytest.approx(1)
    assert 0 <= bleu(lines, [["a b c d"]] * len(lines), n) <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([], []), "expected pairs"),
        ((["a"], []), "1 candidates and 0"),
        ((["a"], [[]]), "at least one reference"),
        ((["a"], ["a"]), "list of at least one"),
        ((["a"], [["a"]], 0), "n=0"),
    ],
)
def test_what_bleu_cannot_score(arguments, said):
    with pytest.raises(ValueError, match=said):
        bleu(*arguments)


def test_recall_counts_each_attribute_the_same():
    wanted = [{("style", "waltz"), ("drums", "no")}, {("style", "soul"), ("instruments", "organ")}]
    said = [{("style", "waltz"), ("drums", "yes")}, {("style", "house"), ("instruments", "organ")}]
    found = attribute_recall(said, wanted)
    assert found == {"drums": 0, "instruments": 1, "style": 0.5, "mean": 0.5}
    assert attribute_recall(wanted, wanted)["mean"] == 1
    assert attribute_recall([s | w for s, w in zip(said, wanted, strict=True)], wanted)["mean"] == 1
    with pytest.raises(ValueError, match="No fact is wanted"):
        attribute_recall([{("style", "soul")}], [set()])
    with pytest.raises(ValueError, match="2 sets that are said and 1"):
        attribute_recall(said, wanted[:1])
