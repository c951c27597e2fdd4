"""The committed corpus: works in the public domain as notes. Taught in notebook 00."""

import gzip
import json
import zlib
from functools import lru_cache
from itertools import accumulate

from course_lib import paths
from course_lib.songbook.score import Note, Score

SPLITS = ("train", "validation", "test")
FORMAT = 1


@lru_cache(maxsize=4)
def scores(split: str | None = None) -> tuple[Score, ...]:
    """The works of one split, or of all, in the order of their ids.

    Raises ValueError for an unknown split or a damaged file, FileNotFoundError without the file.
    Taught in notebook 00.
    """
    if split is None:
        return _read()
    if split not in SPLITS:
        raise ValueError(f"No split {split!r}: choose one of {', '.join(SPLITS)}, or None for all.")
    return tuple(score for score in scores() if score.split == split)


def _read() -> tuple[Score, ...]:
    path = paths.data("scores", "scores.json.gz")
    if not path.is_file():
        raise FileNotFoundError(
            f"No scores at {path}: they are committed with the course, so get them back with "
            "'git checkout data/scores'."
        )
    try:
        table = json.loads(gzip.decompress(path.read_bytes()))
        if table["format"] != FORMAT:
            raise ValueError(f"format {table['format']}")
        known: dict[tuple[int, int, int], Note] = {}
        return tuple(decode(row, known) for row in table["scores"])
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged or of another version ({error}): get it back with "
            "'git checkout data/scores'."
        ) from error


def encode(score: Score) -> dict:
    """A score as plain JSON: each voice as gaps before, durations and steps from the last pitch."""
    voices = []
    for voice in score.voices:
        ends = [0, *(note.onset + note.duration for note in voice)]
        pitches = [0, *(note.pitch for note in voice)]
        gaps = [note.onset - end for note, end in zip(voice, ends, strict=False)]
        steps = [b - a for a, b in zip(pitches, pitches[1:], strict=False)]
        voices.append(
            {
                "rests": {str(i): gap for i, gap in enumerate(gaps) if gap},
                "durations": [note.duration for note in voice],
                "steps": steps,
            }
        )
    return {
        "id": score.id,
        "title": score.title,
        "source": score.source,
        "family": score.family,
        "split": score.split,
        "tonic": score.tonic,
        "mode": score.mode,
        "metre": list(score.metre),
        "pickup": score.pickup,
        "voices": voices,
    }


def decode(row: dict, known: dict[tuple[int, int, int], Note] | None = None) -> Score:
    """The score that `encode` wrote; equal notes are one object where `known` collects them."""
    known = {} if known is None else known
    voices = []
    for voice in row["voices"]:
        rests = {int(i): gap for i, gap in voice["rests"].items()}
        notes, now = [], 0
        pitches = accumulate(voice["steps"])
        for i, (duration, pitch) in enumerate(zip(voice["durations"], pitches, strict=True)):
            now += rests.get(i, 0)
            key = (now, duration, pitch)
            note = known.get(key)
            if note is None:  # creating half a million frozen notes is what costs time
                note = known[key] = Note(*key)
            notes.append(note)
            now += duration
        voices.append(tuple(notes))
    return Score(**{**row, "metre": tuple(row["metre"]), "voices": tuple(voices)})
