"""The whole course in one go: every notebook executed, one page to listen from."""

import hashlib
import json
import os
import sys
import time
from html import escape
from pathlib import Path

from course_lib import paths
from course_lib.notebook import form, running
from course_lib.notebook.album import page
from course_lib.notebook.names import choose


def run(numbers: list[str] = (), profile: str | None = None, target: Path | None = None) -> Path:
    """Execute notebooks in order, write the copies and `index.html` to `target`; the page's path.

    By default every notebook, in the quick profile, to `build/`. A notebook that was run before and
    of which nothing has changed (its text, the library, the committed data, the profile) is not run
    again. Raises ValueError for an unknown number or profile, FileNotFoundError where there are no
    notebooks, running.CellFailed for a cell that fails.
    """
    from tqdm import tqdm

    profile = profile or os.environ.get("COURSE_PROFILE") or "quick"
    choose(profile, ("quick", "full"), "profile")
    have = form.notebooks()
    if not have:
        raise FileNotFoundError(f"There are no notebooks in {paths.root() / 'notebooks'}.")
    chosen = [choose(number, have, "notebook") for number in dict.fromkeys(numbers)] or list(have)
    target = target or paths.root() / "build"
    common = _digest_of_the_rest(profile)
    due = []
    for number in chosen:
        path = have[number]
        key = hashlib.sha256(path.read_bytes() + common).hexdigest()
        if _key_of(target, path) != key:
            due.append((path, key, form.read(path)))
    bar = tqdm(
        total=sum(len(book["cells"]) for _, _, book in due),
        unit="cell",
        disable=None if due else True,  # None: where there is no terminal to draw on
        file=sys.stderr,
    )
    with bar:
        for path, key, book in due:
            bar.set_description(path.stem)
            seconds = _run_one(path, book, key, profile, target, bar)
            bar.write(f"{path.stem}: {seconds:.0f} s")
    sections = [_section(target, path) for path in have.values() if _key_of(target, path)]
    body = "<h1>The course, to listen from</h1>" + "".join(sections)
    index = target / "index.html"
    text = page("The course, to listen from", body)
    paths.replace_file(index, lambda p: p.write_text(text, encoding="utf-8"))
    return index


def _run_one(path: Path, book: dict, key: str, profile: str, target: Path, bar) -> float:
    began = time.monotonic()
    done = running.execute(
        book,
        path.name,
        path.parent,
        environment={"COURSE_PROFILE": profile, "TQDM_DISABLE": "1"},
        started=lambda index: bar.update(),
    )
    seconds = round(time.monotonic() - began, 1)
    saved = running.as_saved(done)
    saved["metadata"]["course"] = {"key": key, "seconds": seconds}
    running.save(saved, target / "notebooks" / path.name)
    return seconds


def _digest_of_the_rest(profile: str) -> bytes:
    """What a notebook's run depends on besides its own text."""
    import torch

    root = paths.root()
    files = sorted((root / "course_lib").rglob("*.py"))
    for folder in ("scores", "checkpoints", "results"):
        files += sorted(p for p in (root / "data" / folder).rglob("*") if p.is_file())
    digest = hashlib.sha256(f"{profile} {sys.version} {torch.__version__}".encode())
    for file in files:
        digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.digest()


def _key_of(target: Path, path: Path) -> str | None:
    """The key under which the executed copy was made, or None where there is no whole copy."""
    copy = target / "notebooks" / path.name
    try:
        return json.loads(copy.read_text(encoding="utf-8"))["metadata"]["course"]["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _section(target: Path, path: Path) -> str:
    """The players and pictures of one executed notebook, each group under its heading."""
    book = form.read(target / "notebooks" / path.name)
    parts, heading, title = [], "", path.stem
    for cell in book["cells"]:
        if cell["cell_type"] == "markdown":
            for line in running.joined(cell["source"]).splitlines():
                if line.startswith("# "):
                    title = line[2:]
                elif line.startswith("## "):
                    heading = line.lstrip("# ")
            continue
        for output in cell.get("outputs", []):
            html = running.joined(output.get("data", {}).get("text/html", ""))
            if not any(form.media(html)):
                continue
            if heading:
                parts.append(f"<h3>{escape(heading)}</h3>")
                heading = ""
            parts.append(html)
    seconds = book["metadata"]["course"]["seconds"]
    link = f"<a href='notebooks/{escape(path.name)}'>the executed notebook</a>"
    head = f"<h2>{escape(title)}</h2><p>{seconds:.0f} s; {link}</p>"
    return f"<section>{head}{''.join(parts)}</section>"
