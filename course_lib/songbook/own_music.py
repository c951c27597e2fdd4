"""The student's own tune or recording, the last row of every listening table. Notebook 00."""

import json
import re
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib import audio, paths
from course_lib.songbook import abc
from course_lib.songbook.clip import Clip
from course_lib.songbook.dataset import check_format
from course_lib.songbook.folder import SILENCE, SUFFIXES
from course_lib.songbook.name_tune import tune_of
from course_lib.songbook.playing import in_style
from course_lib.songbook.score import Score
from course_lib.songbook.styles import find_style

if TYPE_CHECKING:
    import torch

# The theme of the last movement of Beethoven's ninth symphony, 1824.
DEFAULT = """T:Ode to Joy
M:4/4
L:1/4
K:D
FFGA|AGFE|DDEF|F3/2E/2E2|FFGA|AGFE|DDEF|E3/2D/2D2"""
KEPT = 30.0  # seconds of a recording
LOUDNESS = -20.0  # LUFS, as the band's


def mine(
    source: str | PathLike | None = None,
    seconds: float = 4.0,
    sample_rate: int = 16000,
    style: str | None = None,
    voice: bool = False,
) -> Clip:
    """The student's own music as a mono clip.

    `source` is a tune in ABC notation, the letters of a name (see `name_tune`), or the path of a
    recording; it is saved in the student's own folder, so that `mine()` finds it in every later
    notebook. Before that, the Ode to Joy stands in. A tune is played in a `style` (music box, or
    the one saved with it) with all labels, and sung with `voice`; a recording has none. What is
    shorter than the clip is repeated (a tune) or ends in silence (a recording).

    Raises ValueError for a tune or name without notes, an unknown style, an unreadable recording
    and one that is to be sung, FileNotFoundError for a missing one, OSError where it cannot be
    saved. Taught in notebook 00.
    """
    check_format(seconds, sample_rate, 1)
    if style is not None:
        find_style(style)
    saved = {} if source is None else {"kind": kind_of(source), "source": str(source)}
    if source is None:
        saved = _saved() or {"kind": "abc", "source": DEFAULT}
    elif saved["kind"] == "recording":
        saved["source"] = Path(source).name
        first = next(audio.read_blocks(source, KEPT)).mean(dim=0, keepdim=True).clamp(-1, 1)
        rate = audio.info(source).sample_rate
        if first.abs().max() < SILENCE:
            raise ValueError(f"{source} is silent in its first {KEPT:g} s: record it louder.")
    saved["style"] = style or saved.get("style") or "music_box"
    if saved["kind"] != "recording":
        clip = in_style(_score(saved), saved["style"], seconds, sample_rate, voice=voice)
    elif voice:
        raise ValueError("A recording has no notes to sing: give mine() a tune or a name.")
    if source is not None:
        _save(saved, (first, rate) if saved["kind"] == "recording" else None)
    if saved["kind"] == "recording":
        return _recording(saved["source"], seconds, sample_rate)
    return clip


def kind_of(source: str | PathLike) -> str:
    """ "recording" for a path, "abc" for what has bar lines, digits or fields, else "name"."""
    if isinstance(source, PathLike):
        return "recording"
    if not isinstance(source, str):
        raise TypeError(
            f"A {type(source).__name__} is not music: give an ABC tune, a name, or a path."
        )
    if Path(source.strip()).suffix.lower() in SUFFIXES or ("\n" not in source and _exists(source)):
        return "recording"
    return "abc" if re.search(r"[|\d\n]|^[A-Z]:", source) else "name"


def _exists(source: str) -> bool:
    """Whether there is such a file, or a folder written as a path (else it may be a name)."""
    try:
        written_as_path = re.search(r"[/\\]", source)
        return Path(source).is_file() or bool(written_as_path and Path(source).is_dir())
    except (OSError, ValueError):  # too long to be a name, or with a null character
        return False


def _save(saved: dict, recording: "tuple[torch.Tensor, int] | None") -> None:
    folder = paths.home("mine")
    text = json.dumps(saved, ensure_ascii=False, indent=1)
    try:
        if recording:
            path = folder / "recording.wav"
            paths.replace_file(path, lambda made: audio.write(made, *recording))
        path = folder / "tune.json"
        paths.replace_file(path, lambda made: made.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise OSError(
            error.errno,
            f"Your music cannot be kept in {folder} ({(error.strerror or str(error)).lower()}): "
            "make room there, or set COURSE_HOME to a folder that can be written",
        ) from error


def _saved() -> dict | None:
    """What was saved. Raises ValueError where the file is damaged."""
    path = paths.home("mine", "tune.json")
    if not path.is_file():
        return None
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["kind"] in ("abc", "name", "recording") and isinstance(saved["source"], str):
            return saved
    except (ValueError, KeyError, TypeError):
        pass
    raise ValueError(f"{path} is damaged: call mine(...) with your tune again, or delete the file.")


def _score(saved: dict) -> Score:
    return abc.parse(saved["source"]) if saved["kind"] == "abc" else tune_of(saved["source"])


def _recording(title: str, seconds: float, sample_rate: int) -> Clip:
    """The beginning of the saved recording, at the loudness of the band."""
    import torch

    wave = audio.read(paths.home("mine", "recording.wav"), sample_rate)  # [1, T]
    length = round(seconds * sample_rate)
    wave = torch.nn.functional.pad(wave[:, :length], (0, max(0, length - wave.shape[-1])))
    return Clip(
        audio=audio.normalise(wave, sample_rate, lufs=LOUDNESS),
        sample_rate=sample_rate,
        seconds=float(seconds),
        title=title,
    )
