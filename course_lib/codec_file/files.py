"""Sound files to codec files and back."""

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from torch import Tensor

from course_lib import audio, paths
from course_lib.codec_file.blocks import Header, Reader
from course_lib.codec_file.streams import Report, decode_parts, encode_parts
from course_lib.models import Codec, CodecLM

LOUDEST = 10.0  # MP3 and resampling overshoot full scale, 1, by little; other scales by far

Progress = Callable[[float], object]
"""Is told what was done since it was last told: seconds coded, or bytes of the file decoded."""


def encode(
    source: str | PathLike,
    target: str | PathLike,
    codec: Codec,
    n_codebooks: int | None = None,
    lm: CodecLM | None = None,
    progress: Progress | None = None,
) -> Report:
    """Code the sound file `source` into the codec file `target`, which appears whole or not at all.

    The sound is resampled to the codec's rate. Where it has other channels than the codec, it is
    mixed to mono, and that goes to each of the codec's channels. Raises as `audio.read` and
    `encode_parts` do, and ValueError for samples on another scale than [-1, 1]. Taught in notebook
    08b.
    """
    reports = []

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            parts = _parts(source, codec, progress)
            reports.append(encode_parts(parts, file, codec, n_codebooks, lm))

    audio.info(source)  # what is no sound is refused before anything is written
    paths.replace_file(Path(target), write)
    return reports[0]


def decode(
    source: str | PathLike,
    target: str | PathLike,
    codec: Codec,
    lm: CodecLM | None = None,
    progress: Progress | None = None,
) -> int:
    """Decode the codec file `source` into the sound file `target`, whole or not at all.

    The format is that of the suffix, as in `audio.write`. Samples beyond [-1, 1] are set to its
    ends; returned is how many there were. Raises FileNotFoundError, OSError, and ValueError as
    `decode_parts` does. Taught in notebook 08b.
    """
    clipped = 0

    def parts() -> Iterator[Tensor]:
        nonlocal clipped
        done = 0
        for part in decode_parts(file, codec, lm, str(source)):
            clipped += int((part.abs() > 1).sum())
            yield part.clamp(-1, 1).cpu()
            if progress is not None:
                progress(file.tell() - done)
                done = file.tell()

    with open_file(source) as file:
        audio.write_blocks(target, parts(), codec.sample_rate)
    return clipped


def read_header(path: str | PathLike) -> Header:
    """What a codec file says of itself. Raises as `decode` does."""
    with open_file(path) as file:
        return Reader(file, str(path)).header


def open_file(path: str | PathLike) -> BinaryIO:
    """A codec file opened for reading, its failures said in one sentence."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a codec file in it.")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: check its name and folder.")
    try:
        return open(path, "rb")
    except OSError as error:
        raise OSError(error.errno, f"{path} can't be read ({error.strerror}).") from error


def _parts(source: str | PathLike, codec: Codec, progress: Progress | None) -> Iterator[Tensor]:
    """The sound in parts [C, T] at the codec's rate, in the codec's channels."""
    channels = codec.config.channels
    for part in audio.read_blocks(source, sample_rate=codec.sample_rate):
        if len(part) != channels:
            part = part.mean(0, keepdim=True).expand(channels, -1)
        peak = float(part.abs().max())
        if peak > LOUDEST:  # it would come back as other sound, without a word
            raise ValueError(
                f"{source} has a peak of {peak:.4g}, and full scale is 1: scale its samples to "
                "[-1, 1] and encode it again."
            )
        yield part
        if progress is not None:
            progress(part.shape[-1] / codec.sample_rate)
