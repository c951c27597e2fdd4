from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from course_lib import metrics, recipes
from course_lib.evaluation.jukebox_levels import level_report, through
from course_lib.models import (
    LEVELS,
    JukeboxLevelConfig,
    JukeboxLevels,
    JukeboxLevelsConfig,
)
from course_lib.recipes import jukebox_levels
from course_lib.training import Draws

LEVEL = JukeboxLevelConfig(strides=(8,), width=8, depth=1, dim=4, entries=16)
SMALL = JukeboxLevelsConfig(LEVEL, replace(LEVEL, strides=(8, 4)), replace(LEVEL, strides=(16, 8)))
CPU = torch.device("cpu")


class Clips:
    """C major chords of 2 s, each louder than the one before."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return SimpleNamespace(chords=((0.0, 2.0, "C:maj"),))

    def batch(self, indices):
        t = torch.arange(32_000) / 16_000
        tones = sum(torch.sin(2 * torch.pi * f * t) for f in (261.63, 329.63, 392.0))
        return (
            0.05
            * tones.expand(len(indices), 1, -1)
            * (1 + torch.tensor(list(indices)))[:, None, None]
        )


def small() -> JukeboxLevels:
    torch.manual_seed(0)
    return JukeboxLevels(SMALL)


def step(model, number):
    audio = Clips().batch(range(2))
    return dict(jukebox_levels.loss(model, audio, Draws(0, number, range(2), CPU)))


def test_each_level_yields_its_loss_and_moves_alone():
    model = small()
    losses = step(model, 0)
    assert tuple(losses) == LEVELS == tuple(jukebox_levels.optimizers(model))
    losses["middle"]["loss"].backward()
    for name in LEVELS:
        moved = any(p.grad is not None for p in model.level(name).parameters())
        assert moved == (name == "middle")


def test_the_loss_is_the_weighted_sum():
    found = step(small(), jukebox_levels.START)["top"]
    expected = sum(weight * found[name] for name, weight in jukebox_levels.WEIGHTS.items())
    torch.testing.assert_close(found["loss"], expected)
    assert found["commitment"] > 0


def test_codebooks_are_placed_after_the_start():
    model = small()
    step(model, jukebox_levels.START - 1)
    assert not any(model.level(name).quantizer.is_initialised() for name in LEVELS)
    step(model, jukebox_levels.START)
    assert all(model.level(name).quantizer.is_initialised() for name in LEVELS)


def test_peaks_are_the_largest_errors():
    x = torch.ones(1, 1, 1000)
    y = x.clone()
    y[..., 7] = 3.0  # one sample of a thousand: a fifth of the share of 5
    assert jukebox_levels.peaks(x, y).item() == pytest.approx(4 / 5)
    assert jukebox_levels.peaks(2 * x, 2 * y).item() == pytest.approx(4 / 5)


def test_the_report_says_what_comes_through():
    model, clips = small(), Clips()
    step(model, jukebox_levels.START)
    model.eval()
    audio, chords = clips.batch(range(6)), [clips[i].chords for i in range(6)]
    decoded, codes = through(model.bottom, audio)
    assert decoded.shape == audio.shape and codes.shape == (6, 1, 4000)
    torch.testing.assert_close(decoded[4:5], through(model.bottom, audio[4:5])[0])
    report = level_report(model.bottom, audio, chords)
    assert report["snr"] == pytest.approx(metrics.snr(audio, decoded).mean().item(), abs=1e-5)
    assert report["usage"] == codes.unique().numel() / 16
    perfect = level_report(Through(), audio, chords)
    assert perfect["chord_accuracy"] == 1 and perfect["chroma_correlation"] > 0.999
    assert perfect["mel_distance"] == 0 and perfect["snr"] == float("inf")
    card = jukebox_levels.test(model, clips)
    assert {f"snr_{name}" for name in LEVELS} < card.keys()
    assert card["snr_bottom"] == pytest.approx(report["snr"], abs=1e-4)


class Through(torch.nn.Module):
    """A level that loses nothing."""

    config = LEVEL

    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def encode(self, audio):
        self.audio = audio
        return torch.zeros(len(audio), 1, 5, dtype=torch.int64)

    def decode_codes(self, codes, length):
        return self.audio


def test_the_recipe_is_the_default_model():
    recipe = recipes.find("jukebox_levels")
    assert recipe is jukebox_levels.RECIPE
    assert recipe.model().config == JukeboxLevelsConfig()
