"""Prompts: balanced, complete, and paraphrases that owe nothing to the captions' templates."""

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest

from course_lib.evaluation.paraphrases import LISTENER_WORDS, PARAPHRASES, paraphrase
from course_lib.evaluation.prompts import (
    ATTRIBUTES,
    DEMONSTRATED,
    MANNERS,
    WRITTEN,
    asked,
    balanced,
    balanced_prompts,
)
from course_lib.songbook import captions as written
from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.clip import attributes, captions
from course_lib.songbook.draw import METRES, MODES, TEMPO_CLASSES, plan
from course_lib.songbook.styles import DRAWN, STYLES
from course_lib.text import WordTokenizer

TUNED = [name for name, i in INSTRUMENTS.items() if i.family != "drums"]


class Planned:
    """Labels and captions of test clips, without their sound."""

    def __init__(self, clips=120):
        self.rows = [attributes(plan(0, "test", i, 10.0)) for i in range(clips)]

    def __len__(self):
        return len(self.rows)

    def attributes(self, index):
        return self.rows[index]

    def captions(self, index, drafts=1):
        return tuple(captions(plan(0, "test", index, 10.0), d) for d in range(drafts))


@pytest.fixture(scope="module")
def clips():
    return Planned()


def spread(clips, chosen, name):
    """The share of the commonest class less that of the rarest among chosen clips."""
    values = Counter(getattr(clips.attributes(i), name) for i in chosen)
    classes = {getattr(row, name) for row in clips.rows}
    counts = [values[value] / len(chosen) for value in classes]
    return max(counts) - min(counts)


def test_chosen_clips_are_more_even_than_the_first_ones(clips):
    chosen = balanced(clips, 48)
    assert len(set(chosen)) == 48
    for name in ("style", "mode", "metre", "drums", "tempo_class"):
        assert spread(clips, chosen, name) <= 0.15
    uneven = [name for name in ("mode", "metre", "drums") if spread(clips, range(48), name) > 0.15]
    assert uneven  # else there was nothing to balance
    heard = Counter(n for i in chosen for n in clips.attributes(i).instruments if n in TUNED)
    first = Counter(n for i in range(48) for n in clips.attributes(i).instruments if n in TUNED)
    assert max(heard.values()) < max(first.values())


def test_chance_decides_by_the_seed_alone(clips):
    assert balanced(clips, 20, seed=1) == balanced(clips, 20, seed=1) != balanced(clips, 20, seed=2)
    assert balanced(clips, 20) == balanced(clips, 48)[:20]
    assert sorted(balanced(clips, len(clips))) == list(range(len(clips)))


def test_all_manners_ask_the_same_of_the_same_clips(clips):
    by_manner = [balanced_prompts(clips, 16, manner) for manner in MANNERS]
    for same in zip(*by_manner, strict=True):
        assert len({prompt.text for prompt in same}) == len(MANNERS)
        assert len({prompt.clip for prompt in same}) == 1
        for prompt in same:
            assert prompt.asked == asked(clips.attributes(prompt.clip))
            assert set(prompt.asked) == set(ATTRIBUTES)
            assert "drum_kit" not in prompt.asked["instruments"]
    prompt = by_manner[0][0]
    assert prompt.text == clips.captions(prompt.clip)[0][WRITTEN]


@pytest.mark.parametrize("manner", list(PARAPHRASES))
def test_every_attribute_can_be_told_from_a_paraphrase(manner):
    """Another value of any attribute is another text, whatever the template."""
    base = attributes(plan(0, "test", 3, 10.0))
    a = dataclasses.replace(base, instruments=("violin", "piano", "cello"), drums=False)
    values = {
        "style": DRAWN,
        "mode": MODES,
        "metre": METRES,
        "tempo_class": tuple(TEMPO_CLASSES),
        "drums": (True, False),
        "instruments": tuple((name, "piano", "cello") for name in TUNED),
    }
    bpm = {"slow": 70.0, "medium": 100.0, "fast": 140.0}  # which notes say instead of the class
    for template in range(len(PARAPHRASES[manner][0])):
        rng = type("First", (), {"integers": lambda self, high, t=template: t})()
        for name, choices in values.items():
            rows = [dataclasses.replace(a, **{name: value}) for value in choices]
            rows = [dataclasses.replace(row, tempo=bpm[row.tempo_class]) for row in rows]
            texts = {paraphrase(row, manner, rng) for row in rows}
            assert len(texts) == len(choices), name


def test_paraphrases_share_no_run_of_words_with_captions(clips):
    """Four words in a row that are no names would be a piece of a template."""
    templates = [*written.SENTENCES, *written.OPENINGS, *written.BODIES, *written.FACTS]
    templates += written.PLAYLISTS
    runs = set().union(*(_runs(template) for template in templates))
    assert len(runs) > 40
    for manner, (own, _) in PARAPHRASES.items():
        assert not runs & set().union(*(_runs(template) for template in own)), manner


def _runs(template):
    """Four tokens in a row that are not all blanks."""
    tokens = re.findall(r"\{\w+\}|\w+", template.lower().replace("{A_", "{").replace("{a_", "{"))
    found = {tuple(tokens[i : i + 4]) for i in range(len(tokens) - 3)}
    return {run for run in found if sum("{" in token for token in run) < 4}


def test_the_listener_knows_no_names(clips):
    names = {called for name in TUNED for called in (name.replace("_", " "),)}
    names |= {STYLES[name].words for name in DRAWN} | set(MODES)
    texts = [
        paraphrase(clips.attributes(i), "listener", np.random.default_rng(i)) for i in range(120)
    ]
    for name in names:
        assert not any(re.search(rf"\b{re.escape(name)}\b", text.lower()) for text in texts), name
    assert set(LISTENER_WORDS["instruments"]) == set(TUNED)
    assert set(LISTENER_WORDS["style"]) == set(DRAWN)


def test_manners_are_ever_farther_from_the_captions(clips):
    """By the share of their words that captions use."""
    told = [t for i in range(len(clips)) for c in clips.captions(i, 4) for t in c.values()]
    tokenizer = WordTokenizer.of(told)
    shares = []
    for manner in MANNERS:
        texts = [prompt.text for prompt in balanced_prompts(clips, 60, manner)]
        ids, valid = tokenizer.encode(texts, longest=200)
        shares.append(float((ids == 1).sum() / valid.sum()))
    description, request, notes, listener = shares
    assert description == 0 and 0.02 < notes < 0.25 and 0.1 < request < 0.5 < listener


def test_demonstrated_prompts_ask_for_what_the_songbook_has():
    assert len(DEMONSTRATED) == 5
    known = {"style": DRAWN, "tempo_class": tuple(TEMPO_CLASSES), "drums": (True, False)}
    for prompt in DEMONSTRATED:
        assert prompt.asked and prompt.clip is None and set(prompt.asked) <= set(ATTRIBUTES)
        assert all(words in prompt.text for words in prompt.beyond)
        assert set(prompt.asked.get("instruments", ())) <= set(TUNED)
        for name in set(prompt.asked) & set(known):
            assert prompt.asked[name] in known[name]


def test_impossible_prompts_are_named(clips):
    with pytest.raises(ValueError, match="'poem': choose one of description, request"):
        balanced_prompts(clips, 4, "poem")
    with pytest.raises(ValueError, match="'poem': choose one of request"):
        paraphrase(clips.attributes(0), "poem", np.random.default_rng(0))
    for count in (0, 121):
        with pytest.raises(ValueError, match=f"count={count} must be from 1 to .* 120"):
            balanced(clips, count)
