"""The ABC reader: what a tune says is what the score holds, and what is no tune is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.songbook.abc import parse, parse_with_bars
from course_lib.songbook.score import TICKS, Note, Score

EIGHTH = TICKS // 2


def pitches(text: str) -> list[int]:
    return [note.pitch for note in parse(text).voices[0]]


def durations(text: str) -> list[int]:
    return [note.duration for note in parse(text).voices[0]]


def test_one_line_without_header():
    score = parse("C2 E2 G2 c2 | c2 G2 E2 C2")
    assert [n.pitch for n in score.voices[0]] == [60, 64, 67, 72, 72, 67, 64, 60]
    assert [n.onset for n in score.voices[0]] == [TICKS * i for i in range(8)]
    assert (score.metre, score.tonic, score.mode, score.pickup) == ((4, 4), 0, "major", 0)


def test_header_fields():
    score = parse("X:7\nT:The Test\nT:Another name\nM:6/8\nL:1/8\nK:Bb mixolydian % why\nB3 A3|")
    assert (score.title, score.metre, score.tonic, score.mode) == (
        "The Test",
        (6, 8),
        10,
        "mixolydian",
    )
    assert [n.pitch for n in score.voices[0]] == [70, 68]  # B flat, A flat


@pytest.mark.parametrize(
    "key, tonic, mode, sounding",  # sounding: c d e f g a b
    [
        ("C", 0, "major", [72, 74, 76, 77, 79, 81, 83]),
        ("", 0, "major", [72, 74, 76, 77, 79, 81, 83]),
        ("D", 2, "major", [73, 74, 76, 78, 79, 81, 83]),
        ("Ebmaj", 3, "major", [72, 74, 75, 77, 79, 80, 82]),
        ("F#m", 6, "minor", [73, 74, 76, 78, 80, 81, 83]),
        ("G minor", 7, "minor", [72, 74, 75, 77, 79, 81, 82]),
        ("Ador", 9, "dorian", [72, 74, 76, 78, 79, 81, 83]),
        ("EDorian", 4, "dorian", [73, 74, 76, 78, 79, 81, 83]),
        ("DMix", 2, "mixolydian", [72, 74, 76, 78, 79, 81, 83]),
        ("Flyd", 5, "lydian", [72, 74, 76, 77, 79, 81, 83]),
        ("Ephr", 4, "phrygian", [72, 74, 76, 77, 79, 81, 83]),
        ("Bloc", 11, "locrian", [72, 74, 76, 77, 79, 81, 83]),
        ("D =c", 2, "major", [72, 74, 76, 78, 79, 81, 83]),
        ("G clef=treble", 7, "major", [72, 74, 76, 78, 79, 81, 83]),
    ],
)
def test_keys(key, tonic, mode, sounding):
    score = parse(f"K:{key}\nc d e f g a b")
    assert (score.tonic, score.mode) == (tonic, mode)
    assert [n.pitch for n in score.voices[0]] == sounding


@pytest.mark.parametrize("metre, expected", [("C", (4, 4)), ("C|", (2, 2)), ("9/8", (9, 8))])
def test_metres(metre, expected):
    assert parse(f"M:{metre}\nK:C\nC").metre == expected


def test_default_unit_depends_on_the_metre():
    assert durations("M:2/4\nK:C\nC") == [TICKS // 4]
    assert durations("M:3/4\nK:C\nC") == [TICKS // 2]
    assert durations("M:2/4\nL:1/4\nK:C\nC") == [TICKS]


def test_lengths():
    assert durations("C C2 C/ C/2 C3/2 C// C/4 C4") == [12, 24, 6, 6, 18, 3, 3, 48]


def test_octaves_and_accidentals():
    assert pitches("C, C c c' c'' ^C _D ^^C __D =C") == [48, 60, 72, 84, 96, 61, 61, 62, 60, 60]


def test_accidentals_hold_to_the_bar_line_in_all_octaves():
    assert pitches("^F F f | F f") == [66, 66, 78, 65, 77]
    assert pitches("K:D\n=F F | F") == [65, 65, 66]


def test_ties_join_and_carry_their_accidental():
    score = parse("^c4-|c4 c4")
    assert [(n.pitch, n.duration) for n in score.voices[0]] == [(73, 96), (72, 48)]
    assert durations("c4-d4") == [48, 48]  # between two pitches it is a slur
    assert durations("[Ac-]2 c2") == [48]


def test_tuplets():
    assert durations("(3CDE F") == [8, 8, 8, 12]
    assert durations("(2CD E") == [18, 18, 12]
    assert durations("(3:2:2 C2E C") == [16, 8, 12]
    assert durations("M:6/8\nK:C\nL:1/8\n(4CDEF") == [9, 9, 9, 9]
    onsets = [n.onset for n in parse("(5CDEFG A").voices[0]]  # five in the time of two
    assert onsets == [0, 5, 10, 14, 19, 24]


def test_broken_rhythm():
    assert durations("C>D E<F G>>A") == [18, 6, 6, 18, 21, 3]
    assert durations("C > D") == [18, 6]


def test_what_is_dropped():
    plain = pitches("C D E F")
    assert pitches('"Am"C {cd}D !trill!E .~F') == plain
    assert pitches("(C D) vE uF\nw: la la la la\nN:a remark\n% a comment") == plain
    assert pitches("C D \\\nE F") == plain


def test_chords_take_the_top_note():
    assert pitches("[CEG] [cE] [C2^F2]") == [67, 72, 66]
    assert durations("[CEG]2 [C2E2] [CE]/") == [24, 24, 6]


def test_rests_leave_gaps():
    score = parse("C2 z2 x2 E2")
    assert [(n.onset, n.duration) for n in score.voices[0]] == [(0, 24), (72, 24)]
    assert parse("M:3/4\nL:1/4\nK:C\nC3|Z2|C3").voices[0][1].onset == 9 * TICKS


@pytest.mark.parametrize(
    "text, order",
    [
        ("C8 :|", "CC"),
        ("|: C8 :|", "CC"),
        ("C8 |: D8 :| E8", "CDDE"),
        ("|: C8 :: D8 :|", "CCDD"),
        ("|: C8 :|: D8 :|", "CCDD"),
        ("C8 || D8 :|", "CDD"),
        ("|: C8 |1 D8 :|2 E8 ||", "CDCE"),
        ("|: C8 | [1 D8 :| [2 E8 || F8", "CDCEF"),
        ("|: C8 |1,3 D8 :|2 E8 :| F8", "CDCECDF"),
        ("|: C8 |1 D8 | E8 :|2 F8 | G8 |: A8 :|", "CDECFGAA"),
        ("C8 |1 D8 :|2 E8 :|: F8 |1 G8 :|2 A8 |]", "CDCEFGFA"),
        ("|: C8 :|\n|: D8 :|", "CCDD"),
    ],
)
def test_repeats_and_endings(text, order):
    names = dict(zip((60, 62, 64, 65, 67, 69), "CDEFGA", strict=True))
    assert "".join(names[p] for p in pitches(text)) == order


def test_pickup_and_bar_lines():
    score, lines = parse_with_bars("M:3/4\nL:1/4\nK:C\nG | C D E | F2 :|")
    assert score.pickup == TICKS
    assert lines == tuple(TICKS * q for q in (0, 1, 4, 6, 7, 10, 12))
    assert parse("C D").pickup == 0


def test_fields_inline_and_between_lines():
    assert pitches("K:C\nF|[K:D]F|\nK:C\nF|") == [65, 66, 65]
    assert parse("K:D\nF|[K:C]F").tonic == 2
    assert durations("[L:1/4][M:3/4]C|[L:1/8]C") == [24, 12]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "no notes"),
        ("X:1\nT:Empty\nK:C", "no notes"),
        ("z4 | z4", "no notes"),
        ("C D ? E", "Cannot read '\\?' near 'C D \\? E'"),
        ("M:7\nK:C\nC", "M:7 is not a metre"),
        ("M:0/4\nK:C\nC", "M:0/4 is not a metre"),
        ("L:1/5\nK:C\nC", "L:1/5 is not a unit length"),
        ("K:H\nC", "K:H is not a key"),
        ("K:D blues\nC", "K:D blues is not a key"),
        ("C0", "length of 'C0'"),
        ("C/0", "length of 'C/0'"),
        ("C99999999999", "length of"),
        ("c" + "'" * 9, "outside MIDI"),
        (">C", "needs a note before"),
        ("M:4/4\nK:C\nC8|\nM:3/4\nC6", "changes its metre"),
        ("K:C\nV:1\nC\nV:2\nE", "several voices"),
        ("X:1\nK:C\nC\nX:2\nK:C\nD", "second tune"),
        ("C////////", "shorter than 1/96"),
        ("C |9 D :|", "not one of 1 to 8"),
        ("C" + "999" * 1 + " C999" * 40, "whole notes: 4096"),
    ],
)
def test_errors_say_what_is_wrong(text, words):
    with pytest.raises(ValueError, match=words):
        parse(text)


def test_not_a_string():
    with pytest.raises(TypeError, match="not bytes"):
        parse(b"C D E")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="CDEFGABcdefgabz,'^_=/123456789|:[]()<>-{}\"!% \nKLMTVXw", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        score = parse(text)
    except ValueError as error:
        assert str(error)
        return
    end = 0
    for note in score.voices[0]:
        assert note.onset >= end and note.duration > 0 and 0 <= note.pitch <= 127
        end = note.onset + note.duration


def test_long_lines_are_refused_quickly():
    with pytest.raises(ValueError, match="Cannot read"):
        parse("[" + "C11" * 400)  # a pattern that backtracks would never come back


# A writer of its own: spells pitches by tables, not by the reader's arithmetic.
SIGNATURES = {"C": {}, "D": {"F": 1, "C": 1}, "Gm": {"B": -1, "E": -1}, "Amix": {"F": 1, "C": 1}}
SPELLED = [("C", 0), ("C", 1), ("D", 0), ("E", -1), ("E", 0), ("F", 0), ("F", 1), ("G", 0)]
SPELLED += [("G", 1), ("A", 0), ("B", -1), ("B", 0)]
UNITS = {3: "/4", 6: "/2", 9: "3/4", 12: "", 18: "3/2", 24: "2", 36: "3", 48: "4", 72: "6"}


def write(score: Score, key: str) -> str:
    """The score as ABC with an accidental wherever the bar does not already say it."""
    bar, text = TICKS * 4 * score.metre[0] // score.metre[1], []
    said, now = dict(SIGNATURES[key]), 0
    for note in score.voices[0]:
        if note.onset and (note.onset - score.pickup) % bar == 0:
            text.append("|")
            said = dict(SIGNATURES[key])
        if note.onset > now:
            raise AssertionError("the writer knows no rests")
        letter, alteration = SPELLED[note.pitch % 12]
        octave = note.pitch // 12 - 5
        sign = ""
        if said.get(letter, 0) != alteration:
            sign = {0: "=", 1: "^", -1: "_"}[alteration]
            said[letter] = alteration
        name = letter if octave < 1 else letter.lower()
        marks = "," * -octave if octave < 0 else "'" * (octave - 1)
        text.append(sign + name + marks + UNITS[note.duration])
        now = note.onset + note.duration
    head = f"X:1\nT:{score.title}\nM:{score.metre[0]}/{score.metre[1]}\nL:1/8\nK:{key}\n"
    return head + " ".join(text)


@st.composite
def tunes(draw):
    key = draw(st.sampled_from(sorted(SIGNATURES)))
    tonic, mode = {
        "C": (0, "major"),
        "D": (2, "major"),
        "Gm": (7, "minor"),
        "Amix": (9, "mixolydian"),
    }[key]
    metre = draw(st.sampled_from([(2, 4), (3, 4), (4, 4), (6, 8), (9, 8)]))
    bar = TICKS * 4 * metre[0] // metre[1]
    pickup = draw(st.sampled_from([0, 12, 24]))
    lengths = [pickup] * bool(pickup) + [bar] * draw(st.integers(2, 6))
    notes, now = [], 0
    for length in lengths:
        left = length
        while left:
            duration = draw(st.sampled_from([d for d in UNITS if d <= left and d % 6 == 0]))
            notes.append(Note(now, duration, draw(st.integers(36, 95))))
            now, left = now + duration, left - duration
    return key, Score(
        "abc", "A Tune", "ABC notation", -1, "", tonic, mode, metre, pickup, (tuple(notes),)
    )


@settings(max_examples=100, deadline=None)
@given(tunes())
def test_round_trip(tune):
    key, score = tune
    assert parse(write(score, key)) == score


@settings(max_examples=50, deadline=None)
@given(tunes())
def test_a_repeat_is_the_tune_twice(tune):
    key, score = tune
    text = write(score, key)
    head, music = text.rsplit("\n", 1)
    once = parse(text).voices[0]
    twice = parse(f"{head}\n|: {music} :|").voices[0]
    end = once[-1].onset + once[-1].duration
    assert twice == (*once, *(Note(n.onset + end, n.duration, n.pitch) for n in once))


@settings(max_examples=50, deadline=None)
@given(tunes())
def test_bars_last_what_the_metre_says(tune):
    key, score = tune
    bar = TICKS * 4 * score.metre[0] // score.metre[1]
    _, lines = parse_with_bars(write(score, key))
    gaps = [b - a for a, b in zip(lines, lines[1:], strict=False)]
    assert gaps == [score.pickup] * bool(score.pickup) + [bar] * (len(gaps) - bool(score.pickup))
