"""Every deck as written; and that each thing asked of a deck can be found missing."""

import pytest

from slides import deck

DECKS = deck.decks()
GOOD = """---
marp: true
theme: course
math: mathjax
title: Small
notebooks: 01
---

## One

![a clip](../data/sounds/01_original.mp3)

Used: {{mean | quantizer_zoo | VQ | usage | .0%}}, at $6.02/d$ dB.

<!-- 3 min. Say it. -->

---

## Two

![boxes](figures/deck01/straight_through.svg)

See [notebook 01](../notebooks/01_vector_quantization.ipynb). The paper says 4.01.

Source: Zeghidour et al. 2021

<!-- 2 min. Show it. -->
"""


@pytest.fixture
def small(tmp_path):
    """A deck of this text, in a folder beside data/ and notebooks/."""
    for name in ("data", "notebooks"):
        (tmp_path / name).symlink_to(deck.FOLDER.parent / name)
    (tmp_path / "slides").mkdir()

    def write(text: str) -> deck.Deck:
        path = tmp_path / "slides" / "01_small.md"
        path.write_text(text, encoding="utf-8")
        return deck.Deck(path)

    return write


@pytest.mark.parametrize("one", DECKS, ids=lambda d: d.name)
def test_a_deck_has_no_faults(one):
    assert deck.faults(one) == []


@pytest.mark.parametrize("one", DECKS, ids=lambda d: d.name)
def test_all_quotes_of_a_deck_can_be_filled(one):
    assert "{{" not in deck.rendered(one)


@pytest.mark.parametrize("one", DECKS, ids=lambda d: d.name)
def test_a_deck_is_one_lecture(one):
    assert 12 <= len(one.slides) <= 20
    assert 40 <= one.minutes <= 90


def test_a_good_deck_is_good(small):
    good = small(GOOD)
    assert deck.faults(good) == []
    assert good.minutes == 5
    assert [slide.title for slide in good.slides] == ["One", "Two"]


def test_what_marp_is_given(small):
    text = deck.rendered(small(GOOD))
    assert '<audio controls preload="metadata" src="sounds/01_original.mp3"' in text
    assert "Ours: quantizer_zoo in data/results" in text
    assert "(../../notebooks/01_vector_quantization.ipynb)" in text
    assert '<div class="source">Zeghidour et al. 2021' in text
    assert "<!-- 3 min. Say it. -->" in text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("notebooks: 01\n", "", "names no notebook"),
        ("notebooks: 01\n", "notebooks: 77\n", "there is no notebook 77"),
        ("math: mathjax\n", "", "lacks 'math: mathjax'"),
        ("title: Small\n", "", "names no title"),
        ("<!-- 3 min. Say it. -->", "<!-- Say it. -->", "slide 1 has no speaker notes"),
        ("<!-- 3 min. Say it. -->", "", "slide 1 has no speaker notes"),
        ("## Two", "Two", "slide 2 has no heading"),
        ("01_original.mp3", "01_lost.mp3", "there is no sound at ../data/sounds/01_lost.mp3"),
        ("data/sounds/01_original.mp3", "notebooks/01_vector_quantization.ipynb#x", "labelled 'x'"),
        ("straight_through", "nobody", "draws no figure 'nobody'"),
        ("deck01/", "deck99/", "no slides/figures/deck99.py"),
        ("01_vector_quantization.ipynb", "01_lost.ipynb", "there is nothing at"),
        ("![boxes]", "![]", "has no words in its brackets"),
        ("Source: Zeghidour et al. 2021\n", "", "types the figure"),
        ("Used: ", "Used by 89 % of all: ", "types the figure"),
        ("Used: ", "word " * 60, "words of body text"),
    ],
)
def test_a_fault_is_said(small, old, new, words):
    assert old in GOOD
    assert any(words in fault for fault in deck.faults(small(GOOD.replace(old, new))))


def test_an_unknown_quote_ends_the_build(small):
    with pytest.raises(ValueError, match="01_small, slide 1: The quote .* 'VR' is no row"):
        deck.rendered(small(GOOD.replace("| VQ |", "| VR |")))
