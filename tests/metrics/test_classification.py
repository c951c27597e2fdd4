"""Balanced accuracy and macro F1 against scikit-learn's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@settings(max_examples=60, deadline=None)
@given(pairs)
def test_equal_to_sklearn_for_classes(rows):
    from sklearn.metrics import balanced_accuracy_score, f1_score

    predicted, target = torch.tensor(rows).T
    p, t = predicted.numpy(), target.numpy()
    assert metrics.balanced_accuracy(predicted, target) == pytest.approx(
        balanced_accuracy_score(t, p)
    )
    assert metrics.macro_f1(predicted, target) == pytest.approx(
        f1_score(t, p, average="macro", zero_division=0)
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(2, 6), st.integers(0, 99))
def test_equal_to_sklearn_for_labels(n, labels, seed):
    from sklearn.metrics import f1_score

    generator = torch.Generator().manual_seed(seed)
    predicted, target = torch.randint(0, 2, (2, n, labels), generator=generator).bool()
    assert metrics.macro_f1(predicted, target) == pytest.approx(
        f1_score(target.numpy(), predicted.numpy(), average="macro", zero_division=0)
    )


def test_the_majority_class_earns_nothing():
    target = torch.tensor([0] * 98 + [1, 1])
    assert metrics.balanced_accuracy(torch.zeros(100).long(), target) == 0.5


@pytest.mark.parametrize("metric", [metrics.balanced_accuracy, metrics.macro_f1])
@pytest.mark.parametrize(
    "predicted, error, words",
    [
        (torch.tensor([0.2, 0.8]), TypeError, "argmax"),
        (torch.tensor([0, 1, 1]), ValueError, "the same"),
        (torch.zeros(2, 2, 2).long(), ValueError, "the same"),
    ],
)
def test_wrong_input_is_named(metric, predicted, error, words):
    with pytest.raises(error, match=words):
        metric(predicted, torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="not empty"):
        metric(torch.zeros(0).long(), torch.zeros(0).long())
