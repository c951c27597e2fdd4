"""`course encode` and `course decode`: what they make, what they refuse, what they leave behind."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import small_course
import soundfile

from course_lib import checkpoints, cli

SMALL = Path(__file__).with_name("small_course.py")


class Course:
    """`course` in this process, which spares a second start of torch."""

    def __init__(self, capsys, monkeypatch):
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments, seed=0) -> tuple[int, list[str], list[str]]:
        """Exit status, and the lines of standard output and of standard error."""
        self.monkeypatch.setattr(checkpoints, "load", small_course.loading(seed))
        status = cli.main([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return status, said.out.splitlines(), said.err.splitlines()

    def refused(self, *arguments, seed=0) -> str:
        """The one line of an error."""
        status, _, lines = self(*arguments, seed=seed)
        assert status == 2 and len(lines) == 1, lines
        return lines[0]


@pytest.fixture
def course(capsys, monkeypatch) -> Course:
    return Course(capsys, monkeypatch)


def process(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, SMALL, "0", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A sound, and codec files of it, made by processes of their own."""
    folder = tmp_path_factory.mktemp("sounds")
    wave = 0.3 * np.sin(np.random.default_rng(0).normal(size=(66_150, 2)).cumsum(0))
    soundfile.write(folder / "song.wav", wave, 44100)
    done = process("encode", folder / "song.wav", "-b", "0.5")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "song.wav: 44100 Hz and 2 channel(s) become 16000 Hz and 1."
    size = (folder / "song.codec").stat().st_size
    assert f"1.5 s in {size} bytes, {size * 8 / 1500:.2f} kbit/s (0.5 in codes)" in said[1]
    done = process("encode", folder / "song.wav", folder / "lm.codec", "-b", "0.5", "--lm")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_process_decodes_what_a_process_encoded(folder, tmp_path):
    for name in ("song", "lm"):
        done = process("decode", folder / f"{name}.codec", tmp_path / f"{name}.wav")
        assert done.returncode == 0 and done.stderr == "" and "0.5 kbit/s" in done.stdout
    told = soundfile.info(tmp_path / "song.wav")
    assert (told.samplerate, told.channels, told.frames) == (16000, 1, 24_000)
    made = files(tmp_path)
    assert set(made) == {"song.wav", "lm.wav"} and made["song.wav"] == made["lm.wav"]


def test_errors_of_a_process_are_one_line_too(folder, tmp_path):
    (tmp_path / "text.wav").write_text("this is text", encoding="utf-8")
    done = process("encode", tmp_path / "text.wav")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "is not a sound file that can be read" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["text.wav"]


def test_without_b_it_is_the_highest_rate(course, folder, tmp_path):
    status, said, _ = course("encode", folder / "song.wav", tmp_path / "a.codec")
    assert status == 0 and "(1 in codes)" in said[1]
    status, said, _ = course("decode", tmp_path / "a.codec")  # by default a.wav
    assert status == 0 and set(files(tmp_path)) == {"a.codec", "a.wav"}


def test_what_is_there_is_overwritten_on_request_alone(course, folder, tmp_path):
    target = tmp_path / "a.codec"
    target.write_bytes(b"precious")
    said = course.refused("encode", folder / "song.wav", target)
    assert said == f"course encode: {target} is there already: -f overwrites it."
    assert target.read_bytes() == b"precious"
    assert course("encode", folder / "song.wav", target, "-b", "0.5", "-f")[0] == 0
    assert target.read_bytes() == (folder / "song.codec").read_bytes()
    assert "-f overwrites it" in course.refused("decode", folder / "song.codec")  # to song.wav
    before = files(folder)
    for arguments in (
        ("encode", folder / "song.wav", folder / "song.wav", "-f"),
        ("decode", folder / "song.codec", folder / "song.codec", "-f"),
    ):
        assert "can't be read and written at once" in course.refused(*arguments)
    assert files(folder) == before


def test_other_models_are_a_sentence(course, folder, tmp_path):
    for name in ("song.codec", "lm.codec"):
        said = course.refused("decode", folder / name, tmp_path / "x.wav", seed=1)
        assert f"{name} was made with another codec (" in said
        assert said.endswith("decode it with the course that wrote it.")
    assert not files(tmp_path)


@pytest.mark.parametrize("arguments", [("-b", "0"), ("-b", "x"), ("-b", "nan"), ("-b", "-1")])
def test_rates_that_are_none_are_misused_options(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["encode", "a.wav", *arguments])
    assert stopped.value.code == 2
    assert "is not a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("encode", "missing.wav"), "does not exist: check its name"),
        (("decode", "missing.codec"), "does not exist: check its name"),
        (("encode", "text.wav"), "is not a sound file that can be read"),
        (("encode", "empty.wav"), "is empty (0 bytes)"),
        (("encode", "nan.wav"), "NaN"),
        (("encode", "folder.wav"), "is a folder"),
        (("encode", "song.wav", "folder.wav", "-f"), "is a folder"),
        (("encode", "song.wav", "nowhere/a.codec"), "There is no folder"),
        (("encode", "song.wav", "a.codec", "-b", "3"), "-b 3: the codec has 0.25, 0.5, 1 kbit/s."),
        (("decode", "song.wav", "x.wav"), "is not a codec file: it does not begin with CRSC"),
        (("decode", "folder.wav"), "is a folder"),
        (("encode", "."), "is a folder; give the name of a file in it"),
        (("encode", "n" * 300 + ".wav"), "too long here: give a shorter one"),
        (("encode", "song.wav", "n" * 300 + ".codec"), "too long here: give a shorter one"),
        (("decode", "cut.codec"), "is cut off in its block 1"),
        (("decode", "bit.codec"), "is damaged in its block 1"),
        (("decode", "new.codec"), "has version 2 of the format; this course reads version 1"),
        (("decode", "whole.codec", "x.txt"), "'.txt'; expected one of .wav, .flac"),
    ],
)
def test_what_can_not_be_done_is_a_sentence(course, folder, tmp_path, arguments, said):
    data = bytearray((folder / "song.codec").read_bytes())
    (tmp_path / "song.wav").write_bytes((folder / "song.wav").read_bytes())
    (tmp_path / "whole.codec").write_bytes(data)
    (tmp_path / "cut.codec").write_bytes(data[: len(data) // 2])
    (tmp_path / "new.codec").write_bytes(data[:4] + b"\2" + data[5:])
    data[len(data) // 2] ^= 1
    (tmp_path / "bit.codec").write_bytes(data)
    (tmp_path / "text.wav").write_text("this is text", encoding="utf-8")
    (tmp_path / "empty.wav").write_bytes(b"")
    soundfile.write(tmp_path / "nan.wav", np.full(9000, np.nan, np.float32), 16000, "FLOAT")
    (tmp_path / "folder.wav").mkdir()
    before = sorted(tmp_path.rglob("*"))
    rest = [a if i in (0,) or a[0] in "-3" else tmp_path / a for i, a in enumerate(arguments)]
    assert said in course.refused(*rest)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_devices_are_not_replaced(course, folder, tmp_path):
    os.mkfifo(tmp_path / "pipe.codec")
    said = course.refused("encode", folder / "song.wav", tmp_path / "pipe.codec", "-f")
    assert said.endswith("pipe.codec is no ordinary file: give the name of one to write.")
    assert (tmp_path / "pipe.codec").is_fifo() and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to one process there")
def test_stopped_it_leaves_nothing(folder, tmp_path):
    rate = 16000
    soundfile.write(tmp_path / "long.wav", np.zeros(rate * 300, np.float32), rate)
    command = [sys.executable, SMALL, "0", "encode", tmp_path / "long.wav", "--lm"]
    heeds = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    # What a shell starts in the background ignores SIGINT, and so would its children.
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heeds)
    try:
        until = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) == 1 and time.monotonic() < until:
            time.sleep(0.05)
        assert running.poll() is None  # it writes, and has minutes to go
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130 and said.strip() == "Stopped. Nothing was written."
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]
