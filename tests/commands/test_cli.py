"""The `course` command with bad input: one sentence, exit code 2, nothing half-written."""

import os
import signal
import subprocess
import sys

import pytest

from course_lib import cli


def course(*arguments, **environment) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "course_lib.cli", *arguments]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COURSE_")}
    return subprocess.run(command, capture_output=True, text=True, env=kept | environment)


def sentence(done) -> str:
    """The one line of an error."""
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and "Traceback" not in lines[0], done.stderr
    return lines[0]


def told(capsys, *arguments) -> str:
    """The one line of an error, in this process (no second start of torch)."""
    assert cli.main(list(arguments)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_help_lists_every_command_and_imports_nothing_heavy():
    done = course("--help")
    commands = "data run train table encode decode generate check grade doctor stamp album".split()
    assert done.returncode == 0 and all(command in done.stdout for command in commands)
    code = "import sys, course_lib.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print('torch' in sys.modules)"
    light = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert light.stdout.splitlines()[-1] == "False"


def test_an_unknown_artefact_is_one_sentence_with_neighbours():
    said = sentence(course("train", "analyzer"))
    assert said.startswith("course train: No artefact is called 'analyzer'")
    assert "Do you mean analyser?" in said


def test_the_traceback_is_shown_on_request():
    done = course("train", "analyzer", COURSE_DEBUG="1")
    assert done.returncode != 0 and "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "99"), "notebook"),
        (("run", "../x"), "notebook"),
        (("run", "--profile", "fast"), "No profile is called 'fast'; there are quick, full."),
        (("table", "vqvaee"), "No table is called 'vqvaee'"),
        (("train", "analyser", "--size", "quik"), "Do you mean quick?"),
        (("train", "analyser", "--device", "tpu9"), "No device 'tpu9'"),
        (("train", "analyser", "--device", "meta"), "No device 'meta'"),
        (("data", "--size", "huge"), "No size is called 'huge'; there are quick, full, shipped."),
        (("stamp", "https://x"), "is not OWNER/NAME"),
    ],
)
def test_unknown_names_are_one_sentence(capsys, arguments, said):
    line = told(capsys, *arguments)
    assert line.startswith(f"course {arguments[0]}: ") and said in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("data", "--size"), "expected one argument"),
        (("train", "analyser", "--steps", "-3"), "'-3' is not a whole number"),
        (("train", "analyser", "--steps", "x"), "'x' is not a whole number"),
        (("train", "analyser", "--steps", "²"), "'²' is not a whole number"),
        (("dance",), "invalid choice: 'dance'"),
        ((), "required: COMMAND"),
    ],
)
def test_misused_options_exit_2(capsys, arguments, said):
    with pytest.raises(SystemExit) as stopped:
        cli.main(list(arguments))
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "/x/y"), "The disk is full"),
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y can't be written"),
        (OSError(30, "Read-only file system", "/x/y"), "set COURSE_CACHE or COURSE_HOME"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no"), "'\\udcff' holds what utf-8 has"),
        (KeyError("There is no exercise."), "There is no exercise."),
        (ValueError("two\nlines"), "two lines"),
        (RuntimeError("odd"), "RuntimeError: odd (COURSE_DEBUG=1 shows where)"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_every_exception_is_one_sentence(capsys, monkeypatch, error, said):
    def fails():
        raise error

    monkeypatch.setattr("course_lib.notebook.album.album", fails)
    assert said in told(capsys, "album")


def test_ctrl_c_is_no_error(capsys, monkeypatch):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr("course_lib.notebook.album.album", stopped)
    assert cli.main(["album"]) == 130
    assert capsys.readouterr().err.strip() == "Stopped. The same command goes on from here."


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to one process there")
def test_ctrl_c_that_an_import_turns_into_an_error_of_its_own_is_none(capsys, monkeypatch):
    """As NumPy's and torch's do, by chance: "cannot load module more than once per process"."""

    def imports():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("cannot load module more than once per process") from None

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job has none
    try:
        monkeypatch.setattr("course_lib.notebook.album.album", imports)
        assert cli.main(["album"]) == 130
        assert capsys.readouterr().err.strip() == "Stopped. The same command goes on from here."
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        monkeypatch.setattr("course_lib.notebook.album.album", lambda: 1 / 0)
        assert "ZeroDivisionError" in told(capsys, "album")
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    said = sentence(course("data", COURSE_CACHE=str(blocked / "cache")))
    assert str(blocked) in said
    assert blocked.read_text(encoding="utf-8") == "not a folder"


def test_a_full_disk_is_told_with_the_bytes_it_takes(tmp_path, monkeypatch, capsys):
    from course_lib.songbook import cache

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    usage = cache.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: usage)
    said = told(capsys, "data")
    assert said.startswith("course data: The rendered songbook (train: 256 clips, ")
    assert "bytes" in said and str(tmp_path) in said and said.endswith("can be written")


def test_the_album_holds_what_was_kept_and_names_what_cannot_be_read(tmp_path, monkeypatch, capsys):
    import torch

    from course_lib.notebook import form, keep

    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    assert "no sounds of yours" in told(capsys, "album")
    keep("my first tune", 0.1 * torch.sin(torch.arange(32000) * 0.1))
    (tmp_path / "noise.wav").write_text("this is text", encoding="utf-8")
    (tmp_path / "sounds" / ".half.ab12.flac").write_bytes(b"fLaC")
    (tmp_path / "folder.wav").mkdir()
    assert cli.main(["album"]) == 0
    page = (tmp_path / "album.html").read_text(encoding="utf-8")
    sounds, _ = form.media(page)
    assert len(sounds) == 1 and "my first tune" in page and sounds[0]["src"].startswith("data:")
    assert "noise.wav could not be read as sound" in page and "<p>2 sounds.</p>" in page
    assert cli.main(["album"]) == 0  # the page itself is no sound
    with pytest.raises(ValueError, match="no name for a file"):
        keep("///", torch.zeros(10))
    assert sorted(p.name for p in (tmp_path / "sounds").glob("[!.]*")) == ["my_first_tune.flac"]
