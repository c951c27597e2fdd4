"""The phonemes that the sung voice knows, as letters and as numbers. Taught in notebook 10.

Lyrics are spelt as they sound: every phoneme is one letter, but for "sh". Numbers begin at 1; 0
stands for no phoneme, the blank of CTC and the padding of batches.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

VOWELS = ("a", "e", "i", "o", "u")
NASALS, LIQUIDS = ("m", "n"), ("l", "r")
FRICATIVES = ("f", "s", "sh")
STOPS = ("b", "d", "t", "k")
CONSONANTS = (*NASALS, *LIQUIDS, *FRICATIVES, *STOPS)
PHONEMES = (*VOWELS, *CONSONANTS)
BETWEEN = " ,."  # what separates words and phrases in lyrics

# (start, end, symbol), in seconds
Phoneme = tuple[float, float, str]
_SPELLING = re.compile("|".join(sorted(PHONEMES, key=len, reverse=True)))


def phonemes_of(lyrics: str) -> tuple[str, ...]:
    """The phonemes of lyrics such as "sho mila, tenu": ("sh", "o", "m", ...).

    Raises TypeError for what is no text, ValueError for a letter that is no phoneme. Taught in
    notebook 10.
    """
    if not isinstance(lyrics, str):
        raise TypeError(f"Lyrics are a text such as 'sho mila', not {type(lyrics).__name__}.")
    found, place = [], 0
    while place < len(lyrics):
        match = _SPELLING.match(lyrics, place)
        if match:
            found.append(match.group())
            place = match.end()
        elif lyrics[place] in BETWEEN:
            place += 1
        else:
            raise ValueError(
                f"The lyrics {lyrics!r} have {lyrics[place]!r}, which is no phoneme: write them "
                f"with {', '.join(PHONEMES)}, blanks, commas and full stops."
            )
    return tuple(found)


def phoneme_ids(lyrics: str | Sequence[str] | Sequence[Phoneme]) -> "torch.Tensor":
    """Lyrics, symbols or timed phonemes as numbers, int64 [L]: 1 for PHONEMES[0] and so on.

    Raises TypeError for what holds no symbols, ValueError for an unknown phoneme. Taught in
    notebook 10.
    """
    import torch

    if isinstance(lyrics, str):
        symbols = phonemes_of(lyrics)
    else:
        try:
            symbols = [item if isinstance(item, str) else item[2] for item in lyrics]
        except (TypeError, IndexError):
            raise TypeError(
                "Lyrics are a text, symbols or timed phonemes (start, end, symbol), not "
                f"{lyrics!r}."
            ) from None
    for symbol in symbols:
        check_phoneme(symbol)
    return torch.tensor([PHONEMES.index(symbol) + 1 for symbol in symbols], dtype=torch.int64)


def check_phoneme(symbol: str) -> None:
    """Raise ValueError unless the voice knows the symbol."""
    if symbol not in PHONEMES:
        raise ValueError(f"No phoneme is called {symbol!r}: the voice knows {', '.join(PHONEMES)}.")


def phoneme_symbols(ids: "Sequence[int] | torch.Tensor") -> tuple[str, ...]:
    """The symbols of numbers, those that are 0 left out. Raises ValueError for an unknown number.

    Taught in notebook 10.
    """
    numbers = [int(i) for i in ids]
    for number in numbers:
        if not 0 <= number <= len(PHONEMES):
            raise ValueError(f"No phoneme has the number {number}: they go to {len(PHONEMES)}.")
    return tuple(PHONEMES[number - 1] for number in numbers if number)


def sung_between(phonemes: Sequence[Phoneme], start: float, end: float) -> tuple[Phoneme, ...]:
    """The timed phonemes whose middle lies in [start, end), seconds counted from `start`."""
    return tuple(
        (max(0.0, a - start), min(b, end) - start, symbol)
        for a, b, symbol in phonemes
        if start <= (a + b) / 2 < end
    )
