"""Chords: the ones a tune spells out, the ones a chorale is known for, and the rule's promises."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.songbook.abc import parse
from course_lib.songbook.harmony import DEGREES, TONES, bar_ticks, chords
from course_lib.songbook.score import Note, Score
from course_lib.songbook.scores import scores

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
SUFFIX = {"maj": "", "min": "m", "dim": "o", "7": "7"}


def names(score) -> list[str]:
    return [NAMES[chord.root] + SUFFIX[chord.quality] for chord in chords(score)]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("L:1/4\nK:C\nCEGC|FAcF|GBdG|CEGc|", "C F G C"),
        ("L:1/4\nK:C\nCEGc|DFAd|GBdg|CEGc|", "C Dm G C"),
        ("M:3/4\nL:1/4\nK:Eb\nEGB|Ace|BdB|GBe|", "Eb Ab Bb Eb"),
        ("M:6/8\nL:1/8\nK:D\nDFA dAF|GBd gdB|Ace aec|dAF D3|", "D G A D"),
        ("M:9/8\nL:1/8\nK:G\nGBd gdB GBd|DFA dAF DFA|GBd gdB G3|", "G D G"),
        ("L:1/4\nK:Am\nACEA|DFAD|E^GBE|ACEA|", "Am Dm E Am"),
        ("L:1/4\nK:Dmix\nDFAd|cGEc|GBdG|DFAD|", "D C G D"),
        ("L:1/4\nK:Ador\nACEA|GBdG|DFAd|ACEA|", "Am G D Am"),
        ("L:1/4\nK:Ephr\nEGBe|FAcf|DFAd|EGBe|", "Em F Dm Em"),
        ("L:1/4\nK:Flyd\nFAcf|GBdg|CEGc|FAcF|", "F G C F"),
        ("M:2/4\nL:1/8\nK:C\nG,|CEGE|FAcA|GBdB|c3|", "C F G C"),
        ("L:1/4\nK:C\nCEFA|GBCE|", "C F G C"),  # two chords a bar
    ],
)
def test_arpeggios_give_their_chords(text, expected):
    assert names(parse(text)) == expected.split()


def test_chords_begin_with_bars_after_a_pickup():
    score = parse("M:3/4\nL:1/4\nK:C\nG|CEG|FAc|GBd|CE|")
    assert [(c.onset, c.duration) for c in chords(score)][-3:] == [(96, 72), (168, 72), (240, 48)]


def test_known_chorale():
    """The opening of Aus meines Herzens Grunde (BWV 269): I | I IV6 V6 | I V vi."""
    works = {score.id: score for score in scores()}
    heard = chords(works["bach-269"])
    by_beat = {}
    for chord in heard:
        for tick in range(chord.onset, chord.onset + chord.duration, 24):
            by_beat[tick // 24] = NAMES[chord.root] + SUFFIX[chord.quality]
    assert [by_beat[i] for i in range(7)] == ["G", "G", "C", "D", "G", "D", "Em"]


def test_chorales_end_on_their_tonic():
    chorales = [score for score in scores() if score.id.startswith("bach")][::8]
    tonic = sum(chords(score)[-1].root == score.tonic for score in chorales)
    assert tonic >= 0.95 * len(chorales)


def test_every_chord_has_most_of_its_time_in_tune():
    """Over real tunes, three quarters of the melody sounds within its chord."""
    inside = total = 0
    for score in scores("validation")[::6]:
        if len(score.voices) > 1:
            continue
        for chord in chords(score):
            for note in score.voices[0]:
                a = max(note.onset, chord.onset)
                b = min(note.onset + note.duration, chord.onset + chord.duration)
                if b > a:
                    total += b - a
                    inside += (b - a) * ((note.pitch - chord.root) % 12 in TONES[chord.quality])
    assert inside / total > 0.7


def test_transposition_moves_the_chords_along():
    for score in (scores("test")[0], scores("test")[100]):
        moved = dataclasses.replace(
            score,
            tonic=(score.tonic + 3) % 12,
            voices=tuple(
                tuple(Note(n.onset, n.duration, n.pitch + 3) for n in voice)
                for voice in score.voices
            ),
        )
        expected = [(c.onset, c.duration, (c.root + 3) % 12, c.quality) for c in chords(score)]
        assert [dataclasses.astuple(c) for c in chords(moved)] == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([6, 12, 24]), st.integers(55, 80), st.sampled_from([0, 0, 12])),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(sorted(DEGREES)),
    st.sampled_from([(2, 2), (2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (12, 8)]),
    st.integers(0, 11),
    st.sampled_from([0, 12]),
)
def test_any_melody(steps, mode, metre, tonic, pickup):
    notes, now = [], 0
    for duration, pitch, rest in steps:
        notes.append(Note(now + rest, duration, pitch))
        now += rest + duration
    score = Score("s", "S", "test", -1, "", tonic, mode, metre, pickup, (tuple(notes),))
    found = chords(score)
    assert found[0].onset == 0 and sum(chord.duration for chord in found) == now
    for chord, after in zip(found, found[1:], strict=False):
        assert chord.duration > 0 and chord.onset + chord.duration == after.onset
        assert (chord.root, chord.quality) != (after.root, after.quality)
        assert (after.onset - pickup) % (bar_ticks(metre) // (2 if metre[0] % 2 == 0 else 1)) == 0
    triads = {((tonic + above) % 12, quality) for above, quality, _ in DEGREES[mode]}
    assert {(chord.root, chord.quality) for chord in found} <= triads
    first = DEGREES[mode][0]
    if (notes[-1].pitch - tonic) % 12 in TONES[first[1]]:
        assert (found[-1].root, found[-1].quality) == (tonic, first[1])


def test_refusals():
    score = parse("C D E")
    with pytest.raises(ValueError, match="Unknown mode 'blues'"):
        chords(dataclasses.replace(score, mode="blues"))
    with pytest.raises(ValueError, match="without notes"):
        chords(dataclasses.replace(score, voices=((),)))
