"""`course doctor`: what is installed, what the machine can do, what to do about each problem."""

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from course_lib import paths
from course_lib.notebook import setup

PACKAGES = ("torch", "torchaudio", "numpy", "scipy", "accelerate", "soundfile", "librosa")
NOTEBOOK_PACKAGES = ("ipython", "ipykernel", "ipywidgets", "jupyterlab", "nbclient")
CUDA_LIBRARIES = (b"libcudart", b"libc10_cuda", b"libtorch_cuda")
LEAST_FREE = 2.0  # GB: the environment is there; what remains is the cache and one's own work


@dataclass(frozen=True)
class Finding:
    """One line of the report; `cure` says what to do, and is empty where all is well."""

    what: str
    told: str
    cure: str = ""

    def __str__(self) -> str:
        line = f"{'ok ' if not self.cure else '!! '} {self.what:<12} {self.told}"
        return f"{line}\n    {'':<12} -> {self.cure}" if self.cure else line


def examine() -> list[Finding]:
    """Every finding, in the order in which they are printed."""
    return [
        _python(),
        _packages("library", PACKAGES),
        _packages("notebooks", NOTEBOOK_PACKAGES),
        _missing(),
        _torchaudio(),
        _device(),
        _profile(),
        _disk(),
        _writable("cache", paths.cache(), "COURSE_CACHE"),
        _writable("your work", paths.home(), "COURSE_HOME"),
    ]


def fix_torchaudio() -> list[Path]:
    """Remove torchaudio's compiled parts where they link CUDA and this torch has none; what went.

    torchaudio is found without being imported (its import is what fails). The course needs none of
    these parts: only forced alignment and the RNN-T loss are in them.
    """
    removed = []
    for file in _cuda_parts():
        file.unlink()
        removed.append(file)
    return removed


def _cuda_parts() -> list[Path]:
    import torch

    spec = importlib.util.find_spec("torchaudio")
    if torch.version.cuda is not None or spec is None or spec.origin is None:
        return []
    files = sorted((Path(spec.origin).parent / "lib").glob("*.so"))
    return [f for f in files if any(name in f.read_bytes() for name in CUDA_LIBRARIES)]


def _python() -> Finding:
    told = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("python", told, "" if fits else "Install Python 3.11, 3.12 or 3.13.")


def _packages(what: str, packages: tuple[str, ...]) -> Finding:
    told, absent = [], []
    for package in packages:
        try:
            told.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            absent.append(package)
    command = "python -m pip install -r requirements.txt -c constraints.txt"
    cure = f"{', '.join(absent)} missing: {command}" if absent else ""
    return Finding(what, ", ".join(told), cure)


def _missing() -> Finding:
    absent = setup.missing()
    cure = "python -m pip install -r requirements.txt -c constraints.txt" if absent else ""
    return Finding("packages", f"missing: {', '.join(absent)}" if absent else "all there", cure)


def _torchaudio() -> Finding:
    if importlib.util.find_spec("torchaudio") is None:
        return Finding("torchaudio", "missing", "python -m pip install 'torchaudio>=2.11'")
    if _cuda_parts():
        cure = "course doctor --fix removes them; the course does not need them."
        return Finding("torchaudio", "has compiled parts for CUDA beside a CPU torch", cure)
    try:
        import torchaudio.functional  # noqa: F401
    except (ImportError, OSError) as error:
        told = f"does not load: {str(error).splitlines()[0]}"
        return Finding("torchaudio", told, "Install the torchaudio that belongs to your torch.")
    return Finding("torchaudio", "works")


def _device() -> Finding:
    import torch

    from course_lib.notebook.profiles import device_words

    if not torch.cuda.is_available():
        return Finding("device", device_words("cpu"))
    free, total = torch.cuda.mem_get_info()
    major, minor = torch.cuda.get_device_capability()
    numbers = "bfloat16" if major >= 8 else "float16"
    told = f"{device_words('cuda')}, compute capability {major}.{minor}, {numbers}, "
    told += f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    return Finding("device", told, "Other programs hold its memory." if free < 2e9 else "")


def _profile() -> Finding:
    from course_lib.notebook.profiles import profile

    try:
        return Finding("profile", profile().name)
    except ValueError as error:
        return Finding("profile", str(error), "Set COURSE_PROFILE to quick or full, or unset it.")


def _disk() -> Finding:
    folder = next(p for p in (paths.cache(), *paths.cache().parents) if p.is_dir())
    free = shutil.disk_usage(folder).free / 1e9
    cure = "" if free > LEAST_FREE else f"Free at least {LEAST_FREE:.0f} GB, or move COURSE_CACHE."
    return Finding("disk", f"{free:.1f} GB free", cure)


def _writable(what: str, folder: Path, variable: str) -> Finding:
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else 0
    there = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    try:
        if not there.is_dir():
            raise NotADirectoryError
        handle, name = tempfile.mkstemp(dir=there)
        os.close(handle)
        os.unlink(name)
    except OSError:
        cure = f"Set {variable} to a folder of your own."
        return Finding(what, f"{folder} is not writable", cure)
    return Finding(what, f"{folder}, {size / 1e6:.0f} MB")
