"""What the pages of the site hold: notebooks, front page, results, decks, what teachers read."""

import json
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from course_lib import paths, tables
from course_lib.notebook import form, setup
from course_lib.notebook.running import joined
from website import book
from website.listening import Answer, Sound, Stage
from website.markup import Formulas, Section, anchored, markdown, words

TEXTS = {  # in the repository: (address in the site, group of the menu, words of the menu)
    "homework/README.md": ("homework.html", "Teach with it", "Homework and grading"),
    "slides/README.md": ("about_slides.html", "Teach with it", "About the slides"),
    "CONTRIBUTING.md": ("contributing.html", "Teach with it", "Contributing"),
    "README.md": ("readme.html", "The course", "Run it yourself"),
    "RIGHTS.md": ("rights.html", "The course", "Rights"),
}


@dataclass
class Page:
    """One page: `address` within the site, `body` as HTML with formulas still to be set."""

    address: str
    title: str
    body: str
    group: str
    menu: str
    sections: list[Section] = field(default_factory=list)
    extra: str = ""  # HTML beneath the title: where else this page is to be had

    def texts(self) -> list[tuple[Section, str]]:
        """Each section with the words of it, for the search."""
        pieces = re.split(r'<h[1-3] id="([^"]*)">.*?</h[1-3]>', self.body, flags=re.DOTALL)
        found = dict(zip(pieces[1::2], pieces[2::2], strict=True))
        return [(section, words(found[escape(section.anchor)])) for section in self.sections]


def linker(source: str, address: str) -> Callable[[str], str | None]:
    """Turns the links of a file of the repository (`source`) into those of its page (`address`).

    What the site lacks is in the repository's public copy, or nowhere where there is none.
    """
    public = setup.published()

    def link(written: str) -> str | None:
        if re.match(r"(https?|mailto):", written):
            return written
        place, _, anchor = written.partition("#")
        if not place:
            return written
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(source), place))
        target = target_of(inside)
        if target is None:
            return f"{public}/blob/HEAD/{inside}" if public else None
        back = posixpath.relpath(target, posixpath.dirname(address) or ".")
        return f"{back}#{anchor}" if anchor else back

    return link


def target_of(inside: str) -> str | None:
    """The site's address of a file of the repository, or None."""
    if inside in TEXTS:
        return TEXTS[inside][0]
    if re.fullmatch(r"notebooks/\d\d[a-z]?_\w+\.ipynb", inside):
        return f"{inside.removesuffix('.ipynb')}.html"
    if re.fullmatch(r"data/results/\w+\.json", inside):
        return f"results.html#{Path(inside).stem}"
    return {"homework": "homework.html", "slides": "slides.html"}.get(inside)


def notebook(path: Path, formulas: Formulas) -> Page:
    """The page of an executed notebook."""
    address = f"notebooks/{path.stem}.html"
    link = linker(f"notebooks/{path.name}", address)
    body, sections = anchored(book.body(form.read(path), formulas, link))
    number, title = path.name.partition("_")[0], form.title(path)
    extra = f'<a href="{path.name}" download>Download the notebook</a>'
    colab = re.search(r"\]\((https://colab[^)]+)\)", setup.badge(path.name))
    if colab:
        extra += f' <a href="{escape(colab.group(1))}">Open in Colab</a>'
    return Page(
        address, f"{number}. {title}", body, "Notebooks", f"{number} {title}", sections, extra
    )


def text(source: str, formulas: Formulas) -> Page:
    """The page of a Markdown file of the repository."""
    address, group, menu = TEXTS[source]
    written = (paths.root() / source).read_text(encoding="utf-8")
    body, sections = anchored(markdown(written, formulas, linker(source, address)))
    return Page(address, sections[0].title, body, group, menu, sections)


def results(formulas: Formulas) -> Page:
    """Every table of data/results with its claims and their verdicts."""
    parts = [
        "# Results\n\nEach table is computed by `course table NAME`: the mean of the seeds and "
        "half of its 95 % interval. Beneath stands what its notebook claims, written before the "
        "run, and what the seeds said. The smallest effect is the one that would matter."
    ]
    known = sorted(p.stem for p in paths.data("results").glob("*.json"))
    for name in (n for n in known if n in tables.names()):
        found = tables.results(name)
        parts.append(
            f"## {name}\n\n**{found['title']}.** {found['source']}\n\n{tables.show(found)}"
        )
        if found["claims"]:
            parts.append(tables.show_claims(found))
    link = linker("data/results/x", "results.html")
    body, sections = anchored(markdown("\n\n".join(parts), formulas, link))
    return Page("results.html", "Results", body, "The course", "Results", sections)


def decks(found: list) -> Page:
    """The list of the decks, as HTML with sound and as PDF."""
    rows = []
    for deck in found:
        title, numbers = escape(deck.front["title"]), escape(" ".join(deck.notebooks))
        rows.append(
            f"<tr><td>{deck.name[:2]}</td><td>{title}</td><td>{numbers}</td>"
            f'<td><a href="slides/{deck.name}.html">Slides with sound: {title}</a></td>'
            f'<td><a href="slides/{deck.name}.pdf">PDF: {title}</a></td></tr>'
        )
    body, sections = anchored(
        "<h1>Slides</h1><p>One deck a lecture. In the deck, press <kbd>p</kbd> for the presenter's "
        "window with notes and a clock, <kbd>f</kbd> for the whole screen.</p>"
        '<div class="wide" tabindex="0"><table><thead><tr><th>Deck</th><th>Lecture</th>'
        "<th>Notebooks</th><th>To teach from</th><th>To hand out</th></tr></thead><tbody>"
        + "".join(rows)
        + "</tbody></table></div>"
    )
    return Page("slides.html", "Slides", body, "Teach with it", "Slides", sections)


def front(stages: list[Stage], answers: list[Answer], notebooks: dict[str, Path]) -> Page:
    """The front page: what the course builds, and its listening tables."""
    parts = [_opening(answers), _building(notebooks), _stages(stages, notebooks), _answers(answers)]
    body, sections = anchored("".join(parts))
    return Page("index.html", "From vector quantization to text-to-music", body, "The course",
                "What the course builds", sections)  # fmt: skip


def _opening(answers: list[Answer]) -> str:
    readme = (paths.root() / "README.md").read_text(encoding="utf-8")
    about = readme.split("\n\n")[1]
    first = answers[1]
    return (
        "<h1>From vector quantization to text-to-music</h1>"
        f"<p class='lead'>{escape(' '.join(about.split()))}</p>"
        f"<figure class='heard'><figcaption>“{escape(first.prompt)}”, as the course's two "
        "generators play it, first attempt</figcaption>"
        + "".join(_player(sound, sound.label.partition(":")[0]) for sound in first.sounds)
        + "</figure>"
    )


def _building(notebooks: dict[str, Path]) -> str:
    cards = []
    for number, path in notebooks.items():
        about = joined(form.read(path)["cells"][0]["source"]).split("\n\n")[2]
        about = words(markdown(about, Formulas(), lambda _: None))
        cards.append(
            f'<li><a href="notebooks/{path.stem}.html">{number} {escape(form.title(path))}</a> '
            f"{escape(about)}</li>"
        )
    return f"<h2>What the course builds</h2><ol class='steps'>{''.join(cards)}</ol>"


def _stages(stages: list[Stage], notebooks: dict[str, Path]) -> str:
    heads = "".join(
        f"<th scope='col'>{escape(sound.label.partition(':')[0])}</th>"
        for sound in stages[0].sounds
    )
    rows = []
    for stage in stages:
        taught = f'<a href="notebooks/{notebooks[stage.notebook].stem}.html">{stage.notebook}</a>'
        players = "".join(f"<td>{_player(sound)}</td>" for sound in stage.sounds)
        rows.append(
            f"<tr><th scope='row'>{escape(stage.title)}</th><td>{escape(stage.rate)}</td>{players}"
            f"<td>{taught}</td></tr>"
        )
    return (
        "<h2>The same clips through every stage</h2><p>Two clips that no model heard in training, "
        "and the tune that stands in for yours. Rates say how much of a second is kept; beneath "
        "each player stands what was measured.</p>"
        '<div class="wide" tabindex="0"><table class="listen">'
        '<thead><tr><th scope="col">stage</th>'
        f'<th scope="col">rate</th>{heads}<th scope="col">notebook</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _answers(answers: list[Answer]) -> str:
    names = [sound.label.partition(":")[0] for sound in answers[0].sounds]
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    rows = []
    for answer in answers:
        cells = "".join(
            f"<td>{_player(sound)}<p class='words'>{escape(heard)}</p></td>"
            for sound, heard in zip(answer.sounds, answer.heard, strict=True)
        )
        rows.append(f"<tr><th scope='row'>“{escape(answer.prompt)}”</th>{cells}</tr>")
    return (
        "<h2>The same prompts through every generator</h2><p>The first attempt of each, none "
        "picked. The judge, a classifier that neither of them was trained with, says what it "
        "hears of what was asked.</p>"
        '<div class="wide" tabindex="0"><table class="listen">'
        '<thead><tr><th scope="col">prompt</th>'
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _player(sound: Sound, shown: str = "") -> str:
    label = escape(sound.label, quote=True)
    named = f"<b>{escape(shown)}</b> " if shown else ""
    return (
        f"{named}<audio controls preload='none' src='sounds/{sound.file}' aria-label='{label}'>"
        f"</audio><p class='words'>{escape(sound.words)}</p>"
    )


def search_index(pages: list[Page], formulas: Formulas) -> str:
    """A script that hands the search its sections."""
    sections = [
        {
            "id": number,
            "address": f"{page.address}#{section.anchor}",
            "page": page.title,
            "title": section.title,
            "text": formulas.plain(said),
        }
        for number, (page, (section, said)) in enumerate(
            (page, found) for page in pages for found in page.texts()
        )
    ]
    return f"window.SECTIONS = {json.dumps(sections, ensure_ascii=False)};\n"
