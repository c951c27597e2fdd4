"""`course stamp OWNER/NAME`: the public address, into its one place, the cells and the badges."""

import json
import re
from pathlib import Path

from course_lib import paths
from course_lib.notebook import listing, running, setup


def stamp(place: str | None = None) -> list[Path]:
    """Write OWNER/NAME of a GitHub repository into its one place, the cells and the badges.

    Without `place` the address stays, and cells and badges are brought up to date. Gives the files
    changed. Raises ValueError where `place` is not of that form.
    """
    changed = [] if place is None else _publish(place)
    found = [*paths.root().glob("notebooks/*.ipynb"), *paths.root().glob("homework/*/*.ipynb")]
    for path in sorted(found):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if renew(notebook, path.name):
            running.save(notebook, path)
            changed.append(path)
    return changed + ([paths.root() / "README.md"] if listing.renew() else [])


def _publish(place: str) -> list[Path]:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.+$)[\w.-]+(?<!\.git)", place, re.ASCII):
        raise ValueError(f"'{place}' is not OWNER/NAME of a GitHub repository, like bach/course.")
    file = paths.data("repository.txt")
    changed = [file] if setup.published() != f"https://github.com/{place}" else []
    text = f"https://github.com/{place}\n"
    paths.replace_file(file, lambda p: p.write_text(text, encoding="utf-8"))
    return changed


def renew(notebook: dict, name: str) -> bool:
    """Bring the setup cell and the badge of a notebook up to date; whether anything changed."""
    changed = False
    for part in notebook["cells"]:
        old = "".join(part["source"])
        new = old
        if "setup" in part.get("metadata", {}).get("tags", []):
            new = setup.cell()
        elif part["cell_type"] == "markdown":
            new = re.sub(
                rf"^{setup.BADGE}.*$", lambda _: setup.badge(name), old, flags=re.MULTILINE
            )
        if new != old:
            part["source"], changed = new.splitlines(keepends=True), True
    return changed
