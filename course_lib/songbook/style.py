"""What a style is: a small table of groove, bass, chords, instruments, tempo and mood.

A pattern is one bar on a grid of four slots a beat in simple metres (2/4, 3/4, 4/4) and three in
compound ones (6/8, 9/8); blanks only group the slots. A bar of 2/4 takes the first half of the
duple pattern; a bar of 9/8 repeats the second beat of the compound one.

    drums    x hit   X accent   o soft hit   . nothing
    chords   x chord   X accented chord   0-3 one voice, lowest first   . goes on   - stops
    bass     R root   5 fifth   3 third   8 octave   w step to the next root   . goes on   - stops

Every style can play every metre; `metres` are the ones that `load` draws for it.
Taught in notebook 00.
"""

from dataclasses import dataclass, field

METRES = ("2/4", "3/4", "4/4", "6/8", "9/8")

KICK, STICK, SNARE, CLAP, HAT, OPEN, RIDE = 36, 37, 38, 39, 42, 46, 51
LOW_TOM, MID_TOM, HIGH_TOM = 45, 47, 50  # General MIDI percussion


@dataclass(frozen=True)
class Groove:
    """One bar of accompaniment in one family of metres, in the notation of this page."""

    bass: str
    chords: str
    drums: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Style:
    """How a tune is played: what `arrange` reads. Taught in notebook 00."""

    name: str
    words: str  # as captions say it: "{words} music"
    piece: str  # "a {piece}"
    mood: tuple[str, ...]
    tempo: tuple[int, int]  # felt beats per minute
    metres: tuple[str, ...]
    lead: tuple[str, ...]
    chords: tuple[str, ...]
    bass: tuple[str, ...]
    drums: str  # "always", "never" or "either"
    duple: Groove
    triple: Groove
    compound: Groove
    swing: float = 0.5  # share of the beat that its first half takes
    chord_length: float = 0.95  # of the way to the next stroke
    bass_length: float = 0.9
    fill: dict[int, str] = field(default_factory=dict)  # the last beat of a phrase
    sevenths: bool = False  # chords gain their diatonic seventh
    levels: tuple[float, float, float] = (0.62, 0.72, 0.7)  # velocity of chords, bass, drums
    reverb: float = 0.15
    kit: str = "drum_kit"
    voices: bool = False  # a chorale keeps its own inner voices

    def groove(self, metre: tuple[int, int]) -> Groove:
        """The groove for a metre such as (6, 8)."""
        beats, unit = metre
        if unit == 8 and beats % 3 == 0:
            return self.compound
        return self.triple if beats % 3 == 0 else self.duple
