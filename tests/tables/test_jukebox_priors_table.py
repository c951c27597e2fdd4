"""Cells of the table of Jukebox's priors, with small models on clips of noise."""

import math
from types import SimpleNamespace

import pytest
import torch

from course_lib import checkpoints, songbook
from course_lib.models import (
    JukeboxLevels,
    JukeboxLevelsConfig,
    JukeboxTop,
    JukeboxTopConfig,
    JukeboxUpsamplers,
    JukeboxUpsamplersConfig,
    PhonemeRecogniser,
    PhonemeRecogniserConfig,
)
from course_lib.models.jukebox_levels import JukeboxLevelConfig
from course_lib.recipes.jukebox_top import LABELS
from course_lib.tables import grid, jukebox_priors

SUNG = ((0.1, 0.3, "m"), (0.3, 0.5, "a"), (0.9, 1.1, "sh"), (1.1, 1.5, "o"), (2.2, 2.4, "n"))


class Clips:
    """Endless clips of 2.56 s of noise; the lyrics of SUNG, the last of which comes too late."""

    def __init__(self, voice: bool):
        self.job = SimpleNamespace(voice=voice)
        self.asked = {"audio": [], "labels": [], "lyrics": []}

    def batch(self, indices):
        self.asked["audio"] += indices
        seeds = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 40960, generator=seed) for seed in seeds])

    def attributes(self, index):
        self.asked["labels"].append(index)
        return songbook.Attributes("waltz", "C", "major", "3/4", 90.0, "slow", (), False, ())

    def lyrics(self, index):
        self.asked["lyrics"].append(index)
        return SimpleNamespace(phonemes=SUNG)


@pytest.fixture
def small(monkeypatch):
    torch.manual_seed(0)
    size = {"width": 4, "depth": 1, "dim": 4, "entries": 12}
    levels = JukeboxLevels(
        JukeboxLevelsConfig(*(JukeboxLevelConfig(s, **size) for s in ((8,), (8, 4), (8, 4, 4))))
    )
    for name in ("bottom", "middle", "top"):  # places the codebooks
        levels.level(name)(0.1 * torch.randn(4, 1, 8192))
    net = {"entries": 12, "context": 256, "width": 8, "layers": 1, "heads": 2}
    models = {
        "jukebox_levels": levels,
        "jukebox_top": JukeboxTop(
            JukeboxTopConfig(LABELS, memory_every=1, **(net | {"context": 250}))
        ),
        "jukebox_upsamplers": JukeboxUpsamplers(
            JukeboxUpsamplersConfig(LABELS, condition_width=8, condition_depth=1, **net)
        ),
        "phonemes": PhonemeRecogniser(PhonemeRecogniserConfig(width=8, layers=1)),
    }
    monkeypatch.setattr(checkpoints, "load", lambda name: models[name].eval())
    books = {voice: Clips(voice) for voice in (False, True)}
    monkeypatch.setattr(songbook, "load", lambda *a, voice=False, **k: books[voice])
    monkeypatch.setattr(jukebox_priors, "CLIPS", 3)
    monkeypatch.setattr(jukebox_priors, "HALF", 2)
    monkeypatch.setattr(jukebox_priors, "FRAMES", {"top": 320, "middle": 384, "bottom": 384})
    monkeypatch.setattr(jukebox_priors, "OVERLAP", {"top": 0.5, "middle": 0.5, "bottom": 0.5})
    jukebox_priors.sung.cache_clear()
    yield books
    jukebox_priors.sung.cache_clear()


def computed(row: str, seed: int = 0) -> dict[str, float]:
    table = jukebox_priors.TABLE
    found = table.cell(grid.Job(row, table.rows[row], seed, None, None))
    assert found.keys() == table.columns.keys()
    return {name: value for name, value in found.items() if math.isfinite(value)}


def test_every_row_says_what_it_is_about(small, monkeypatch):
    # Windows of 256 codes make seams at multiples of 64 ms in the middle and bottom levels.
    for level in ("middle", "bottom"):
        for overlap in (True, False):
            assert computed(jukebox_priors._seamed(level, overlap)).keys() == {"seams"}
    names = {jukebox_priors.GIVEN: {"nats", "phoneme_error", "alignment"}}
    names |= {
        row: {"nats", "phoneme_error"} for row in (jukebox_priors.NONE, jukebox_priors.ANOTHER)
    }
    names |= {jukebox_priors.LINEAR: {"alignment"}, jukebox_priors.REAL: {"phoneme_error"}}
    names |= {f"{jukebox_priors.REAL} through the top level": {"phoneme_error"}}
    found = {row: computed(row) for row in names}
    assert {row: values.keys() for row, values in found.items()} == names
    for values in found.values():
        assert all(value > 0 for value in values.values())
    given, none = found[jukebox_priors.GIVEN], found[jukebox_priors.NONE]
    assert given["nats"] != none["nats"]
    assert found[jukebox_priors.LINEAR]["alignment"] < 0.5


def test_seeds_are_other_clips(small):
    audio, pieces = jukebox_priors.sung(1)
    assert {name: set(asked) for name, asked in small[True].asked.items()} == {
        name: {3, 4, 5} for name in ("audio", "labels", "lyrics")
    }
    assert audio.shape == (3, 1, 250 * 128) and pieces.codes.shape == (3, 1, 250)
    ids = songbook.phoneme_ids(SUNG[:4]).tolist()
    assert [row.tolist() for row in pieces.phonemes] == [[*ids, 0]] * 3  # 2.3 s is past 2 s
    first = computed(jukebox_priors.GIVEN, 0)
    assert first == computed(jukebox_priors.GIVEN, 0) != computed(jukebox_priors.GIVEN, 1)


def test_seams_lie_where_windows_meet(small, monkeypatch):
    heard = []
    monkeypatch.setitem(jukebox_priors.FRAMES, "middle", 640)
    monkeypatch.setattr(
        jukebox_priors, "seam_flux", lambda audio, seams: heard.append((audio.shape, seams)) or 1.0
    )
    for overlap in (True, False):
        computed(jukebox_priors._seamed("middle", overlap))
    assert heard == [
        ((2, 1, 640 * 32), [256 * 32, 384 * 32, 512 * 32]),
        ((2, 1, 640 * 32), [256 * 32, 512 * 32]),
    ]


def test_the_shipped_sizes_make_seams_that_can_be_measured():
    for level, hop in (("top", 128), ("middle", 32), ("bottom", 8)):
        frames = jukebox_priors.FRAMES[level]
        for fraction in (jukebox_priors.OVERLAP[level], 1.0):
            places = jukebox_priors.windows(frames, 512, int(fraction * 512))[1:]
            assert places and all(known * hop % 1024 == 0 for _, known, _ in places)
