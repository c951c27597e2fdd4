"""The analyser's recipe: labels from the songbook, random parts of clips, a loss over all heads."""

import dataclasses
import math

import pytest
import torch

from course_lib.models.analyser import Analyser
from course_lib.recipes import analyser as recipe
from course_lib.songbook.clip import attributes
from course_lib.songbook.draw import plan
from course_lib.training import Draws


class Planned:
    """The labels of real clips under noise: rendering them takes longer than a test may."""

    def __len__(self):
        return 12

    def attributes(self, index):
        return attributes(plan(0, "train", index, 5.0))

    def batch(self, indices):
        generators = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 20000, generator=g) for g in generators])


@pytest.fixture(scope="module")
def clips():
    return recipe.LabelledClips(Planned())


def draws(step=0, items=12):
    return Draws(0, step, range(items), torch.device("cpu"))


def test_labels_are_the_songbooks_in_the_order_of_the_logits(clips):
    batch = clips.batch(torch.tensor([7, 2]))
    assert batch["audio"].shape == (2, 1, 20000)
    for row, index in enumerate((7, 2)):
        known = Planned().attributes(index)
        for name, classes in recipe.CONFIG.classes.items():
            assert classes[batch[name][row]] == getattr(known, name)
        heard = batch["instruments"][row].bool().tolist()
        names = {n for n, h in zip(recipe.CONFIG.instruments, heard, strict=True) if h}
        assert names == {n for n in known.instruments if n in recipe.CONFIG.instruments}
        assert len(names) >= 2 and bool(batch["drums"][row, 0]) == known.drums


def test_drums_are_no_instrument_but_an_attribute():
    assert not {"drum_kit", "brush_kit", "drum_machine"} & set(recipe.CONFIG.instruments)
    assert len(recipe.CONFIG.instruments) >= 12 and len(recipe.CONFIG.styles) >= 10


def test_an_untrained_model_has_the_loss_of_guessing(clips):
    torch.manual_seed(0)
    model = Analyser(dataclasses.replace(recipe.CONFIG, dropout=0.0))
    losses = recipe.loss(model, clips.batch(torch.arange(12)), draws())
    guesses = {"style": 12, "metre": 5, "tempo_class": 3, "key": 48}
    for name, classes in guesses.items():
        assert float(losses[name]) == pytest.approx(math.log(classes), abs=0.35)
    for name in ("instruments", "drums"):
        assert float(losses[name]) == pytest.approx(math.log(2), abs=0.2)
    assert float(losses["loss"]) > sum(float(losses[name]) for name in guesses)


def test_metrics_name_every_attribute(clips):
    torch.manual_seed(0)
    metrics = recipe.test(Analyser(recipe.CONFIG).eval(), clips)
    assert set(metrics) == {
        "style_balanced_accuracy",
        "mode_balanced_accuracy",
        "tonic_balanced_accuracy",
        "metre_balanced_accuracy",
        "tempo_class_balanced_accuracy",
        "drums_balanced_accuracy",
        "instruments_macro_f1",
    }
    assert all(0 <= value <= 1 for value in metrics.values())
