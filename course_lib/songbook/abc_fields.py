"""Metre, unit length and key as ABC's fields M, L and K write them. Taught in notebook 00."""

import re
from fractions import Fraction

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
SHARPS = "FCGDAEB"  # the order in which a key signature collects sharps; flats in reverse
MODES = {  # the first three letters of a mode -> its name, sharps compared with the major key
    "maj": ("major", 0),
    "ion": ("major", 0),
    "m": ("minor", -3),
    "min": ("minor", -3),
    "aeo": ("minor", -3),
    "dor": ("dorian", -2),
    "phr": ("phrygian", -4),
    "lyd": ("lydian", 1),
    "mix": ("mixolydian", -1),
    "loc": ("locrian", -5),
}
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)(.*)", re.DOTALL)


def metre(value: str) -> tuple[int, int]:
    """Beats and unit of an M field, such as 6/8, C or C|. Raises ValueError for another."""
    value = {"C": "4/4", "C|": "2/2", "": "4/4", "none": "4/4"}.get(value, value)
    match = re.fullmatch(r"([1-9]\d?)/(1|2|4|8|16)", value)
    if not match:
        raise ValueError(f"M:{value} is not a metre: write one such as M:4/4, M:6/8, M:C or M:C|.")
    return int(match[1]), int(match[2])


def unit(value: str) -> Fraction:
    """The default length of an L field, in whole notes. Raises ValueError for another."""
    match = re.fullmatch(r"1/(\d+)|1", value)
    if not match or int(match[1] or 1) not in (1, 2, 4, 8, 16, 32):
        raise ValueError(
            f"L:{value} is not a unit length: write one such as L:1/8 (1, 1/2 ... 1/32)."
        )
    return Fraction(1, int(match[1] or 1))


def key(value: str) -> tuple[int, str, dict[str, int]]:
    """Tonic, mode and signature {letter: semitones} of a K field. Raises ValueError."""
    value = re.sub(
        r"\s*(clef|transpose|octave|stafflines|middle)=\S+|\s*(treble|bass)\b", "", value
    )
    value = {"": "C", "none": "C", "HP": "D", "Hp": "D"}.get(value.strip(), value.strip())
    match = _KEY.fullmatch(value)
    word = match[3].lower() if match else ""
    entry = MODES.get("m" if match and match[3] == "m" else word[:3] or "maj")
    entry = MODES["maj"] if match and match[3] == "M" else entry
    extra = re.findall(r"(\^|_|=)([a-gA-G])", match[4]) if match else []
    if entry is None or re.sub(r"[\^_=][a-gA-G]|\s|exp", "", match[4] if match else "?"):
        raise ValueError(
            f"K:{value} is not a key: write one such as K:G, K:Bb, K:F#m, K:Ador or K:D mixolydian."
        )
    mode, shift = entry
    alteration = {"#": 1, "b": -1, "": 0}[match[2]]
    fifths = "FCGDAEB".index(match[1]) - 1 + 7 * alteration + shift
    signature = dict.fromkeys(SHARPS[: max(fifths, 0)], 1)
    signature |= dict.fromkeys(SHARPS[::-1][: max(-fifths, 0)], -1)
    signature |= {letter.upper(): ACCIDENTALS[sign] for sign, letter in extra}
    return (LETTERS[match[1]] + alteration) % 12, mode, signature
