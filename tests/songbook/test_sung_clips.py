"""Clips whose lead is sung: the same clips, with words on their notes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib import songbook
from course_lib.audio import write
from course_lib.songbook import draw, rendering
from course_lib.songbook.captions import MANNERS, write_captions
from course_lib.songbook.clip import arrangement, attributes, clip, render_planned
from course_lib.songbook.voice import VOICE_VERSION
from course_lib.songbook.voice_lyrics import HIGHEST, LOWEST, VOICE
from course_lib.songbook.voice_phonemes import CONSONANTS, PHONEMES, VOWELS

FINGERPRINTS = Path(__file__).with_name("voice_fingerprints.json")
COUNT, SECONDS = 60, 6.0


def sung(index, split="train", seconds=SECONDS):
    return draw.plan(0, split, index, seconds, voice=True)


@pytest.fixture(scope="module")
def lyrics():
    return [arrangement(sung(i), SECONDS).lyrics for i in range(COUNT)]


def test_phonemes_follow_each_other_within_the_clip(lyrics):
    for found in lyrics:
        assert found.phonemes, "every clip is sung"
        now = 0.0
        for start, end, symbol in found.phonemes:
            assert now - 1e-9 <= start < end <= SECONDS + 1e-9 and symbol in PHONEMES
            assert end - start > 0.02
            now = end


def test_the_text_spells_the_phonemes(lyrics):
    for found in lyrics:
        symbols = tuple(symbol for _, _, symbol in found.phonemes)
        assert songbook.phonemes_of(found.text) == symbols
        ids = songbook.phoneme_ids(found.phonemes)
        assert ids.dtype == torch.int64 and torch.equal(ids, songbook.phoneme_ids(found.text))
        assert songbook.phoneme_symbols(ids) == symbols


def test_vowels_begin_on_notes_and_no_faster_than_can_be_sung(lyrics):
    late = []
    for found in lyrics:
        onsets = np.array([note.onset for note in found.notes])
        vowels = [p for p in found.phonemes if p[2] in VOWELS]
        late.append([np.abs(onsets - start).min() for start, _, _ in vowels])
        starts = np.diff([start for start, _, _ in vowels])
        assert starts.min() > 0.13 and np.mean(starts < 0.235) < 0.2
    # A consonant at the clip's very beginning pushes its vowel off the note; a short breath may.
    assert max(map(max, late)) < 0.11
    assert np.mean([x > 1e-6 for first, *others in late for x in others]) < 0.03


def test_every_note_is_sung_within_the_range_without_overlap(lyrics):
    for found in lyrics:
        assert all(LOWEST <= note.pitch <= HIGHEST for note in found.notes)
        for a, b in zip(found.notes, found.notes[1:], strict=False):
            assert a.onset + a.duration <= b.onset + 1e-9


def test_the_singer_breathes(lyrics):
    """No phrase is longer than ten seconds' worth, and most clips of 6 s have a breath."""
    assert np.mean([", " in found.text for found in lyrics]) > 0.5
    for found in lyrics:
        gaps = [b[0] - a[1] for a, b in zip(found.phonemes, found.phonemes[1:], strict=False)]
        assert sum(gap > 0.02 for gap in gaps) == found.text.count(",")


def test_phonemes_are_drawn_evenly(lyrics):
    text = [symbol for found in lyrics for _, _, symbol in found.phonemes]
    for group in (VOWELS, CONSONANTS):
        counts = [text.count(symbol) for symbol in group]
        assert min(counts) > 0.55 * np.mean(counts) and max(counts) < 1.6 * np.mean(counts)


def test_words_belong_to_the_clip():
    again = arrangement(sung(3), SECONDS).lyrics
    assert again == arrangement(sung(3), SECONDS).lyrics
    assert again.text != arrangement(sung(4), SECONDS).lyrics.text
    assert again.text != arrangement(sung(3, "test"), SECONDS).lyrics.text


@pytest.mark.parametrize("index", [1, 5])
def test_the_band_plays_what_it_plays_without_a_singer(index):
    plain, with_voice = (
        clip(draw.plan(0, "test", index, 3.0, voice), 3.0, 16000, 1) for voice in (False, True)
    )
    assert with_voice.players["lead"] == VOICE and plain.players["lead"] != VOICE
    assert (plain.lyrics, plain.phonemes) == (None, ())
    assert with_voice.lyrics and with_voice.phonemes
    assert with_voice.beats == plain.beats and with_voice.chords == plain.chords
    for stem in ("chords", "bass", "drums"):
        assert with_voice.notes[stem] == plain.notes[stem]
        a, b = (c.stems[stem].flatten() for c in (plain, with_voice))
        if a.any():  # alike but for the gain of the mix
            gain = float(a @ b / (a @ a))
            torch.testing.assert_close(gain * a, b, atol=1e-5, rtol=1e-4)
    mixed = sum(with_voice.stems.values())
    torch.testing.assert_close(mixed, with_voice.audio, atol=1e-6, rtol=0)
    level = {k: float(v.pow(2).mean()) for k, v in with_voice.stems.items()}
    assert level["lead"] > max(level["chords"], level["drums"])


def test_labels_and_captions_name_the_voice():
    for index in range(20):
        made = attributes(sung(index))
        plain = attributes(draw.plan(0, "train", index, SECONDS))
        assert made.instruments[0] == VOICE and VOICE not in plain.instruments
        assert (made.style, made.tempo, made.mood) == (plain.style, plain.tempo, plain.mood)
        texts = write_captions(made, np.random.default_rng(index))
        assert set(texts) == set(MANNERS)
        assert VOICE in texts["description"] and VOICE in texts["tags"]
        assert "voice plays" not in texts["sentence"] and "played on" not in texts["sentence"]


def test_load_keeps_sung_and_unsung_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    size = songbook.Size(2, 2, 2, 2.0)
    plain = songbook.load("test", size, progress=False)
    with_voice = songbook.load("test", size, progress=False, voice=True)
    assert len(list((tmp_path / "songbook").glob("test-*.pcm"))) == 2
    assert not torch.equal(plain.batch([0]), with_voice.batch([0]))
    assert with_voice[1].lyrics == with_voice.lyrics(1).text
    assert with_voice[1].phonemes == with_voice.lyrics(1).phonemes
    assert with_voice.attributes(1).instruments[0] == VOICE
    alone, stem = with_voice.solo(1).flatten(), with_voice[1].stems["lead"].flatten()
    assert torch.corrcoef(torch.stack([alone, stem]))[0, 1] > 0.9999
    with pytest.raises(ValueError, match="voice=True"):
        plain.lyrics(0)
    with pytest.raises(IndexError, match="2 clips"):
        with_voice.lyrics(2)
    with pytest.raises(ValueError, match="'yes'"):
        songbook.load("test", size, voice="yes")


def test_a_tune_of_ones_own_is_sung(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    sung, played = (songbook.mine(seconds=3.0, voice=voice) for voice in (True, False))
    assert sung.lyrics and played.lyrics is None and sung.beats == played.beats
    assert (sung.players["lead"], sung.attributes.instruments[0]) == (VOICE, VOICE)
    in_house = songbook.in_style(songbook.scores("test")[0], "house", 2.0, voice=True)
    assert in_house.phonemes and in_house.attributes.style == "house"
    path = tmp_path / "whistled.wav"
    write(path, 0.1 * torch.ones(1, 8000), 16000)
    with pytest.raises(ValueError, match="recording.*tune"):
        songbook.mine(path, voice=True)


def test_without_a_voice_the_cache_is_named_as_before_there_was_one():
    job = rendering.Job("test", 2, 1.0, 16000, 1, 0)
    assert "voice" not in job.facts
    assert rendering.Job("test", 2, 1.0, 16000, 1, 0, True).facts["voice"] == VOICE_VERSION


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: songbook.phonemes_of("mila x"), ValueError, "'x'.*sh"),
        (lambda: songbook.phonemes_of("Mila"), ValueError, "'M'"),
        (lambda: songbook.phonemes_of("h"), ValueError, "'h'"),
        (lambda: songbook.phonemes_of(3), TypeError, "int"),
        (lambda: songbook.phoneme_ids(["m", "th"]), ValueError, "'th'"),
        (lambda: songbook.phoneme_ids("p"), ValueError, "'p'"),
        (lambda: songbook.phoneme_ids(3), TypeError, "a text, symbols or.*not 3"),
        (lambda: songbook.phoneme_ids([1, 2]), TypeError, r"not \[1, 2\]"),
        (lambda: songbook.phoneme_ids(torch.tensor([1])), TypeError, "not tensor"),
        (lambda: songbook.phoneme_symbols([1, 17]), ValueError, "17"),
        (lambda: songbook.phoneme_symbols([-1]), ValueError, "-1"),
    ],
)
def test_unknown_phonemes_are_named(call, error, words):
    with pytest.raises(error, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_spelling_and_windows():
    assert songbook.phonemes_of("shos, mila.") == ("sh", "o", "s", "m", "i", "l", "a")
    assert songbook.phonemes_of("") == () and songbook.phoneme_ids("").shape == (0,)
    assert songbook.phoneme_symbols([0, 1, 0, 0, 2]) == PHONEMES[:2]
    timed = [(0.0, 0.2, "m"), (0.2, 1.0, "a"), (1.0, 1.2, "s"), (1.2, 2.0, "o")]
    assert songbook.sung_between(timed, 0.5, 1.5) == (
        (0.0, 0.5, "a"),
        (0.5, pytest.approx(0.7), "s"),
    )


def version():
    return [*rendering.RENDER_VERSION, VOICE_VERSION, rendering.scores_digest()]


def fingerprint(index):
    """Sixteen samples of a sung clip as int16, spread over its two seconds, and its words."""
    audio = render_planned(0, "train", index, 2.0, 16000, 1, True)
    text = arrangement(sung(index, seconds=2.0), 2.0).lyrics.text
    return [text, *(int(x) for x in np.round(32767 * audio[0, 1000::1937]))]


def test_the_voice_changes_only_with_its_version():
    """Where it was meant to change: raise VOICE_VERSION and run this file as a script."""
    stored = json.loads(FINGERPRINTS.read_text(encoding="utf-8"))
    assert stored["version"] == version(), "store the fingerprints anew"
    for index, (text, *expected) in stored["clips"].items():
        found, *samples = fingerprint(int(index))
        assert found == text and samples == pytest.approx(expected, abs=4), index


if __name__ == "__main__":
    made = {str(i): fingerprint(i) for i in range(6)}
    text = json.dumps({"version": version(), "clips": made})
    FINGERPRINTS.write_text(
        text.replace('"clips"', '\n"clips"').replace("], ", "],\n") + "\n", encoding="utf-8"
    )
