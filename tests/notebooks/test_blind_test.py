"""Blind tests: order hidden and balanced, stopping rule fixed, statistics exact, never waiting."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from course_lib import paths
from course_lib.notebook import blind_test
from course_lib.notebook.blind_tests import Session, p_value

TONE = 0.1 * torch.sin(torch.arange(8000) * 0.2)


@pytest.mark.parametrize("trials", [12, 13, 20])
def test_p_values_equal_scipy(trials):
    for hits in range(trials + 1):
        one = binomtest(hits, trials, alternative="greater").pvalue
        two = binomtest(hits, trials, alternative="two-sided").pvalue
        assert p_value(hits, trials, "abx") == pytest.approx(one)
        assert p_value(hits, trials, "preference") == pytest.approx(two)


def answered(kind, choose, seed=0, trials=12):
    session = Session("t", kind, ("first", "second"), 3, trials, seed)
    while not session.done:
        session.answer(choose(session.sources()))
    return session.outcome()


def test_who_hears_the_difference_is_right_every_time():
    def hears(sources):
        return "A" if sources["X"] == sources["A"] else "B"

    def mishears(sources):
        return "B" if sources["X"] == sources["A"] else "A"

    assert answered("abx", hears).hits == 12 and answered("abx", mishears).hits == 0
    assert "12 of 12 right" in str(answered("abx", hears))


def test_preference_counts_votes_for_the_first_whatever_its_place():
    def likes(which):
        return lambda sources: "A" if sources["A"][1] == which else "B"

    assert answered("preference", likes(0)).hits == 12
    assert answered("preference", likes(1)).hits == 0
    assert "you prefer second" in str(answered("preference", likes(1)))


@pytest.mark.parametrize("kind", ["abx", "preference"])
def test_always_the_same_button_is_chance(kind):
    for seed in range(20):
        hits = answered(kind, lambda sources: "A", seed).hits
        assert hits == 6  # places are balanced, so a habit of the hand shows nothing


def test_orders_differ_between_seeds():
    orders = {tuple(Session("t", "abx", ("a", "b"), 3, 12, seed).order) for seed in range(10)}
    assert len(orders) == 10


def test_the_stopping_rule_is_fixed():
    session = Session("t", "abx", ("a", "b"), 1, 12, 0)
    with pytest.raises(ValueError, match="0 of 12 trials"):
        session.outcome()
    for _ in range(12):
        session.answer("A")
    with pytest.raises(ValueError, match="stopped after 12"):
        session.answer("A")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trials": 11}, "at least 12"),
        ({"kind": "mushra"}, "'mushra'"),
        ({"b": [TONE, TONE]}, "1 against 2"),
        ({"a": [], "b": []}, "0 against 0"),
        ({"name": "/"}, "no name for a file"),
        ({"name": "x" * 300}, "no name for a file"),
        ({"a": [TONE * float("nan")]}, "NaN"),
    ],
)
def test_tests_that_prove_nothing_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        blind_test(**({"name": "t", "a": [TONE], "b": [TONE]} | change))


@pytest.fixture
def shown(monkeypatch):
    import IPython.display

    pages = []

    class Handle:
        def update(self, page):
            pages.append(page.data)

    def display(item, display_id=False):
        pages.append(getattr(item, "data", item))
        return Handle() if display_id else None

    monkeypatch.setattr(IPython.display, "display", display)
    return pages


def test_it_is_shown_untaken_then_taken_and_kept(shown, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    assert blind_test("../hiss", [TONE], [TONE * 0.5], names=("clean", "quiet"), seed=1) is None
    assert "Not taken yet" in shown[0] and "12 trials" in shown[0]
    progress, row, buttons = shown[1].children
    players = [box.children[1] for box in row.children]
    assert [box.children[0].value for box in row.children] == ["A", "B", "X"]
    assert all(bytes(p.value[:4]) == b"RIFF" and not p.autoplay for p in players)  # lossless
    a, b = (np.frombuffer(bytes(p.value)[44:], np.int16).astype(int) for p in players[:2])
    assert np.abs(a - b).max() <= 1  # one loudness: nothing to tell
    for trial in range(12):
        assert progress.value == f"Trial {trial + 1} of 12"
        buttons.children[0].click()
    assert "p = " in progress.value and buttons.children[0].disabled
    buttons.children[1].click()  # after the end nothing changes
    kept = json.loads(paths.home("blind_tests", "hiss.json").read_text(encoding="utf-8"))
    assert kept["trials"] == 12 and kept["names"] == ["clean", "quiet"]
    assert f"{kept['hits']} of 12 right" in shown[-1]


def test_without_widgets_a_line_says_so(shown, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    blind_test("hiss", [TONE], [TONE])
    assert "Not taken yet" in shown[0] and len(shown) == 1
    assert "Install ipywidgets" in capsys.readouterr().out
