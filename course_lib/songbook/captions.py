"""Texts about a clip, in four manners, each true of it. Taught in notebook 00.

tags         comma-separated labels, in any order
sentence     one sentence, as a person would ask for the music
description  several sentences that say all there is to know
playlist     the name of a playlist the clip would be on
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.draw import METRES, MODES
from course_lib.songbook.styles import DRAWN, STYLES
from course_lib.songbook.voice_lyrics import VOICE
from course_lib.songbook.voicing import PITCH_NAMES

if TYPE_CHECKING:
    from course_lib.songbook.clip import Attributes

MANNERS = ("tags", "sentence", "description", "playlist")

TEMPO_WORDS = {
    "slow": ("slow", "unhurried", "leisurely"),
    "medium": ("mid-tempo", "moderate", "steady"),
    "fast": ("fast", "quick", "brisk"),
}
METRE_WORDS = {
    "2/4": ("in two-four time", "with two beats to the bar"),
    "3/4": ("in three-four time", "with three beats to the bar"),
    "4/4": ("in four-four time", "with four beats to the bar"),
    "6/8": ("in six-eight time", "with two lilting beats to the bar"),
    "9/8": ("in nine-eight time", "with three lilting beats to the bar"),
}
DRUM_WORDS = {
    True: ("with drums", "with drums keeping time"),
    False: ("without drums", "with no drums"),
}
SENTENCES = (
    "{A_mood} {piece} in {key}, {played_on} {players}, {drums}.",
    "{A_tempo} {piece} with {lead} in front, {drums}.",
    "{A_tempo}, {mood} {piece} in {mode}, {drums}: {players}.",
    "{Lead} {plays} {a_mood} {piece} in {key} over {backing}.",
    "{Style} music {metre}, {mood} and {tempo}, led by {lead}.",
    "Something {mood} at {bpm} beats per minute: {a_piece} with {players}, {drums}.",
)
OPENINGS = (
    "{A_mood} {piece} at {a_tempo} pace.",
    "This is {a_tempo}, {mood} {piece}.",
    "A tune played as {a_piece}: {mood}, {mood2} and {tempo}.",
)
BODIES = (
    "{Lead} carries the melody over {backing}.",
    "The melody lies with {lead}, accompanied by {backing}.",
    "You hear {lead} in front, and behind it {backing}.",
)
FACTS = (
    "It is in {key}, {metre}, at {bpm} beats per minute, {drums}.",
    "The key is {key}, the pace {bpm} beats per minute, {metre}, {drums}.",
    "Written in {key}, it goes at {bpm} beats per minute, {metre} and {drums}.",
)
PLAYLISTS = (
    "{Mood} {style} for {occasion}",
    "{Tempo} & {mood}: {style} with {lead0}",
    "{Lead0} {style}, {mood} and {tempo}",
    "{Style} for {occasion}: {tempo} tunes in {mode}",
    "{Mood} {style}, {drums}",
)
OCCASIONS = (
    "a rainy afternoon",
    "a long drive",
    "cooking together",
    "early mornings",
    "late evenings",
    "reading",
    "a walk by the sea",
    "working through the night",
)


PLURALS = ("strings", "bells")
VOICE_WORDS = ("clear", "singing")


def write_captions(attributes: Attributes, rng: np.random.Generator) -> dict[str, str]:
    """One text in each manner; `rng` chooses words and templates."""
    words = _words(attributes, rng)
    texts = {
        "tags": _tags(words, rng),
        "sentence": _pick(SENTENCES, rng).format(**words),
        "description": " ".join(
            _pick(part, rng).format(**words) for part in (OPENINGS, BODIES, FACTS)
        ),
        "playlist": _pick(PLAYLISTS, rng).format(**words),
    }
    return {
        manner: text[0].upper() + text[1:] if manner != "tags" else text
        for manner, text in texts.items()
    }


def vocabulary() -> tuple[str, ...]:
    """All words of captions of clips that nobody sings, as WordTokenizer takes them (223).

    Those of the templates and of all that may stand in their blanks. Taught in notebook 13.
    """
    from course_lib.text import WordTokenizer  # needs torch, which captions don't

    templates = (*SENTENCES, *OPENINGS, *BODIES, *FACTS, *PLAYLISTS)
    texts = [re.sub(r"\{\w+\}", " ", template) for template in templates]
    texts += ["a an and", "plays played on", "bpm tempo no", "a key the mode", *PITCH_NAMES, *MODES]
    for words in (*TEMPO_WORDS.values(), *DRUM_WORDS.values(), OCCASIONS):
        texts += words
    for metre in METRES:
        texts += (f"{metre} time", *metre_words(metre))
    for style in (STYLES[name] for name in DRAWN):
        texts += (style.words, style.piece, *style.mood)
        for name in (*style.lead, *style.chords, *style.bass):
            texts += (called(name), *INSTRUMENTS[name].words)
    return WordTokenizer.of(texts).words


def called(name: str) -> str:
    """What captions call an instrument."""
    return name.replace("_", " ").replace("french", "French")


def metre_words(metre: str) -> tuple[str, ...]:
    """How captions speak of a metre; "in 5/4 time" for one the styles do not draw."""
    return METRE_WORDS.get(metre, (f"in {metre} time",))


def _player(name: str, rng: np.random.Generator) -> str:
    """The instrument, every third time with a word for its sound."""
    words = VOICE_WORDS if name == VOICE else INSTRUMENTS[name].words
    return f"{_pick(words, rng)} {called(name)}" if rng.random() < 1 / 3 else called(name)


def _words(a: Attributes, rng: np.random.Generator) -> dict[str, str]:
    """Every blank of the templates, filled in."""
    sung = VOICE in a.instruments
    band = [n for n in a.instruments if n == VOICE or INSTRUMENTS[n].family != "drums"]
    tuned = [_player(name, rng) for name in band]
    mood, mood2 = rng.permutation(a.mood)[:2]
    words = {
        "style": STYLES[a.style].words,
        "piece": STYLES[a.style].piece,
        "mood": str(mood),
        "mood2": str(mood2),
        "tempo": _pick(TEMPO_WORDS[a.tempo_class], rng),
        "bpm": f"{a.tempo:.0f}",
        "metre": _pick(metre_words(a.metre), rng),
        "signature": f"{a.metre} time",
        "mode": f"a {a.mode} key" if a.mode in ("major", "minor") else f"the {a.mode} mode",
        "key": f"{a.tonic} {a.mode}",
        "drums": _pick(DRUM_WORDS[a.drums], rng),
        "players": _list([_article(word) for word in tuned]),
        "lead": _article(tuned[0]),
        "lead0": called(band[0]),
        "plays": "sings" if sung else "plays",
        "played_on": "performed by" if sung else "played on",
        "backing": _list([_article(word) for word in tuned[1:] or ["accompaniment"]]),
        "occasion": _pick(OCCASIONS, rng),
        "tuned": [called(name) for name in band],
    }
    for name in ("mood", "tempo", "piece"):
        words[f"a_{name}"] = _article(words[name])
    for name in ("mood", "tempo", "style", "lead", "lead0", "a_mood", "a_tempo"):
        words[name[0].upper() + name[1:]] = words[name][0].upper() + words[name][1:]
    return words


def _tags(words: dict, rng: np.random.Generator) -> str:
    always = list(dict.fromkeys([words["style"], words["tuned"][0]]))
    others = [
        *words["tuned"][1:],
        words["mood"],
        words["tempo"] if words["tempo"].endswith("tempo") else words["tempo"] + " tempo",
        words["bpm"] + " bpm",
        words["key"],
        words["signature"],
        "drums" if words["drums"] in DRUM_WORDS[True] else "no drums",
    ]
    keep = rng.permutation(len(others))[: rng.integers(4, len(others) + 1)]
    tags = always + [others[k] for k in keep]
    return ", ".join(tags[k] for k in rng.permutation(len(tags)))


def _pick(choices, rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


def _article(word: str) -> str:
    if word == "accompaniment" or word.endswith(PLURALS):
        return word
    return f"{'an' if word.startswith(('a', 'e', 'i', 'o', 'un', 'up')) else 'a'} {word}"


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
