"""Sound files: WAV, FLAC, OGG (Vorbis), Opus and MP3 through soundfile. Taught in notebook 00."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import torch

from course_lib import paths
from course_lib.audio import resampling
from course_lib.audio.checks import check_audio, check_channels, check_rate

_FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
_PIECE = 1 << 16  # samples a call: libsndfile's Vorbis encoder overflows its stack on long writes
_SYSTEM = 2  # the code of what the system refused libsndfile


@dataclass(frozen=True)
class Info:
    """What a file's header says: rate in Hz, channels, samples per channel."""

    sample_rate: int
    channels: int
    samples: int

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate


def info(path: str | PathLike) -> Info:
    """The header of a sound file, without reading its samples. Raises as `read` does."""
    with _open(path) as file:
        return Info(file.samplerate, file.channels, file.frames)


def read(path: str | PathLike, sample_rate: int | None = None) -> torch.Tensor:
    """Read a sound file as float32 `[C, T]`, at its own rate (see `info`) or at `sample_rate` Hz.

    Raises FileNotFoundError, IsADirectoryError, and ValueError where the file is empty, is not
    audio, or holds NaN or infinite samples. Taught in notebook 00.
    """
    if sample_rate is not None:
        check_rate(sample_rate)
    with _open(path) as file:
        audio = torch.from_numpy(file.read(dtype="float32", always_2d=True).T.copy())  # [C, T]
        file_rate = file.samplerate
    if audio.shape[-1] == 0:
        raise ValueError(f"{path} holds no samples: record or export it again.")
    check_audio(audio, name=str(path))
    return audio if sample_rate is None else resampling.resample(audio, file_rate, sample_rate)


def read_blocks(
    path: str | PathLike, seconds: float = 10.0, sample_rate: int | None = None
) -> Iterator[torch.Tensor]:
    """Read a long file in parts: consecutive float32 `[C, T]` of `seconds`, the last one shorter.

    Joined, the parts equal `read(path, sample_rate)`; only about two of them are in memory at a
    time. Raises as `read` does, NaN being found when its part is reached.
    """
    if sample_rate is not None:
        check_rate(sample_rate)
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}; expected the length of a part, above 0.")
    return _blocks(path, seconds, sample_rate)


def _blocks(path, seconds: float, sample_rate: int | None) -> Iterator[torch.Tensor]:
    with _open(path) as file:
        rate = sample_rate or file.samplerate
        new, old = resampling.ratio(file.samplerate, rate)
        margin = resampling.context(new, old)
        piece = max(margin, -(-round(seconds * file.samplerate) // old) * old)
        parts = _pieces(file, piece, str(path))
        if new != old:
            parts = resampling.resample_parts(parts, new, old)
        yield from _recut(parts, max(1, round(seconds * rate)))


def _pieces(file, length: int, name: str) -> Iterator[torch.Tensor]:
    empty = True
    while True:
        samples = file.read(length, dtype="float32", always_2d=True)
        if len(samples):
            empty = False
            audio = torch.from_numpy(samples.T.copy())  # [C, T]
            check_audio(audio, name=name)
            yield audio
        if len(samples) < length:
            break
    if empty:
        raise ValueError(f"{name} holds no samples: record or export it again.")


def _recut(parts: Iterator[torch.Tensor], length: int) -> Iterator[torch.Tensor]:
    """The same samples in blocks of `length`, the last one shorter."""
    rest = None
    for part in parts:
        rest = part if rest is None else torch.cat([rest, part], dim=-1)
        while rest.shape[-1] > length:
            yield rest[:, :length]
            rest = rest[:, length:]
    yield rest


def write(
    path: str | PathLike, audio: torch.Tensor, sample_rate: int, float32: bool = False
) -> None:
    """Write `audio` `[C, T]` or `[T]` in the format of the suffix: .wav, .flac, .ogg, .opus, .mp3.

    WAV and FLAC hold 16-bit integers; `float32=True` makes a WAV that gives back the same bits.
    The file appears whole or not at all. Raises ValueError for NaN, samples outside [-1, 1] (they
    would be clipped), unknown suffixes and rates the format has not; OSError where it cannot be
    written. Taught in notebook 00.
    """
    path, settings = _target(path, sample_rate, float32)
    samples = _samples(audio)
    paths.replace_file(path, lambda file: _encode(file, path, iter([samples]), settings))


def write_blocks(
    path: str | PathLike,
    blocks: Iterable[torch.Tensor],
    sample_rate: int,
    float32: bool = False,
) -> None:
    """Write consecutive `blocks` [C, T] of a long sound, of which only one is in memory at a time.

    Formats, errors and what appears are as in `write`; whatever a block raises on its way leaves
    `path` as it was. Raises ValueError too where there is no block, or channels change.
    """
    path, settings = _target(path, sample_rate, float32)
    samples = (_samples(block) for block in blocks)
    paths.replace_file(path, lambda file: _encode(file, path, samples, settings))


def _target(path: str | PathLike, sample_rate: int, float32: bool) -> tuple[Path, dict]:
    """Where to write, and what to tell soundfile."""
    path = Path(path)
    check_rate(sample_rate)
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(
            f"{path.name!r} has the suffix {path.suffix!r}; expected one of {', '.join(_FORMATS)}."
        )
    if float32 and path.suffix.lower() != ".wav":
        raise ValueError(f"float32=True needs a .wav file, not {path.name!r}.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file to write.")
    container, subtype = _FORMATS[path.suffix.lower()]
    subtype = "FLOAT" if float32 else subtype
    return path, {"samplerate": sample_rate, "format": container, "subtype": subtype}


def _samples(audio: torch.Tensor):
    """Samples [T, C] of audio [C, T] or [T] that a file can hold."""
    check_audio(audio)
    audio = audio.detach().to("cpu", torch.float32)
    audio = audio[None] if audio.ndim == 1 else audio
    check_channels(audio)
    if audio.ndim != 2:
        raise ValueError(
            f"audio has shape {list(audio.shape)}; a file holds one clip [C, T]: write the clips "
            "of a batch one by one."
        )
    peak = float(audio.abs().max())
    if peak > 1:
        raise ValueError(
            f"audio has a peak of {peak:.4g}, and what exceeds 1 would be clipped: scale it, "
            "for instance with audio.normalise(x, sample_rate)."
        )
    return audio.T.contiguous().numpy()


def _encode(temporary: Path, path: Path, blocks: Iterator, settings: dict) -> None:
    import soundfile

    samples = next(blocks, None)
    if samples is None:
        raise ValueError(f"There is no sound to write into {path}.")
    channels = samples.shape[1]
    try:
        file = soundfile.SoundFile(temporary, "w", channels=channels, **settings)
    except soundfile.LibsndfileError as error:
        if error.code == _SYSTEM:  # the header alone is too much for the disk
            raise _unwritten(path, error) from error
        raise ValueError(
            f"{path.name!r} cannot hold {channels} channel(s) at {settings['samplerate']} Hz as "
            f"{settings['format']} ({error.error_string}): choose .wav, or resample to 48000 Hz."
        ) from error
    try:
        with file:
            while samples is not None:
                if samples.shape[1] != channels:
                    raise ValueError(
                        f"A block of {path.name!r} has {samples.shape[1]} channel(s), the first "
                        f"one {channels}: all need the same."
                    )
                for start in range(0, len(samples), _PIECE):
                    file.write(samples[start : start + _PIECE])
                samples = next(blocks, None)
    except soundfile.LibsndfileError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error) -> OSError:
    return OSError(f"{path} could not be written ({error.error_string}): is the disk full?")


@contextmanager
def _open(path: str | PathLike):
    """A file opened for reading, its failures said in one sentence."""
    import soundfile

    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a sound file in it.")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: check its name and folder.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes): record or export it again.")
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except soundfile.LibsndfileError as error:
        if not path.is_file():
            raise
        # libsndfile calls an MP3 file in which it finds no frame one that "does not exist" (7).
        why = "no frame of MP3 in it" if error.code == 7 else error.error_string
        raise ValueError(
            f"{path} is not a sound file that can be read ({why}); expected WAV, "
            "FLAC, OGG, Opus or MP3 content."
        ) from error
