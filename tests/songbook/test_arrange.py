"""What the players play: onsets, pitches, chords and beats are those of the score."""

import numpy as np
import pytest
from clip_scores import BEAT, PICKUP, SCALE, in_metre, score
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.songbook import voicing
from course_lib.songbook.accompany import one_bar
from course_lib.songbook.arrange import STEMS, arrange
from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.clip import arrangement
from course_lib.songbook.draw import plan, players
from course_lib.songbook.score import Note, Score
from course_lib.songbook.style import HAT, LOW_TOM, MID_TOM, SNARE
from course_lib.songbook.styles import STYLES
from course_lib.songbook.timing import Clock, bars

PLAYERS = ("piano", "piano", "upright_bass")


def play(tune, style="chorale", seconds=4.0, tempo=60.0, instruments=PLAYERS, **more):
    return arrange(
        tune, STYLES[style], instruments, seconds, tempo, np.random.default_rng(0), **more
    )


def test_lead_plays_the_score():
    lead = play(SCALE, seconds=8.0, shift=3).notes["lead"]
    assert [e.onset for e in lead] == pytest.approx(range(8))
    classes = [e.pitch % 12 for e in lead]
    assert classes == [(n.pitch + 3) % 12 for n in SCALE.voices[0]]
    steps = np.diff([e.pitch for e in lead])
    assert list(steps) == list(np.diff([n.pitch for n in SCALE.voices[0]]))


def test_beats_follow_tempo_and_downbeats_the_metre():
    for metre, per_bar in (((2, 4), 2), ((3, 4), 3), ((4, 4), 4), ((6, 8), 2), ((9, 8), 3)):
        parts = play(in_metre(metre), seconds=6.0, tempo=90.0)
        assert np.diff(parts.beats) == pytest.approx(60 / 90)
        assert parts.downbeats == parts.beats[::per_bar]


def test_pickup_comes_before_the_first_downbeat_and_returns_in_the_last_bar():
    parts = play(PICKUP, style="house", seconds=12.0)
    assert parts.beats[0] == 0 and parts.downbeats[0] == pytest.approx(1.0)
    accompaniment = [e.onset for stem in ("chords", "bass") for e in parts.notes[stem]]
    assert min(accompaniment) >= 1.0
    lead = parts.notes["lead"]
    assert [round(e.onset) for e in lead[:8]] == list(range(8))
    # The tune has two bars: it starts again 8 s later, its pickup within the second bar.
    assert [e.pitch for e in lead[8:12]] == [e.pitch for e in lead[:4]]
    assert lead[8].onset == pytest.approx(8.0)


def test_pickup_is_left_out_where_the_last_bar_is_full():
    full = score([67, 60, 64, 67, 72], [BEAT] * 5, pickup=BEAT)
    lead = play(full, seconds=9.0).notes["lead"]
    pitches = [e.pitch % 12 for e in lead]
    assert pitches == [7, 0, 4, 7, 0, 0, 4, 7, 0]


def test_swing_moves_only_what_lies_off_the_beat():
    tune = score([60, 62] * 8, [BEAT // 2] * 16)
    straight = play(tune, style="house", tempo=60.0)
    swung = play(tune, style="lo_fi", tempo=60.0)
    assert swung.beats == straight.beats
    offsets = [e.onset % 1 for e in swung.notes["lead"]]
    assert offsets[::2] == pytest.approx([0] * 4)
    assert offsets[1::2] == pytest.approx([STYLES["lo_fi"].swing] * 4)
    compound = in_metre((6, 8))
    thirds = [e.onset * 3 % 1 for e in play(compound, style="lo_fi", tempo=60.0).notes["lead"]]
    assert np.minimum(thirds, 1 - np.array(thirds)) == pytest.approx(0, abs=1e-9)


@given(st.floats(30, 300), st.floats(0.5, 0.67), st.integers(0, 500), st.integers(1, 500))
def test_time_runs_forwards(tempo, swing, tick, gap):
    clock = Clock(PICKUP, tempo, swing, 0)
    assert clock.seconds(tick + gap) > clock.seconds(tick)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("metre", [(2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (3, 8), (12, 8), (5, 4)])
def test_every_style_plays_every_metre(style, metre):
    groove = STYLES[style].groove(metre)
    slots = 12 if metre == (12, 8) else 0
    for pattern in (groove.bass, groove.chords, *groove.drums.values()):
        compound = metre[1] == 8
        expected = slots or (metre[0] if compound else metre[0] * 4)
        assert len(one_bar(pattern, metre)) == expected
    parts = play(in_metre(metre), style=style, seconds=6.0, tempo=100.0)
    drums = STYLES[style].drums != "never"
    for stem in STEMS:
        assert bool(parts.notes[stem]) == (stem != "drums" or drums)


@pytest.mark.parametrize("style", STYLES)
def test_patterns_are_whole_bars_in_the_notation(style):
    s = STYLES[style]
    for groove, slots in ((s.duple, (16,)), (s.triple, (12,)), (s.compound, (6,))):
        for pattern, tokens in (
            (groove.bass, "R538w.-"),
            (groove.chords, "xX0123.-"),
            *((p, "xXo.") for p in groove.drums.values()),
        ):
            cells = pattern.replace(" ", "")
            assert set(cells) <= set(tokens)
            # A shorter pattern is repeated, which must come out even.
            assert slots[0] % len(cells) == 0
    assert all(len(fill) == 4 and set(fill) <= set("xXo.") for fill in s.fill.values())
    if s.drums == "never":
        assert not s.duple.drums and not s.fill
    else:
        assert s.duple.drums and s.triple.drums and s.compound.drums
    for name in (*s.lead, *s.chords, *s.bass, s.kit):
        assert name in INSTRUMENTS
    assert 60 <= s.tempo[0] < s.tempo[1] <= 180


def test_a_fill_ends_each_phrase():
    tune = score([60] * 32, [BEAT] * 32)
    drums = play(tune, style="fiddle_session", seconds=32.0, instruments=PLAYERS).notes["drums"]
    fill = [e for e in drums if e.pitch == MID_TOM]
    assert [int(e.onset) for e in fill] == [15, 31]
    soul = play(tune, style="soul", seconds=16.0).notes["drums"]
    last = [e for e in soul if 15 <= e.onset < 16]
    assert {e.pitch for e in last} == {SNARE, MID_TOM, LOW_TOM}
    assert HAT in {e.pitch for e in soul if 14 <= e.onset < 15}


def labels_at(chords, time):
    return next(name for start, end, name in chords if start - 1e-9 <= time < end - 1e-9)


def tones_of(name):
    root, quality = name.split(":")
    return set(voicing.tones(voicing.PITCH_NAMES.index(root), quality))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5999), st.sampled_from(["train", "validation", "test"]))
def test_drawn_clips_are_playable_and_truly_labelled(index, split):
    drawn = plan(0, split, index, 5.0)
    parts = arrangement(drawn, 5.0)
    named = dict(zip(STEMS, (*drawn.instruments, drawn.style.kit), strict=True))
    for stem in ("lead", "chords", "bass"):
        assert parts.notes[stem], f"{stem} is silent"
    assert bool(parts.notes["drums"]) == drawn.drums
    for stem, events in parts.notes.items():
        player = INSTRUMENTS[named[stem]]
        for event in events:
            assert player.lowest <= event.pitch <= player.highest
            assert 0 < event.velocity <= 1 and event.duration > 0
            assert 0 <= event.onset and event.onset + event.duration <= 5.0 + 1e-9
    # Chord labels cover the clip end to end.
    assert parts.chords[0][0] == 0 and parts.chords[-1][1] == 5.0
    ends = [end for _, end, _ in parts.chords[:-1]]
    assert ends == [start for start, _, _ in parts.chords[1:]]
    if not drawn.style.voices:
        for event in parts.notes["chords"]:
            name = labels_at(parts.chords, event.onset)
            assert event.pitch % 12 in tones_of(name)
        # Where a chord begins, the bass gives its root.
        for start, _, name in parts.chords:
            for event in parts.notes["bass"]:
                if name != "N" and event.onset == pytest.approx(start, abs=1e-9):
                    assert event.pitch % 12 == voicing.PITCH_NAMES.index(name.split(":")[0])


@given(
    st.integers(0, 11),
    st.sampled_from(sorted(voicing.TONES)),
    st.integers(0, 11),
    st.sampled_from(sorted(voicing.TONES)),
)
def test_voices_lead_to_the_nearest_inversion(root, quality, before_root, before_quality):
    before = voicing.nearest_inversion(voicing.tones(before_root, before_quality), None, 48, 76, 60)
    chord = voicing.nearest_inversion(voicing.tones(root, quality), before, 48, 76, 60)
    assert {p % 12 for p in chord} == set(voicing.tones(root, quality))
    assert 48 <= min(chord) and max(chord) <= 76
    assert abs(chord[0] - before[0]) <= 7 and abs(chord[-1] - before[-1]) <= 7


def test_a_chorale_keeps_its_inner_voices():
    voices = tuple((Note(0, 96, pitch), Note(96, 96, pitch)) for pitch in (72, 67, 64, 48))
    tune = Score("four", "Four", "tests", 0, "train", 0, "major", (4, 4), 0, voices)
    parts = play(tune, instruments=("organ", "organ", "organ"), seconds=8.0)
    assert sorted({e.pitch % 12 for e in parts.notes["chords"]}) == [4, 7]
    assert {e.pitch % 12 for e in parts.notes["bass"]} == {0}
    assert {e.pitch for stem in ("lead", "chords", "bass") for e in parts.notes[stem]} == {
        72, 67, 64, 48
    }  # fmt: skip
    house = play(tune, style="house", instruments=("piano", "organ", "synth_bass"), seconds=8.0)
    assert len(house.notes["chords"]) > 6


def test_sevenths_do_not_rub_against_the_melody():
    c_major = frozenset(voicing.SCALES["major"])
    assert voicing.with_seventh(0, "maj", c_major, frozenset({0})) == "maj"
    assert voicing.with_seventh(0, "maj", c_major, frozenset({4})) == "maj7"
    assert voicing.with_seventh(7, "maj", c_major, frozenset({7})) == "7"
    assert voicing.with_seventh(2, "min", c_major, frozenset()) == "min7"
    assert voicing.with_seventh(11, "dim", c_major, frozenset()) == "dim"


def test_a_very_wide_tune_is_folded_into_the_range():
    wide = score([24, 60, 108, 60], [BEAT] * 4)
    lead = play(wide, instruments=("trumpet", "piano", "tuba")).notes["lead"]
    assert [e.pitch % 12 for e in lead] == [0, 0, 0, 0]
    assert all(52 <= e.pitch <= 84 for e in lead)


def test_bars_count_the_last_one_even_if_it_is_short():
    assert bars(PICKUP) == 2
    assert bars(SCALE) == 2


def test_players_choose_another_instrument_for_the_chords():
    for style in STYLES.values():
        for seed in range(10):
            lead, chords, _ = players(style, np.random.default_rng(seed))
            assert lead != chords or set(style.chords) <= {lead}
