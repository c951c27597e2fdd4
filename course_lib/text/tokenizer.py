"""A word tokenizer: sentences to numbers, by the words that the training captions use.

Published models split words into pieces learnt from the web (byte-pair encoding, SentencePiece).
The songbook's captions have some 220 words, so that here each word is a token. Taught in
notebook 13.
"""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

PADDING, UNKNOWN, START = 0, 1, 2
SPECIAL = 3  # ids before those of words
DIGITS = tuple("0123456789")
# A run of letters (with apostrophes and combining marks inside), one digit, or one other sign.
TOKEN = re.compile(r"[^\W\d_](?:[^\W\d_]|['’\u0300-\u036f](?=[^\W\d_]))*|\d|[^\s\w]|_")


@dataclass(frozen=True)
class WordTokenizer:
    """Lower-case words, single digits and punctuation as ids: 0 padding, 1 unknown, 2 start.

    Every sentence begins with the start, which a model may read as its summary (BERT's [CLS]).
    Word i of `words` has id 3 + i; `len` is the number of ids. Words, digits and symbols (emoji
    among them) that are not in `words` are unknown; punctuation that is not says nothing and is
    left out. An empty text is the start alone.

    Raises ValueError for words that come twice or that `split` would not give. Taught in
    notebook 13.
    """

    words: tuple[str, ...]

    def __post_init__(self):
        object.__setattr__(self, "words", tuple(self.words))
        twice = [word for word, count in Counter(self.words).items() if count > 1]
        if twice:
            raise ValueError(f"The word {twice[0]!r} comes twice; once is enough.")
        for word in self.words:
            if split(word) != (word,):
                raise ValueError(
                    f"{word!r} can't be a word: no text would ever be split into it; give "
                    "lower-case words, single digits and single signs."
                )

    @classmethod
    def of(cls, captions: Iterable[str]) -> "WordTokenizer":
        """The tokenizer that knows the words of `captions`, in alphabetic order, and all digits.

        Raises TypeError for one text alone, whose letters would be its words.
        """
        if isinstance(captions, str):
            raise TypeError(f"Captions come as a list of strings, not as {captions!r:.60}.")
        found = {token for caption in captions for token in split(caption)}
        return cls(tuple(sorted(found.union(DIGITS))))

    def __len__(self) -> int:
        return SPECIAL + len(self.words)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each word."""
        return {word: SPECIAL + i for i, word in enumerate(self.words)}

    def encode(self, texts: Sequence[str], longest: int = 64) -> tuple[Tensor, Tensor]:
        """Ids int64 [B, L] of texts, and which of them are no padding, bool [B, L].

        L is the length of the longest text, its start counted, and at most `longest`: what comes
        after that is cut off. Raises TypeError for one text alone or what is no text, ValueError
        for no texts and for longest < 1.
        """
        check_texts(texts)
        if longest < 1:
            raise ValueError(f"longest={longest} must be at least 1, for the start.")
        rows = [[START, *self._known(text)][:longest] for text in texts]
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for row, found in zip(ids, rows, strict=True):
            row[: len(found)] = torch.tensor(found)
        return ids, ids != PADDING

    def _known(self, text: str) -> list[int]:
        found = [token for token in split(text) if token in self.ids or not _punctuation(token)]
        return [self.ids.get(token, UNKNOWN) for token in found]

    def unknown(self, text: str) -> tuple[str, ...]:
        """The words of `text` that are not known, each once, as they are first met."""
        found = (t for t in split(text) if t not in self.ids and not _punctuation(t))
        return tuple(dict.fromkeys(found))

    def near(self, word: str, n: int = 3) -> tuple[str, ...]:
        """Up to `n` known words spelt most like `word`; none where nothing is alike."""
        candidates = [known for known in self.words if len(known) > 1]
        return tuple(difflib.get_close_matches(word.lower(), candidates, n, cutoff=0.7))


def split(text: str) -> tuple[str, ...]:
    """The tokens of a text: lower-case words, single digits, single signs.

    >>> split("Lo-fi at 87 bpm!")
    ('lo', '-', 'fi', 'at', '8', '7', 'bpm', '!')
    """
    lower = unicodedata.normalize("NFKC", text).lower()
    return tuple(TOKEN.findall(unicodedata.normalize("NFKC", lower)))


def check_texts(texts: Sequence[str]) -> None:
    """Raise TypeError unless `texts` is a sequence of texts, ValueError where it is empty."""
    many = isinstance(texts, Collection) and not isinstance(texts, str)
    if not many or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"Texts come as a list of strings, not as {texts!r:.60}.")
    if len(texts) == 0:
        raise ValueError("There are no texts: give at least one, '' for an empty one.")


def _punctuation(token: str) -> bool:
    """Whether a token only separates: punctuation, joiners, variation selectors."""
    return all(unicodedata.category(sign)[0] in "PCM" for sign in token)
