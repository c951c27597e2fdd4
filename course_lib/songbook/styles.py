"""The styles: each a small table of groove, bass, chords, instruments, tempo and mood.

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
    words: str  # as captions say it
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


_ALL = [
    Style(
        name="chorale",
        words="chorale",
        mood=("solemn", "serene", "devout"),
        tempo=(60, 104),
        metres=("3/4", "4/4"),
        lead=("organ", "choir", "violin", "clarinet"),
        chords=("organ", "strings", "choir"),
        bass=("organ", "cello"),
        drums="never",
        duple=Groove(bass="R... R... R... w...", chords="x... x... x... x..."),
        triple=Groove(bass="R... R... w...", chords="x... x... x..."),
        compound=Groove(bass="R.. w..", chords="x.. x.."),
        chord_length=1.0,
        bass_length=1.0,
        levels=(0.6, 0.7, 0.7),
        reverb=0.28,
        voices=True,
    ),
    Style(
        name="fiddle_session",
        words="fiddle session",
        mood=("lively", "rustic", "merry"),
        tempo=(92, 180),
        metres=METRES,
        lead=("violin", "flute", "accordion", "banjo"),
        chords=("guitar", "accordion"),
        bass=("upright_bass", "cello"),
        drums="either",
        duple=Groove(
            bass="R... 5... R... 5...",
            chords="x.x. X.x. x.x. X.xx",
            drums={LOW_TOM: "X..o x.o. X..o x.oo", STICK: "..x. ..x. ..x. ..x."},
        ),
        triple=Groove(
            bass="R... ..-. 5...",
            chords="x... X.x. X.x.",
            drums={LOW_TOM: "X... o.o. x.o.", STICK: "..x. ..x. ..x."},
        ),
        compound=Groove(
            bass="R.. 5..",
            chords="X.x x.x",
            drums={LOW_TOM: "X.o x.o", STICK: "..x .x."},
        ),
        chord_length=0.8,
        fill={LOW_TOM: "XxxX", MID_TOM: ".x.."},
        reverb=0.12,
    ),
    Style(
        name="waltz",
        words="waltz",
        mood=("graceful", "romantic", "elegant"),
        tempo=(84, 180),
        metres=("3/4",),
        lead=("violin", "clarinet", "accordion", "piano"),
        chords=("piano", "strings", "harp"),
        bass=("upright_bass", "cello"),
        drums="never",
        duple=Groove(bass="R..- ..5. ..-. ....", chords="-... x... -.x. x..."),
        triple=Groove(bass="R... ..-. ....", chords="-... x... x..."),
        compound=Groove(bass="R.- R.-", chords="-xx -xx"),
        chord_length=0.6,
        bass_length=0.95,
        levels=(0.55, 0.75, 0.6),
        reverb=0.2,
    ),
    Style(
        name="music_box",
        words="music box",
        mood=("tender", "dreamy", "innocent"),
        tempo=(60, 116),
        metres=METRES,
        lead=("music_box",),
        chords=("music_box", "harp"),
        bass=("harp", "marimba"),
        drums="never",
        duple=Groove(bass="R... .... 5... ....", chords="0.1. 2.1. 0.1. 2.1."),
        triple=Groove(bass="R... .... ....", chords="0.1. 2.1. 2.1."),
        compound=Groove(bass="R.. ...", chords="012 121"),
        chord_length=1.6,
        bass_length=1.0,
        levels=(0.72, 0.78, 0.5),
        reverb=0.22,
    ),
    Style(
        name="brass_band",
        words="brass band",
        mood=("proud", "festive", "bright"),
        tempo=(84, 150),
        metres=METRES,
        lead=("trumpet",),
        chords=("french_horn",),
        bass=("tuba",),
        drums="either",
        duple=Groove(
            bass="R.-. 5.-. R.-. 5.-.",
            chords="..x. ..x. ..x. ..x.",
            drums={KICK: "X... x... X... x...", SNARE: "..x. ..x. ..x. ..xo"},
        ),
        triple=Groove(
            bass="R.-. .... 5.-.",
            chords=".... x.-. x.-.",
            drums={KICK: "X... .... ....", SNARE: ".... x... x.oo"},
        ),
        compound=Groove(
            bass="R.- 5.-",
            chords="..x ..x",
            drums={KICK: "X.. x..", SNARE: "..x ..x"},
        ),
        chord_length=0.5,
        bass_length=0.85,
        fill={SNARE: "xxxX"},
        levels=(0.6, 0.75, 0.65),
        reverb=0.18,
    ),
    Style(
        name="lo_fi",
        words="lo-fi",
        mood=("mellow", "relaxed", "nostalgic"),
        tempo=(62, 94),
        metres=METRES,
        lead=("electric_piano", "vibraphone", "guitar"),
        chords=("electric_piano", "guitar"),
        bass=("electric_bass", "upright_bass"),
        drums="always",
        duple=Groove(
            bass="R..R ..5. ..R. ..w.",
            chords="X... ..x. .... x...",
            drums={
                KICK: "X..o .... ..x. ....",
                SNARE: ".... X..o .... X...",
                HAT: "x.x. x.x. x.x. x.xo",
            },
        ),
        triple=Groove(
            bass="R... ..5. ..w.",
            chords="X... ..x. ....",
            drums={KICK: "X... ..x. ....", SNARE: ".... .... X..o", HAT: "x.x. x.x. x.x."},
        ),
        compound=Groove(
            bass="R.. 5.w",
            chords="X.. ..x",
            drums={KICK: "X.. ..o", SNARE: "... X..", HAT: "xox xox"},
        ),
        swing=0.6,
        fill={SNARE: "..oX", KICK: "x..."},
        sevenths=True,
        kit="drum_machine",
        reverb=0.15,
    ),
    Style(
        name="house",
        words="house",
        mood=("energetic", "driving", "euphoric"),
        tempo=(112, 134),
        metres=("2/4", "3/4", "4/4", "6/8"),
        lead=("saw_lead", "piano", "marimba"),
        chords=("pad", "piano", "organ"),
        bass=("synth_bass",),
        drums="always",
        duple=Groove(
            bass="-.R. -.R. -.R. -.8.",
            chords="X..x ..x. .x.. x.x.",
            drums={
                KICK: "X... X... X... X...",
                CLAP: ".... x... .... x...",
                HAT: "o.o. o.o. o.o. o.oo",
                OPEN: "..x. ..x. ..x. ..x.",
            },
        ),
        triple=Groove(
            bass="-.R. -.R. -.8.",
            chords="X..x ..x. x.x.",
            drums={
                KICK: "X... X... X...",
                CLAP: ".... x... ....",
                HAT: "o.o. o.o. o.oo",
                OPEN: "..x. ..x. ..x.",
            },
        ),
        compound=Groove(
            bass="-RR -R8",
            chords="X.x .x.",
            drums={KICK: "X.. X..", CLAP: "... x..", HAT: "oxo oxo", OPEN: "..x ..x"},
        ),
        chord_length=0.55,
        bass_length=0.8,
        fill={CLAP: "..xX", SNARE: "xxxx"},
        levels=(0.6, 0.8, 0.8),
        kit="drum_machine",
        reverb=0.12,
    ),
    Style(
        name="bossa_nova",
        words="bossa nova",
        mood=("breezy", "smooth", "sunny"),
        tempo=(84, 150),
        metres=("2/4", "3/4", "4/4", "6/8"),
        lead=("flute", "vibraphone", "marimba"),
        chords=("guitar", "electric_piano"),
        bass=("upright_bass", "electric_bass"),
        drums="either",
        duple=Groove(
            bass="R..R 5..5 R..R 5..w",
            chords="x..x ..x. ..x. .x..",
            drums={
                KICK: "x..x x..x x..x x..x",
                STICK: "X..X ..X. ..X. .X..",
                HAT: "x.x. x.x. x.x. x.x.",
            },
        ),
        triple=Groove(
            bass="R..5 ..R. 5.w.",
            chords="x..x ..x. .x..",
            drums={KICK: "x..x ..x. ....", STICK: "X..X ..X. ....", HAT: "x.x. x.x. x.x."},
        ),
        compound=Groove(
            bass="R.5 R.w",
            chords="x.x .x.",
            drums={KICK: "x.. x..", STICK: "X.X .X.", HAT: "xox xox"},
        ),
        chord_length=0.6,
        bass_length=0.85,
        fill={STICK: "x.xX", HIGH_TOM: "..x."},
        sevenths=True,
        levels=(0.58, 0.68, 0.55),
        kit="brush_kit",
        reverb=0.15,
    ),
    Style(
        name="ambient",
        words="ambient",
        mood=("spacious", "floating", "calm"),
        tempo=(60, 92),
        metres=METRES,
        lead=("bells", "flute", "vibraphone", "choir"),
        chords=("pad", "strings", "choir"),
        bass=("synth_bass", "cello"),
        drums="never",
        duple=Groove(bass="R... .... .... ....", chords="x... .... .... ...."),
        triple=Groove(bass="R... .... ....", chords="x... .... ...."),
        compound=Groove(bass="R.. ...", chords="x.. ..."),
        chord_length=1.1,
        bass_length=1.0,
        levels=(0.5, 0.55, 0.5),
        reverb=0.4,
    ),
    Style(
        name="chiptune",
        words="chiptune",
        mood=("playful", "retro", "bouncy"),
        tempo=(104, 180),
        metres=METRES,
        lead=("square_lead",),
        chords=("square_lead", "saw_lead"),
        bass=("synth_bass",),
        drums="either",
        duple=Groove(
            bass="R.8. R.8. R.8. R.8.",
            chords="0121 0121 0121 0121",
            drums={
                KICK: "X... ..x. X... ....",
                SNARE: ".... X... .... X..o",
                HAT: "x.x. x.x. x.x. x.x.",
            },
        ),
        triple=Groove(
            bass="R.8. 5.8. 5.8.",
            chords="0121 0121 0121",
            drums={KICK: "X... .... ....", SNARE: ".... x... X...", HAT: "x.x. x.x. x.x."},
        ),
        compound=Groove(
            bass="R.8 R.8",
            chords="012 012",
            drums={KICK: "X.. ..x", SNARE: "... X..", HAT: "xxx xxx"},
        ),
        chord_length=0.9,
        bass_length=0.7,
        fill={SNARE: "xxXX"},
        levels=(0.62, 0.72, 0.65),
        kit="drum_machine",
        reverb=0.03,
    ),
    Style(
        name="ragtime",
        words="ragtime",
        mood=("jaunty", "cheerful", "witty"),
        tempo=(72, 128),
        metres=("2/4", "3/4", "4/4", "6/8"),
        lead=("piano", "clarinet"),
        chords=("piano", "banjo"),
        bass=("piano", "tuba"),
        drums="either",
        duple=Groove(
            bass="R.-. 5.-. R.-. w.-.",
            chords="..X. ..X. ..X. ..Xx",
            drums={
                KICK: "x... x... x... x...",
                SNARE: "..x. ..x. ..x. .ox.",
                HAT: "x..x x..x x..x x..x",
            },
        ),
        triple=Groove(
            bass="R.-. .... 5.-.",
            chords=".... X.x. X.-.",
            drums={KICK: "x... .... ....", SNARE: ".... x.o. x...", HAT: "x... x..x x..x"},
        ),
        compound=Groove(
            bass="R.- 5.-",
            chords="..X ..X",
            drums={KICK: "x.. x..", SNARE: "..x ..x", HAT: "x.x x.x"},
        ),
        swing=0.56,
        chord_length=0.5,
        bass_length=0.8,
        fill={SNARE: "xoxX"},
        levels=(0.6, 0.72, 0.55),
        kit="brush_kit",
        reverb=0.1,
    ),
    Style(
        name="soul",
        words="soul",
        mood=("warm", "heartfelt", "soulful"),
        tempo=(62, 116),
        metres=METRES,
        lead=("trumpet", "organ", "electric_piano", "saw_lead"),
        chords=("organ", "electric_piano", "guitar"),
        bass=("electric_bass",),
        drums="always",
        duple=Groove(
            bass="R..R ..3. 5..5 ..w.",
            chords="x... X..x .... X.x.",
            drums={
                KICK: "X..x ..x. X..x ....",
                SNARE: ".... X... .... X..o",
                HAT: "x.x. x.x. x.x. x.x.",
            },
        ),
        triple=Groove(
            bass="R... ..3. 5.w.",
            chords="x... X... X...",
            drums={KICK: "X... ..x. ....", SNARE: ".... x... X...", RIDE: "x.x. x.x. x.x."},
        ),
        compound=Groove(
            bass="R.3 5.w",
            chords="xxx Xxx",
            drums={KICK: "X.. ..x", SNARE: "... X..", HAT: "xxx xxx"},
        ),
        swing=0.54,
        chord_length=0.8,
        fill={SNARE: "x..X", MID_TOM: ".x..", LOW_TOM: "..x."},
        sevenths=True,
        reverb=0.18,
    ),
]

STYLES: dict[str, Style] = {style.name: style for style in _ALL}

# The styles that `load` draws. A style added to STYLES later is for `in_style`: drawing it too
# would change which clip is clip i, so it belongs in a list of its own, beside this one.
DRAWN = tuple(style.name for style in _ALL[:12])


def style(name: str) -> Style:
    """The style called `name`. Raises ValueError that lists the names."""
    if name not in STYLES:
        raise ValueError(f"No style is called {name!r}: choose one of {', '.join(STYLES)}.")
    return STYLES[name]
