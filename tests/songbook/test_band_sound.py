"""Each instrument sounds as its labels say: pitch, onset, level, no clicks, no aliasing."""

import band_measures as measure
import numpy as np
import pytest

from course_lib.songbook import band
from course_lib.songbook.band.drums import KIT

DRUMS = [name for name, i in band.INSTRUMENTS.items() if i.family == "drums"]


@pytest.mark.parametrize("name", measure.PITCHED)
@pytest.mark.parametrize("rate", [16000, 44100])
def test_pitch_lies_within_three_cents(name, rate):
    for pitch in measure.registers(name):
        for velocity in (0.3, 0.95):
            x = measure.note(name, pitch, velocity, rate=rate)
            off = measure.cents_off(x[round(0.12 * rate) : 2 * rate], rate, pitch)
            assert abs(off) < 3.0, (pitch, velocity)


def test_a_pitch_between_two_keys_is_played_there():
    for name in ("piano", "flute", "electric_piano"):
        x = measure.note(name, 69.37)
        assert abs(measure.cents_off(x[2000:32000], 16000, 69.37)) < 3.0


@pytest.mark.parametrize("name", measure.PITCHED)
def test_onset_lies_within_five_milliseconds(name):
    for pitch in measure.registers(name):
        for duration in (0.12, 0.8):
            x = measure.note(name, pitch, duration=duration, onset=0.25)
            assert not x[: round(0.25 * 16000)].any()
            assert abs(measure.onset_time(x, 16000) - 0.25) < 0.005, (pitch, duration)


@pytest.mark.parametrize("name", DRUMS)
def test_every_drum_speaks_within_five_milliseconds(name):
    for drum in KIT:
        for velocity in (0.2, 1.0):
            x = measure.note(name, drum, velocity, onset=0.25, seconds=1.2)
            assert abs(measure.onset_time(x, 16000) - 0.25) < 0.005, drum
            assert np.isfinite(x).all() and abs(x.mean()) < 1e-3 and np.abs(x).max() < 1.0, drum


@pytest.mark.parametrize("name", band.INSTRUMENTS)
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_no_clipping_no_constant_part_no_nan(name, rate):
    if name in DRUMS:
        x = measure.phrase(name, 1.0, rate)
        assert np.isfinite(x).all() and abs(x.mean()) < 1e-3 and np.abs(x).max() < 1.0
        return
    i = band.INSTRUMENTS[name]
    for pitch in (i.lowest, *measure.registers(name), i.highest):
        for duration in (0.01, 1.0):
            x = measure.note(name, pitch, 1.0, duration, 1.5, rate, onset=0.0)
            assert np.isfinite(x).all() and x.dtype == np.float32 and x.shape == (1.5 * rate,)
            assert np.abs(x).max() < 1.0 and abs(x.mean()) < 1e-3, (pitch, duration)


@pytest.mark.parametrize("name", measure.PITCHED)
def test_nothing_aliases_at_16_khz(name):
    """What lies beside the harmonics at 16 kHz is no more than at 48 kHz, where there is room.

    The bells are inharmonic by design; their index is held down at 16 kHz, which can only lower it.
    """
    i = band.INSTRUMENTS[name]
    for pitch in (i.highest - 12.63, i.highest - 0.63):
        low, high = (
            measure.inharmonic(
                measure.note(name, pitch, 0.9, 1.5, 1.6, rate, 0.0)[rate // 5 : 7 * rate // 5],
                rate,
                pitch,
            )
            for rate in (16000, 48000)
        )
        assert low < max(high + 1.0, -60.0), pitch


@pytest.mark.parametrize("rate", [8000, 16000])
def test_modulation_does_not_fold_over_in_the_attack(rate):
    """The tine of the electric piano is modulated at 14 times its pitch, if there is room."""
    for pitch in (72.37, 84.37, 95.37):
        x = measure.note("electric_piano", pitch, 1.0, 1.0, 1.0, rate, 0.0)
        assert measure.inharmonic(x[: rate // 4], rate, pitch) < -50.0


@pytest.mark.parametrize("name", measure.PITCHED)
def test_sample_rate_changes_neither_length_nor_level(name):
    for pitch in measure.registers(name)[:2]:
        tails = []
        for rate in (16000, 48000):
            x = measure.note(name, pitch, 0.6, 0.5, 2.5, rate).astype(float)
            energy = np.cumsum(x**2)
            tails.append((np.searchsorted(energy, 0.95 * energy[-1]) / rate, energy[-1] / rate))
        assert abs(tails[0][0] - tails[1][0]) < 0.03
        assert abs(10.0 * np.log10(tails[1][1] / tails[0][1])) < 1.5


@pytest.mark.parametrize("name", band.INSTRUMENTS)
def test_instruments_are_equally_loud(name):
    target = -26.0 if name in DRUMS else -25.0
    assert abs(measure.loudness(measure.phrase(name), 16000) - target) < 1.0


@pytest.mark.parametrize("name", band.INSTRUMENTS)
def test_velocity_makes_louder(name):
    soft, middle, loud = (
        measure.loudness(measure.phrase(name, v), 16000) for v in (0.25, 0.5, 1.0)
    )
    assert soft + 5.0 < middle and middle + 5.0 < loud


@pytest.mark.parametrize(
    "name",
    [
        "piano",
        "guitar",
        "electric_piano",
        "trumpet",
        "flute",
        "clarinet",
        "violin",
        "saw_lead",
        "pad",
        "electric_bass",
        "vibraphone",
        "strings",
    ],
)
def test_velocity_makes_brighter(name):
    def centroid(velocity):
        x = measure.note(name, measure.registers(name)[1], velocity, 0.6, 0.6, onset=0.0)
        power = np.abs(np.fft.rfft(x)) ** 2
        return np.average(np.fft.rfftfreq(len(x), 1 / 16000), weights=power)

    assert centroid(1.0) > 1.05 * centroid(0.3)


@pytest.mark.parametrize("name", band.INSTRUMENTS)
def test_a_cut_tail_does_not_click(name):
    pitch = 49 if name in DRUMS else measure.registers(name)[1]
    whole = measure.note(name, pitch, 1.0, 2.0, 3.0, onset=0.0)
    cut = measure.note(name, pitch, 1.0, 2.0, 1.0, onset=0.0)
    assert np.array_equal(cut[:-80], whole[: 16000 - 80])
    assert cut[-1] == 0.0 and np.abs(np.diff(cut[-80:])).max() <= np.abs(np.diff(whole)).max()


@pytest.mark.parametrize("name", measure.PITCHED)
def test_a_note_ends_without_a_click(name):
    """After the release the sound comes to zero by itself, in steps no larger than its own."""
    for duration in (0.05, 0.4, 7.0):
        x = measure.note(name, measure.registers(name)[0], 1.0, duration, 14.0, onset=0.0)
        last = np.flatnonzero(x)[-1]
        assert last < len(x) - 80 and np.abs(x[last - 1 : last + 1]).max() < 2e-3


def test_decays_are_musical():
    """Seconds to fall by 40 dB from the attack, a held note in the middle register."""
    expected = {
        "piano": (1.5, 8.0),
        "guitar": (1.0, 5.0),
        "harp": (1.0, 6.0),
        "banjo": (0.3, 1.5),
        "marimba": (0.2, 1.2),
        "vibraphone": (2.0, 12.0),
        "electric_piano": (2.0, 14.0),
        "music_box": (0.7, 4.0),
        "upright_bass": (0.6, 3.0),
        "electric_bass": (1.2, 6.0),
    }
    for name, (least, most) in expected.items():
        x = measure.note(name, measure.registers(name)[1], 0.8, 14.0, 14.0, onset=0.0)
        level = np.sqrt(np.convolve(x**2, np.ones(1600) / 1600, "valid"))
        fallen = np.flatnonzero(level < level.max() * 0.01)[0] / 16000
        assert least < fallen < most, (name, fallen)
