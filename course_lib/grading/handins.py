"""What lies in a folder of handed-in notebooks: NAME.ipynb, or NAME/….ipynb."""

import os
from dataclasses import dataclass
from pathlib import Path

LARGEST = 1 << 30  # bytes of a notebook
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")
BESIDE, BESIDE_ALL = 20 << 20, 50 << 20  # bytes of a sound beside a notebook, and of all


@dataclass(frozen=True)
class HandIn:
    """What one student handed in: the notebook, or what is wrong with it in words."""

    name: str
    path: Path | None
    wrong: str = ""

    def sounds(self) -> dict[str, bytes]:
        """The sound files in the student's own folder, {name: bytes}, within bounds."""
        if self.path is None or self.path.stem == self.name:  # the folder is everybody's
            return {}
        found, total = {}, 0
        for path in sorted(self.path.parent.iterdir()):
            if path.suffix.lower() not in SOUNDS or path.is_symlink() or not path.is_file():
                continue
            size = path.stat().st_size
            if size <= BESIDE and total + size <= BESIDE_ALL:
                found[path.name] = path.read_bytes()
                total += size
        return found


def find(folder: Path) -> list[HandIn]:
    """Everything handed in, by name; links are not followed. ValueError for an empty folder."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder of handed-in notebooks.")
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.suffix == ".ipynb":
            found.append(_looked_at(entry.stem, entry))
        elif entry.is_symlink():
            found.append(HandIn(entry.name, None, "a link was handed in, not a folder"))
        elif entry.is_dir():
            found += _within(entry)
    if not found:
        raise ValueError(f"{folder} holds no notebooks: expected NAME.ipynb or NAME/….ipynb.")
    return found


def _within(folder: Path) -> list[HandIn]:
    paths = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths += [Path(place, name) for name in sorted(names) if name.endswith(".ipynb")]
    if not paths:
        return [HandIn(folder.name, None, "no notebook was handed in")]
    return [_looked_at(folder.name, path) for path in paths]


def _looked_at(name: str, path: Path) -> HandIn:
    if path.is_symlink():
        return HandIn(name, None, "a link was handed in, not a notebook")
    if not path.is_file():
        return HandIn(name, None, "what was handed in is no file")
    size = path.stat().st_size
    if size > LARGEST:
        return HandIn(name, None, f"the notebook is too large ({size >> 20:,} MiB)")
    return HandIn(name, path)
