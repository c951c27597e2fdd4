"""Rendering a split with all cores. Taught in notebook 00.

The clips are shared among processes started as `python -m course_lib.songbook.rendering` rather
than through multiprocessing: that works the same in scripts without a main guard, in notebooks and
in daemons, on every system.
"""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from queue import Queue

import numpy as np

from course_lib import paths
from course_lib.songbook import band
from course_lib.songbook.cache import HEADER, read_header, to_int16, unaltered, write_file
from course_lib.songbook.voice import VOICE_VERSION

# Raise the first when the same plan is arranged differently; the band has its own.
RENDER_VERSION = (2, band.RENDER_VERSION)


@dataclass(frozen=True)
class Job:
    """What is rendered: the configuration that names the file."""

    split: str
    clips: int
    seconds: float
    sample_rate: int
    channels: int
    seed: int
    voice: bool = False

    @property
    def facts(self) -> dict:
        """The configuration as its file says it; without a voice the one before there was one."""
        facts = asdict(self)
        del facts["voice"]
        return facts | ({"voice": VOICE_VERSION} if self.voice else {})

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.clips, self.channels, round(self.seconds * self.sample_rate)

    @property
    def bytes(self) -> int:
        return 2 * int(np.prod(self.shape))

    def path(self) -> Path:
        """Where the rendered split lies; the name changes with whatever changes the sound."""
        key = json.dumps([self.facts, RENDER_VERSION, scores_digest()]).encode()
        name = f"{self.split}-{hashlib.blake2b(key, digest_size=8).hexdigest()}.pcm"
        return paths.cache("songbook", name)


def samples(job: Job, progress: bool = True) -> Path:
    """The path of the rendered split, which is built where it is missing, cut short or altered.

    Raises OSError if the folder cannot be written or is full.
    """
    path = job.path()
    if not is_valid(path, job):
        build(job, path, progress)
    return path


def open_samples(path: Path, job: Job) -> np.ndarray:
    """The samples, int16 [clips, C, T], memory-mapped."""
    return np.memmap(path, dtype="<i2", mode="r", offset=HEADER, shape=job.shape)


def is_valid(path: Path, job: Job) -> bool:
    """Whether the file is there, whole and unaltered."""
    header = read_header(path)
    whole = header is not None and header.get("job") == job.facts
    return whole and path.stat().st_size == HEADER + job.bytes and unaltered(path)


def build(job: Job, path: Path, progress: bool = True) -> None:
    """Render a split into `path` with all cores; nothing is left behind when it fails."""

    def fill(temporary: Path) -> dict:
        with temporary.open("r+b") as file:
            file.truncate(HEADER + job.bytes)
        _fill(job, temporary, progress)
        return {"job": job.facts}

    write_file(path, job.bytes, f"The rendered songbook ({job.split}: {job.clips} clips", fill)


def _fill(job: Job, path: Path, progress: bool) -> None:
    from tqdm.auto import tqdm

    bar = tqdm(total=job.clips, desc=f"rendering {job.split}", unit="clip", disable=not progress)
    with bar:
        if workers(job) == 1:
            for _ in write_clips(job, path, range(job.clips)):
                bar.update()
        else:
            _fill_in_parallel(job, path, bar)


def workers(job: Job) -> int:
    """Processes to start: one a core, but none that would render fewer than eight clips."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, job.clips // 8)) if sys.executable else 1


def _fill_in_parallel(job: Job, path: Path, bar) -> None:
    count = workers(job)
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([root, inherited] if inherited else [root]),
        "PYTHONIOENCODING": "utf-8",
    }
    environment |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
    lines: Queue[str | None] = Queue()
    running = []
    try:
        for k in range(count):
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "course_lib.songbook.rendering",
                    json.dumps(asdict(job)),
                    str(path),
                    str(k),
                    str(count),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                text=True,
                encoding="utf-8",
            )
            running.append(process)
            threading.Thread(target=_forward, args=(process.stdout, lines), daemon=True).start()
        finished = 0
        while finished < count:
            if lines.get() is None:
                finished += 1
            else:
                bar.update()
        for process in running:
            message = process.stderr.read()
            if process.wait() != 0:
                _raise(message)
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()


def _forward(stream: Iterable[str], lines: Queue) -> None:
    try:
        for line in stream:
            lines.put(line)
    except ValueError:  # closed because another worker failed
        pass
    lines.put(None)


def _raise(message: str) -> None:
    """Raise what a worker reported: OSError for the disk, RuntimeError for all else."""
    last = message.strip().splitlines()[-1] if message.strip() else "no message"
    if last.startswith("errno "):
        number = int(last.split()[1])
        raise OSError(number, os.strerror(number))
    raise RuntimeError(f"A process that renders the songbook failed: {last}\n{message}")


def write_clips(job: Job, path: Path, indices: Iterable[int]) -> Iterable[int]:
    """Render clips into their places in the file, yielding each index when it is written."""
    from course_lib.songbook.clip import render_planned

    size = job.bytes // job.clips
    with path.open("r+b") as file:
        for index in indices:
            audio = render_planned(
                job.seed, job.split, index, job.seconds, job.sample_rate, job.channels, job.voice
            )
            file.seek(HEADER + index * size)
            file.write(to_int16(audio).tobytes())
            yield index


@lru_cache(maxsize=1)
def scores_digest() -> str:
    """What the file of scores holds, in 16 hexadecimal digits."""
    data = paths.data("scores", "scores.json.gz").read_bytes()
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _work(arguments: list[str]) -> int:
    """Render every count-th clip from the k-th on, with one line of output a clip."""
    job, path, k, count = Job(**json.loads(arguments[0])), *arguments[1:]
    try:
        for index in write_clips(job, Path(path), range(int(k), job.clips, int(count))):
            print(index, flush=True)
    except BrokenPipeError:  # nobody waits for us any more
        return 1
    except OSError as error:
        print(f"errno {error.errno or errno.EIO}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_work(sys.argv[1:]))
