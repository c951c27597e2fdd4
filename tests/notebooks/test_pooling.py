"""A class's blind tests pooled: exact statistics, and nothing believed of a file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from course_lib.cli import main
from course_lib.notebook.blind_tests import Outcome
from course_lib.notebook.pooling import Pooled, pool

ABX = {"name": "16_steps", "kind": "abx", "names": ["8 steps", "50 steps"], "trials": 12}


def hand_in(folder, listener, file="16_steps.json", **more):
    path = folder / listener / "blind_tests" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(ABX | {"hits": 8, "p_value": 0.0} | more))
    return path


def test_what_nobody_alone_can_show_many_may(tmp_path):
    for listener in ("ada", "bo", "cy", "di"):
        hand_in(tmp_path, listener)
    (test,), left_out = pool(tmp_path)
    assert not left_out and (test.hits, test.trials, len(test.outcomes)) == (32, 48, 4)
    assert all(outcome.p_value > 0.05 for outcome in test.outcomes.values())  # computed anew
    assert test.p_value == pytest.approx(binomtest(32, 48, alternative="greater").pvalue)
    assert "32 of 48 right, 0 alone below 0.05, p = 0.0147: the difference is heard." in str(test)


def test_a_taste_is_one_vote_a_listener(tmp_path):
    for listener, hits in {"ada": 12, "bo": 12, "cy": 0, "di": 6}.items():
        hand_in(tmp_path, listener, kind="preference", hits=hits)
    (test,), _ = pool(tmp_path)
    assert test.for_first() == (2, 3)  # who is divided has no vote
    assert test.p_value == pytest.approx(binomtest(2, 3).pvalue)
    assert "2 of 3 prefer 8 steps (30 of 48 votes), p = 1: no preference shown." in str(test)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=9))
def test_a_preference_has_no_side(votes):
    def pooled(hits, names):
        told = {str(i): Outcome("t", "preference", names, 12, n, 1) for i, n in enumerate(hits)}
        return Pooled("t", "preference", names, told)

    there, back = pooled(votes, ("a", "b")), pooled([12 - n for n in votes], ("b", "a"))
    assert there.p_value == back.p_value
    if there.p_value < 0.05:
        assert str(there).split(": ")[-1] == str(back).split(": ")[-1]


def test_tests_of_other_kinds_or_sounds_are_not_mixed(tmp_path):
    hand_in(tmp_path, "ada")
    hand_in(tmp_path, "bo", kind="preference")
    hand_in(tmp_path, "cy", names=["8 steps", "100 steps"])
    assert len(pool(tmp_path)[0]) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hits": 13}, "13 of 12"),
        ({"hits": -1}, "-1 of 12"),
        ({"hits": True}, "True of 12"),
        ({"hits": 8.0}, "8.0 of 12"),
        ({"trials": 11}, "8 of 11"),
        ({"trials": 10**9}, "1000000000"),
        ({"kind": "mushra"}, "'mushra'"),
        ({"names": ["a"]}, "no names"),
        ({"names": "ab"}, "no names"),
        ({"name": "\x1b[2J"}, "no names"),
        ({"names": ["a" * 201, "b"]}, "no names"),
    ],
)
def test_what_cannot_be_is_left_out_in_words(tmp_path, change, said):
    hand_in(tmp_path, "ada")
    hand_in(tmp_path, "eve", **change)
    (test,), left_out = pool(tmp_path)
    assert list(test.outcomes) == ["ada"] and len(left_out) == 1 and said in left_out[0]


def test_damaged_large_and_linked_files_are_left_out(tmp_path):
    hand_in(tmp_path, "ada")
    hand_in(tmp_path, "bo").write_text("{")
    hand_in(tmp_path, "cy").write_text("[" * 50_000)
    hand_in(tmp_path, "di").write_text(" " * 70_000)
    (tmp_path / "eve").symlink_to(tmp_path / "ada")
    hand_in(tmp_path, "fay").unlink()
    (tmp_path / "fay" / "blind_tests" / "16_steps.json").symlink_to(hand_in(tmp_path, "ada"))
    (test,), left_out = pool(tmp_path)
    assert list(test.outcomes) == ["ada"] and len(left_out) == 3
    assert "70,000 bytes" in left_out[2]


def test_nobody_counts_twice(tmp_path):
    hand_in(tmp_path, "ada")
    hand_in(tmp_path, "ada", "again.json", hits=12)
    (test,), left_out = pool(tmp_path)
    assert test.trials == 12 and "ada counts once" in left_out[0]


def test_the_command_prints_a_line_a_test(tmp_path, capsys):
    hand_in(tmp_path, "ada")
    hand_in(tmp_path, "bo", hits=99)
    assert main(["listen", "merge", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("16_steps (8 steps against 50 steps, abx): 1 listener, 8 of 12")
    assert "99 of 12" in told.err


@pytest.mark.parametrize("there", [True, False])
def test_without_results_it_says_what_was_expected(tmp_path, capsys, there):
    assert main(["listen", "merge", str(tmp_path if there else tmp_path / "none")]) == 2
    assert "xpected" in capsys.readouterr().err
