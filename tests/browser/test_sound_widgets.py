"""Sliders that are heard, a hole that is filled and a prompt box, in a real browser."""

import pytest

from scripts.chromium import Page, find
from tests.browser import lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="no Chromium: apt install chromium"),
]
SOURCES = [
    "import torch\nfrom course_lib.notebook import inpaint, prompt, steer\n"
    "from course_lib.notebook.prompting import load_diffusion\n"
    "model = load_diffusion()\ntone = 0.2 * torch.sin(torch.arange(32000) * 0.2)",
    "steer(model, 'a waltz', places=((1, 3.0),), seconds=1.0)",
    "inpaint(model, {'tone': tone, 'short': tone[:16000], 'none': tone[:0]}, (0.5, 1.5),"
    " seconds=2.0)",
    "prompt(model, first='a waltz', seconds=1.0)",
]
AUDIO = "[...document.querySelectorAll('.jp-OutputArea audio')]"
HTML = "[...document.querySelectorAll('.widget-html')].map(w => w.innerText).join('|')"
HANDLES = "[...document.querySelectorAll('.noUi-handle')]"
RIGHT = {"key": "ArrowRight", "code": "ArrowRight", "windowsVirtualKeyCode": 39}


def labelled(browser, label: str) -> int:
    """How many players have this label."""
    return browser.evaluate(f"{AUDIO}.filter(a => a.ariaLabel == '{label}').length")


def choose(browser, sound: str) -> None:
    select = "[...document.querySelectorAll('select')].find(s => s.innerText.includes('short'))"
    index = ["tone", "short", "none"].index(sound)
    browser.evaluate(
        f"{select}.selectedIndex = {index}; {select}.dispatchEvent(new Event('change', "
        "{bubbles: true}))"
    )


def press(browser, button: str) -> None:
    buttons = "[...document.querySelectorAll('.jp-OutputArea button')]"
    browser.evaluate(f"{buttons}.find(b => b.innerText == '{button}').click()")


def test_sliders_hole_and_prompt_in_jupyterlab(tmp_path):
    with lab.serving(tmp_path, SOURCES) as address, Page(tmp_path / "profile") as browser:
        lab.run_all(browser, address)
        browser.wait(f"{AUDIO}.length == 5 && {HANDLES}.length == 5")
        assert browser.evaluate(f"{AUDIO}.some(a => a.autoplay || !a.paused)") is False
        pictures = "[...document.querySelectorAll('.jp-OutputArea img')]"
        assert browser.evaluate(f"{pictures}.every(i => i.alt)")
        browser.evaluate(f"{HANDLES}[0].focus()")  # by the keyboard alone
        for kind in ("rawKeyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, **RIGHT)
        playing = f"{AUDIO}.filter(a => a.autoplay && a.currentTime > 0).map(a => a.ariaLabel)[0]"
        assert browser.wait(playing) == "21 steps, guidance 3, dpm2"
        choose(browser, "short")
        browser.wait(f"{HANDLES}[3].getAttribute('aria-valuemax') == '1.0'")
        choose(browser, "none")
        browser.wait(f"({HTML}).includes('There are no samples')")
        choose(browser, "tone")
        browser.wait(f"!({HTML}).includes('There are no samples')")
        press(browser, "Fill")
        browser.wait(f"{AUDIO}.filter(a => a.ariaLabel == 'the hole filled').length == 2")
        press(browser, "Play")
        browser.wait(f"{AUDIO}.filter(a => a.ariaLabel == 'generated').length == 2")
        assert labelled(browser, "what was there") == 2
