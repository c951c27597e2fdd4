"""Where things lie: the repository, its committed data, the cache, the student's own work."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def root() -> Path:
    """The folder of the repository, which holds `data/` and `notebooks/`.

    Raises FileNotFoundError where the library was installed without its repository.
    """
    folder = Path(__file__).resolve().parent.parent
    if not (folder / "data").is_dir():
        raise FileNotFoundError(
            f"No folder 'data' beside the library in {folder}: course_lib works from a clone of "
            "the course, so install it from there with 'pip install -e .'."
        )
    return folder


def data(*parts: str) -> Path:
    """A path inside the committed `data/` folder. Read from it; only commands write there."""
    return root().joinpath("data", *parts)


def cache(*parts: str) -> Path:
    """A path for files that can be made again: `$COURSE_CACHE`, by default `data/cache`."""
    base = os.environ.get("COURSE_CACHE")
    return (Path(base).expanduser() if base else data("cache")).joinpath(*parts)


def home(*parts: str) -> Path:
    """A path for the student's own work: `$COURSE_HOME`, by default `data/cache/home`."""
    base = os.environ.get("COURSE_HOME")
    return (Path(base).expanduser() if base else data("cache", "home")).joinpath(*parts)


def remove_leftovers(path: Path) -> None:
    """Remove what a process killed within `replace_file(path, ...)` left beside `path`.

    For files that one process writes: of several, another may be writing right now.
    """
    for left in path.parent.glob(f".{path.stem}.*{path.suffix}"):
        left.unlink(missing_ok=True)


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it into place.

    A reader sees the old file or the new one, never half of it. Whatever `write` raises leaves
    `path` as it was and removes the temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        os.chmod(temporary, 0o644)  # mkstemp makes it private; committed and shared files are not
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
