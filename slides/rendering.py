"""Marp and Chromium: decks as HTML and PDF, and each slide looked at as the browser lays it out."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from scripts.chromium import Page, find

FOLDER = Path(__file__).resolve().parent
MARP = FOLDER / "node_modules" / ".bin" / "marp"
SIZE = (1280, 720)
LEAST = 150  # pixels that a figure must be high

# What of the slide shown lies beyond its room: (where, how many pixels), in words.
TOO_LARGE = """
(async () => {
  await document.fonts.ready;
  const slide = document.querySelector('section[id="%d"]') ||
                document.querySelectorAll('section')[%d - 1];
  const faults = [];
  const rooms = [slide, ...slide.querySelectorAll('.columns, .columns > div, .sounds, .sound')];
  for (const room of rooms) {
    const name = room === slide ? 'the slide' : 'a part of class ' + (room.className || 'column');
    const down = room.scrollHeight - room.clientHeight, right = room.scrollWidth - room.clientWidth;
    if (down > 1) faults.push(`${name} overflows by ${down} pixels below`);
    if (right > 1) faults.push(`${name} overflows by ${right} pixels to the right`);
  }
  for (const image of slide.querySelectorAll('p > img')) {
    await image.decode().catch(() => {});
    if (!image.complete || !image.naturalWidth) {
      faults.push(`the picture ${image.getAttribute('src')} does not load`);
    } else if (image.clientHeight < %d) {
      faults.push(`the figure ${image.getAttribute('src')} is only ${image.clientHeight} high`);
    }
  }
  return faults;
})()
"""
NO_BUTTONS = "document.querySelectorAll('.bespoke-marp-osc').forEach(b => b.remove())"


def lacking(command: str = "make slides") -> str | None:
    """Which program is missing and how to get it, in a sentence; None where all are there."""
    if not shutil.which("npm") or not shutil.which("node"):
        return (
            f"npm was not found, and `{command}` fetches Marp with it: install Node.js 18 or "
            "later (on Debian and Ubuntu: apt install npm)."
        )
    if find() is None:
        return (
            f"No Chromium was found, with which `{command}` makes PDFs and looks at what it made: "
            "install it (on Debian and Ubuntu: apt install chromium)."
        )
    return None


def install(folder: Path = FOLDER, what: str = "Marp") -> None:
    """`npm ci` with a bar, where package-lock.json changed since. Raises RuntimeError."""
    from tqdm.auto import tqdm

    lock = (folder / "package-lock.json").read_text(encoding="utf-8")
    done = folder / "node_modules" / ".done"
    if done.is_file() and done.read_text(encoding="utf-8") == lock:
        return
    packages = len(json.loads(lock)["packages"]) - 1
    last = ""
    process = subprocess.Popen(
        ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=http"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"},
    )
    with tqdm(total=packages, desc=f"Fetching {what}, once", unit="package") as bar:
        for line in process.stderr:
            bar.update(".tgz" in line and bar.n < packages)
            last = line.strip() if "error" in line else last
        if process.wait() == 0:
            bar.update(packages - bar.n)
    if process.returncode:
        raise RuntimeError(
            f"npm could not fetch the packages of {folder.name}/package.json "
            f"({last or 'no reason given'}): look at the connection and run the command again."
        )
    done.write_text(lock, encoding="utf-8")


def convert(markdown: Path, target: Path) -> None:
    """Let Marp write `target` (.html or .pdf) from a deck. Raises RuntimeError."""
    options = ["--pdf", "--pdf-notes"] if target.suffix == ".pdf" else []
    process = subprocess.run(
        [
            MARP,
            "--no-stdin",
            "--config",
            FOLDER / "marp.config.mjs",
            "--theme",
            FOLDER / "theme.css",
        ]
        + [*options, markdown.name, "-o", target.name],
        cwd=markdown.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "CHROME_PATH": str(find()), "CHROME_NO_SANDBOX": "1"},
    )
    if process.returncode or not target.is_file():
        said = [line for line in process.stderr.splitlines() if line.strip()]
        raise RuntimeError(f"Marp made no {target.name}: {said[-1] if said else 'no reason given'}")


def look(page: Page, html: Path, slides: int, pictures: Path | None = None) -> Iterator[str]:
    """Show each slide of a deck, keep its picture in `pictures`; yield what does not fit."""
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=SIZE[0], height=SIZE[1], deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    for number in range(1, slides + 1):
        page.open(f"{html.resolve().as_uri()}#{number}")
        if number == 1:
            page.wait("document.readyState === 'complete'")
        page.wait(f"location.hash === '#{number}'")
        for fault in page.evaluate(TOO_LARGE % (number, number, LEAST)):
            yield f"{html.stem}, slide {number}: {fault}."
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            page.evaluate(NO_BUTTONS)
            picture = page.call("Page.captureScreenshot", format="png")["data"]
            path = pictures / f"{html.stem}-{number:02}.png"
            path.write_bytes(base64.b64decode(picture))
