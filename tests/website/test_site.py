"""The site in a browser: faults are found, search answers, colours change, the keyboard reaches."""

import shutil

import pytest

from course_lib.notebook.sounds import data_uri
from scripts.chromium import Page
from slides import rendering
from website import build, inspecting, listening, pages
from website.markup import Formulas, anchored

GOOD = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width"></head>
<body><main><h1>Good</h1>{}</main></body></html>"""


def test_what_lacks_is_said_with_the_command(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert build.main() == 2
    assert "npm was not found, and `make site`" in capsys.readouterr().err


def test_packages_are_pinned_and_come_from_no_named_server():
    lock = (build.FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "registry" not in lock


def test_listening_tables_are_not_computed_twice(tmp_path, monkeypatch):
    sound = listening.Sound("a.mp3", "a", "words")
    rows = [listening.Stage("s", "r", "00", [sound])], [listening.Answer("p", [sound], ["h"])]
    calls = []
    monkeypatch.setattr(listening, "stage_rows", lambda *_: calls.append("stages") or rows[0])
    monkeypatch.setattr(listening, "prompt_rows", lambda *_: rows[1])
    assert listening.tables(tmp_path) == rows
    assert listening.tables(tmp_path) == rows
    assert calls == ["stages"]
    monkeypatch.setattr(listening, "_key", lambda: "another model")
    assert listening.tables(tmp_path) == rows
    assert calls == ["stages"] * 2


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    said = rendering.lacking("make site")
    if said:
        pytest.skip(said)
    rendering.install(build.FOLDER, "the site's scripts")
    with Page(tmp_path_factory.mktemp("profile")) as page:
        yield page


def found(browser, folder, body):
    (folder / "page.html").write_text(GOOD.format(body), encoding="utf-8")
    axe = build.MODULES / "axe-core" / "axe.min.js"
    return inspecting.faults(folder, browser, axe)


def sounding():
    import torch

    tone = torch.sin(torch.arange(16000) / 16000 * 440 * 2 * torch.pi) * 0.3
    return data_uri(tone, 16000)


@pytest.mark.browser
def test_a_good_page_has_no_faults(browser, tmp_path):
    player = f"<audio controls aria-label='a tone' src='{sounding()}'></audio>"
    assert found(browser, tmp_path, player) == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<audio controls aria-label='gone' src='gone.mp3'></audio>", "“gone” does not load"),
        ("<audio controls aria-label='empty' src='data:audio/mpeg;base64,'></audio>", "“empty”"),
        ("<audio aria-label='mute' src='{sound}'></audio>", "“mute” has no controls"),
        ("<img src='gone.png' alt='gone'>", "does not load"),
        ("<img src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='>",
         "image-alt"),
        ("<script src='http://127.0.0.1:9/x.js'></script>", "asks for http://127.0.0.1:9/x.js"),
        ("<script>console.error('oh no')</script>", "the console says oh no"),
        ("<script>throw new Error('broken')</script>", "a script fails"),
        ("<p style='color:#bbb;background:#fff'>pale</p>", "color-contrast"),
        ("<input>", "label"),
        ("<div style='width:600px'>wide</div>", "pixels wider than a telephone"),
        ("<a href='nowhere.html'>there</a>", "links to nowhere.html, which is not there"),
        ("<a href='#nothing'>there</a>", "no such part"),
        ("<a href='../outside.html'>there</a>", "which is not there"),
    ],
)  # fmt: skip
def test_a_fault_is_found(browser, tmp_path, body, words):
    said = found(browser, tmp_path, body.replace("{sound}", sounding()))
    assert [one for one in said if words in one], said


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    target = tmp_path_factory.mktemp("site") / "site"
    formulas = Formulas()
    made = [pages.notebook(path, formulas) for path in list(pages.form.notebooks().values())[:2]]
    body, sections = anchored("<h1>Front</h1><p>Nothing else.</p>")
    made.append(pages.Page("index.html", "Front", body, "The course", "Front", sections))
    build.write(made, formulas, target)
    build.copy_assets(target)
    return target


def opened(browser, site, address):
    browser.call("Emulation.setDeviceMetricsOverride", **inspecting.DESK)
    browser.open(f"{(site / 'index.html').resolve().as_uri().removesuffix('index.html')}{address}")
    name = address.partition("?")[0]
    browser.wait(f"location.pathname.endsWith('{name}') && document.readyState === 'complete'")


@pytest.mark.browser
def test_the_search_finds_a_section_and_goes_there(browser, site):
    opened(browser, site, "search.html?q=codebook")
    hit = browser.wait("document.querySelector('#results a')?.getAttribute('href')")
    assert hit.startswith("notebooks/0")
    browser.evaluate("document.querySelector('#results a').click()")
    browser.wait("document.querySelector(decodeURIComponent(location.hash)) !== null")


@pytest.mark.browser
def test_the_search_says_that_there_is_nothing(browser, site):
    opened(browser, site, "search.html?q=xylophonics")
    assert browser.evaluate("document.getElementById('found').textContent").startswith("0 sections")


@pytest.mark.browser
def test_formulas_are_set(browser, site):
    opened(browser, site, "notebooks/01_vector_quantization.html")
    assert browser.evaluate("document.querySelectorAll('.katex math').length") > 3
    assert browser.evaluate("document.body.innerText.includes('\\ue000')") is False


@pytest.mark.browser
def test_dark_is_chosen_and_kept(browser, site):
    browser.call("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "light"}])  # fmt: skip
    opened(browser, site, "index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.evaluate(paper)
    browser.evaluate("document.getElementById('theme').click()")
    dark = browser.evaluate(paper)
    assert dark != light
    opened(browser, site, "notebooks/00_songbook.html")
    assert browser.evaluate(paper) == dark
    browser.evaluate("localStorage.clear()")


@pytest.mark.browser
def test_the_keyboard_reaches_everything(browser, site):
    opened(browser, site, "notebooks/00_songbook.html")
    everything = (
        "[...document.querySelectorAll('a[href], button, input, audio, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.checkVisibility() && !e.closest('nav summary'))"
    )
    browser.evaluate(f"window.left = new Set({everything}); document.activeElement.blur()")
    count = browser.evaluate("window.left.size")
    assert count > 40
    for _ in range(8 * count):  # a player has several stops of its own
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab",
                         windowsVirtualKeyCode=9)  # fmt: skip
        browser.evaluate("window.left.delete(document.activeElement)")
        if browser.evaluate("window.left.size") == 0:
            break
    left = browser.evaluate("[...window.left].map(e => e.outerHTML.slice(0, 80))")
    assert left == []


@pytest.mark.browser
def test_one_player_at_a_time(browser, site):
    opened(browser, site, "notebooks/01_vector_quantization.html")
    first, second = (f"document.querySelectorAll('audio')[{k}]" for k in (0, 1))
    browser.evaluate(f"{first}.play().then(() => {second}.play())")
    browser.wait(f"{first}.paused && !{second}.paused")
