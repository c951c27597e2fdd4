"""What a caption says about a clip, as facts that can be counted. Taught in notebook 13b.

A fact is (attribute, value), for the attributes of `ATTRIBUTES`: ("style", "waltz"), ("drums",
"no"). It is found by the words of `captions`, in any order and with any capitals; other ways of
saying it are not understood.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.captions import DRUM_WORDS, METRE_WORDS, TEMPO_WORDS, called
from course_lib.songbook.draw import MODES, tempo_class
from course_lib.songbook.styles import STYLES
from course_lib.text.tokenizer import split

if TYPE_CHECKING:
    from course_lib.songbook.clip import Attributes

ATTRIBUTES = ("style", "instruments", "mode", "metre", "tempo_class", "drums")
Fact = tuple[str, str]


def true_facts(attributes: "Attributes") -> frozenset[Fact]:
    """The facts of a clip. Drum kits are no instrument here: captions say "drums"."""
    a = attributes
    one = {"style": a.style, "mode": a.mode, "metre": a.metre, "tempo_class": a.tempo_class}
    return frozenset(
        {
            *one.items(),
            ("drums", "yes" if a.drums else "no"),
            *(("instruments", name) for name in a.instruments if _tuned(name)),
        }
    )


def said_facts(
    text: str, also: Mapping[tuple[str, ...], tuple[Fact, ...]] | None = None
) -> frozenset[Fact]:
    """The facts that a caption says, true or not; two where it contradicts itself.

    also: further phrases that say something, as tokens of `text.tokenizer.split`. Longer phrases
    are read first, so that a "music box piece" is no piece of another style. A number of beats per
    minute says the class of tempo that it lies in.
    """
    words, found = split(text), set()
    table = phrases() | dict(also or {})
    longest = max(map(len, table))
    place = 0
    while place < len(words):
        for size in range(min(longest, len(words) - place), 0, -1):
            facts = table.get(words[place : place + size])
            if facts is not None:
                found.update(facts)
                place += size
                break
        else:
            place += 1
    return frozenset(found | set(_counted(words)))


def _counted(words: tuple[str, ...]) -> Iterator[Fact]:
    """The class of tempo of each number of beats per minute."""
    for place, word in enumerate(words):
        if word == "bpm" or words[place : place + 3] == ("beats", "per", "minute"):
            start = place
            while start > 0 and words[start - 1].isdecimal():
                start -= 1
            if start < place:
                yield "tempo_class", tempo_class(float("".join(words[start:place])))


@lru_cache(maxsize=1)
def phrases() -> dict[tuple[str, ...], tuple[Fact, ...]]:
    """Phrases as tokens, and what each of them says."""
    table: dict[tuple[str, ...], tuple[Fact, ...]] = {}

    def add(phrase: str, *facts: Fact) -> None:
        table[split(phrase)] = (*table.get(split(phrase), ()), *facts)

    for name, style in STYLES.items():
        for phrase in dict.fromkeys((style.words, style.piece)):
            add(phrase, ("style", name))
    for name in filter(_tuned, INSTRUMENTS):
        add(called(name), ("instruments", name))
    for name, phrases in TEMPO_WORDS.items():
        for phrase in phrases:
            add(phrase, ("tempo_class", name))
    for metre, phrases in METRE_WORDS.items():
        for phrase in (*phrases, f"{metre} time"):
            add(phrase, ("metre", metre))
    for mode in MODES:
        add(mode, ("mode", mode))
    for drums, phrases in DRUM_WORDS.items():
        for phrase in (*phrases, "drums" if drums else "no drums"):
            add(phrase, ("drums", "yes" if drums else "no"))
    return table


def _tuned(name: str) -> bool:
    return name not in INSTRUMENTS or INSTRUMENTS[name].family != "drums"
