"""The student's own sound files as a data set. Taught in notebook 00."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_lib import audio, paths
from course_lib.songbook import cache
from course_lib.songbook.dataset import check_format

if TYPE_CHECKING:
    import torch

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")
SILENCE = 1e-4  # a file whose samples all stay below it (-80 dBFS) is silent


class _Unusable(ValueError):
    """Why a file gives no clips."""


class AudioFolder:
    """The sound files of a folder, of any rate and channel count, cut into clips of one length.

    `len`, `[i]` and `batch(indices)` give audio as a Songbook does; `origin(i)` says from which
    file and second a clip comes; `problems` maps the files left out to the reason. Files are found
    in all subfolders by their suffix, read once, in parts, and kept in the cache as int16; what is
    left after a file's last whole clip is dropped. With `bad="refuse"` the first unusable file
    raises ValueError. Raises FileNotFoundError or NotADirectoryError for a wrong folder, ValueError
    where no file is usable and for an impossible format, OSError where the cache cannot be written.
    Taught in notebook 00.
    """

    def __init__(
        self,
        path: str | PathLike,
        sample_rate: int = 16000,
        seconds: float = 5.0,
        channels: int = 1,
        bad: str = "skip",
    ):
        check_format(seconds, sample_rate, channels)
        if bad not in ("skip", "refuse"):
            raise ValueError(f'bad is "skip" or "refuse", but {bad!r} was given.')
        self.path = Path(path).expanduser().resolve()
        if not self.path.exists():
            raise FileNotFoundError(f"The folder {self.path} does not exist: check its name.")
        if not self.path.is_dir():
            raise NotADirectoryError(f"{self.path} is a file: give the folder that holds it.")
        self.sample_rate, self.seconds, self.channels = sample_rate, float(seconds), channels
        found = [
            file
            for file in sorted(self.path.rglob("*"))
            if file.suffix.lower() in SUFFIXES and file.is_file()
        ]
        self._cached = self._name(found)
        if not cache.unaltered(self._cached):
            cache.write_file(
                self._cached,
                sum(self._expected_bytes(file) for file in found),
                f"The clips of {self.path} ({len(found)} files",
                lambda temporary: self._fill(temporary, found),
            )
        listing = self._listing()
        self.problems: dict[str, str] = listing["problems"]
        if bad == "refuse" and self.problems:
            name, reason = next(iter(self.problems.items()))
            raise ValueError(f"{self.path / name} cannot be used: {reason}")
        self.files = [self.path / name for name in listing["counts"]]
        self._ends = list(accumulate(listing["counts"].values()))
        if not self.files:
            reasons = " ".join(f"{name}: {why}" for name, why in list(self.problems.items())[:3])
            raise ValueError(
                f"{self.path} holds no usable sound file ({', '.join(SUFFIXES)}). {reasons}".strip()
            )

    @property
    def _shape(self) -> tuple[int, int]:
        return self.channels, round(self.seconds * self.sample_rate)  # [C, T]

    def _name(self, found: list[Path]) -> Path:
        """The cache file: another one as soon as a file is added, removed or changed."""
        stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in found]
        key = json.dumps([stats, str(self.path), self._shape, self.sample_rate, 1]).encode()
        return paths.cache("folders", hashlib.blake2b(key, digest_size=8).hexdigest() + ".pcm")

    def _expected_bytes(self, file: Path) -> int:
        try:
            clips = int(audio.info(file).seconds / self.seconds)
        except (OSError, ValueError):
            return 0
        return 2 * clips * self._shape[0] * self._shape[1]

    def _fill(self, path: Path, found: list[Path]) -> dict:
        """Write the clips of all files, then the list of what came from where."""
        counts, problems = {}, {}
        with path.open("r+b") as out:
            out.seek(cache.HEADER)
            for file in found:
                name, start, counted = file.relative_to(self.path).as_posix(), out.tell(), 0
                try:
                    for clip in self._clips(file):
                        out.write(cache.to_int16(clip).tobytes())
                        counted += 1
                    counts[name] = counted
                except _Unusable as reason:
                    problems[name] = str(reason)
                    out.seek(start)
                    out.truncate()
            out.write(json.dumps({"counts": counts, "problems": problems}).encode())
        return {"clips": sum(counts.values())}

    def _clips(self, file: Path) -> Iterator[np.ndarray]:
        """The whole clips of a file. Raises _Unusable where there are none worth having."""
        channels, length = self._shape
        count, loudest, lasts = 0, 0.0, 0
        try:
            for part in audio.read_blocks(file, self.seconds, self.sample_rate):  # [C, T]
                lasts += part.shape[-1]
                if part.shape[-1] < length:
                    break
                if part.shape[0] != channels:
                    part = part.mean(dim=0, keepdim=True).expand(channels, -1)
                loudest, count = max(loudest, float(part.abs().max())), count + 1
                yield part.numpy()
        except (OSError, ValueError) as error:
            raise _Unusable(str(error)) from error
        if not count:
            lasts /= self.sample_rate
            raise _Unusable(f"it lasts {lasts:.2f} s, less than a clip of {self.seconds:g} s.")
        if loudest < SILENCE:
            raise _Unusable("it is silent.")

    def _listing(self) -> dict:
        clips = cache.read_header(self._cached)["clips"]
        with self._cached.open("rb") as file:
            file.seek(cache.HEADER + 2 * clips * self._shape[0] * self._shape[1])
            return json.loads(file.read())

    @cached_property
    def _samples(self) -> np.ndarray:
        shape = (len(self), *self._shape)
        return np.memmap(self._cached, dtype="<i2", mode="r", offset=cache.HEADER, shape=shape)

    def __getstate__(self) -> dict:
        return {key: value for key, value in self.__dict__.items() if key != "_samples"}

    def __len__(self) -> int:
        return self._ends[-1]

    def _checked(self, index: int) -> int:
        return cache.checked(index, len(self), str(self.path))

    def origin(self, index: int) -> tuple[Path, float]:
        """The file that clip `index` comes from, and the second at which it begins."""
        number = self._checked(index)
        file = bisect_right(self._ends, number)
        return self.files[file], (number - (self._ends[file - 1] if file else 0)) * self.seconds

    def __getitem__(self, index: int) -> "torch.Tensor":
        """Clip `index`, float32 [C, T]. Raises IndexError."""
        return self.batch([index])[0]

    def batch(self, indices: "Sequence[int] | torch.Tensor") -> "torch.Tensor":
        """Several clips, float32 [B, C, T]. Raises IndexError, and ValueError for none."""
        return cache.batch(self._samples, [self._checked(i) for i in indices])
