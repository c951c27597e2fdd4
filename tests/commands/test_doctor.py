"""`course doctor`: each problem has a cure, and torchaudio is mended without being imported."""

import importlib.machinery
import sys

import pytest
import torch

from course_lib import cli
from course_lib.notebook import doctor


def found(what: str) -> doctor.Finding:
    return next(f for f in doctor.examine() if f.what == what)


def test_all_is_well_here(capsys):
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out
    for what in ("python", "torchaudio", "device", "profile", "disk", "cache", "your work"):
        assert f"ok  {what}" in lines


@pytest.fixture
def torchaudio(tmp_path, monkeypatch):
    """A torchaudio whose import would fail, with compiled parts for CUDA."""
    lib = tmp_path / "torchaudio" / "lib"
    lib.mkdir(parents=True)
    origin = tmp_path / "torchaudio" / "__init__.py"
    origin.write_text("raise OSError('libcudart.so.13')\n", encoding="utf-8")
    (lib / "_torchaudio.abi3.so").write_bytes(b"\x7fELF ... libcudart.so.13 ...")
    (lib / "harmless.so").write_bytes(b"\x7fELF ...")
    spec = importlib.machinery.ModuleSpec("torchaudio", None, origin=str(origin))
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: spec)
    return lib


def test_parts_for_cuda_are_found_and_removed(torchaudio, monkeypatch, capsys):
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "--fix" in found("torchaudio").cure
    assert cli.main(["doctor"]) == 1
    monkeypatch.delitem(sys.modules, "torchaudio", raising=False)
    removed = doctor.fix_torchaudio()
    assert [p.name for p in removed] == ["_torchaudio.abi3.so"]
    assert [p.name for p in torchaudio.iterdir()] == ["harmless.so"]
    assert "torchaudio" not in sys.modules
    assert doctor.fix_torchaudio() == []


def test_beside_a_torch_with_cuda_nothing_is_removed(torchaudio, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert doctor.fix_torchaudio() == []
    assert len(list(torchaudio.iterdir())) == 2


def test_what_is_missing_is_named(monkeypatch):
    version = doctor.metadata.version

    def without(name):
        if name == "librosa":
            raise doctor.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without)
    assert "librosa missing" in found("library").cure


def test_a_wrong_profile_a_full_disk_and_a_blocked_home_have_cures(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROFILE", "turbo")
    assert "'turbo'" in found("profile").told and found("profile").cure
    usage = doctor.shutil.disk_usage(tmp_path)._replace(free=10**8)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage)
    assert "Free at least 2 GB" in found("disk").cure
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file" / "home"))
    assert "COURSE_HOME" in found("your work").cure


def test_looking_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    doctor.examine()
    assert list(tmp_path.iterdir()) == []
