"""The whole way of a tiny artefact: a recipe module, `train`, the card, `load`."""

import importlib
import json
import re
import sys
from dataclasses import dataclass
from textwrap import dedent

import pytest
from torch import nn

from course_lib import checkpoints, models, paths, recipes
from course_lib.songbook import rendering, voice

# A recipe as it stands in course_lib/recipes: one module, one RECIPE.
LINE = """
    import torch

    from course_lib import models
    from course_lib.recipes import Recipe
    from course_lib.training import Tensors

    def data(split, size, parents):
        x = torch.linspace(-1, 1, {"train": 64, "test": 16}[split])[:, None]
        return Tensors(x, 3 * x + 1)

    def loss(model, batch, draws):
        x, y = batch
        x = x + 0.01 * draws.normal(1)
        return {"loss": (model(x) - y).square().mean()}

    @torch.no_grad()
    def test(model, data):
        x, y = data.batch(torch.arange(len(data)))
        return {"mse": (model(x) - y).square().mean().item()}

    RECIPE = Recipe(
        model=lambda: models.Line(models.LineConfig()), data=data, loss=loss, test=test,
        steps=200, size="quick", batch_size=16, lr=0.1,
    )
"""
CHILD = """
    from dataclasses import replace

    from course_lib.recipes import Recipe, line

    def data(split, size, parents):
        parents["line"].weight  # the loaded parent
        return line.data(split, size, parents)

    RECIPE = replace(line.RECIPE, data=data, parents=("line",), steps=3)
"""


@dataclass(frozen=True)
class LineConfig:
    width: int = 1


class Line(nn.Linear):
    def __init__(self, config: LineConfig):
        super().__init__(1, config.width)
        self.config = config


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Two more recipes, a model class, and empty folders."""
    (tmp_path / "line.py").write_text(dedent(LINE), encoding="utf-8")
    (tmp_path / "child.py").write_text(dedent(CHILD), encoding="utf-8")
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(tmp_path)])
    monkeypatch.setattr(models, "Line", Line, raising=False)
    monkeypatch.setattr(models, "LineConfig", LineConfig, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(rendering, "scores_digest", lambda: "of no scores")
    monkeypatch.setattr(paths, "data", lambda *parts: tmp_path.joinpath("data", *parts))
    return tmp_path


def test_a_module_is_a_recipe(folder):
    assert {"line", "child"} <= set(recipes.names())
    with pytest.raises(ValueError, match="no recipe 'lien': choose from .*line"):
        recipes.find("lien")


def test_train_ships_an_artefact_that_works(folder):
    path = recipes.train("line", progress=False)
    assert path == folder / "data" / "checkpoints" / "line.json"
    model = checkpoints.load("line")
    assert model.weight.item() == pytest.approx(3, abs=0.05)
    card = checkpoints.card("line")
    assert card["steps"] == 200 and card["data"] == {"size": "quick", "seed": 0}
    assert card["metrics"]["mse"] < 0.01 and card["device"].startswith("cpu")
    again = recipes.train("line", progress=False)  # from the saved run: the same file
    assert json.loads(again.read_text(encoding="utf-8"))["sha256"] == card["sha256"]


def test_the_students_own_stays_at_home(folder):
    path = recipes.train("line", mine=True, steps=2, progress=False)
    assert path == folder / "home" / "checkpoints" / "line.json"
    assert not (folder / "data").exists()
    assert list((folder / "home" / "runs").iterdir())


def test_no_steps_are_not_the_recipes_steps(folder):
    with pytest.raises(ValueError, match="steps=0 must be at least 1"):
        recipes.train("line", steps=0, progress=False)


def test_a_child_names_its_parent_by_hash(folder):
    with pytest.raises(FileNotFoundError, match="course train line'"):
        recipes.train("child", progress=False)
    recipes.train("line", progress=False)
    recipes.train("child", progress=False)
    assert checkpoints.card("child")["parents"] == {"line": checkpoints.card("line")["sha256"]}
    recipes.train("line", steps=3, progress=False)
    with pytest.raises(ValueError, match="trained on another 'line'"):
        checkpoints.load("child")


def test_a_stopped_training_ships_nothing_and_goes_on(folder, monkeypatch):
    stopped = []

    def stop(self, step, steps, saved):
        if step == 120 and not stopped:
            stopped.append(step)
            raise KeyboardInterrupt

    recipes.train("line", mine=True, progress=False)
    monkeypatch.setattr("course_lib.training.interrupt.Interrupt.raise_if_asked", stop)
    minutes = iter(range(0, 10**7, 60)).__next__  # every look at the clock is a minute later
    monkeypatch.setattr(sys.modules["course_lib.training.fit"], "monotonic", minutes)
    with pytest.raises(KeyboardInterrupt):
        recipes.train("line", progress=False)
    assert not (folder / "data").exists()
    recipes.train("line", progress=False)
    undisturbed = checkpoints.card("line", mine=True)
    assert stopped and checkpoints.card("line")["sha256"] == undisturbed["sha256"]


@pytest.mark.parametrize("name", recipes.names())
def test_the_minutes_a_recipe_tells_are_those_of_its_card(name):
    told = importlib.import_module(f"course_lib.recipes.{name}").__doc__
    minutes = re.search(r"About (\d+) minutes on one\s+CPU\s+core", told)
    if minutes and name in checkpoints.available():
        assert int(minutes[1]) == pytest.approx(checkpoints.card(name)["seconds"] / 60, rel=0.15)


def test_another_voice_is_another_run(monkeypatch):
    where = recipes._run_folder("phonemes", "quick", 10, {}, mine=True)
    monkeypatch.setattr(voice, "VOICE_VERSION", voice.VOICE_VERSION + 1)
    assert recipes._run_folder("phonemes", "quick", 10, {}, mine=True) != where
