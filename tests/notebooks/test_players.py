"""Players: one loudness, no clipping, small, silent until asked; words that follow measurements."""

import base64
import io

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import audio
from course_lib.notebook import describe, form, player, players
from course_lib.notebook.description import attack_time, pitch_shift
from course_lib.notebook.sounds import encode

RATE = 16000


def tone(hertz=440.0, seconds=2.0, level=0.3, rate=RATE):
    return level * torch.sin(2 * torch.pi * hertz * torch.arange(round(seconds * rate)) / rate)


def plucked(hertz=440.0, rise=0.002, seconds=2.0):
    time = torch.arange(round(seconds * RATE)) / RATE % 0.5
    envelope = torch.exp(-6 * time) * (time / rise).clamp(max=1)
    return tone(hertz, seconds, 0.5) * envelope


def decoded(table):
    sounds, _ = form.media(table._repr_html_())
    return [
        soundfile.read(io.BytesIO(base64.b64decode(s["src"].partition("base64,")[2])))
        for s in sounds
    ]


def test_all_rows_have_one_loudness_below_minus_1_dbfs():
    noise = torch.randn(2 * RATE, generator=torch.Generator().manual_seed(0))
    table = players({"quiet": tone(level=0.001), "loud": tone(level=3.0), "noise": 0.1 * noise})
    levels = []
    for samples, rate in decoded(table):
        assert samples.ndim == 1
        assert np.abs(samples).max() < 0.891 * 1.06  # MP3 may overshoot by half a decibel
        levels.append(float(audio.loudness(torch.tensor(samples, dtype=torch.float32)[None], rate)))
    assert max(levels) - min(levels) < 0.6


def test_peaky_rows_lower_the_whole_table_rather_than_clip():
    clicks = torch.zeros(2 * RATE)
    clicks[::4000] = 1.0
    levels = [
        float(audio.loudness(torch.tensor(s, dtype=torch.float32)[None], r))
        for s, r in decoded(players({"clicks": clicks, "tone": tone()}))
    ]
    assert levels[1] < -22


def test_broken_rows_play_12_db_lower_and_say_so():
    table = players({"right": tone(), "broken": tone()}, broken=("broken",))
    right, broken = (np.sqrt((s**2).mean()) for s, _ in decoded(table))
    assert 20 * np.log10(right / broken) == pytest.approx(12, abs=0.3)
    assert "12 dB lower" in table.rows[1][2] and "lower" not in table.rows[0][2]


def test_players_wait_carry_their_sound_and_are_small():
    html = players({"a <b>": tone(seconds=10)})._repr_html_()
    (sound,), _ = form.media(html)
    assert sound["preload"] == "none" and "autoplay" not in sound and "controls" in sound
    assert "a &lt;b&gt;" in html and "<b>a <b>" not in html
    assert len(html) < 40_000
    (samples, rate) = decoded(players({"x": tone(seconds=10)}))[0]
    assert len(samples) / rate == pytest.approx(4.0, abs=0.08)


def test_without_html_there_are_words():
    assert repr(player(tone(), label="tone")).startswith("[sound] tone: -")


def test_a_clip_brings_its_rate_and_stereo_is_mixed_down():
    class Clip:
        audio, sample_rate, title = tone(rate=24000).expand(2, -1), 24000, "a clip"

    table = player(Clip())
    assert table.rows[0][0] == "a clip"
    assert decoded(table)[0][1] == 24000


@pytest.mark.parametrize(
    ("sound", "error", "said"),
    [
        (torch.zeros(0), ValueError, "no samples"),
        (torch.tensor([0.0, float("nan")]), ValueError, "NaN"),
        (torch.zeros(2, 1, 100), ValueError, r"\[2, 1, 100\]"),
        (torch.zeros(100, 4), ValueError, r"\[100, 4\]"),
        (torch.zeros(100, dtype=torch.int16), TypeError, "int16"),
        (torch.zeros(100, dtype=torch.complex64), TypeError, "complex64"),
        ("x.wav", TypeError, "str"),
        (None, TypeError, "NoneType"),
    ],
)
def test_what_cannot_be_played_is_named(sound, error, said):
    with pytest.raises(error, match=said) as caught:
        players({"mine": sound})
    assert "'mine'" in str(caught.value)


@pytest.mark.parametrize("rate", [0, -16000, 1.5, "16k", None, 10**9])
def test_impossible_sample_rates_are_named(rate):
    with pytest.raises(ValueError, match="sample rate of 'sound' is"):
        player(tone(), rate)


def test_what_is_no_sound_is_not_called_by_its_methods():
    with pytest.raises(TypeError, match="Expected 'sound' to be"):
        player("x.wav")


def test_labels_may_be_numbers():
    table = players({4: tone(), 16: plucked()}, reference=16, broken=(4,))
    assert [row[0] for row in table.rows] == ["4", "16"]
    assert "against" in table.rows[0][2] and "12 dB lower" in table.rows[0][2]


def test_unknown_labels_and_empty_tables_are_refused():
    with pytest.raises(ValueError, match="'c'; there are a"):
        players({"a": tone()}, broken=("c",))
    with pytest.raises(ValueError, match="at least one row"):
        players({})


def test_silence_is_played_as_silence():
    table = players({"nothing": torch.zeros(8000), "tone": tone()})
    assert table.rows[0][2].startswith("silence")
    assert np.abs(decoded(table)[0][0]).max() == 0


def test_the_description_follows_what_was_done():
    clean = plucked()
    generator = torch.Generator().manual_seed(0)
    hissing = clean + 0.02 * torch.randn(clean.shape, generator=generator)
    blurred = plucked(rise=0.040)
    assert "more above 4 kHz" in str(describe(hissing, reference=clean))
    assert "brighter" in str(describe(hissing, reference=clean))
    assert "attacks blurred" in str(describe(blurred, reference=clean))
    assert "in tune" in str(describe(clean, reference=clean))
    assert "30 cents flat" in str(describe(plucked(440 * 2 ** (-30 / 1200)), reference=clean))
    assert "clips" in str(describe(tone(level=1.5)))
    same = describe(clean, reference=clean)
    assert "as bright" in str(same) and "as sharp" in str(same) and "the same" in str(same)


@pytest.mark.parametrize("rise", [0.004, 0.012, 0.030])
def test_attack_time_is_the_rise_that_was_made(rise):
    # From 10 to 90 % of a linear rise are 0.8 of it; the window of the envelope adds up to 4 ms.
    assert attack_time(plucked(rise=rise), RATE) == pytest.approx(0.8e3 * rise, abs=4.1)


def test_steady_and_short_sounds_have_no_attacks():
    assert attack_time(tone(), RATE) is None
    assert attack_time(tone(seconds=0.01), RATE) is None


@settings(max_examples=12, deadline=None)
@given(cents=st.integers(-120, 120))
def test_pitch_error_is_measured_within_two_cents(cents):
    chord = sum(tone(f, 1.0, 0.1) for f in (220.0, 277.2, 329.6, 440.0))
    moved = sum(tone(f * 2 ** (cents / 1200), 1.0, 0.1) for f in (220.0, 277.2, 329.6, 440.0))
    assert pitch_shift(moved, chord, RATE) == pytest.approx(cents, abs=2)


@pytest.mark.parametrize("rate", [4000, 11025, 16000, 20000, 22050, 24000, 44100, 48000, 96000])
def test_mp3_of_every_rate_can_be_read(rate):
    samples, _ = soundfile.read(io.BytesIO(encode(tone(rate=rate), rate, "MP3")))
    assert np.abs(samples).max() > 0.2
