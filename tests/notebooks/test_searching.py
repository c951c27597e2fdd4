"""The search box: the nearest clips first, unknown words struck out, and a fallback."""

import sys

import pytest
import torch

from course_lib import songbook
from course_lib.models import CLAP, AudioTowerConfig, CLAPConfig, TextTowerConfig
from course_lib.notebook import form
from course_lib.notebook import searching as room


@pytest.fixture(scope="module")
def clips():
    return songbook.load("test", songbook.Size(1, 1, 5, 1.0), progress=False)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    tower = AudioTowerConfig(mels=20, channels=(8, 8), width=16, layers=0)
    words = TextTowerConfig(("a", "slow", "waltz"), width=16, layers=1, heads=2)
    return CLAP(CLAPConfig(tower, words, embedding=8)).eval()


@torch.no_grad()
def test_the_nearest_clips_come_first(model, clips):
    wanted = model.embed_text(["a slow waltz"])[0]
    vectors = torch.nn.functional.normalize(torch.randn(5, 8), dim=-1)
    vectors[3], vectors[1] = wanted, torch.nn.functional.normalize(wanted + 0.1, dim=0)
    found = room.find("a slow waltz", model, clips, vectors, count=2)
    assert list(found.cosines) == [3, 1] and found.cosines[3] == pytest.approx(1)
    labels = [each["aria-label"] for each in form.media(found._repr_html_())[0]]
    style = clips.attributes(3).style.replace("_", " ")
    assert len(labels) == 2 and labels[0] == f"1. {style}, cosine 1.00"
    assert len(room.find("", model, clips, vectors, count=99).cosines) == 5
    again = room.find("a slow waltz", model, clips, vectors.double().requires_grad_(), count=2)
    assert again.cosines == pytest.approx(found.cosines)


@pytest.mark.parametrize("text", ["", "🎻🎺", "вальс", "zither " * 500])
def test_where_nothing_is_known_a_line_says_what_the_finds_are_worth(model, clips, text):
    found = room.find(text, model, clips, torch.eye(5, 8))
    assert "has nothing to do with it" in found._repr_html_() and "plays" not in repr(found)


def test_without_vectors_those_of_the_clips_are_computed(model, clips, shown):
    with torch.no_grad():
        vectors = model.embed_audio(clips.batch(range(5)))
    room.search(model, clips, first="waltz")
    assert shown[0].cosines == pytest.approx(room.find("waltz", model, clips, vectors).cosines)


def test_the_box_searches_again_and_names_unknown_words(model, clips, shown, capsys):
    room.search(model, clips, first="a slow waltz", count=2)
    assert capsys.readouterr().out.strip() == room.STILL
    first, box = shown
    assert "slow waltz" in repr(first)
    text, button, place = box.children
    assert place.value == ""
    text.value = "a slow <zither>"
    button.click()
    assert "&lt;" in place.value and "<s " in place.value and "zither" in place.value
    assert len(form.media(place.value)[0]) == 2 and not button.disabled


def test_without_widgets_a_line_says_so(model, clips, shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    room.search(model, clips)
    assert "ipywidgets" in capsys.readouterr().out and len(shown) == 1


def test_what_can_not_be_searched_is_refused(model, clips):
    for shape in ((4, 8), (5, 7), (5,)):
        with pytest.raises(ValueError, match=r"expected \[5, 8\], one for each clip"):
            room.find("waltz", model, clips, torch.zeros(shape))
    with pytest.raises(ValueError, match="count=0"):
        room.find("waltz", model, clips, torch.zeros(5, 8), count=0)
