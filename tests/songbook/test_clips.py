"""Clips: what decides them, how their labels spread, that sound and labels belong together."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_scores import SCALE, in_metre

from course_lib import songbook
from course_lib.songbook import draw, rendering
from course_lib.songbook.clip import attributes, clip, render_planned
from course_lib.songbook.styles import DRAWN, STYLES
from course_lib.songbook.voicing import PITCH_NAMES

FINGERPRINTS = Path(__file__).with_name("fingerprints.json")
ATTRIBUTES = ("style", "mode", "metre", "tempo_class", "tonic")


def labels(split, count, seed=0):
    return [attributes(draw.plan(seed, split, i, 5.0)) for i in range(count)]


def test_a_clip_depends_on_seed_split_index_and_seconds_alone():
    first = draw.plan(0, "train", 7, 5.0)
    draw.plan(0, "train", 8, 5.0)
    assert draw.plan(0, "train", 7, 5.0) == first
    assert first != draw.plan(1, "train", 7, 5.0)
    assert first != draw.plan(0, "validation", 7, 5.0)
    a = render_planned(0, "train", 7, 2.0, 16000, 1)
    render_planned(0, "test", 0, 2.0, 16000, 1)
    assert np.array_equal(a, render_planned(0, "train", 7, 2.0, 16000, 1))


def test_splits_share_no_score_and_no_family():
    ids, families = {}, {}
    for split in draw.SPLITS:
        plans = [draw.plan(0, split, i, 5.0) for i in range(300)]
        ids[split] = {plan.score.id for plan in plans}
        families[split] = {plan.score.family for plan in plans}
        assert {plan.score.split for plan in plans} == {split}
    for a, b in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not ids[a] & ids[b]
        assert not families[a] & families[b]


@pytest.mark.parametrize(("split", "count"), [("train", 256), ("test", 64), ("validation", 200)])
def test_labels_are_balanced(split, count):
    drawn = labels(split, count)
    shares = {
        "style": dict.fromkeys(DRAWN, 1 / len(DRAWN)),
        "mode": draw.MODE_SHARES,
        "metre": draw.METRE_SHARES,
        "tempo_class": dict.fromkeys(draw.TEMPO_CLASSES, 1 / 3),
        "tonic": dict.fromkeys(PITCH_NAMES, 1 / 12),
    }
    for name, expected in shares.items():
        counts = Counter(getattr(label, name) for label in drawn)
        assert set(counts) == set(expected)
        for value, share in expected.items():
            # A small split misses a share by a few clips, or a third where tunes are rare.
            assert abs(counts[value] - share * count) <= max(4, share * count / 3), (name, value)
    assert 0.35 < np.mean([label.drums for label in drawn]) < 0.6


def test_styles_keep_to_their_tempi_metres_and_drums():
    for label in labels("train", 600):
        style = STYLES[label.style]
        assert style.tempo[0] <= label.tempo <= style.tempo[1]
        assert label.metre in style.metres
        assert label.drums or style.drums != "always"
        assert not label.drums or style.drums != "never"
        assert label.tempo_class == draw.tempo_class(label.tempo)
        assert set(label.instruments) <= {*style.lead, *style.chords, *style.bass, style.kit}


def test_the_corpus_reaches_all_that_is_promised():
    drawn = labels("train", 1000)
    assert len(STYLES) >= 10
    assert {label.metre for label in drawn} == {"2/4", "3/4", "4/4", "6/8", "9/8"}
    assert min(label.tempo for label in drawn) < 66 and max(label.tempo for label in drawn) > 170
    assert len({name for label in drawn for name in label.instruments}) >= 12
    assert any(draw.plan(0, "train", i, 30.0).first_bar >= 8 for i in range(60))


def test_stems_add_up_to_the_mix_and_match_the_notes():
    for index in range(6):
        made = clip(draw.plan(0, "test", index, 3.0), 3.0, 16000, 2)
        assert made.audio.shape == (2, 48000) and made.audio.dtype == torch.float32
        assert set(made.stems) == set(made.notes) == {"lead", "chords", "bass", "drums"}
        torch.testing.assert_close(sum(made.stems.values()), made.audio, atol=1e-6, rtol=0)
        assert made.audio.abs().max() <= 0.9
        level = {
            k: 10 * float(v.pow(2).mean().clamp(min=1e-12).log10()) for k, v in made.stems.items()
        }
        for stem, events in made.notes.items():
            assert (level[stem] > -50) == bool(events)
        assert level["lead"] > level["chords"] + 1
        assert made.lyrics is None
        assert made.attributes.drums == bool(made.notes["drums"])


def test_a_clip_in_every_style_sounds_different():
    tune = in_metre((4, 4))
    made = {name: songbook.in_style(tune, name, 3.0) for name in STYLES}
    spectra = {}
    for name, c in made.items():
        spectrum = torch.stft(
            c.audio[0], 1024, 256, window=torch.hann_window(1024), return_complex=True
        )
        spectra[name] = (spectrum.abs() + 1e-4).log()[:, :180]
        assert c.attributes.style == name and c.attributes.tonic == "C"
    names = list(spectra)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            # The same arrangement rendered with other chances differs by up to 0.7.
            assert (spectra[a] - spectra[b]).abs().mean() > 0.8, (a, b)


def test_in_style_takes_ids_tempi_and_seeds():
    some = songbook.scores("test")[0]
    by_id = songbook.in_style(some.id, "house", 2.0, tempo=100)
    assert by_id.attributes.tempo == 100 and by_id.score_id == some.id
    assert torch.equal(by_id.audio, songbook.in_style(some, "house", 2.0, tempo=100).audio)
    others = {
        songbook.in_style(SCALE, "ambient", 1.0, seed=s).attributes.instruments for s in range(8)
    }
    assert len(others) > 1
    whole = songbook.in_style(SCALE, "house", 6.0)
    bars = 6.0 * whole.attributes.tempo / 60 / 4
    assert bars == pytest.approx(round(bars))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: songbook.in_style("none", "house"), ValueError, "'none'"),
        (lambda: songbook.in_style(SCALE, "polka"), ValueError, "'polka'.*chorale"),
        (lambda: songbook.in_style(SCALE, "house", 0.1), ValueError, "0.1"),
        (lambda: songbook.in_style(SCALE, "house", float("nan")), ValueError, "nan"),
        (lambda: songbook.in_style(SCALE, "house", sample_rate=100), ValueError, "100"),
        (lambda: songbook.in_style(SCALE, "house", channels=3), ValueError, "3"),
        (lambda: songbook.in_style(SCALE, "house", tempo=1000), ValueError, "1000"),
        (lambda: songbook.in_style(SCALE, "house", tempo="90"), ValueError, "'90'"),
        (lambda: songbook.in_style(SCALE, "house", seed=-1), ValueError, "-1"),
        (lambda: songbook.in_style(3, "house"), TypeError, "3"),
        (lambda: songbook.load("dev"), ValueError, "'dev'.*train"),
        (lambda: songbook.load("train", "huge"), ValueError, "'huge'.*quick"),
        (lambda: songbook.load("train", ["quick"]), ValueError, "quick.*full"),
        (lambda: songbook.load("train", songbook.Size(0, 1, 1, 5.0)), ValueError, "0"),
        (lambda: songbook.load("train", songbook.Size(1, 1, 1, -5.0)), ValueError, "-5.0"),
        (lambda: songbook.load("train", songbook.Size(1, 1, 1, "5")), ValueError, "'5'"),
        (lambda: songbook.load("train", sample_rate=16000.5), ValueError, "16000.5"),
        (lambda: songbook.load("train", seed=-1), ValueError, "-1"),
        (lambda: songbook.load("train", channels="2"), ValueError, "'2'"),
        (lambda: songbook.load("train", channels=2.0), ValueError, "2.0"),
    ],
)
def test_wrong_arguments_are_named(call, error, words):
    with pytest.raises(error, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)


def version():
    return [*rendering.RENDER_VERSION, rendering.scores_digest()]


def fingerprint(index):
    """Sixteen samples of a clip as int16, spread over its two seconds."""
    audio = render_planned(0, "train", index, 2.0, 16000, 1)
    return [int(x) for x in np.round(32767 * audio[0, 1000::1937])]


def test_the_sound_changes_only_with_the_render_version():
    """Where the sound was meant to change: raise RENDER_VERSION in the floor that changed

    (rendering or band.render) and run this file as a script, as after a change of the scores.
    """
    stored = json.loads(FINGERPRINTS.read_text(encoding="utf-8"))
    assert stored["version"] == version(), "store the fingerprints anew"
    for index, expected in stored["clips"].items():
        # 1e-4 of full scale between machines, and rounding.
        assert fingerprint(int(index)) == pytest.approx(expected, abs=4), index


if __name__ == "__main__":
    made = {str(i): fingerprint(i) for i in range(12)}
    text = json.dumps({"version": version(), "clips": made})
    FINGERPRINTS.write_text(
        text.replace('"clips"', '\n"clips"').replace("], ", "],\n") + "\n", encoding="utf-8"
    )


def test_texts_of_a_clip_without_its_sound():
    clips = songbook.load("test", songbook.Size(2, 2, 2, 1.0), progress=False)
    first, second, third = clips.captions(1, drafts=3)
    assert first == clips[1].captions == clips.captions(1)[0]
    assert first != second != third != first  # the same clip in other words
    for draft in (second, third):
        assert (
            draft.keys() == first.keys()
            and STYLES[clips.attributes(1).style].words in draft["tags"]
        )
    with pytest.raises(IndexError, match="2"):
        clips.captions(2)
    with pytest.raises(ValueError, match="drafts=0"):
        clips.captions(0, drafts=0)
