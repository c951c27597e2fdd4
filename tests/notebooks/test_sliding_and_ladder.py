"""The slider that plays, and the clips of the listening ladder."""

import sys

import pytest
import torch

from course_lib import songbook
from course_lib.notebook import form, ladder_clips, show_matrix, slide
from course_lib.notebook import sliding as room

SOUNDS = {
    name: 0.3 * torch.sin(torch.arange(16000) * step)
    for name, step in (("low", 0.05), ("middle", 0.1), ("high", 0.3))
}


def test_moving_the_slider_plays_the_sound_of_its_place(shown):
    slide(SOUNDS, title="pitch")
    slider, place = shown[0].children
    assert list(slider.options) == list(SOUNDS) and slider.description == "pitch"
    (before,), _ = form.media(place.value)
    assert before["aria-label"] == "low" and "autoplay" not in before, "silent until it is moved"
    slider.value = "high"
    (after,), _ = form.media(place.value)
    assert after["aria-label"] == "high" and "autoplay" in after
    assert after["src"] != before["src"]


def test_a_committed_notebook_says_where_the_slider_was(shown, capsys):
    slide(SOUNDS)
    assert capsys.readouterr().out.strip() == room.STILL


def test_without_widgets_a_line_says_so(shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    slide(SOUNDS)
    assert "ipywidgets" in capsys.readouterr().out and shown == []


def test_a_slider_refuses_what_players_refuse(shown):
    with pytest.raises(ValueError, match="at least one row"):
        slide({})


def test_the_ladder_has_two_held_out_clips_and_mine(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    clips = ladder_clips()
    first, second, mine = clips
    assert mine == "mine" and first in songbook.STYLES and second in songbook.STYLES
    assert {c.audio.shape for c in clips.values()} == {(1, 64000)}
    assert not clips[first].attributes.drums and clips[second].attributes.drums
    again = ladder_clips()
    assert all(torch.equal(again[name].audio, clip.audio) for name, clip in clips.items())


def test_a_matrix_can_grow_upwards():
    values = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    assert show_matrix(values).png == show_matrix(values, upwards=False).png
    assert show_matrix(values, upwards=True).png != show_matrix(values).png
