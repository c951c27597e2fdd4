"""Figures are drawn from results, and known to be older than them."""

import json
import shutil

import pytest

from course_lib import paths
from slides import deck, drawing

LINKS = [link for one in deck.decks() for link in one.figures()]


def test_a_figure_is_drawn_and_stamped(tmp_path):
    link = "figures/deck01/straight_through.svg"
    assert "was not drawn" in drawing.fault(link, tmp_path)
    drawing.draw(link, tmp_path)
    assert (tmp_path / link).read_text(encoding="utf-8").startswith("<?xml")
    assert drawing.fault(link, tmp_path) is None


def test_a_figure_is_older_than_a_result_that_changed(tmp_path, monkeypatch):
    link = "figures/deck02/priors.svg"
    data = tmp_path / "data" / "results"
    data.mkdir(parents=True)
    shutil.copy(paths.data("results", "slowae.json"), data)
    monkeypatch.setattr(paths, "data", lambda *parts: tmp_path.joinpath("data", *parts))
    drawing.draw(link, tmp_path)
    assert drawing.fault(link, tmp_path) is None
    found = json.loads((data / "slowae.json").read_text(encoding="utf-8"))
    found["seconds"] += 1
    (data / "slowae.json").write_text(json.dumps(found), encoding="utf-8")
    assert drawing.fault(link, tmp_path) == (
        f"The figure {link} is older than slowae.json: draw it again."
    )


def test_a_figure_without_its_stamp_is_missing(tmp_path):
    link = "figures/deck01/straight_through.svg"
    drawing.draw(link, tmp_path)
    (tmp_path / link).with_suffix(".json").unlink()
    assert "is missing" in drawing.fault(link, tmp_path)


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_a_figure_names_what_it_is_drawn_from(link):
    assert all(path.is_file() for path in drawing.find(link).sources)


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("figures/deck01/nobody.svg", "draws no figure 'nobody'"),
        ("figures/deck01/boxes.svg", "draws no figure 'boxes'"),
        ("figures/deck77/x.svg", "no slides/figures/deck77.py"),
        ("figures/x.png", "not of the form"),
    ],
)
def test_a_figure_that_is_not_there(link, words):
    with pytest.raises(ValueError, match=words):
        drawing.find(link)


def test_a_result_that_is_not_there(monkeypatch):
    figure = drawing.find("figures/deck02/priors.svg")
    assert figure.results == ("slowae",)
    monkeypatch.setattr(paths, "data", lambda *parts: paths.root().joinpath("lost", *parts))
    with pytest.raises(ValueError, match="slowae.json, which is not in data/"):
        drawing.find("figures/deck02/priors.svg")
