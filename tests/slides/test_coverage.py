"""Every system of the lecture is on a slide or in a notebook (slides/coverage.json, by hand)."""

import json
import re

import pytest

from course_lib import paths
from slides import deck

COVERAGE = json.loads((deck.FOLDER / "coverage.json").read_text(encoding="utf-8"))
# Headings of the lecture's outline: letter and last number.
OUTLINE = {"A": (1, 12), "B": (0, 4), "C": (1, 4), "D": (1, 4), "E": (1, 4), "F": (1, 4)}
OUTLINE |= {"G": (1, 5)}


def headings(path) -> list[str]:
    if path.suffix == ".md":
        return [slide.title for slide in deck.Deck(path).slides]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def test_every_heading_of_the_outline_is_listed():
    wanted = [f"{letter}{n}" for letter, (a, b) in OUTLINE.items() for n in range(a, b + 1)]
    assert [heading.split()[0] for heading in COVERAGE] == wanted


@pytest.mark.parametrize("heading", COVERAGE)
def test_a_heading_is_taught(heading):
    assert COVERAGE[heading]
    for place in COVERAGE[heading]:
        address, _, title = place.partition("#")
        assert title in headings(paths.root() / address), place


def test_every_notebook_goes_with_a_deck():
    ready = {path.name.split("_")[0] for path in paths.root().glob("notebooks/*.ipynb")}
    taught = {number for one in deck.decks() for number in one.notebooks}
    assert ready <= taught
