"""What captions say, said otherwise: three manners that no model was trained on.

request   a person asks for it: names of styles and instruments stay, all other words and their
          order are new
notes     a producer's shorthand: names and figures, no sentence
listener  somebody who knows no names: of styles, instruments, metres and modes alike

They were written without the templates of `songbook.captions`, each farther from them than the one
before. Taught in notebook 15.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.styles import STYLES

if TYPE_CHECKING:
    import numpy as np

    from course_lib.songbook import Attributes

REQUESTS = (
    "Could you play me some {style}? Make it {tempo}, {metre}, on {tonic}, {mode}. Put the {lead} "
    "on top and the {backing} below it; {drums}, please.",
    "I would love to hear the {lead} tonight, the {backing} behind, and {drums}. Let it be "
    "{style}, {tempo}: {mode}, starting from {tonic}, {metre}.",
    "Our film needs some {style}, {drums}. The {lead} should tell the story and the {backing} "
    "should follow it; {metre}, {tempo}, {mode} on {tonic}.",
)
NOTES = (
    "{style} / {bpm} / {signature} / {tonic} {mode} / lead = {lead} / below = {backing} / drums = "
    "{drums}",
    "drums: {drums}; lead: {lead}; rest: {backing}; {signature}; {tonic} {mode}; {bpm}; {style}",
    "[{lead} + {backing}] [{signature} @ {bpm}] [{mode}: {tonic}] [drums {drums}] [{style}]",
)
LISTENERS = (
    "I hear {style}. What tells the tale sounds like {lead}; around it, {backing}. It is {tempo}, "
    "{metre}. It rests {mode}, and {drums}.",
    "Imagine {style}, {tempo}. Nearest to you there is {lead}, farther away {backing}, and "
    "{drums}. You would count it {metre}; all of it lives {mode}.",
    "{Drums}: that struck me first. Then {lead}, and {backing}. Someone said it was {style}, "
    "{tempo}, {metre}, {mode}.",
)
REQUEST_WORDS = {
    "tempo": {"slow": "really slow", "medium": "neither slow nor fast", "fast": "really fast"},
    "metre": {
        "2/4": "counted in two",
        "3/4": "counted in three",
        "4/4": "counted in four",
        "6/8": "counted in six",
        "9/8": "counted in nine",
    },
    "drums": {True: "somebody on drums", False: "nobody on drums"},
}
NOTE_WORDS = {"drums": {True: "yes", False: "none"}}
LISTENER_WORDS = {
    "style": {
        "chorale": "a hymn that a whole congregation joins",
        "fiddle_session": "a country dance in the corner of a pub",
        "waltz": "couples whirling round a ballroom",
        "music_box": "a lullaby out of a clockwork toy",
        "brass_band": "a parade of miners in uniform",
        "lo_fi": "dusty beats to study by",
        "house": "four on the floor in a dark club",
        "bossa_nova": "an evening on a Brazilian beach",
        "ambient": "a cloud that drifts and hardly changes",
        "chiptune": "the second level of an old video game",
        "ragtime": "a saloon in 1905, all syncopation",
        "soul": "a Memphis studio in 1968",
    },
    "tempo": {
        "slow": "taking its time",
        "medium": "at the speed of a stroll",
        "fast": "racing along",
    },
    "metre": {
        "2/4": "left-right, left-right",
        "3/4": "one big step and a couple of small ones",
        "4/4": "in groups of four even steps",
        "6/8": "in a pair of long swings, three small ones inside each",
        "9/8": "in a triple of long swings, three small ones inside each",
    },
    "mode": {
        "major": "on a glad scale",
        "minor": "on a sad scale",
        "dorian": "on a sad scale whose sixth step is raised",
        "mixolydian": "on a glad scale whose seventh step is lowered",
    },
    "drums": {
        True: "somebody beats skins and cymbals",
        False: "nobody beats anything",
    },
    "instruments": {
        "piano": "hammers on eighty-eight keys",
        "guitar": "a Spanish six-stringer",
        "harp": "an angel's tall frame of gut",
        "harpsichord": "a baroque keyboard that plucks",
        "banjo": "a bluegrass picker",
        "electric_piano": "a Rhodes",
        "music_box": "a tiny comb and its cylinder",
        "bells": "chimes",
        "vibraphone": "metal bars and a motor's tremolo",
        "marimba": "rosewood bars under mallets",
        "trumpet": "a bugle",
        "french_horn": "a call to the hunt",
        "tuba": "the biggest oompah of all",
        "organ": "a cathedral's pipes",
        "flute": "breath across a silver tube",
        "clarinet": "a single reed in a black tube",
        "accordion": "a squeezebox",
        "choir": "many people humming",
        "violin": "one small bow high up",
        "cello": "one bow low down, held between the knees",
        "strings": "forty bows together",
        "square_lead": "a hollow bleep",
        "saw_lead": "a sharp electric buzz",
        "pad": "an endless electric wash",
        "upright_bass": "a contrabass that fingers pluck",
        "electric_bass": "a Fender Precision",
        "synth_bass": "a growl from a Moog",
    },
}
PARAPHRASES = {
    "request": (REQUESTS, REQUEST_WORDS),
    "notes": (NOTES, NOTE_WORDS),
    "listener": (LISTENERS, LISTENER_WORDS),
}


def paraphrase(attributes: Attributes, manner: str, rng: np.random.Generator) -> str:
    """All that the attributes say, in a manner of PARAPHRASES; `rng` chooses the template.

    Raises ValueError for another manner.
    """
    if manner not in PARAPHRASES:
        raise ValueError(f"manner={manner!r}: choose one of {', '.join(PARAPHRASES)}.")
    templates, words = PARAPHRASES[manner]
    a = attributes

    def said(name: str, value: object, otherwise: str = "") -> str:
        return words.get(name, {}).get(value, otherwise)

    band = [
        said("instruments", name, name.replace("_", " "))
        for name in a.instruments
        if INSTRUMENTS[name].family != "drums"
    ]
    blanks = {
        "style": said("style", a.style, STYLES[a.style].words),
        "tempo": said("tempo", a.tempo_class),
        "bpm": f"{a.tempo:.0f}",
        "metre": said("metre", a.metre),
        "signature": a.metre,
        "tonic": a.tonic,
        "mode": said("mode", a.mode, a.mode),
        "lead": band[0],
        "backing": " and ".join(band[1:]) or "silence",
        "drums": said("drums", a.drums),
    }
    blanks["Drums"] = blanks["drums"][0].upper() + blanks["drums"][1:]
    text = templates[rng.integers(len(templates))].format(**blanks)
    return text[0].upper() + text[1:] if manner != "notes" else text
