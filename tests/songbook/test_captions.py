"""Captions say nothing but the truth about a clip."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.songbook import draw
from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.captions import (
    DRUM_WORDS,
    MANNERS,
    METRE_WORDS,
    OCCASIONS,
    TEMPO_WORDS,
    called,
    vocabulary,
    write_captions,
)
from course_lib.songbook.clip import Attributes, attributes, captions
from course_lib.songbook.styles import STYLES
from course_lib.songbook.voicing import PITCH_NAMES, SCALES
from course_lib.text.tokenizer import split

TUNED = [name for name, player in INSTRUMENTS.items() if player.family != "drums"]


def says(text: str, words: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(words)}(?![\w-])", text, re.IGNORECASE) is not None


def lies(text: str, truth: Attributes) -> list[str]:
    """The words of a caption that are not true of the clip."""
    rest = text
    for occasion in OCCASIONS:
        rest = rest.replace(occasion, "")
    found = []
    # Longest first, and taken out, so that a "music box" style is not taken for the instrument.
    for name in sorted(STYLES, key=lambda n: -len(STYLES[n].words)):
        if says(rest, STYLES[name].words):
            if name != truth.style and not (name == "music_box" and name in truth.instruments):
                found.append(name)
            rest = re.sub(re.escape(STYLES[name].words), " ", rest, flags=re.IGNORECASE)
    for name in sorted(TUNED, key=lambda n: -len(called(n))):
        if says(rest, called(name)):
            if name not in truth.instruments:
                found.append(name)
            rest = re.sub(re.escape(called(name)), " ", rest, flags=re.IGNORECASE)
    allowed = {*truth.mood, *(w for name in truth.instruments for w in INSTRUMENTS[name].words)}
    for adjective in {w for s in STYLES.values() for w in s.mood} | {
        w for player in INSTRUMENTS.values() for w in player.words
    }:
        if says(rest, adjective) and adjective not in allowed | set(TEMPO_WORDS["medium"]):
            found.append(adjective)
    for speed, words in TEMPO_WORDS.items():
        found += [
            w for w in words if says(rest, w) and speed != truth.tempo_class and w not in allowed
        ]
    for metre, words in METRE_WORDS.items():
        other = metre != truth.metre
        found += [w for w in (*words, f"{metre} time") if other and says(rest, w)]
    found += [m for m in SCALES if says(rest, m) and m != truth.mode]
    for tonic in PITCH_NAMES:
        if tonic != truth.tonic:
            found += [tonic for m in SCALES if f" {tonic} {m}" in f" {rest}"]
    for number in re.findall(r"(\d+) (?:bpm|beats per minute)", rest):
        if abs(int(number) - truth.tempo) > 0.5:
            found.append(number)
    claims = {
        True: "drums" in rest and not re.search("(no|without) drums", rest),
        False: re.search("(no|without) drums", rest) is not None,
    }
    if claims[not truth.drums]:
        found.append("drums")
    return found


def drawn(index):
    return attributes(draw.plan(0, "train", index, 5.0))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5999), st.integers(0, 2**31))
def test_captions_are_true(index, seed):
    truth = drawn(index)
    captions = write_captions(truth, np.random.default_rng(seed))
    assert set(captions) == set(MANNERS) and len(MANNERS) == 4
    for manner, text in captions.items():
        assert not lies(text, truth), (manner, text)
        assert says(text, STYLES[truth.style].words)
        assert "{" not in text and "  " not in text and "_" not in text
        assert "tempo tempo" not in text
        assert not re.search(r" with [^,.]* and [^,.]* and ", text), text
        if manner in ("sentence", "description"):
            assert text[0].isupper() and text.endswith(".")
            assert not re.search(r"\ba ([aeio]|un|up)", text, re.IGNORECASE), text
            assert not re.search(r"\ban (?!un|up)[^aeio]", text, re.IGNORECASE), text
            assert not re.search(r"\ban? (?!\w+ and)([a-z]+ )?(strings|bells)", text), text


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5999), st.integers(0, 5999), st.sampled_from(MANNERS), st.integers(0, 99))
def test_the_check_finds_captions_of_another_clip(index, other, manner, seed):
    """Most captions of one clip are false of another one that differs in every label."""
    a, b = drawn(index), drawn(other)
    if a.style == b.style:
        return
    assert lies(write_captions(a, np.random.default_rng(seed))[manner], b)


def test_descriptions_say_all_there_is_to_know():
    for index in range(100):
        truth = drawn(index)
        text = write_captions(truth, np.random.default_rng(index))["description"]
        for name in truth.instruments:
            if name in TUNED:
                assert says(text, called(name)), (name, text)
        assert f"{truth.tonic} {truth.mode}" in text
        assert f"{truth.tempo:.0f} beats per minute" in text
        assert any(words in text for words in METRE_WORDS[truth.metre])
        assert any(words in text for words in DRUM_WORDS[truth.drums])
        assert any(word in text for word in TEMPO_WORDS[truth.tempo_class])


def test_manners_have_several_templates():
    truth = drawn(3)
    for manner in MANNERS:
        texts = {write_captions(truth, np.random.default_rng(s))[manner] for s in range(40)}
        assert len(texts) >= 20, manner


def test_the_vocabulary_is_that_of_the_captions():
    """None of its words is missing, and hardly any is never met."""
    words, met = set(vocabulary()), set()
    for index in range(250):
        plan = draw.plan(0, "train", index, 10.0)
        for draft in range(12):
            met.update(*map(split, captions(plan, draft).values()))
    assert met <= words
    assert len(words - met) <= 2, words - met
