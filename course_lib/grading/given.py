"""The files that an assignment gives its students, wherever its notebook runs."""

import json
import sys
import zipfile
from pathlib import Path

from course_lib import paths


def given(name: str) -> Path:
    """The folder with what "hw1" gives: from hw1_given.zip beside the notebook.

    In Colab you are asked to upload the zip. Where there is none, a practice set takes its place
    and a line says so. Raises ValueError for a zip that belongs to another assignment.
    """
    packed = Path.cwd() / f"{name}_given.zip"
    if not packed.is_file() and "google.colab" in sys.modules:
        from google.colab import files

        print(
            f"Please upload {packed.name}, which came with this notebook (or cancel, to practise)."
        )
        files.upload()
    if packed.is_file():
        return _unpack(packed, name)
    from course_lib.grading import editions
    from course_lib.grading.secrets import PRACTICE

    print(f"There is no {packed.name} beside this notebook: here is a practice set without marks.")
    practice = paths.home("given", f"{name}_given.zip")
    content = editions.pack_given(name, PRACTICE)
    paths.replace_file(practice, lambda p: p.write_bytes(content))
    return _unpack(practice, name)


def _unpack(packed: Path, name: str) -> Path:
    try:
        with zipfile.ZipFile(packed) as archive:
            about = json.loads(archive.read("about.json"))
            if about["assignment"] != name:
                raise ValueError(f"{packed.name} belongs to {about['assignment']}, not to {name}.")
            folder = paths.home("given", name, about["edition"])
            archive.extractall(folder)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{packed.name} is damaged: get it again from your instructor.") from error
    return folder
