"""`make site`: notebooks, decks and results as pages in build/site, each looked at in Chromium.

python -m website.build builds the decks, sets the formulas, plays the listening tables, writes the
pages and inspects them. A fault ends it with one sentence for each.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from course_lib import paths
from course_lib.notebook import form
from slides import build as slides_build
from slides import deck, rendering
from website import inspecting, listening, pages
from website.markup import Formulas

FOLDER = Path(__file__).resolve().parent
MODULES = FOLDER / "node_modules"
GROUPS = ("The course", "Notebooks", "Teach with it")


def main() -> int:
    said = rendering.lacking("make site")
    if said:
        print(said, file=sys.stderr)
        return 2
    target = paths.root() / "build" / "site"
    try:
        rendering.install()
        rendering.install(FOLDER, "the site's scripts")
        faults = slides_build.build(deck.decks(), paths.root() / "build" / "slides")
        if not faults:
            with tempfile.TemporaryDirectory(dir=target.parent) as place:
                faults = build(Path(place) / "site", paths.root() / "build" / "slides")
                if not faults:
                    shutil.rmtree(target, ignore_errors=True)
                    (Path(place) / "site").rename(target)
    except (RuntimeError, ValueError) as error:
        faults = [str(error)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"The site is in {target}: open index.html, no server needed.")
    return 1 if faults else 0


def build(target: Path, decks: Path) -> list[str]:
    """Write the site into `target`, with the built `decks`; return what is wrong, in sentences."""
    from tqdm.auto import tqdm

    sounds = paths.root() / "build" / "listening"
    stages, answers = listening.tables(sounds)
    notebooks, formulas = form.notebooks(), Formulas()
    made = [pages.front(stages, answers, notebooks), pages.results(formulas)]
    made += [pages.text(source, formulas) for source in pages.TEXTS]
    made += [pages.decks(deck.decks())]
    for path in tqdm(list(notebooks.values()), desc="Writing pages", unit="notebook"):
        made.append(pages.notebook(path, formulas))
    write(made, formulas, target)
    copy_assets(target)
    for path in notebooks.values():
        shutil.copy2(path, target / "notebooks" / path.name)
    shutil.copytree(sounds, target / "sounds", ignore=shutil.ignore_patterns("*.json"))
    shutil.copytree(
        decks, target / "slides", ignore=shutil.ignore_patterns("pictures", "*.md", ".*")
    )
    with tempfile.TemporaryDirectory() as profile, rendering.Page(profile) as page:
        return inspecting.faults(target, page, MODULES / "axe-core" / "axe.min.js")


def write(made: list[pages.Page], formulas: Formulas, target: Path) -> None:
    """The pages, and the index that is searched, into `target`. RuntimeError for odd formulas."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    done = set_formulas(list(formulas.known))
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("page.html")
    search = pages.Page("search.html", "Search", "", "", "")
    chain = [page for page in made if page.group == "Notebooks"]
    for page in [*made, search]:
        place = chain.index(page) if page in chain else None
        path = target / page.address
        path.parent.mkdir(parents=True, exist_ok=True)
        html = template.render(
            page=page,
            body=formulas.put(page.body, done),
            root="../" * page.address.count("/"),
            menu=[(group, [p for p in made if p.group == group]) for group in GROUPS],
            before=chain[place - 1] if place else None,
            after=chain[place + 1] if place is not None and place + 1 < len(chain) else None,
            search=page is search,
        )
        path.write_text(html, encoding="utf-8")
    (target / "assets").mkdir(exist_ok=True)
    index = pages.search_index(made, formulas)
    (target / "assets" / "sections.js").write_text(index, encoding="utf-8")


def set_formulas(known: list[tuple[str, bool]]) -> list[str]:
    """What KaTeX makes of (TeX, on a line of its own). RuntimeError names one that it can't set."""
    process = subprocess.run(
        ["node", FOLDER / "formulas.mjs"], input=json.dumps(known), capture_output=True, text=True
    )
    if process.returncode:
        raise RuntimeError(process.stderr.strip().splitlines()[-1])
    return json.loads(process.stdout)


def copy_assets(target: Path) -> None:
    """Styles, scripts and fonts: nothing of a page comes from a server."""
    assets = target / "assets"
    shutil.copytree(FOLDER / "static", assets, dirs_exist_ok=True)
    shutil.copy2(MODULES / "katex" / "dist" / "katex.min.css", assets)
    shutil.copytree(MODULES / "katex" / "dist" / "fonts", assets / "fonts", dirs_exist_ok=True)
    shutil.copy2(MODULES / "minisearch" / "dist" / "umd" / "index.js", assets / "minisearch.js")
    slides_build.fonts(assets / "fonts")


if __name__ == "__main__":
    sys.exit(main())
