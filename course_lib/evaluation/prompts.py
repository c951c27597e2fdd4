"""Prompts that say exactly what they ask for, and the same in words that no caption uses.

A balanced set of test clips is asked for again: by the description that captions would give, and by
paraphrases written without a look at the captions' templates. Beside them stand five prompts that
the authors of MusicGen demonstrate it with, and what of each can be judged. Taught in notebook 15.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.evaluation.paraphrases import PARAPHRASES, paraphrase
from course_lib.songbook import Attributes, Songbook
from course_lib.songbook.band import INSTRUMENTS

ATTRIBUTES = ("instruments", "style", "drums", "tempo_class", "mode", "metre")
WRITTEN = "description"  # the manner of caption that says all of them
MANNERS = (WRITTEN, *PARAPHRASES)


@dataclass(frozen=True)
class Prompt:
    """A text and what it asks for.

    asked: those of ATTRIBUTES that the text decides, as in `songbook.Attributes`; "instruments" are
        tuned ones. beyond: words of the text that nothing here can judge. clip: the number of the
        clip that was described, or None.
    """

    text: str
    asked: Mapping[str, object]
    beyond: tuple[str, ...] = ()
    clip: int | None = None


# The examples of the authors' demonstration (demos/musicgen_app.py in audiocraft).
DEMONSTRATED = (
    Prompt(
        "An 80s driving pop song with heavy drums and synth pads in the background",
        {"instruments": ("pad",), "drums": True},
        ("80s", "driving", "pop", "heavy"),
    ),
    Prompt(
        "A cheerful country song with acoustic guitars",
        {"instruments": ("guitar",)},
        ("cheerful", "country"),
    ),
    Prompt(
        "90s rock song with electric guitar and heavy drums",
        {"drums": True},
        ("90s", "rock", "electric guitar", "heavy"),
    ),
    Prompt(
        "a light and cheerly EDM track, with syncopated drums, aery pads, and strong emotions "
        "bpm: 130",
        {"instruments": ("pad",), "style": "house", "drums": True, "tempo_class": "fast"},
        ("light", "cheerly", "syncopated", "strong emotions"),
    ),
    Prompt(
        "lofi slow bpm electro chill with organic samples",
        {"style": "lo_fi", "tempo_class": "slow"},
        ("electro", "chill", "organic samples"),
    ),
)


def balanced_prompts(
    clips: Songbook, count: int, manner: str = WRITTEN, seed: int = 0
) -> tuple[Prompt, ...]:
    """`count` prompts, each for another of the clips, every attribute's classes as even as can be.

    `manner` is "description" or a paraphrase; it changes the words alone: the clips and what is
    asked for depend on `seed`. Each prompt decides all of ATTRIBUTES. Raises ValueError for another
    manner and for more prompts than there are clips.
    """
    if manner not in MANNERS:
        raise ValueError(f"manner={manner!r}: choose one of {', '.join(MANNERS)}.")
    write = _written(clips) if manner == WRITTEN else _paraphrased(clips, manner, seed)
    return tuple(
        Prompt(write(i), asked(clips.attributes(i)), clip=i) for i in balanced(clips, count, seed)
    )


def asked(attributes: Attributes) -> dict[str, object]:
    """What a text asks for that says all about a clip: ATTRIBUTES by name."""
    tuned = tuple(n for n in attributes.instruments if INSTRUMENTS[n].family != "drums")
    return {name: getattr(attributes, name) for name in ATTRIBUTES} | {"instruments": tuned}


def balanced(clips: Songbook, count: int, seed: int = 0) -> tuple[int, ...]:
    """Numbers of `count` clips, in which the classes of each attribute are as even as can be.

    One after another is chosen whose classes have come least often so far, each attribute weighing
    the same; chance breaks ties. Raises ValueError for more than there are, or fewer than one.
    """
    if not 1 <= count <= len(clips):
        raise ValueError(f"count={count} must be from 1 to the number of clips, {len(clips)}.")
    wanted = [asked(clips.attributes(i)) for i in range(len(clips))]
    classes = {name: len(_values(wanted, name)) for name in ATTRIBUTES}
    order = np.random.default_rng([seed, 15]).permutation(len(clips)).tolist()
    seen: Counter = Counter()
    chosen: list[int] = []

    def crowded(index: int) -> float:
        """How often this clip's classes have come already, against an even share."""
        total = 0.0
        for name in ATTRIBUTES:
            values = _several(wanted[index][name])
            total += classes[name] * sum(seen[name, v] for v in values) / len(values)
        return total

    while len(chosen) < count:
        best = min(order, key=crowded)
        order.remove(best)
        chosen.append(best)
        seen.update((name, v) for name in ATTRIBUTES for v in _several(wanted[best][name]))
    return tuple(chosen)


def _several(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _values(wanted: Sequence[Mapping[str, object]], name: str) -> set:
    return {v for row in wanted for v in _several(row[name])}


def _written(clips: Songbook) -> Callable[[int], str]:
    return lambda i: clips.captions(i)[0][WRITTEN]


def _paraphrased(clips: Songbook, manner: str, seed: int) -> Callable[[int], str]:
    return lambda i: paraphrase(clips.attributes(i), manner, np.random.default_rng([seed, i, 16]))
