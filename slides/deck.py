"""A deck as written: its slides, notes and minutes; what is wrong with it; what Marp is given."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from urllib.parse import unquote

from course_lib import paths
from slides import quotes

FOLDER = Path(__file__).resolve().parent
WORDS = 50  # of body text on a slide, at most
DIRECTIVE = re.compile(r"\s*_?(class|paginate|header|footer|background\w*|color|theme)\s*:")
COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
MINUTES = re.compile(r"\s*(\d+) min\.\s")
SOURCE = re.compile(r"^Source: (.+)$", re.MULTILINE)
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?:<([^>]+)>|([^)\s]+))\)")
MATHS = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
TYPED = re.compile(r"\d\.\d|\d\s?%")


@dataclass(frozen=True)
class Slide:
    """One slide: its number from 1, its text without comments, its speaker notes."""

    number: int
    text: str
    notes: str

    @property
    def title(self) -> str:
        found = re.search(r"^#+ (.+)$", self.text, re.MULTILINE)
        return found.group(1).strip() if found else ""

    @property
    def minutes(self) -> int | None:
        found = MINUTES.match(self.notes)
        return int(found.group(1)) if found else None


@dataclass(frozen=True)
class Deck:
    """The Markdown of one lecture."""

    path: Path

    @cached_property
    def _parts(self) -> tuple[dict[str, str], list[str]]:
        text = self.path.read_text(encoding="utf-8")
        head, _, body = text.removeprefix("---\n").partition("\n---\n")
        if not text.startswith("---\n") or not body:
            raise ValueError(f"{self.path.name} does not begin with front matter between two ---.")
        pairs = (line.partition(":") for line in head.splitlines() if line.strip())
        front = {key.strip(): value.strip() for key, _, value in pairs}
        return front, re.split(r"^---$", body, flags=re.MULTILINE)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def front(self) -> dict[str, str]:
        return self._parts[0]

    @property
    def notebooks(self) -> list[str]:
        """Numbers of the notebooks it goes with: `notebooks: 07 08 08b` in its front matter."""
        return self.front.get("notebooks", "").split()

    @cached_property
    def slides(self) -> list[Slide]:
        found = []
        for number, raw in enumerate(self._parts[1], 1):
            comments = [c for c in COMMENT.findall(raw) if not DIRECTIVE.match(c)]
            notes = "\n".join(" ".join(c.split()) for c in comments)
            found.append(Slide(number, COMMENT.sub("", raw).strip(), notes))
        return found

    @property
    def minutes(self) -> int:
        return sum(slide.minutes or 0 for slide in self.slides)

    def links(self) -> Iterator[tuple[Slide, bool, str, str]]:
        """(slide, is it shown in place, words, address) of each link and picture."""
        for slide in self.slides:
            for shown, words, quoted, plain in LINK.findall(MATHS.sub(" ", slide.text)):
                yield slide, bool(shown), words, unquote(quoted or plain)

    def figures(self) -> list[str]:
        """Addresses of its figures, as `figures/deck01/errors.svg`."""
        return [link for _, shown, _, link in self.links() if shown and link.startswith("figures/")]

    def sounds(self) -> list[str]:
        """Addresses of its sounds: of a committed file, or `NOTEBOOK.ipynb#label` of a player."""
        return [link for _, shown, _, link in self.links() if shown and is_sound(link)]


def is_sound(link: str) -> bool:
    return link.endswith(".mp3") or ".ipynb#" in link


def decks(folder: Path = FOLDER) -> list[Deck]:
    """All decks of a folder, in order."""
    return [Deck(path) for path in sorted(folder.glob("[0-9][0-9]_*.md"))]


def faults(deck: Deck) -> list[str]:
    """What is wrong with a deck as written, a sentence each: front matter, notes, words, links."""
    said = []
    for key, value in {"marp": "true", "theme": "course", "math": "mathjax"}.items():
        if deck.front.get(key) != value:
            said.append(f"{deck.name}: its front matter lacks '{key}: {value}'.")
    if not deck.front.get("title"):
        said.append(f"{deck.name}: its front matter names no title.")
    if not deck.notebooks:
        said.append(f"{deck.name}: its front matter names no notebook ('notebooks: 07 08').")
    for number in deck.notebooks:
        if not list(paths.root().glob(f"notebooks/{number}_*.ipynb")):
            said.append(
                f"{deck.name}: there is no notebook {number}, which its front matter names."
            )
    for slide in deck.slides:
        where = f"{deck.name}, slide {slide.number}"
        if not slide.title:
            said.append(f"{where} has no heading.")
        if not slide.minutes:
            said.append(f"{where} has no speaker notes that begin with '<!-- 3 min. '.")
        words = _words(slide)
        if words > WORDS:
            said.append(f"{where} has {words} words of body text; at most {WORDS} fit.")
        if TYPED.search(_typed(slide)) and not SOURCE.search(slide.text):
            said.append(
                f"{where} types the figure {_around(_typed(slide))!r} without a line 'Source: …': "
                "quote it from data/results, or name the paper."
            )
    return said + _link_faults(deck)


def _link_faults(deck: Deck) -> list[str]:
    from slides import drawing, sounds

    said = []
    for slide, shown, words, link in deck.links():
        where = f"{deck.name}, slide {slide.number}"
        if shown and not words.strip():
            said.append(f"{where}: {link} has no words in its brackets, which blind readers need.")
        try:
            if link.startswith("figures/"):
                drawing.find(link)
            elif is_sound(link):
                sounds.find(link, deck.path.parent)
            elif not re.match(r"https?://", link) and not (deck.path.parent / link).exists():
                raise ValueError(f"there is nothing at {link}.")
        except ValueError as error:
            said.append(f"{where}: {error}")
    return said


def _words(slide: Slide) -> int:
    """Words of body text: no heading, formula, picture, player, table, verdict or source."""
    try:
        body, _ = quotes.fill(slide.text, {"minutes": "60", "notebooks": "01 01b"})
    except ValueError:
        return 0  # what is wrong with the quote is said where the slide is rendered
    body = MATHS.sub(" ", SOURCE.sub("", body))
    body = re.sub(r"^(#+ |\|).*$|<span class=.verdict.*?</span>", "", body, flags=re.MULTILINE)
    body = re.sub(r"!\[[^\]]*\]\((<[^>]*>|[^)]*)\)|<[^>]+>", " ", body)
    return len(re.findall(r"\w[\w’'./-]*", LINK.sub(r"\2", body)))


def _typed(slide: Slide) -> str:
    """What is typed on a slide as prose: no quotes, formulas, addresses or file names."""
    text = MATHS.sub(" ", quotes.QUOTE.sub(" ", slide.text))
    return re.sub(r"`[^`]*`|\]\((<[^>]*>|[^)]*)\)|<[^>]+>", " ", text)


def _around(text: str) -> str:
    at = TYPED.search(text)
    return " ".join(text[max(0, at.start() - 12) : at.end() + 8].split())


def rendered(deck: Deck) -> str:
    """The Markdown that Marp is given, to lie in `build/slides`: quotes filled, players made."""
    body = deck.path.read_text(encoding="utf-8").partition("\n---\n")[2]
    words = {"minutes": str(deck.minutes), "notebooks": _notebook_links(deck)}
    slides = []
    for number, raw in enumerate(re.split(r"^---$", body, flags=re.MULTILINE), 1):
        try:
            text, used = quotes.fill(raw, words)
        except ValueError as error:
            raise ValueError(f"{deck.name}, slide {number}: {error}") from error
        slides.append(_placed(_played(text), [*used, *_drawn_from(raw)]))
    head = ["marp: true", "theme: course", "math: mathjax", f"title: {deck.front['title']}"]
    head += ["paginate: true", "lang: en-GB", f"footer: {escape(deck.front['title'])}"]
    return "\n".join(["---", *head, "---", *"\n---\n".join(slides).splitlines()]) + "\n"


def _notebook_links(deck: Deck) -> str:
    found = []
    for number in deck.notebooks:
        path = next(paths.root().glob(f"notebooks/{number}_*.ipynb"))
        found.append(f'<a href="../../notebooks/{path.name}">{number}</a>')
    return " · ".join(found)


def _drawn_from(raw: str) -> list[str]:
    from slides import drawing

    links = [quoted or plain for _, _, quoted, plain in LINK.findall(MATHS.sub(" ", raw))]
    return [
        name for link in links if link.startswith("figures/") for name in drawing.find(link).results
    ]


def _played(text: str) -> str:
    """Pictures that are sounds become players; those on neighbouring lines stand in one row."""
    from slides import sounds

    lines, row = [], []
    for line in [*text.splitlines(), ""]:
        found = LINK.fullmatch(line.strip())
        link = unquote(found.group(3) or found.group(4)) if found and found.group(1) else ""
        if is_sound(link):
            name = sounds.name(link)
            row.append(
                f'<figure class="sound"><img src="sounds/{name}.png" alt=""/>'
                f"<figcaption>{escape(found.group(2))}</figcaption>"
                f'<audio controls preload="metadata" src="sounds/{name}.mp3" '
                f'aria-label="{escape(found.group(2), quote=True)}"></audio></figure>'
            )
            continue
        if row:
            lines += ["", f'<div class="sounds">{"".join(row)}</div>', ""]
            row = []
        lines.append(line)
    return "\n".join(lines)


def _placed(text: str, used: list[str]) -> str:
    """Links made to work from `build/slides`, and the source at the foot of the slide."""
    text = LINK.sub(
        lambda m: m.group(0).replace("(../", "(../../").replace("(<../", "(<../../"), text
    )
    said = SOURCE.findall(text)
    text = SOURCE.sub("", text)
    if used:
        names = list(dict.fromkeys(used))
        said.append(f"Ours: {', '.join(names) if len(names) < 4 else 'all tables'} in data/results")
    if not said:
        return text
    return f'{text.rstrip()}\n\n<div class="source">{" · ".join(said)}</div>\n'
