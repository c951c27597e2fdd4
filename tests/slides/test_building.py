"""What `make slides` says when something lacks; overflow, as a browser sees it."""

import json
import re
import shutil

import pytest

from scripts.chromium import Page, find
from slides import build, deck, rendering, sounds

PAGE = "<meta charset='utf-8'><section id='1' style='width:1280px;height:720px;{}'>{}</section>"


def test_npm_is_missing(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert "npm was not found" in rendering.lacking()
    assert "apt install npm" in rendering.lacking()


def test_chromium_is_missing(monkeypatch):
    programs = {"npm": "/usr/bin/npm", "node": "/usr/bin/node"}
    monkeypatch.setattr(shutil, "which", programs.get)
    assert "No Chromium was found" in rendering.lacking()
    assert "apt install chromium" in rendering.lacking()


def test_what_lacks_ends_the_command_in_words(monkeypatch, capsys):
    monkeypatch.setattr(rendering, "lacking", lambda: "Nothing is here.")
    assert build.main([]) == 2
    assert capsys.readouterr().err == "Nothing is here.\n"


def test_an_unknown_deck_is_named(monkeypatch, capsys):
    monkeypatch.setattr(rendering, "lacking", lambda: None)
    assert build.main(["77"]) == 2
    assert "There is no deck 77; there is 00, 01" in capsys.readouterr().err


def test_packages_are_pinned_and_come_from_no_named_server():
    lock = (deck.FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "registry" not in lock
    packages = json.loads(lock)["packages"]
    assert packages["node_modules/@marp-team/marp-cli"]["version"] == "4.5.1"
    assert all("integrity" in package for name, package in packages.items() if name)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<img src="figures/lost.svg">', "figures/lost.svg is missing"),
        ('<audio src="sounds/lost.mp3">', "sounds/lost.mp3 is missing"),
        ('<a href="../../notebooks/lost.ipynb">', "notebooks/lost.ipynb is missing"),
        ("<style>a{background:url(lost.woff2)}</style>", "lost.woff2 is missing"),
        ('<script src="https://far.example/a.js">', "a.js comes from a server"),
        ("<style>@import url('https://far.example/f.css')</style>", "comes from a server"),
    ],
)
def test_assets_of_a_page(tmp_path, html, words):
    path = tmp_path / "page.html"
    path.write_text(html, encoding="utf-8")
    assert any(words in fault for fault in build.asset_faults(path))


def test_a_whole_page_has_no_asset_faults(tmp_path):
    (tmp_path / "a b.svg").write_text("<svg/>")
    text = '<img src="a%20b.svg"><a href="https://far.example/paper">paper</a><a href="#2">2</a>'
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    assert build.asset_faults(path) == []


def test_a_sound_of_a_notebook():
    link = "../notebooks/01_vector_quantization.ipynb#256 entries, collapsed"
    assert len(sounds.find(link, deck.FOLDER)) > 1000
    assert re.fullmatch(r"\w+", sounds.name(link))


def test_a_copied_sound_has_a_picture(tmp_path):
    sounds.copy("../data/sounds/01_original.mp3", deck.FOLDER, tmp_path)
    assert (tmp_path / "01_original.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "01_original.mp3").is_file()


@pytest.mark.browser
@pytest.mark.skipif(find() is None, reason="no Chromium: apt install chromium")
@pytest.mark.parametrize(
    ("style", "inside", "words"),
    [
        ("", "<p>short</p>", None),
        ("", "<div style='height:900px'>long</div>", "the slide overflows by 180 pixels below"),
        ("", "<div style='width:1400px'>wide</div>", "overflows by 120 pixels to the right"),
        (
            "",
            "<div class='columns' style='height:300px'><div style='height:400px'>x</div></div>",
            "a part of class columns overflows by 100 pixels below",
        ),
        ("", "<p><img src='lost.svg'></p>", "the picture lost.svg does not load"),
        ("", "<p><img src='low.svg' style='height:90px'></p>", "low.svg is only 90 high"),
    ],
)
def test_a_slide_that_overflows(tmp_path, style, inside, words):
    (tmp_path / "low.svg").write_text(
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    )
    html = tmp_path / "deck.html"
    html.write_text("<style>body,p{margin:0}</style>" + PAGE.format(style, inside))
    with Page(tmp_path / "profile") as page:
        faults = list(rendering.look(page, html, 1, tmp_path / "pictures"))
    assert (tmp_path / "pictures" / "deck-01.png").is_file()
    assert (faults == []) if words is None else any(words in fault for fault in faults)


@pytest.mark.browser
@pytest.mark.skipif(
    find() is None or not (rendering.FOLDER / "node_modules" / ".done").is_file(),
    reason="no Chromium or Marp: make slides",
)
def test_a_deck_is_built_or_its_faults_are_said(tmp_path):
    for name in ("data", "notebooks"):
        (tmp_path / name).symlink_to(deck.FOLDER.parent / name)
    (tmp_path / "slides").mkdir()
    path = tmp_path / "slides" / "01_small.md"
    head = "---\nmarp: true\ntheme: course\nmath: mathjax\ntitle: Small\nnotebooks: 01\n---\n"
    text = head + "\n## One\n\n![a](../data/sounds/01_original.mp3)\n\n<!-- 3 min. Say. -->\n"
    target = tmp_path / "build" / "slides"
    path.write_text(text, encoding="utf-8")
    assert build.build([deck.Deck(path)], target) == []
    assert (target / "01_small.pdf").read_bytes().startswith(b"%PDF")
    assert "<audio" in (target / "01_small.html").read_text(encoding="utf-8")
    line = "\n\nA short line.\n"
    path.write_text(text.replace("## One", "## One" + 16 * line), encoding="utf-8")
    faults = build.build([deck.Deck(path)], target)
    assert len(faults) == 1
    assert re.fullmatch(r"01_small, slide 1: the slide overflows by \d+ pixels below\.", faults[0])
