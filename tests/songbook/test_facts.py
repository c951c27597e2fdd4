"""Facts read from captions are those of the clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.songbook import draw
from course_lib.songbook.captions import MANNERS, write_captions
from course_lib.songbook.clip import attributes
from course_lib.songbook.facts import ATTRIBUTES, said_facts, true_facts


def drawn(index):
    return attributes(draw.plan(0, "train", index, 5.0))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 999), st.integers(0, 2**31))
def test_captions_say_true_facts_and_descriptions_all_of_them(index, seed):
    truth = true_facts(drawn(index))
    captions = write_captions(drawn(index), np.random.default_rng(seed))
    for manner in MANNERS:
        said = said_facts(captions[manner])
        assert said <= truth, captions[manner]
        assert any(name == "style" for name, _ in said)
    assert said_facts(captions["description"]) == truth
    assert said_facts(captions["description"].upper()) == truth


def test_facts_are_read_from_words():
    assert said_facts("A brisk lo-fi track with drums in D minor, 63 bpm") == {
        ("style", "lo_fi"), ("tempo_class", "fast"), ("tempo_class", "slow"), ("drums", "yes"),
        ("mode", "minor"),
    }  # fmt: skip
    assert said_facts("a music box piece") == {("style", "music_box")}
    assert said_facts("music box, no drums, 3/4 time") == {
        ("style", "music_box"), ("instruments", "music_box"), ("drums", "no"), ("metre", "3/4"),
    }  # fmt: skip
    also = {("dusty", "beats"): (("style", "lo_fi"),), ("lo", "-", "fi"): ()}
    assert said_facts("dusty beats") == frozenset()
    assert said_facts("Dusty beats, no lo-fi", also) == {("style", "lo_fi")}
    assert said_facts("bpm") == said_facts("") == said_facts("🎻 Musik") == frozenset()


def test_every_attribute_has_facts():
    names = {name for name, _ in true_facts(drawn(0))}
    assert names == set(ATTRIBUTES)


@pytest.mark.parametrize("index", [0, 5, 17])
def test_facts_of_another_clip_are_not_all_said(index):
    text = write_captions(drawn(index), np.random.default_rng(0))["description"]
    assert said_facts(text) != true_facts(drawn(index + 1))
