"""The first cell of every notebook: Colab, a clone, or a folder with nothing but the notebook.

The cell's text is the same in all notebooks but for the course's public address, which lies in
`data/repository.txt`; `course stamp OWNER/NAME` writes it there, into the cells and the badges.
"""

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from course_lib import paths

DRIVE = Path("/content/drive/MyDrive")
BADGE = "<!-- badge -->"
CELL = """# @title Setup: run this first (running it again does no harm)
DRIVE = False  # in Colab, True keeps your work on Google Drive, so that a new runtime goes on
COURSE = "@ADDRESS@"  # where the course is published; written by `course stamp OWNER/NAME`

import io
import shutil
import sys
import urllib.request
import zipfile
from pathlib import Path

if DRIVE and "google.colab" in sys.modules:
    from google.colab import drive

    drive.mount("/content/drive")
here = Path.cwd()
places = (here, *here.parents, here / "course")
root = next((p for p in places if (p / "course_lib").is_dir()), None)
if root is None:
    zips = [*here.glob("*.zip"), *Path("/content/drive/MyDrive").glob("course*.zip")]
    if COURSE:
        zips = [io.BytesIO(urllib.request.urlopen(f"{COURSE}/archive/HEAD.zip").read())]
    elif not zips and "google.colab" in sys.modules:
        from google.colab import files

        print("Please upload the course's zip, or put it on Drive as course.zip and set DRIVE.")
        zips = [here / name for name in files.upload()]
    if not zips:
        raise FileNotFoundError("Put the course's zip beside this notebook and run this again.")
    shutil.rmtree(here / "course.part", ignore_errors=True)
    zipfile.ZipFile(zips[0]).extractall(here / "course.part")
    found = [p.parent for p in (here / "course.part").rglob("course_lib") if p.is_dir()]
    if not found:
        raise FileNotFoundError("There is no folder course_lib in that zip: is it the course's?")
    root = found[0].replace(here / "course")
    shutil.rmtree(here / "course.part", ignore_errors=True)
if str(root) not in sys.path:
    sys.path.insert(0, str(root))
from course_lib.notebook.setup import prepare

prepare(DRIVE)"""


def cell(address: str | None = None) -> str:
    """The text of the setup cell, for the published address or another one."""
    return CELL.replace("@ADDRESS@", published() if address is None else address)


def badge(notebook: str) -> str:
    """The badge line of `notebook` (its file name): empty but for its mark while unpublished."""
    address = published()
    if not address.startswith("https://github.com/"):
        return BADGE
    place = address.removeprefix("https://github.com/")
    return (
        f"{BADGE} [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{place}/blob/main/notebooks/{notebook})"
    )


def published() -> str:
    """The course's public address, or "" where none is stamped."""
    file = paths.data("repository.txt")
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def prepare(drive: bool = False) -> None:
    """What the setup cell does once the tree is there: packages, the student's folder, one line.

    Installs only distributions that are missing, never another version of one that is there. With
    `drive` the student's work goes to Drive (in Colab, mounted by the cell), where training saves
    at least every two minutes.
    """
    from course_lib.notebook.profiles import profile

    colab = "google.colab" in sys.modules
    absent = missing()
    if absent and (colab or not (paths.root() / ".git").exists()):
        install(absent)
    elif absent:
        print(f"Not installed: {', '.join(absent)}. Run 'make lab', or see the README.")
    where = ""
    if drive and colab:
        if not DRIVE.is_dir():
            raise FileNotFoundError(
                "Drive is not mounted: allow the access it asks for, run again."
            )
        os.environ["COURSE_HOME"] = str(DRIVE / "course")
        where = " Your work is kept on Drive, in the folder 'course'."
    elif drive:
        where = " DRIVE is for Colab; here your work is kept on this machine's disk anyway."
    print(f"{profile()}{where}")


def requirements() -> list[str]:
    """What the library and its notebooks need, as in pyproject.toml."""
    with open(paths.root() / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    return project["dependencies"] + project["optional-dependencies"]["notebooks"]


def missing() -> list[str]:
    """Those of the requirements of which no version is installed."""
    absent = []
    for line in requirements():
        try:
            importlib.metadata.version(re.match(r"[\w.-]+", line).group())
        except importlib.metadata.PackageNotFoundError:
            absent.append(line)
    return absent


def install(lines: list[str]) -> None:
    """Install with pip, holding everything installed at its version.

    Raises OSError with one sentence where pip fails.
    """
    held = paths.cache("installed.txt")
    versions = sorted(
        f"{d.metadata['Name']}=={d.version}"
        for d in importlib.metadata.distributions()
        if d.metadata["Name"]
    )
    text = "\n".join(versions)
    paths.replace_file(held, lambda p: p.write_text(text, encoding="utf-8"))
    command = [sys.executable, "-m", "pip", "install", "-q", *lines, "-c", str(held)]
    # pip speaks the console's encoding, which is not UTF-8 everywhere.
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    importlib.invalidate_caches()
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OSError(f"pip could not install {', '.join(lines)}: {told}")
