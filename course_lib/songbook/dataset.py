"""The songbook as a data set. Taught in notebook 00."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from course_lib.songbook import cache, rendering
from course_lib.songbook.clip import Attributes, Clip, arrangement, attributes, captions, clip, solo
from course_lib.songbook.draw import SPLITS, plan
from course_lib.songbook.voice_lyrics import Lyrics

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Size:
    """Clips in each split, and the seconds of each clip."""

    train: int
    validation: int
    test: int
    seconds: float


SIZES = {
    "quick": Size(256, 64, 64, 5.0),
    "full": Size(1000, 200, 200, 10.0),
    "shipped": Size(6000, 500, 500, 10.0),
}
RATES = (8000, 192000)  # Hz
LONGEST = 600.0  # seconds


@dataclass(frozen=True)
class Songbook:
    """Clips of one split: `len`, `[i]`, iteration, `batch`, `attributes`. Taught in notebook 00.

    Loaded with a voice it has `lyrics` too, and `solo` for the singer alone (notebook 10).
    """

    job: rendering.Job

    @property
    def split(self) -> str:
        return self.job.split

    @property
    def seconds(self) -> float:
        return self.job.seconds

    @property
    def sample_rate(self) -> int:
        return self.job.sample_rate

    @property
    def channels(self) -> int:
        return self.job.channels

    @cached_property
    def _samples(self) -> np.ndarray:
        return rendering.open_samples(self.job.path(), self.job)  # [N, C, T] int16

    def __getstate__(self) -> dict:
        return {"job": self.job}  # a process that receives the songbook opens the file itself

    def __len__(self) -> int:
        return self.job.clips

    def __iter__(self) -> Iterator[Clip]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> Clip:
        """Clip `index`, with its audio from the cache. Raises IndexError, or TypeError."""
        index = self._checked(index)
        audio = self.batch([index])[0]
        return clip(self._plan(index), self.seconds, self.sample_rate, self.channels, audio)

    def batch(self, indices: "Sequence[int] | torch.Tensor") -> "torch.Tensor":
        """The audio of several clips, float32 [B, C, T] in [-1, 1]. Raises IndexError."""
        return cache.batch(self._samples, [self._checked(i) for i in indices])

    def attributes(self, index: int) -> Attributes:
        """The labels of clip `index`, without its sound or notes. Raises IndexError."""
        return attributes(self._plan(self._checked(index)))

    def captions(self, index: int, drafts: int = 1) -> tuple[dict[str, str], ...]:
        """Texts about clip `index`, one in each manner for each draft, without its sound.

        The first draft is what the clip carries; others say the same in other words. Raises
        IndexError, ValueError for fewer than one draft. Taught in notebook 13.
        """
        if drafts < 1:
            raise ValueError(f"drafts={drafts}: a clip has at least one.")
        plan = self._plan(self._checked(index))
        return tuple(captions(plan, draft) for draft in range(drafts))

    def lyrics(self, index: int) -> Lyrics:
        """What is sung in clip `index`, without its sound. Raises IndexError, or ValueError.

        Taught in notebook 10.
        """
        if not self.job.voice:
            raise ValueError("Nobody sings in this songbook: load it with voice=True.")
        return arrangement(self._plan(self._checked(index)), self.seconds).lyrics

    def solo(self, index: int) -> "torch.Tensor":
        """The lead of clip `index` alone, float32 [C, T]: its stem, but as loud as a mix.

        Rendered in a fraction of the time that the stems take. Raises IndexError.
        """
        import torch

        plan = self._plan(self._checked(index))
        return torch.from_numpy(solo(plan, self.seconds, self.sample_rate, self.channels))

    def _plan(self, index: int):
        return plan(self.job.seed, self.split, index, self.seconds, self.job.voice)

    def _checked(self, index: int) -> int:
        return cache.checked(index, len(self), f"the {self.split} split")


def load(
    split: str,
    size: str | Size = "quick",
    sample_rate: int = 16000,
    channels: int = 1,
    seed: int = 0,
    progress: bool = True,
    voice: bool = False,
) -> Songbook:
    """The clips of a split, rendered on the first call and kept in the cache.

    `size` is "quick", "full", "shipped" or a Size. Clip i depends on seed, split, i and the
    seconds alone, so that of two sizes with equal seconds the larger begins with the smaller. With
    `voice` a singer takes the lead of the same clips, and they have lyrics (notebook 10).
    Raises ValueError for an unknown split or size and for impossible numbers, OSError where the
    cache cannot be written. Taught in notebook 00.
    """
    if split not in SPLITS:
        raise ValueError(f"No split is called {split!r}: choose one of {', '.join(SPLITS)}.")
    if not isinstance(size, Size):
        if not isinstance(size, str) or size not in SIZES:
            raise ValueError(
                f"No size is called {size!r}: choose one of {', '.join(SIZES)}, or give a Size."
            )
        size = SIZES[size]
    clips = getattr(size, split)
    if not isinstance(clips, int) or clips < 1:
        raise ValueError(f"A split needs at least one clip, but {split} was given {clips!r}.")
    check_seed(seed)
    check_format(size.seconds, sample_rate, channels)
    if not isinstance(voice, bool):
        raise ValueError(f"voice is True or False, but {voice!r} was given.")
    job = rendering.Job(split, clips, float(size.seconds), sample_rate, channels, seed, voice)
    rendering.samples(job, progress)
    return Songbook(job)


def check_format(seconds: float, sample_rate: int, channels: int) -> None:
    """Raise ValueError unless length, sample rate and channels are possible."""
    if not isinstance(seconds, int | float) or not 0.5 <= seconds <= LONGEST:
        raise ValueError(f"A clip lasts 0.5 to {LONGEST:g} seconds, but {seconds!r} were asked.")
    if not isinstance(sample_rate, int) or not RATES[0] <= sample_rate <= RATES[1]:
        raise ValueError(
            f"The sample rate must be a whole number from {RATES[0]} to {RATES[1]} Hz, "
            f"but it is {sample_rate!r}."
        )
    if not isinstance(channels, int) or channels not in (1, 2):
        raise ValueError(f"A clip has 1 or 2 channels, but {channels!r} were asked.")


def check_seed(seed: int) -> None:
    """Raise ValueError unless the seed can be one."""
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"The seed must be a whole number from 0 on, but it is {seed!r}.")
