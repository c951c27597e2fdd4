"""The rendered songbook on disk: whole or not there, found again, safe among processes."""

import errno
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from course_lib import songbook
from course_lib.songbook import cache, rendering

TINY = songbook.Size(train=16, validation=2, test=2, seconds=0.5)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    return tmp_path / "songbook"


def load(split="test", size=TINY, **more):
    return songbook.load(split, size, progress=False, **more)


def left_over(folder):
    return [path.name for path in folder.rglob("*") if path.suffix == ".tmp"]


def test_the_songbook_gives_clips_and_batches(folder):
    book = load()
    assert len(book) == 2 and book.split == "test"
    assert (book.seconds, book.sample_rate, book.channels) == (0.5, 16000, 1)
    batch = book.batch(torch.tensor([1, 0]))
    assert batch.shape == (2, 1, 8000) and batch.dtype == torch.float32
    assert torch.equal(batch[0], book[1].audio) and torch.equal(book[-1].audio, book[1].audio)
    assert book.attributes(0) == book[0].attributes
    stems = sum(book[0].stems.values())
    torch.testing.assert_close(stems, book[0].audio, atol=2 / 32767, rtol=0)
    assert len(list(book)) == 2
    for wrong in (2, -3):
        with pytest.raises(IndexError, match="2 clips"):
            book[wrong]
    for wrong in ("0", 0.5, None, slice(1), torch.tensor([0, 1])):
        with pytest.raises(TypeError, match="whole number"):
            book[wrong]
    with pytest.raises(TypeError, match="whole number"):
        book.batch("01")
    with pytest.raises(ValueError, match="at least one"):
        book.batch([])


def test_a_second_call_renders_nothing(folder, monkeypatch):
    load()
    monkeypatch.setattr(rendering, "build", lambda *a: pytest.fail("rendered again"))
    load()
    with pytest.raises(pytest.fail.Exception):
        load(seed=1)


def test_processes_render_what_one_process_renders(folder, monkeypatch):
    monkeypatch.setattr(rendering, "workers", lambda job: 2)
    shared = load("train").batch(range(16))
    monkeypatch.setattr(rendering, "workers", lambda job: 1)
    (path,) = folder.glob("train-*.pcm")
    path.unlink()
    assert torch.equal(load("train").batch(range(16)), shared)


def test_a_larger_size_begins_with_the_smaller(folder):
    larger = songbook.Size(16, 2, 4, 0.5)
    assert torch.equal(load(size=larger).batch([0, 1]), load().batch([0, 1]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[: cache.HEADER // 2],
        lambda data: b"",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[: cache.HEADER] + bytes(len(data) - cache.HEADER),
        lambda data: b"[]" + data[2:],
        lambda data: b"\xff" * cache.HEADER + data[cache.HEADER :],
        lambda data: data + b"\0\0",
    ],
    ids=["half", "half a header", "empty", "one bit", "zeros", "other JSON", "no JSON", "longer"],
)
def test_a_spoilt_file_is_found_and_made_again(folder, spoil):
    sound = load().batch([0, 1])
    (path,) = folder.glob("*.pcm")
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    os.utime(path, ns=(1, 1))
    assert torch.equal(load().batch([0, 1]), sound)
    assert path.read_bytes() == whole
    assert not left_over(folder)


def test_large_files_are_checked_in_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "BLOCK", 16)
    path = tmp_path / "large"
    data = np.random.default_rng(0).bytes(cache.HEADER + 16 * 1000 + 5)
    path.write_bytes(data)
    before = cache.checksum(path)
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert cache.checksum(path) != before
    path.write_bytes(data[: cache.HEADER] + bytes(len(data) - cache.HEADER))
    assert cache.checksum(path) != before


def test_several_processes_build_at_once(folder, tmp_path):
    code = (
        "from course_lib import songbook\n"
        "from course_lib.songbook import cache\n"
        "book = songbook.load('test', songbook.Size(1, 1, 2, 0.5), progress=False)\n"
        "print(cache.checksum(book.job.path()))\n"
    )

    def run(_):
        return subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=True,
        ).stdout

    with ThreadPoolExecutor(2) as pool:
        outputs = set(pool.map(run, range(2)))
    assert len(outputs) == 1
    assert len(list(folder.glob("*.pcm"))) == 1 and not left_over(folder)


def test_an_equal_copy_that_another_process_has_open_is_taken(folder, monkeypatch):
    book = load()
    path = book.job.path()

    def refuse(source, target):  # as Windows does while the target is mapped
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(cache.os, "replace", refuse)
    rendering.build(book.job, path, progress=False)
    assert rendering.is_valid(path, book.job) and not left_over(folder)
    path.write_bytes(b"spoilt")
    with pytest.raises(PermissionError, match="COURSE_CACHE"):
        load()
    assert not left_over(folder)


def test_a_script_without_a_main_guard_may_load(folder, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from course_lib import songbook\n"
        "from course_lib.songbook import rendering\n"
        "rendering.workers = lambda job: 2\n"
        "book = songbook.load('test', songbook.Size(1, 1, 4, 0.5))\n"
        "print(len(book))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert (done.returncode, done.stdout.strip()) == (0, "4"), done.stderr
    assert "4/4" in done.stderr  # the progress bar


def test_the_cache_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match=r"36,096 bytes.*COURSE_CACHE") as raised:
        load()
    assert str(tmp_path / "file") in str(raised.value)


def test_a_full_disk_is_said_before_rendering(folder, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match=r"no space left.*COURSE_CACHE") as raised:
        load()
    assert raised.value.errno == errno.ENOSPC
    assert not list(folder.glob("*"))


def test_a_read_only_cache_is_said(folder, monkeypatch):
    def refuse(**_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(cache.tempfile, "mkstemp", refuse)
    with pytest.raises(PermissionError, match="permission denied.*COURSE_CACHE"):
        load()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up_while_rendering_leaves_nothing(folder, monkeypatch, workers):
    def fail(job, path, indices):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(rendering, "workers", lambda job: workers)
    if workers == 1:
        monkeypatch.setattr(rendering, "write_clips", fail)
    else:  # what a worker reports, from a worker that does nothing else
        command = [sys.executable, "-c", "import sys; print('errno 28', file=sys.stderr); exit(1)"]
        popen = subprocess.Popen
        monkeypatch.setattr(
            rendering.subprocess, "Popen", lambda _command, **more: popen(command, **more)
        )
    with pytest.raises(OSError, match="no space left.*COURSE_CACHE"):
        load("train")
    assert not list(folder.glob("*")) and not left_over(folder)


def test_a_worker_that_fails_is_said(folder, monkeypatch):
    monkeypatch.setattr(rendering, "workers", lambda job: 2)
    popen = subprocess.Popen
    command = [sys.executable, "-c", "raise KeyError('what went wrong')"]
    monkeypatch.setattr(
        rendering.subprocess, "Popen", lambda _command, **more: popen(command, **more)
    )
    with pytest.raises(RuntimeError, match="what went wrong"):
        load("train")
    assert not list(folder.glob("*"))


def test_what_killed_builds_left_is_removed_once_nothing_writes_to_it(folder):
    folder.mkdir()
    old, new = folder / ".old.tmp", folder / ".new.tmp"
    old.touch()
    new.touch()
    quarter_of_an_hour_ago = new.stat().st_mtime - 900
    os.utime(old, (quarter_of_an_hour_ago, quarter_of_an_hour_ago))
    load()
    assert not old.exists() and new.exists()


def test_a_songbook_may_go_to_another_process(folder):
    book = load()
    book.batch([0])
    sent = pickle.dumps(book)
    assert len(sent) < 1000
    assert torch.equal(pickle.loads(sent).batch([1]), book.batch([1]))
