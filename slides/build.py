"""`make slides`: every deck as HTML and PDF in build/slides, each slide looked at.

python -m slides.build [NUMBER ...] builds those decks alone (`make slides DECK=03`). A fault ends
it with one sentence for each: an overflowing slide, a missing link or asset, a figure older than
its result, a figure typed where it should be quoted, notes without minutes.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from course_lib import paths
from slides import deck as decks
from slides import drawing, rendering, sounds

FONTS = {"400": "400-normal", "700": "700-normal", "400-italic": "400-italic"}
REMOTE = re.compile(
    r"""(?:\bsrc\s*=\s*["']?|url\(\s*["']?|<link[^>]+href=["']?)(https?:[^"')\s]+)"""
)


def main(arguments: list[str]) -> int:
    said = rendering.lacking()
    if said:
        print(said, file=sys.stderr)
        return 2
    chosen = [d for d in decks.decks() if not arguments or d.name[:2] in arguments]
    if not chosen:
        there = ", ".join(d.name[:2] for d in decks.decks())
        print(f"There is no deck {' '.join(arguments)}; there is {there}.", file=sys.stderr)
        return 2
    try:
        rendering.install()
        faults = build(chosen, paths.root() / "build" / "slides")
    except (RuntimeError, ValueError) as error:
        faults = [str(error)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def build(chosen: list[decks.Deck], target: Path) -> list[str]:
    """Build decks into `target` and return what is wrong, a sentence each."""
    from tqdm.auto import tqdm

    faults = [fault for deck in chosen for fault in decks.faults(deck)]
    if faults:
        return faults
    target.mkdir(parents=True, exist_ok=True)
    fonts(target / "fonts")
    links = list(dict.fromkeys(link for deck in chosen for link in deck.figures()))
    stale = [link for link in links if drawing.fault(link, target)]
    for link in tqdm(stale, desc="Drawing figures", unit="figure", disable=not stale):
        drawing.draw(link, target)
    faults = []
    with tempfile.TemporaryDirectory() as profile, rendering.Page(profile) as page:
        for deck in (bar := tqdm(chosen, desc="Building decks", unit="deck")):
            bar.set_postfix_str(deck.name)
            faults += build_deck(deck, target, page)
    print(f"{len(chosen)} decks in {target}: HTML with sound, PDF, and a picture of each slide.")
    return faults


def build_deck(deck: decks.Deck, target: Path, page: rendering.Page) -> list[str]:
    """Write a deck's HTML and PDF, its assets being there; return what is wrong."""
    for link in deck.sounds():
        sounds.copy(link, deck.path.parent, target / "sounds")
    markdown = target / f"{deck.name}.md"
    markdown.write_text(decks.rendered(deck), encoding="utf-8")
    faults = [fault for link in deck.figures() if (fault := drawing.fault(link, target))]
    html = target / f"{deck.name}.html"
    rendering.convert(markdown, html)
    faults += asset_faults(html)
    faults += rendering.look(page, html, len(deck.slides), target / "pictures")
    if not faults:
        rendering.convert(markdown, target / f"{deck.name}.pdf")
    return faults


def asset_faults(html: Path) -> list[str]:
    """What a built page shows, plays or links to that is not there, or comes from a server."""
    from html import unescape
    from urllib.parse import unquote

    text = html.read_text(encoding="utf-8")
    said = [f"{html.stem}: {address} comes from a server." for address in REMOTE.findall(text)]
    attributes = re.findall(r"""\b(?:src|href)="([^"#:]+)(?:#[^"]*)?\"""", text)
    addresses = attributes + re.findall(r"""url\(["']?((?!data:|#)[^"')]+?)["']?\)""", text)
    for address in dict.fromkeys(unquote(unescape(a)) for a in addresses):
        if not REMOTE.match(f"url({address}") and not (html.parent / address).exists():
            said.append(f"{html.stem}: {address} is missing.")
    return said


def fonts(target: Path) -> None:
    """Copy the typeface into `target`."""
    target.mkdir(parents=True, exist_ok=True)
    package = rendering.FOLDER / "node_modules" / "@fontsource" / "atkinson-hyperlegible"
    for ours, theirs in FONTS.items():
        source = package / "files" / f"atkinson-hyperlegible-latin-{theirs}.woff2"
        shutil.copyfile(source, target / f"atkinson-{ours}.woff2")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
