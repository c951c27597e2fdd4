"""The choice among sounds: players, a button each, the first kept until another is."""

import sys

import pytest
import torch

from course_lib.notebook import choose
from course_lib.notebook import choosing as room

SOUNDS = {
    name: 0.3 * torch.sin(torch.arange(16000) * step)
    for name, step in (("low", 0.05), ("high", 0.3))
}


def test_the_first_is_kept_until_another_is_chosen(shown, capsys):
    choice = choose(SOUNDS)
    assert capsys.readouterr().out.strip() == room.STILL
    table, buttons = shown
    assert [row[0] for row in table.rows] == list(buttons.options) == ["low", "high"]
    assert (choice.kept, choice.index) == ("low", 0) and repr(choice) == "Kept: low."
    buttons.value = "high"
    assert (choice.kept, choice.index) == ("high", 1)
    buttons.value = "low"
    assert choice.index == 0


def test_without_widgets_a_line_says_so(shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert choose(SOUNDS).kept == "low"
    assert "Install ipywidgets" in capsys.readouterr().out and len(shown) == 1


def test_a_choice_refuses_what_players_refuse(shown):
    with pytest.raises(ValueError, match="at least one row"):
        choose({})
