"""A tune from the letters of a name, as Bach signed B-A-C-H. Taught in notebook 00.

The letters A to H are the German notes A, B flat, C, D, E, F, G and B natural, and S is E flat
("Es"); the letters from I to P and from Q to X begin the row again, as in the French cipher of the
pieces on the names of Haydn and Fauré, and Y and Z once more. Accents are dropped, ß counts as ss,
and a letter of another alphabet takes the place of its number in Unicode. Consonants are eighths,
vowels quarters, the last letter of a word a half note. Each note lies as near as it can to the one
before. The key is the one with most of the notes, of those the one whose tonic ends the tune.
"""

import unicodedata

from course_lib.songbook.score import TICKS, Note, Score
from course_lib.songbook.voicing import SCALES

ROW = (9, 10, 0, 2, 4, 5, 7, 11)  # A B C D E F G H as pitch classes
VOWELS = frozenset("aeiouy")
LOWEST, HIGHEST = 60, 79
MOST_LETTERS = 200


def tune_of(name: str) -> Score:
    """The tune of a name. Raises ValueError where there is no letter, or more than 200."""
    words = ["".join(filter(str.isalpha, word)) for word in _plain(name).split()]
    words = [word for word in words if word]
    if not words:
        raise ValueError(f"{name!r} has no letter: give a name, such as 'Ada Lovelace'.")
    if sum(map(len, words)) > MOST_LETTERS:
        raise ValueError(f"The name has over {MOST_LETTERS} letters: give a shorter one.")
    notes: list[Note] = []
    now, pitch = 0, 67
    for word in words:
        for i, letter in enumerate(word):
            length = TICKS if letter in VOWELS else TICKS // 2
            if i == len(word) - 1:
                length = 2 * TICKS
            near = (p for p in range(LOWEST, HIGHEST + 1) if p % 12 == pitch_class(letter))
            pitch = min(near, key=lambda p, last=pitch: abs(p - last))
            notes.append(Note(now, length, pitch))
            now += length
    bar = 4 * TICKS
    notes[-1] = Note(notes[-1].onset, notes[-1].duration + -now % bar, notes[-1].pitch)
    tonic, mode = _key(notes)
    title = " ".join(name.split())
    return Score(
        "name", title, "the letters of a name", -1, "", tonic, mode, (4, 4), 0, (tuple(notes),)
    )


def pitch_class(letter: str) -> int:
    """The note of a lower-case letter, 0 for C."""
    if letter == "s":
        return 3
    place = ord(letter) - ord("a") if "a" <= letter <= "z" else ord(letter)
    return ROW[place % len(ROW)]


def _plain(name: str) -> str:
    split = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in split if not unicodedata.combining(c))


def _key(notes: list[Note]) -> tuple[int, str]:
    def fit(key: tuple[int, str]) -> float:
        tonic, mode = key
        scale = {(tonic + step) % 12 for step in SCALES[mode]}
        inside = sum(note.duration for note in notes if note.pitch % 12 in scale)
        return inside + (TICKS if notes[-1].pitch % 12 == tonic else 0)

    return max(((tonic, mode) for mode in ("major", "minor") for tonic in range(12)), key=fit)
