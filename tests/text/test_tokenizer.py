"""Texts as ids: what is known, what is not, and what happens to the rest."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.text import PADDING, START, UNKNOWN, WordTokenizer
from course_lib.text.tokenizer import split

CAPTIONS = ("A lo-fi track, at 87 beats per minute.", "Waltz in F# minor: 3/4 time")
TOKENIZER = WordTokenizer.of(CAPTIONS)


def words(ids: torch.Tensor) -> list[str]:
    return [TOKENIZER.words[i - 3] for i in ids.tolist() if i > START]


def test_a_sentence_word_by_word():
    ids, valid = TOKENIZER.encode(["Waltz at 123", "lo-fi"])
    assert ids.dtype == torch.int64 and valid.dtype == torch.bool
    assert ids[:, 0].tolist() == [START, START]
    assert words(ids[0]) == ["waltz", "at", "1", "2", "3"]
    assert words(ids[1]) == ["lo", "-", "fi"] and ids[1, 4:].tolist() == [PADDING, PADDING]
    assert valid.tolist() == [[True] * 6, [True] * 4 + [False] * 2]


def test_every_digit_is_known_though_captions_lack_some():
    assert TOKENIZER.unknown("0123456789") == ()


def test_the_vocabulary_does_not_hang_on_the_order_of_captions():
    assert WordTokenizer.of(reversed(CAPTIONS)) == TOKENIZER
    assert list(TOKENIZER.words) == sorted(TOKENIZER.words)


def test_what_is_too_long_is_cut_at_its_end():
    whole, _ = TOKENIZER.encode(["waltz " * 300], longest=1000)
    cut, valid = TOKENIZER.encode(["waltz " * 300])
    assert whole.shape == (1, 301) and cut.shape == (1, 64) and valid.all()
    assert torch.equal(cut, whole[:, :64])


@pytest.mark.parametrize(
    ("text", "unknown", "count"),
    [
        ("", (), 0),
        ("   \n", (), 0),
        ("A Waltz!?", (), 2),  # punctuation that is not known says nothing
        ("A zither waltz on a zither", ("zither", "on"), 6),
        ("慢い ワルツ", ("慢い", "ワルツ"), 2),
        ("вальс", ("вальс",), 1),
        ("🎷", ("🎷",), 1),
        ("waltz 👩\u200d🎤", ("👩", "🎤"), 3),  # the joiner is left out
        ("\uff37altz", (), 1),  # full-width letters are letters
        ("don't", ("don't",), 1),
        ("٣", ("٣",), 1),
        ("+_", ("+",), 1),
    ],
)
def test_what_is_not_known_is_named(text, unknown, count):
    assert TOKENIZER.unknown(text) == unknown
    ids, valid = TOKENIZER.encode([text])
    assert valid.sum() == 1 + count
    assert (ids[0] == UNKNOWN).sum() == sum(split(text).count(word) for word in unknown)


def test_near_words_are_offered():
    assert TOKENIZER.near("Walz")[0] == "waltz"
    assert TOKENIZER.near("minuet", 1) == ("minute",)
    assert TOKENIZER.near("爵士") == ()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4), st.integers(1, 12))
def test_any_texts_are_ids_and_padding(texts, longest):
    ids, valid = TOKENIZER.encode(texts, longest)
    assert ids.shape == valid.shape and ids.shape[1] <= longest
    assert ((ids >= 0) & (ids < len(TOKENIZER))).all()
    assert torch.equal(valid, ids != PADDING)
    assert (valid[:, 1:] <= valid[:, :-1]).all()  # padding stands at the end
    for row, text in zip(ids, texts, strict=True):  # and neighbours change nothing
        alone = TOKENIZER.encode([text], longest)[0][0]
        assert torch.equal(row[: len(alone)], alone) and (row[len(alone) :] == PADDING).all()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_a_vocabulary_knows_its_own_text(text):
    own = WordTokenizer.of([text])
    assert own.unknown(text) == ()
    assert (own.encode([text], 1000)[0] != UNKNOWN).all()


def test_what_can_not_be_tokenized_is_refused():
    with pytest.raises(TypeError, match="list of strings, not as 'waltz'"):
        TOKENIZER.encode("waltz")
    with pytest.raises(TypeError, match="list of strings"):
        TOKENIZER.encode([b"waltz"])
    for texts in (None, 3, (text for text in CAPTIONS)):
        with pytest.raises(TypeError, match="list of strings, not as"):
            TOKENIZER.encode(texts)
    with pytest.raises(TypeError, match="list of strings, not as 'waltz'"):
        WordTokenizer.of("waltz")
    assert WordTokenizer.of(text for text in CAPTIONS) == TOKENIZER
    with pytest.raises(ValueError, match="no texts"):
        TOKENIZER.encode([])
    with pytest.raises(ValueError, match="longest=0"):
        TOKENIZER.encode(["waltz"], longest=0)
    with pytest.raises(ValueError, match="'a' comes twice"):
        WordTokenizer(("a", "b", "a"))
    for word in ("Waltz", "lo-fi", "12", "", "a b"):
        with pytest.raises(ValueError, match="can't be a word"):
            WordTokenizer((word,))
