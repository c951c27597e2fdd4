"""The prompt widget: what is understood, what is played, what is heard, errors in words."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from course_lib.evaluation.adherence import Heard
from course_lib.models import MusicGen, MusicGenLM, MusicGenLMConfig, TextTowerConfig
from course_lib.notebook import prompting as room
from course_lib.text import WordTokenizer

sys.path.insert(0, str(Path(__file__).parents[1] / "codec_file"))
from small_codec import small_codec  # noqa: E402

WORDS = ("a", "flute", "slow", "waltz", "with")


@pytest.fixture(scope="module")
def model() -> MusicGen:
    torch.manual_seed(0)
    text = TextTowerConfig(words=WORDS, width=8, layers=1, heads=2, longest=8)
    config = MusicGenLMConfig(text, entries=30, width=16, layers=1, heads=2)
    return MusicGen(small_codec(), MusicGenLM(config)).eval()


def understood(text):
    return room.understand(text, WordTokenizer(WORDS), longest=8)


def test_unknown_words_are_struck_out_and_near_ones_offered():
    found = understood("A slow walz, with <b>zither</b>")
    assert found.unknown["walz"] == ("waltz",) and found.unknown["b"] == ()
    assert set(found.unknown) == {"walz", "<", "b", ">", "zither"}
    assert not found.empty
    assert "'walz' (near: waltz)" in str(found) and str(found).startswith("Words never seen")
    html = found._repr_html_()
    assert f"<s style='color:{room.GREY}' title='near: waltz'>walz</s>, with <s " in html
    assert ">&lt;</s>" in html and ">slow<" not in html
    assert str(understood("A slow waltz.")) == ""
    assert understood("A slow waltz.")._repr_html_() == "<p>“A slow waltz.”</p>"


@pytest.mark.parametrize("text", ["", "   ", "…", "🎻🎺", "вальс", "walz " * 400])
def test_nothing_known_is_said_in_a_line(text):
    found = understood(text)
    assert found.empty and "asks for nothing in particular" in str(found)
    assert found.cut == (len(text) > 1000)
    assert len(str(found)) < 400 and len(found._repr_html_()) < 80 * room.CHARACTERS


def test_a_long_prompt_is_cut_and_a_line_says_so():
    assert not understood("a slow waltz with a flute a").cut  # 7 and the start
    assert "its end is left out" in str(understood("a slow waltz with a flute a flute"))


def test_an_answer_plays_and_tells_the_seconds(model):
    told = []
    made = room.answer("a slow waltz", model, seconds=2.0, progress=told.append, seed=1)
    assert sum(told) == pytest.approx(2.0) and made.heard == ()
    assert "data:audio" in made._repr_html_() and "[sound] generated" in repr(made)
    audio = room.play("a slow waltz", model, 2.0, seed=1)
    assert audio.shape == (1, 32000) and audio.abs().max() <= 1
    assert torch.equal(audio, room.play("a slow waltz", model, 2.0, seed=1))
    assert not torch.equal(audio, room.play("a slow waltz", model, 2.0, seed=2))


def test_what_is_heard_stands_beside_what_was_asked(monkeypatch):
    reading = {name: Heard("waltz", 0.974) for name in ("style", "mode", "metre", "tempo_class")}
    reading |= {"drums": Heard(False, 0.6), "instruments": (Heard("music_box", 0.8),)}
    monkeypatch.setattr(
        "course_lib.evaluation.adherence.read", lambda judge, audio: [reading] * len(audio)
    )
    rows = room.compared("A waltz with drums and a flute", torch.zeros(1, 16000), judge=None)
    assert ("style", "waltz", "waltz (97%)") in rows and ("drums", "yes", "no (60%)") in rows
    assert ("instruments", "flute", "music box (80%)") in rows
    assert ("metre", "–", "waltz (97%)") in rows and len(rows) == 6


def test_a_model_with_a_text_encoder_of_others_answers_too(model):
    """As `interop` makes it: nothing is known of its words."""
    from course_lib.models.text_tower import TextTower

    config = MusicGenLMConfig(None, text_width=8, entries=30, width=16, layers=1, heads=2)
    other = MusicGen(model.codec, MusicGenLM(config)).eval()
    other.lm.text = TextTower(model.lm.config.text)
    made = room.answer("a slow zither", other, seconds=1.0)
    assert made.understood == room.Understood("a slow zither", {}, cut=False, empty=False)
    assert "data:audio" in made._repr_html_()
    assert room.answer(" ", other, seconds=1.0).understood.empty


def test_a_judge_hears_at_its_own_rate(model, monkeypatch):
    heard = []

    def compared(prompt, audio, judge):
        heard.append(audio.shape[-1])
        return ()

    monkeypatch.setattr(room, "compared", compared)
    for rate in (16000, 12000):
        judge = SimpleNamespace(config=SimpleNamespace(sample_rate=rate))
        room.answer("a waltz", model, judge, seconds=2.0)
    assert heard == [32000, 24000]


def test_the_button_plays_what_the_box_holds(model, shown, capsys):
    room.prompt(model, first="a waltz", seconds=1.0)
    assert capsys.readouterr().out.strip() == room.STILL
    answer, form = shown
    assert answer.understood.prompt == "a waltz"
    box, length, button, bar, place = form.children
    assert box.value == "a waltz" and length.value == 1 and place.value == ""
    box.value = "a slow zither"
    button.click()
    assert "zither</s>" in place.value and "data:audio" in place.value
    assert bar.value == pytest.approx(bar.max) and not button.disabled


def test_errors_of_the_button_are_words(model, shown, monkeypatch):
    room.prompt(model, first="a waltz", seconds=1.0)
    *_, button, _, place = shown[1].children

    def broken(*arguments, **options):
        raise ValueError("seconds=<0> must be above 0.")

    monkeypatch.setattr(room, "answer", broken)
    button.click()
    assert place.value == "<p>seconds=&lt;0&gt; must be above 0.</p>" and not button.disabled


def test_stopped_the_form_says_so(model, shown, monkeypatch):
    room.prompt(model, first="a waltz", seconds=1.0)
    *_, button, bar, place = shown[1].children
    assert bar.description == "written", "a name for those who can't see it"

    def stopped(prompt, model, judge, seconds, progress):
        progress(0.5)
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "answer", stopped)
    button.click()
    assert place.value == "<p>Stopped.</p>" and not button.disabled


def test_without_widgets_a_line_says_so(model, shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    room.prompt(model, first="a waltz", seconds=1.0)
    assert "Install ipywidgets" in capsys.readouterr().out and len(shown) == 1
