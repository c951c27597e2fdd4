"""The sound changes only together with RENDER_VERSION, on which caches of clips depend.

After a wanted change: raise RENDER_VERSION in course_lib/songbook/band/render.py, then run
`python tests/songbook/test_band_version.py` and commit the new band_samples.json.
"""

import json
from pathlib import Path

import band_measures as measure
import numpy as np
import pytest

from course_lib.songbook import band
from course_lib.songbook.band.drums import KIT

STORED = Path(__file__).with_name("band_samples.json")
TOLERANCE = 1e-4  # what other machines and versions of NumPy may differ by


def excerpts() -> dict[str, np.ndarray]:
    """What is listened to: [T] of each instrument, each drum, and a mix [2, T] flattened."""
    sounds = {}
    for name, i in band.INSTRUMENTS.items():
        if i.family == "drums":
            events = [band.Event(0.15 * k, 0.1, drum, 0.3 + 0.02 * k) for k, drum in enumerate(KIT)]
            sounds[name] = band.render(name, events, 4.4, 16000, 11)
        else:
            events = [
                band.Event(0.12 * k, 0.3, pitch, (0.4, 0.7, 1.0)[k])
                for k, pitch in enumerate(measure.registers(name))
            ]
            sounds[name] = band.render(name, events, 0.8, 16000, 11)
    stems = {"lead": "violin", "chords": "piano", "bass": "tuba", "drums": "drum_kit"}
    dry = {stem: sounds[name][:12800] for stem, name in stems.items()}
    sounds["mix"] = band.mix(dry, 16000, channels=2)[0].ravel()
    return sounds


def fingerprint(x: np.ndarray) -> list[float]:
    """The mean strength of 64 blocks and 32 single samples."""
    blocks = [float(np.abs(block).mean()) for block in np.array_split(x, 64)]
    picked = x[np.linspace(100, len(x) - 200, 32).astype(int)]
    return [round(value, 6) for value in [*blocks, *map(float, picked)]]


@pytest.fixture(scope="module")
def now() -> dict[str, list[float]]:
    return {name: fingerprint(x) for name, x in excerpts().items()}


def test_the_sound_has_not_changed_without_the_version(now):
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert stored["version"] == band.RENDER_VERSION, "run this file to store the new sound"
    assert list(stored["sounds"]) == list(now)
    changed = [
        name
        for name in now
        if np.abs(np.subtract(now[name], stored["sounds"][name])).max() > TOLERANCE
    ]
    assert not changed, f"{changed} sound different: raise RENDER_VERSION, see the top of this file"


def test_a_slight_change_is_noticed():
    """A twentieth of a decibel of level, or a note late by a sample, is no longer the same."""
    x = band.render("flute", [band.Event(0.0, 0.5, 72, 0.8)], 0.8, 16000, 11)
    for other in (1.006 * x, np.roll(x, 1)):
        assert np.abs(np.subtract(fingerprint(x), fingerprint(other))).max() > TOLERANCE


if __name__ == "__main__":
    sounds = {name: fingerprint(x) for name, x in excerpts().items()}
    text = json.dumps({"version": band.RENDER_VERSION, "sounds": sounds}, indent=None)
    STORED.write_text(text.replace("], ", "],\n") + "\n", encoding="utf-8")
