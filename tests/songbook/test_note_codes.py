"""Tunes as codes: there and back, and what has no code."""

from dataclasses import replace

import pytest
import torch

from course_lib import songbook
from course_lib.songbook import note_codes
from course_lib.songbook.score import Note, Score
from course_lib.songbook.timing import bar_ticks


def tune(notes, mode="major", metre=(4, 4), tonic=0):
    notes = tuple(Note(*n) for n in notes)
    return Score("t", "", "", -1, "", tonic, mode, metre, 0, (notes,))


def test_almost_every_work_comes_back_as_it_went():
    kept = 0
    for score in songbook.scores("test"):
        try:
            codes = note_codes.encode(score, 1000)
        except ValueError:
            continue
        kept += 1
        back = note_codes.decode(codes, score.tonic)
        first = score.voices[0][0].onset
        want = [(n.onset - first, n.duration, n.pitch) for n in score.voices[0]]
        assert [(n.onset, n.duration, n.pitch) for n in back.voices[0]] == want
        assert (back.mode, back.metre) == (score.mode, score.metre)
        if first == 0:
            assert back.pickup == score.pickup % bar_ticks(score.metre)
        assert codes.max() <= note_codes.NOTHING and codes.min() >= 0
    assert kept >= 0.95 * len(songbook.scores("test"))


def test_a_tune_has_the_same_codes_in_every_key():
    a = tune([(0, 24, 60), (24, 12, 64)])
    b = tune([(0, 24, 62), (24, 12, 66)], tonic=2)
    assert torch.equal(note_codes.encode(a, 8), note_codes.encode(b, 8))


def test_a_rest_the_end_and_nothing():
    codes = note_codes.encode(tune([(0, 24, 60), (36, 12, 64)]), 7)
    assert codes.tolist() == [[48, 20, 0, 24, 63, 64, 64], [51, 7, 5, 5, 63, 64, 64]]


def test_a_pickup_is_a_bar_begun_with_rests():
    upbeat = tune([(0, 12, 60), (12, 24, 64)])
    upbeat = replace(upbeat, pickup=12)
    codes = note_codes.encode(upbeat, 5)  # 84 ticks of rest before the eighth
    assert codes.tolist() == [[48, 0, 0, 20, 24], [51, 13, 5, 5, 7]]
    assert note_codes.decode(codes, tonic=0).pickup == 12


def test_what_has_no_code_is_named():
    with pytest.raises(ValueError, match="7 ticks"):
        note_codes.encode(tune([(0, 7, 60)]), 8)
    with pytest.raises(ValueError, match="outside"):
        note_codes.encode(tune([(0, 24, 100)]), 8)
    with pytest.raises(ValueError, match="lydian"):
        note_codes.encode(tune([(0, 24, 60)], mode="lydian"), 8)


def test_codes_that_are_no_tune_are_refused():
    with pytest.raises(ValueError, match=r"\[2, F\]"):
        note_codes.decode(torch.zeros(3, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="Frame 0"):
        note_codes.decode(torch.zeros(2, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="no note"):
        note_codes.decode(torch.tensor([[48, 63], [51, 63]]))


def test_stray_codes_are_passed_over():
    codes = torch.tensor([[48, 20, 50, 24, 63], [51, 7, 7, 40, 63]])
    assert len(note_codes.decode(codes).voices[0]) == 1
