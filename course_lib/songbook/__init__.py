"""Real music with nothing unknown: scores, styles, a band, clips. Taught in notebook 00.

    scores(split)                the works as notes (Score)
    load(split, size)            clips of a split as a data set, cached (Songbook, Size, SIZES)
    in_style(tune, style)        one tune in one of STYLES
    mine(source)                 the student's own tune, name or recording
    AudioFolder(path)            the student's own files as a data set
    Clip                         audio, stems, notes, beats, chords, attributes, captions
    PHONEMES, phonemes_of, phoneme_ids, phoneme_symbols, sung_between
                                 what load(..., voice=True) sings, as numbers and back

All but the scores are imported when first used, so that importing the package costs nothing; no
submodule is called like one of these names, since it would hide it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

# Bound here, at once and for good: the submodule of the same name would hide the function.
from course_lib.songbook.score import Score
from course_lib.songbook.scores import scores

if TYPE_CHECKING:
    from course_lib.songbook.clip import Attributes, Clip
    from course_lib.songbook.dataset import SIZES, Size, Songbook, load
    from course_lib.songbook.folder import AudioFolder
    from course_lib.songbook.own_music import mine
    from course_lib.songbook.playing import in_style
    from course_lib.songbook.styles import STYLES
    from course_lib.songbook.voice_lyrics import Lyrics
    from course_lib.songbook.voice_phonemes import (
        PHONEMES,
        phoneme_ids,
        phoneme_symbols,
        phonemes_of,
        sung_between,
    )

_HOME = {
    "load": "dataset",
    "Songbook": "dataset",
    "Size": "dataset",
    "SIZES": "dataset",
    "Clip": "clip",
    "Attributes": "clip",
    "STYLES": "styles",
    "AudioFolder": "folder",
    "in_style": "playing",
    "mine": "own_music",
    "Lyrics": "voice_lyrics",
    "PHONEMES": "voice_phonemes",
    "phoneme_ids": "voice_phonemes",
    "phoneme_symbols": "voice_phonemes",
    "phonemes_of": "voice_phonemes",
    "sung_between": "voice_phonemes",
}
__all__ = [
    "PHONEMES",
    "SIZES",
    "STYLES",
    "Attributes",
    "AudioFolder",
    "Clip",
    "Lyrics",
    "Score",
    "Size",
    "Songbook",
    "in_style",
    "load",
    "mine",
    "phoneme_ids",
    "phoneme_symbols",
    "phonemes_of",
    "scores",
    "sung_between",
]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
