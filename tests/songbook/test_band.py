"""What the band promises: pure notes, silence, clear refusals, stems that sum to the mix."""

import dataclasses

import band_measures as measure
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.songbook import band

EVENTS = [
    band.Event(0.0, 0.4, 60, 0.8),
    band.Event(0.3, 0.5, 64, 0.5),
    band.Event(0.3, 0.2, 67, 1.0),
    band.Event(1.1, 2.0, 72, 0.2),
]


def stems(rate=16000, seed=0, seconds=2.0):
    bass = [dataclasses.replace(e, pitch=e.pitch - 24) for e in EVENTS]
    drums = [band.Event(0.25 * k, 0.1, (36, 42, 38, 42)[k % 4], 0.7) for k in range(8)]
    return {
        "lead": band.render("violin", EVENTS, seconds, rate, seed),
        "chords": band.render("guitar", EVENTS, seconds, rate, seed),
        "bass": band.render("upright_bass", bass, seconds, rate, seed),
        "drums": band.render("drum_kit", drums, seconds, rate, seed),
    }


def test_the_band_is_complete():
    assert len(measure.PITCHED) >= 13 and "drum_kit" in band.INSTRUMENTS
    for name, i in band.INSTRUMENTS.items():
        assert i.name == name and i.lowest < i.highest and i.words and i.family


@pytest.mark.parametrize("name", band.INSTRUMENTS)
def test_same_seed_same_samples(name):
    drums = band.INSTRUMENTS[name].family == "drums"
    pitch = 38 if drums else measure.registers(name)[1]
    one, two, other = (measure.note(name, pitch, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", band.INSTRUMENTS)
def test_a_note_does_not_depend_on_the_others(name):
    """Rendered alone and added up, the notes are the phrase."""
    i = band.INSTRUMENTS[name]
    drums = i.family == "drums"
    pitches = (36, 42, 38, 46) if drums else [*measure.registers(name), i.lowest]
    events = [dataclasses.replace(e, pitch=p) for e, p in zip(EVENTS, pitches, strict=True)]
    phrase = band.render(name, events, 2.0, 16000, 7)
    alone = sum(band.render(name, [event], 2.0, 16000, 7) for event in events)
    assert np.abs(phrase - alone).max() < 1e-6
    assert np.array_equal(
        band.render(name, events[:3], 2.0, 16000, 7)[:17600], phrase[:17600]
    )  # the fourth comes in at 1.1 s


def test_what_was_played_before_leaves_no_trace():
    """The caches of notes and tables do not change a sound."""
    from course_lib.songbook.band import drums, karplus_strong, wavetable

    before = stems()
    for cached in (drums._hit, karplus_strong.pluck, karplus_strong._body, wavetable.wavetable):
        cached.cache_clear()
    after = stems()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_no_events_are_silence():
    silence = band.render("piano", [], 0.5, 16000, 0)
    assert silence.shape == (8000,) and silence.dtype == np.float32 and not silence.any()
    mixed, wet = band.mix({"lead": silence}, 16000)
    assert mixed.shape == (1, 8000) and not mixed.any() and not wet["lead"].any()


def test_velocity_zero_and_notes_after_the_end_are_silent():
    events = [band.Event(0.0, 1.0, 60, 0.0), band.Event(3.0, 1.0, 60, 0.9)]
    assert not band.render("piano", events, 1.0, 16000, 0).any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"onset": -0.1}, "onset"),
        ({"onset": float("nan")}, "onset"),
        ({"duration": -1.0}, "duration"),
        ({"duration": 0.0}, "duration"),
        ({"duration": float("inf")}, "duration"),
        ({"velocity": 1.1}, "velocity"),
        ({"velocity": -0.1}, "velocity"),
        ({"velocity": float("nan")}, "velocity"),
        ({"pitch": 12}, "range"),
        ({"pitch": float("nan")}, "range"),
    ],
)
def test_impossible_events_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        band.render("piano", [dataclasses.replace(EVENTS[0], **change)], 1.0, 16000, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("theremin", [], 1.0, 16000, 0), "theremin.*piano"),
        (("piano", [], 0.0, 16000, 0), "length"),
        (("piano", [], -1.0, 16000, 0), "length"),
        (("piano", [], float("nan"), 16000, 0), "length"),
        (("piano", [], 1.0, 0, 0), "sample rate"),
        (("piano", [], 1.0, 16000.0, 0), "sample rate"),
        (("piano", [], 1.0, 16000, -1), "seed"),
        (("piano", [], 1.0, 16000, 0.5), "seed"),
        (("drum_kit", [band.Event(0, 1, 60, 0.5)], 1.0, 16000, 0), "No drum has the number 60"),
        (("drum_kit", [band.Event(0, 1, 38.5, 0.5)], 1.0, 16000, 0), "No drum"),
    ],
)
def test_impossible_requests_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        band.render(*arguments)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_stems_sum_to_the_mix(channels, rate):
    dry = stems(rate)
    kept = {name: stem.copy() for name, stem in dry.items()}
    mixed, wet = band.mix(dry, rate, channels)
    assert mixed.shape == (channels, 2 * rate) and mixed.dtype == np.float32
    assert list(wet) == list(dry) and all(stem.shape == mixed.shape for stem in wet.values())
    assert np.array_equal(sum(wet.values()), mixed)
    assert np.abs(mixed).max() <= 0.89 and np.abs(mixed.mean(axis=1)).max() < 1e-5
    assert all(np.array_equal(kept[name], dry[name]) for name in dry)


def test_a_stem_alone_is_wet_as_in_the_mix():
    """The room is linear: what each stem becomes depends on the others by one gain alone."""
    dry = stems()
    _, together = band.mix(dry, 16000)
    _, alone = band.mix({"lead": dry["lead"]}, 16000)
    a, b = together["lead"].ravel(), alone["lead"].ravel()
    gain = (a @ b) / (b @ b)
    assert np.abs(a - gain * b).max() < 1e-4 * np.abs(a).max()


def test_loudness_is_the_target_unless_the_peak_forbids():
    mixed, _ = band.mix({"lead": measure.phrase("organ")}, 16000)
    assert abs(measure.loudness(mixed[0], 16000) + 20.0) < 0.3 and np.abs(mixed).max() < 0.89
    spike = np.zeros(16000, np.float32)
    spike[8000] = 1e-3
    assert 0.5 < np.abs(band.mix({"click": spike}, 16000)[0]).max() <= 0.89


def test_gains_pans_and_reverb_do_what_they_say():
    dry = stems()
    muted, wet = band.mix(dry, 16000, gains={"drums": 0.0})
    assert not wet["drums"].any() and wet["lead"].any()
    left, _ = band.mix({"lead": dry["lead"]}, 16000, 2, pans={"lead": -1.0}, reverb=0.0)
    assert np.abs(left[0]).max() > 0.1 and np.abs(left[1]).max() < 1e-6
    dead, _ = band.mix({"lead": dry["drums"]}, 16000, reverb=0.0)
    live, _ = band.mix({"lead": dry["drums"]}, 16000, reverb=0.6)
    gap = slice(3400, 3900)  # between two hits
    assert (live[0, gap] ** 2).sum() / (live**2).sum() > (dead[0, gap] ** 2).sum() / (dead**2).sum()


def test_lead_stands_above_chords():
    _, wet = band.mix(stems(), 16000)
    assert measure.loudness(wet["lead"][0], 16000) > measure.loudness(wet["chords"][0], 16000) + 2.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (({}, 16000), "nothing to mix"),
        (({"lead": np.zeros(10, np.float32), "bass": np.zeros(11, np.float32)}, 16000), "lengths"),
        (({"lead": np.full(10, np.nan, np.float32)}, 16000), "lead.*NaN"),
        (({"lead": np.zeros(10, np.float32)}, 16000, 3), "channels"),
        (({"lead": np.zeros(0, np.float32)}, 16000), "length"),
        (({"lead": np.zeros(10, np.float32)}, 1), "sample rate"),
        (({"lead": np.zeros((1, 10), np.float32)}, 16000), "lead.*shape"),
        (({"lead": np.zeros(10, np.float32)}, 16000, 2, None, {"lead": 2.0}), "pan"),
        (({"lead": np.zeros(10, np.float32)}, 16000, 1, {"lead": float("nan")}), "gain"),
        (({"lead": np.zeros(10, np.float32)}, 16000, 1, None, None, -1.0), "reverb"),
    ],
)
def test_impossible_mixes_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        band.mix(*arguments)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(measure.PITCHED),
    onset=st.floats(0.0, 1.2),
    duration=st.floats(0.001, 3.0),
    place=st.floats(0.0, 1.0),
    velocity=st.floats(0.0, 1.0),
    rate=st.sampled_from([8000, 11025, 16000, 32000]),
    seed=st.integers(0, 2**40),
)
def test_any_note_in_range_is_sound(name, onset, duration, place, velocity, rate, seed):
    i = band.INSTRUMENTS[name]
    pitch = i.lowest + place * (i.highest - i.lowest)
    event = band.Event(onset, duration, pitch, velocity)
    x = band.render(name, [event], 1.0, rate, seed)
    assert x.shape == (rate,) and np.isfinite(x).all() and np.abs(x).max() < 1.0
    assert not x[: max(0, int(onset * rate) - 1)].any()
