"""Cells of the captioner's table, with clips of noise and a few steps."""

import math

import numpy as np
import pytest
import torch

from course_lib.evaluation.paraphrases import paraphrase
from course_lib.songbook import Attributes, Size
from course_lib.songbook.captions import write_captions
from course_lib.songbook.facts import said_facts, true_facts
from course_lib.tables import captioner, grid

LABELS = (
    Attributes("waltz", "G", "minor", "3/4", 80.0, "slow", ("violin", "piano"), False, ("a", "b")),
    Attributes("house", "C", "major", "4/4", 125.0, "fast", ("piano", "pad"), True, ("c", "d")),
)
CACHED = ("heard", "clips", "texts", "words", "taught", "phrases")


class Clips:
    """Endless clips of two kinds."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def attributes(self, index):
        return LABELS[index % 2]

    def captions(self, index, drafts):
        rngs = (np.random.default_rng([index, draft]) for draft in range(drafts))
        return tuple(write_captions(self.attributes(index), rng) for rng in rngs)


@pytest.fixture
def small(monkeypatch):
    size = Size(12, 1, 4, 1.0)
    generator = torch.Generator().manual_seed(0)
    sounds = torch.randn(12, 64, 33, generator=generator).half() - 4
    monkeypatch.setattr(captioner, "SIZE", size)
    monkeypatch.setattr(captioner, "FEW", 4)
    monkeypatch.setattr(captioner, "STEPS", {"programs": 2, "people": 2})
    monkeypatch.setattr(captioner, "SMALL", {"channels": (8, 8, 8), "width": 16, "heads": 2})
    for name in CACHED:
        getattr(captioner, name).cache_clear()
    monkeypatch.setattr(captioner, "clips", lambda split: Clips(getattr(size, split)))
    monkeypatch.setattr(captioner, "heard", lambda split: sounds[: getattr(size, split)])
    yield
    for name in CACHED:
        getattr(getattr(captioner, name), "cache_clear", lambda: None)()


def computed(row, seed=0):
    found = captioner.cell(grid.Job(row, captioner.TABLE.rows[row], seed, None, None))
    assert found.keys() == captioner.TABLE.columns.keys()
    return found


def test_every_row_is_computed(small):
    found = {row: computed(row) for row in captioner.TABLE.rows}
    for values in found.values():
        assert all(0 <= values[name] <= 1 for name in ("bleu1", "bleu4", "recall"))
    words = {row: values["words"] for row, values in found.items()}
    assert math.isnan(words[captioner.ANOTHER])
    assert words[captioner.TAGS] < words[captioner.PSEUDO] < words[captioner.PSEUDO_PEOPLE]
    # Neighbours are of the other kind: what a person says of one is wrong of the other.
    assert found[captioner.ANOTHER]["recall"] < 0.4


def test_people_choose_other_clips_for_another_seed(small):
    assert captioner.people(0) == captioner.people(0) != captioner.people(1)
    assert len(set(captioner.people(0))) == 4


def test_with_people_what_listens_stays_unless_all_weights_go_on(small, monkeypatch):
    kept = {}

    def describe(model, spectrograms, manner):
        kept["weights"] = {name: value.clone() for name, value in model.state_dict().items()}
        return [""] * len(spectrograms)

    monkeypatch.setattr(captioner, "captions_of", describe)
    for row, stays in (
        (captioner.PSEUDO_PEOPLE, True), (captioner.FORGETFUL, False), (captioner.PEOPLE, False)
    ):  # fmt: skip
        computed(row)
        before = captioner.taught(tuple(captioner.TABLE.rows[row]["programs"]), 0)
        same = {n.split(".")[0]: True for n in before} | {
            n.split(".")[0]: False for n in before if not torch.equal(before[n], kept["weights"][n])
        }
        assert not same["writer"]
        for part in ("convolutions", "first", "listener"):
            assert same[part] == stays, (row, part)


def test_cells_do_not_change_what_they_share(small):
    weights = {name: value.clone() for name, value in captioner.taught((), 0).items()}
    assert computed(captioner.PEOPLE) == computed(captioner.PEOPLE)
    assert all(torch.equal(captioner.taught((), 0)[name], weights[name]) for name in weights)


@pytest.mark.parametrize("labels", LABELS)
def test_facts_are_read_in_the_words_of_people(labels):
    captioner.phrases.cache_clear()
    for seed in range(6):
        text = paraphrase(labels, captioner.PERSON, np.random.default_rng(seed))
        assert said_facts(text, captioner.phrases()) == true_facts(labels), text
        assert len(said_facts(text)) < 3  # without them next to nothing is understood
