"""Exercise checks: never raise for an answer, say what is wrong, leave no trace."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from course_lib.notebook import check, checking
from course_lib.notebook.checking import grade
from course_lib.notebook.expecting import expect, expect_close


def double(answer):
    got = answer(torch.tensor([1.0, 2.0]))
    expect_close(got, [1.0, 4.0], "You squared it.", "Times two, not itself.", differs=True)
    expect_close(got, [2.0, 4.0])


def constant(answer):
    expect(isinstance(answer, int), "It is not a whole number.")
    expect(answer == 42, "It is another number.")


def _not_an_exercise(answer):
    raise AssertionError


@pytest.fixture(autouse=True)
def exercises(monkeypatch):
    module = ModuleType("course_lib.notebook.exercises.nb98")
    for function in (double, constant, _not_an_exercise):
        monkeypatch.setattr(function, "__module__", module.__name__)
        setattr(module, function.__name__, function)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    listed = checking.pkgutil.iter_modules

    def with_ours(path):
        return [*listed(path), checking.pkgutil.ModuleInfo(None, "nb98", False)]

    monkeypatch.setattr(checking.pkgutil, "iter_modules", with_ours)


def untouched(x):
    raise NotImplementedError


def given_up(x):
    return ...


def test_right_wrong_and_untouched():
    assert grade("98.double", lambda x: 2 * x).state == "correct"
    squared = grade("98.double", lambda x: x * x)
    assert (squared.state, squared.mistake) == ("wrong", "You squared it.")
    assert squared.hint == "Times two, not itself."
    for stub in (untouched, given_up, lambda x: None, None, ...):
        assert grade("98.double", stub).state == "not done yet"
    assert grade("98.constant", 42).state == "correct"
    assert grade("98.constant", 42.0).mistake == "It is not a whole number."


def test_a_forgotten_return_is_named():
    def forgetful(x):
        doubled = torch.add(x, x)  # noqa: F841

    result = grade("98.double", forgetful)
    assert (result.state, result.mistake) == ("wrong", "your function returned nothing.")


def test_shapes_and_raised_errors_are_told_in_words():
    assert "shape is [1], expected [2]" in grade("98.double", lambda x: x[:1]).mistake
    assert "raised IndexError" in grade("98.double", lambda x: x[5]).mistake
    assert "raised TypeError" in grade("98.double", lambda: 1).mistake
    assert grade("98.double", lambda x: x + float("nan")).state == "wrong"
    assert grade("98.double", 7).state == "wrong"


def test_the_cell_prints_and_never_raises(capsys):
    check("98.double", untouched)
    check("98.double", lambda x: 2 * x)
    check("98.double", lambda x: x * x)
    assert capsys.readouterr().out.splitlines() == [
        "98.double: not done yet.",
        "98.double: correct.",
        "98.double: You squared it.",
        "  Hint: Times two, not itself.",
    ]


def test_names_are_listed_and_unknown_ones_have_neighbours():
    assert {"98.double", "98.constant"} <= set(checking.names())
    assert not any("not_an_exercise" in name for name in checking.names())
    with pytest.raises(KeyError, match="98.double"):
        check("98.duoble", untouched)


def test_the_callers_random_numbers_stay():
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    grade("98.double", lambda x: torch.rand(2))
    assert torch.equal(torch.rand(1), wanted)


def test_expect_close_takes_what_answers_are_made_of():
    expect_close(3, 3.0)
    expect_close([1, 2], torch.tensor([1, 2]))
    expect_close(torch.tensor([1.0], requires_grad=True), [1.0])


def in_pairs_as_an_array(frames, codebooks):
    return np.arange(frames) * ((codebooks + 1) // 2) + np.arange(codebooks)[:, None] // 2


def reading_weights_written_into_the_scores(scores, valid):
    scores.masked_fill_(~valid[:, None], -1e9)
    return scores.softmax(-1)


def classes_of_as_an_array(chroma):
    return np.where(chroma.amax(1) > 0, chroma.argmax(1), 12)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("15.in_pairs", in_pairs_as_an_array),
        ("15.reading_weights", reading_weights_written_into_the_scores),
        ("15b.classes_of", classes_of_as_an_array),
    ],
)
def test_right_answers_of_other_styles_are_right(name, answer):
    result = grade(name, answer)
    assert result.state == "correct", result
