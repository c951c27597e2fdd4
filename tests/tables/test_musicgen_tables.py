"""The tables of MusicGen's patterns and sizes, on clips of noise and untrained listeners."""

import math

import pytest
import torch

from course_lib import checkpoints
from course_lib.models import (
    CLAP,
    AudioTowerConfig,
    CLAPConfig,
    Codec,
    TextTowerConfig,
)
from course_lib.tables import musicgen_patterns, musicgen_patterns_longer, musicgen_sizes
from course_lib.tables import small_musicgens as small
from course_lib.tables.grid import Job

TEXT = TextTowerConfig(words=("a", "flute", "waltz"), width=8, layers=1, heads=2)
AUDIO = AudioTowerConfig(channels=(8, 8, 8), width=8, layers=0, heads=2, segment=1.0)


# Six clips are too few for a Fréchet distance that means something, which it says.
pytestmark = pytest.mark.filterwarnings("ignore:Fréchet distance")


class Clips:
    """Clips of 1.2 s of noise."""

    def __len__(self):
        return 6

    def batch(self, indices):
        seeds = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 19200, generator=seed) for seed in seeds])

    def captions(self, index, drafts=1):
        return ({"tags": "flute", "sentence": f"a waltz {'a ' * index}"},) * drafts


@pytest.fixture
def noise(monkeypatch):
    """Two steps on noise instead of hundreds on music; 1.1 s at a time."""
    torch.manual_seed(0)
    models = (Codec(), CLAP(CLAPConfig(AUDIO, TEXT, 8)), checkpoints.load("analyser"))
    for stage in models[0].quantizer.stages:
        torch.nn.init.normal_(stage.codebook)
    for model in models:
        model.eval()
    monkeypatch.setattr(small, "listeners", lambda: models)
    monkeypatch.setattr(
        small, "captions", lambda clips: [["flute", f"a waltz {i}"] for i in range(6)]
    )
    monkeypatch.setattr("course_lib.songbook.load", lambda *args, **kwargs: Clips(), raising=False)
    monkeypatch.setattr(small, "STEPS", 2)
    monkeypatch.setattr(small, "BATCH", 4)
    monkeypatch.setattr(small, "FRAMES", 55)
    monkeypatch.setattr(small, "HEARD", 4)
    for cached in (small.clips, small.real):
        cached.cache_clear()
    yield
    for cached in (small.clips, small.real):
        cached.cache_clear()


def cell(table, row: str, folder) -> dict[str, float]:
    return table.cell(Job(row, table.rows[row], 0, folder / row, "cpu"))


def test_every_pattern_has_its_steps_and_measures(noise, tmp_path):
    table = musicgen_patterns.TABLE
    found = {row: cell(table, row, tmp_path) for row in table.rows}
    assert all(values.keys() == table.columns.keys() for values in found.values())
    floor, real = found.pop(musicgen_patterns.FLOOR), found.pop(musicgen_patterns.REAL)
    assert floor["frechet"] > 0 and math.isnan(floor["clap"])
    assert math.isfinite(real["frechet"]) and math.isnan(real["nats"])
    assert {row: values["steps"] for row, values in found.items()} == {
        "parallel": 55, "delay": 58, "partial delay": 56,
        "coarse first": 110, "partial flattening": 110, "flattening": 220,
    }  # fmt: skip
    assert all(math.isfinite(v) for values in found.values() for v in values.values())
    assert len({values["nats"] for values in found.values()}) == 6
    # Untrained as they are, they guess among 1,024.
    assert all(abs(values["nats"] - math.log(1024)) < 0.5 for values in found.values())


def test_longer_training_is_longer_and_otherwise_the_same(noise, tmp_path, monkeypatch):
    monkeypatch.setattr(musicgen_patterns_longer, "STEPS", 6)
    asked, fit = [], small.fit
    monkeypatch.setattr(small, "fit", lambda *a, **k: asked.append(k["steps"]) or fit(*a, **k))
    short = cell(musicgen_patterns.TABLE, "delay", tmp_path / "short")
    long = cell(musicgen_patterns_longer.TABLE, "delay", tmp_path / "long")
    assert asked == [2, 6] and long.keys() == musicgen_patterns_longer.TABLE.columns.keys()
    assert long["nats"] != short["nats"] and all(map(math.isfinite, long.values()))


def test_every_size_has_its_parameters(noise, tmp_path):
    table = musicgen_sizes.TABLE
    counts = [
        cell(table, row, tmp_path)["parameters"] for row in table.rows if row != musicgen_sizes.REAL
    ]
    assert counts == sorted(counts)


def test_models_of_tables_have_at_most_a_million_parameters(noise):
    from course_lib.nets.interleaving import delay

    codec, clap, _ = small.listeners()
    for settings in ({"width": 80, "layers": 3},):
        made = small.untrained(0, delay(4), **settings)
        wider = 80 * (128 - clap.text.config.width)  # the shipped tower has states of 128 numbers
        assert sum(p.numel() for p in made.parameters()) + wider < 1e6


def test_the_real_clips_are_their_own_best_reference(noise):
    found = small.heard(small.real().heard, small.real().sounds)
    assert found["frechet"] == pytest.approx(0, abs=1e-3) and found["kl"] == pytest.approx(
        0, abs=1e-5
    )


def test_texts_are_left_out_as_often_as_said(noise, monkeypatch):
    from course_lib.training import Draws

    model, kept = small.untrained(0, small.MusicGenLMConfig().pattern, 64, 1), []

    def spy(codes, reading):
        kept.append(reading.valid.any(1))
        return codes.new_zeros(())

    monkeypatch.setattr(model, "loss", spy)
    batch = small.clips("train").batch(torch.arange(6))
    for step in range(60):
        small.loss(model, batch, Draws(0, step, range(6), torch.device("cpu")))
    assert abs(1 - torch.cat(kept).float().mean() - small.UNREAD) < 0.08
