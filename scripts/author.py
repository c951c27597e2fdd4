"""Make a notebook from its text: python scripts/author.py 01_vector_quantization.py

The text is jupytext's py:percent; `jupytext --to py:percent notebooks/01_….ipynb -o 01_….py` gives
it back from a notebook. Written is notebooks/01_….ipynb: setup cell and badge line filled in,
executed in order in the quick profile, cell ids stable, outputs clean. It says what still breaks
the form. The text stays outside the repository; only the .ipynb is committed. Start a new one with

    python scripts/author.py --new 01 "Vector quantization" > 01_vector_quantization.py
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jupytext

from course_lib import paths
from course_lib.notebook import form, listing, running, stamping

SKELETON = '''\
# %% [markdown]
# # {number}. {title}
#
# <!-- badge -->
#
# One sentence that claims what this notebook shows.
#
# **You will** build …, prove …, hear ….
#
# **Needs** nothing but the setup cell. **Leaves** ….
#
# **Takes** about NN s in the quick profile, measured on 2 CPU cores.

# %% tags=["setup"]
# The setup cell is written here.

# %% [markdown]
# ## Listen first

# %%
from course_lib.notebook import check, players, profile

run = profile()

# %% [markdown]
# ## Build
#
# ## Prove
#
# ## Train
#
# ## Listen
#
# ## Measure
#
# ## What broken sounds like
#
# ## Exercises
#
# ### Exercise 1 (easy, 5 minutes)
#
# Say what to write.


# %%
def exercise_one(x):
    """x [N, D] -> codes [N]."""
    raise NotImplementedError


check("{number}.exercise_one", exercise_one)

# %% [markdown]
# <details><summary>Hint</summary>
#
# One sentence.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def exercise_one(x):
#     return x.argmin(-1)
# ```
#
# </details>

# %% [markdown]
# ## Recap
'''


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", nargs="?", type=Path, help="the notebook's text, NN_title.py")
    parser.add_argument("--new", nargs=2, metavar=("NN", "TITLE"), help="print a skeleton")
    parser.add_argument("--profile", default="quick", choices=("quick", "full"))
    parser.add_argument("--folder", type=Path, default=paths.root() / "notebooks")
    chosen = parser.parse_args()
    if chosen.new:
        print(SKELETON.format(number=chosen.new[0], title=chosen.new[1]), end="")
        return 0
    if chosen.text is None or not chosen.text.is_file():
        parser.error(f"there is no file {chosen.text}; name the text of a notebook")
    return author(chosen.text, chosen.folder, chosen.profile)


def author(text: Path, folder: Path, profile: str) -> int:
    name = text.with_suffix(".ipynb").name
    book = formatted(jupytext.read(text, fmt="py:percent"))
    book["nbformat"], book["nbformat_minor"] = 4, 5
    stamping.renew(book, name)
    seen: dict[str, int] = {}
    for cell in book["cells"]:
        cell["source"] = running.joined(cell["source"])
        if "setup" in cell["metadata"].get("tags", []):
            cell["metadata"]["cellView"] = "form"  # Colab folds it away
        digest = hashlib.sha256(cell["source"].encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"

    began = time.monotonic()

    def started(index: int) -> None:
        head = book["cells"][index]["source"].strip().splitlines() or [""]
        print(f"{time.monotonic() - began:6.1f} s  cell {index + 1}: {head[0][:70]}", flush=True)

    with tempfile.TemporaryDirectory() as home:
        environment = {
            "COURSE_PROFILE": profile,
            "COURSE_HOME": home,  # the author's own tune and trainings stay out
            "TQDM_DISABLE": "1",  # bars write to standard error, or leave widgets behind
            "PYTHONPATH": os.pathsep.join([str(paths.root()), os.environ.get("PYTHONPATH", "")]),
        }
        try:
            place = paths.root() / "notebooks"
            done = running.execute(book, name, place, environment=environment, started=started)
        except running.CellFailed as failed:
            print(failed.traceback, file=sys.stderr)
            print(f"Not written: {failed}", file=sys.stderr)
            return 1
    seconds = time.monotonic() - began
    faults = running.cleaned(done)
    running.save(running.as_saved(done), folder / name)
    faults += form.faults(folder / name)
    if folder == paths.root() / "notebooks":
        faults += linted(folder / name)
        listing.renew()
    print(f"{name}: {form.summary(folder / name)}, {seconds:.0f} s in the {profile} profile")
    for fault in faults:
        print(f"  to mend: {fault}", file=sys.stderr)
    return 1 if faults else 0


def formatted(book):
    """The notebook with its cells as `ruff format` leaves them, so that the lint finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.ipynb"
        jupytext.write(book, path)
        ruff("format", "--config", paths.root() / "pyproject.toml", path)
        return jupytext.read(path)


def linted(path: Path) -> list[str]:
    """What ruff finds in the written notebook."""
    done = ruff("check", "--output-format=concise", path)
    return [line for line in done.stdout.splitlines() if ".ipynb:" in line]


def ruff(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ruff", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
