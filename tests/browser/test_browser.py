"""Players and widgets in a real browser: make test-browser (needs Chromium, jupyterlab)."""

import pytest
import torch

from course_lib import paths
from course_lib.notebook import players
from course_lib.notebook.album import page as html_page
from scripts.chromium import Page, find
from tests.browser.lab import run_all, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no Chromium: apt install chromium"),
]

# Each player is loaded by hand: it must not have loaded before, and must know its length then.
PLAY_ALL = """
(async () => {
  const told = [];
  for (const audio of document.querySelectorAll('audio')) {
    const before = audio.readyState;
    audio.preload = 'auto';
    const ready = new Promise((yes, no) => {
      audio.oncanplaythrough = yes; audio.onerror = () => no(audio.error.message);
    });
    audio.load();
    await ready;
    await audio.play();
    await new Promise(yes => setTimeout(yes, 200));
    told.push([before, audio.duration, audio.currentTime > 0, audio.hasAttribute('autoplay')]);
    audio.pause();
  }
  return told;
})()
"""


def tones(count=3, seconds=2.0):
    time = torch.arange(round(seconds * 16000)) / 16000
    return {
        f"tone {i}": 0.2 * torch.sin(2 * torch.pi * 220 * i * time) for i in range(1, count + 1)
    }


@pytest.fixture
def browser(tmp_path):
    with Page(tmp_path / "profile") as page:
        yield page


def check_players(told, count):
    assert len(told) == count
    for before, duration, advanced, autoplay in told:
        assert before == 0 and not autoplay, "nothing loads or plays before one asks"
        assert duration == pytest.approx(2.0, abs=0.15) and advanced


def test_players_wait_and_play_offline(browser, tmp_path):
    file = tmp_path / "page.html"
    body = players(tones())._repr_html_()
    file.write_text(html_page("Players", body), encoding="utf-8")
    browser.open(file.as_uri())
    browser.wait("document.querySelectorAll('audio').length")
    check_players(browser.evaluate(PLAY_ALL), 3)
    shown = browser.evaluate("[...document.querySelectorAll('audio')].map(a => a.clientWidth)")
    assert all(width > 100 for width in shown)


@pytest.mark.skipif(
    not (paths.root() / "build" / "index.html").is_file(), reason="first make course"
)
def test_the_page_to_listen_from_plays_and_needs_no_network(browser):
    browser.call("Network.enable")
    browser.call("Network.emulateNetworkConditions", offline=True, latency=0,
                 downloadThroughput=-1, uploadThroughput=-1)  # fmt: skip
    browser.open((paths.root() / "build" / "index.html").as_uri())
    browser.wait("document.readyState == 'complete'")
    count = browser.evaluate("document.querySelectorAll('audio').length")
    assert count > 0
    told = browser.evaluate(PLAY_ALL)
    assert len(told) == count and all(0 < duration <= 4.1 for _, duration, _, _ in told)
    broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth || !i.alt).length"
    assert browser.evaluate(broken) == 0


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a notebook with players, a live training view and a blind test."""
    sources = [
        "import torch\nfrom course_lib.notebook import Live, blind_test, players\n"
        "tone = 0.2 * torch.sin(torch.arange(32000) * 0.2)\nplayers({'tone': tone})",
        "live = Live(20, model=torch.nn.Identity(), sound=lambda model: tone)\n"
        "for step in range(1, 21):\n    live(step, {'loss': 1 / step})",
        "blind_test('browser', [tone], [0.5 * tone])",
    ]
    with serving(tmp_path, sources) as address:
        yield address


def test_players_live_view_and_blind_test_in_jupyterlab(lab, browser, tmp_path):
    run_all(browser, lab)
    trial = "[...document.querySelectorAll('.widget-label')].map(l => l.innerText).join(' ')"
    browser.wait(f"({trial}).includes('Trial 1 of 12')")  # run all did not wait for a listener
    sounds = "[...document.querySelectorAll('.jp-OutputArea audio')]"
    assert browser.evaluate(f"{sounds}.length") == 5  # a player, the live view's, A, B and X
    assert browser.evaluate(f"{sounds}.some(a => a.autoplay || !a.paused)") is False
    text = browser.evaluate("document.querySelector('.jp-Notebook').innerText")
    assert "step 20 of 20" in text and "Not taken yet" in text
    assert text.count("Training") == 1  # the live view left one output
    for number in range(2, 13):
        click = "[...document.querySelectorAll('button')].find(b => b.innerText == 'X is A')"
        browser.evaluate(f"{click}.click()")
        browser.wait(f"({trial}).includes('Trial {number} of 12')")
    browser.evaluate(f"{click}.click()")
    browser.wait(f"({trial}).includes('6 of 12 right, p = 0.613')")
    browser.wait("!document.querySelector('.jp-Notebook').innerText.includes('Not taken yet')")
    assert (tmp_path / "home" / "blind_tests" / "browser.json").is_file()
