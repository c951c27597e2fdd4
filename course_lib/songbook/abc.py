"""Reading tunes in ABC notation, the text format of folk-tune collections. Taught in notebook 00.

What is read: the fields T, M, L and K (in the header, on lines of the tune or inline as [K:Dm]);
notes with accidentals, octaves and lengths; rests, ties, tuplets, broken rhythm, repeats and
numbered endings. Chords take their top note. Grace notes, decorations, slurs, chord names, words
and every other field are dropped. An accidental holds for its letter, in all octaves, to the next
bar line. Source: The ABC music standard 2.1, sections 3 and 4.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from course_lib.songbook import abc_fields
from course_lib.songbook.abc_fields import ACCIDENTALS, LETTERS
from course_lib.songbook.abc_repeats import Bar, expand
from course_lib.songbook.score import TICKS, Note, Score

TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # p notes in the time of q; 5, 7 and 9 follow the metre
LONGEST = 4096 * 4 * TICKS  # ticks: a bound, so that a slip of the finger cannot fill the memory

_LENGTH = r"(\d*)(?:(/+)(\d*))?"  # one way to read each length: no backtracking
_PITCH = r"(\^{1,2}|_{1,2}|=)?([A-Ga-g])([,']*)"
_NOTE = re.compile(_PITCH + _LENGTH)
_TOKEN = re.compile(
    rf"""
    (?P<inline>\[[A-Za-z]:[^\]\n]*\])
  | (?P<bar>\[?\|[|:\]]*|:+\|[|:\]]*|::+)
  | (?P<ending>(?:\[|(?<=[|:\]]))\s?[1-9][\d,-]*)
  | (?P<dropped>"[^"\n]*"|![^!|\n]*!|\+[a-z]+\+|\{{[^}}\n]*\}}|[.~H-WYh-wy()*`$\\\s])
  | (?P<chord>\[(?:{_PITCH}{_LENGTH}\s*|"[^"\n]*"|[-.~uvT])+\]{_LENGTH})
  | (?P<rest>[zxZ]{_LENGTH})
  | (?P<note>{_PITCH}{_LENGTH})
  | (?P<tie>-)
  | (?P<broken>>+|<+)
    """,
    re.VERBOSE,
)
_TUPLET = re.compile(r"\(([2-9])(?::(\d?))?(?::(\d?))?")
_FIELD = re.compile(r"([A-Za-z]):(?![|:])\s*(.*)")


@dataclass
class _State:
    """Where the reader stands: the fields in force and the bars so far."""

    title: str = "untitled"
    metre: tuple[int, int] = (4, 4)
    unit: Fraction | None = None  # the default length, in whole notes
    tonic: int = 0
    mode: str = "major"
    signature: dict[str, int] = field(default_factory=dict)
    accidentals: dict[str, int] = field(default_factory=dict)  # of this bar
    bars: list[Bar] = field(default_factory=lambda: [Bar()])
    last: tuple[str, int] | None = None  # letter and pitch of a note that is tied onward
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)  # factor, notes left
    broken: Fraction | None = None  # factor of the next note


def parse(text: str) -> Score:
    """Read one tune in ABC notation, with or without a header, as a Score with one voice.

    Defaults are the standard's: 4/4, C major, a unit of 1/8 (1/16 in metres below 3/4).
    Onsets and durations are rounded to ticks. Raises TypeError where `text` is not a string and
    ValueError where it cannot be read. Taught in notebook 00.
    """
    return parse_with_bars(text)[0]


def parse_with_bars(text: str) -> tuple[Score, tuple[int, ...]]:
    """As `parse`, with the ticks at which bars begin or end, repeats expanded, in order."""
    if not isinstance(text, str):
        raise TypeError(f"A tune in ABC notation is a string, not {type(text).__name__}.")
    state = _State()
    for line in _lines(text):
        match = _FIELD.fullmatch(line)
        if match:
            _read_field(state, *match.groups())
        else:
            _read_music(state, line)
    bars = expand(state.bars)
    notes, lines = timeline(bars)
    if not notes:
        raise ValueError(
            "The tune has no notes: write letters such as 'C2 E2 G2 c2 | c2 G2 E2 C2', "
            "after the line 'K:' if there is a header."
        )
    full = TICKS * 4 * state.metre[0] // state.metre[1]
    first = next((tick for tick in lines if tick > 0), 0)
    score = Score(
        id="abc",
        title=state.title,
        source="ABC notation",
        family=-1,
        split="",
        tonic=state.tonic,
        mode=state.mode,
        metre=state.metre,
        pickup=first if first < full and first < lines[-1] else 0,
        voices=(notes,),
    )
    return score, lines


def _lines(text: str):
    """The lines that matter: without comments, words and empty lines."""
    for line in text.replace("\r", "\n").split("\n"):
        line = re.sub(r"(?<!\\)%.*", "", line).strip()
        if line:
            yield line


def _read_field(state: _State, name: str, value: str) -> None:
    """Take in one field, on its own line or inline."""
    value = value.strip()
    started = any(bar.events for bar in state.bars)
    if name == "T" and value and state.title == "untitled":
        state.title = value
    elif name == "M":
        metre = abc_fields.metre(value)
        if started and metre != state.metre:
            raise ValueError(
                f"The tune changes its metre to {value!r} after it began: write it with one metre."
            )
        state.metre = metre
    elif name == "L":
        state.unit = abc_fields.unit(value)
    elif name == "K":
        tonic, mode, signature = abc_fields.key(value)
        state.signature, state.accidentals = signature, {}
        if not started:
            state.tonic, state.mode = tonic, mode
    elif name == "V" and started:
        raise ValueError("The tune has several voices (V:): write one voice.")
    elif name == "X" and started:
        raise ValueError(f"A second tune begins (X:{value}): give one tune at a time.")


def _read_music(state: _State, line: str) -> None:
    """Take in one line of music."""
    position = 0
    while position < len(line):
        tuplet = _TUPLET.match(line, position)
        if tuplet:
            _begin_tuplet(state, tuplet)
            position = tuplet.end()
            continue
        match = _TOKEN.match(line, position)
        if not match:
            near = line[max(0, position - 8) : position + 8]
            raise ValueError(
                f"Cannot read {line[position]!r} near {near!r}: a tune is written with notes "
                "(A-G a-g), lengths (2, /2), rests (z), accidentals (^ _ =), bar lines (|) and "
                "repeats (|: :|)."
            )
        position = match.end()
        kind, token = match.lastgroup, match[0]
        if kind == "inline":
            _read_field(state, token[1], token[3:-1])
        elif kind == "bar":
            _bar_line(state, token)
        elif kind == "ending":
            _begin_ending(state, token)
        elif kind == "tie":
            _tie(state)
        elif kind == "broken":
            _broken(state, token)
        elif kind != "dropped":
            _sound(state, kind, token)


def _sound(state: _State, kind: str, token: str) -> None:
    """A note, the top note of a chord, or a rest."""
    pitch, letter = None, ""
    if kind == "rest":
        length = _length(token[1:], token)
    else:
        inside, _, outside = token.strip("[").partition("]")
        found = list(_NOTE.finditer(re.sub(r'"[^"]*"', "", inside)))
        sounding = [(_pitch(state, match), match[2] + match[3]) for match in found]
        pitch, letter = max(sounding)
        length = _length(found[0][0][found[0].end(3) - found[0].start() :], token)
        length *= _length(outside, token)
    unit = state.unit
    if unit is None:
        unit = Fraction(1, 16 if Fraction(*state.metre) < Fraction(3, 4) else 8)
    if token[0] == "Z":
        unit = Fraction(*state.metre)
    factor, left = state.tuplet
    if left:
        length *= factor
        state.tuplet = (factor, left - 1)
    if state.broken is not None:
        length *= state.broken
        state.broken = None
    state.last = None if pitch is None else (letter, pitch)
    tied = kind == "chord" and "-" in token
    state.bars[-1].events.append((pitch, length * unit * 4 * TICKS, tied))


def _pitch(state: _State, match: re.Match) -> int:
    sign, letter, octave = match[1], match[2], match[3]
    name = letter.upper()
    tied = state.last if _is_tied(state) else None
    if sign:
        state.accidentals[name] = ACCIDENTALS[sign]
    elif tied and tied[0] == letter + octave and name not in state.accidentals:
        return tied[1]  # a tie carries its accidental over the bar line
    alteration = state.accidentals.get(name, state.signature.get(name, 0))
    pitch = 60 + LETTERS[name] + alteration + 12 * (letter.islower())
    pitch += 12 * (octave.count("'") - octave.count(","))
    if not 0 <= pitch <= 127:
        raise ValueError(f"The note {match[0]!r} lies outside MIDI's 0 to 127: use fewer , or '.")
    return pitch


def _length(text: str, token: str) -> Fraction:
    numerator, slashes, denominator = re.fullmatch(_LENGTH, text).groups()
    below = int(denominator) if denominator else 2 ** len(slashes or "")
    above = int(numerator or 1)
    if not above or not below or above > 999 or below > 999:
        raise ValueError(f"The length of {token!r} is not between 1/999 and 999 units.")
    return Fraction(above, below)


def _events(state: _State) -> list:
    """The bar that holds the last event (the one before, just after a bar line)."""
    return next((bar.events for bar in reversed(state.bars) if bar.events), [])


def _is_tied(state: _State) -> bool:
    events = _events(state)
    return bool(events) and events[-1][2]


def _tie(state: _State) -> None:
    events = _events(state)
    if events and events[-1][0] is not None:
        events[-1] = (*events[-1][:2], True)


def _broken(state: _State, token: str) -> None:
    events = _events(state)
    if not events or len(token) > 3:
        raise ValueError(f"The broken rhythm {token!r} needs a note before it and at most 3 signs.")
    short = Fraction(1, 2 ** len(token))
    before, state.broken = (2 - short, short) if token[0] == ">" else (short, 2 - short)
    pitch, length, tie = events[-1]
    events[-1] = (pitch, length * before, tie)


def _begin_tuplet(state: _State, match: re.Match) -> None:
    p = int(match[1])
    compound = state.metre[0] % 3 == 0 and state.metre[0] > 3
    q = int(match[2] or 0) or TUPLETS.get(p, 3 if compound else 2)
    state.tuplet = (Fraction(q, p), int(match[3] or 0) or p)


def _bar_line(state: _State, token: str) -> None:
    state.accidentals = {}
    bar = state.bars[-1]
    core = token.lstrip("[")
    ends = core.startswith(":")
    section = ends or core.endswith(":") or core.count("|") > 1 or "]" in core or token[0] == "["
    if bar.events or ends:
        bar.repeat_end |= ends
        new = Bar(endings=frozenset() if section else bar.endings)
        state.bars.append(new)
    elif section:
        bar.endings = frozenset()
    state.bars[-1].section_start |= section


def _begin_ending(state: _State, token: str) -> None:
    numbers: set[int] = set()
    for part in token.strip("[ ").strip(",-").split(","):
        low, _, high = part.partition("-")
        numbers |= set(range(int(low or 1), int(high or low or 1) + 1))
    if max(numbers) > 8:
        raise ValueError(f"The ending {token!r} is not one of 1 to 8.")
    if state.bars[-1].events:
        state.bars.append(Bar())
    state.bars[-1].endings = frozenset(numbers)
    state.bars[-1].section_start = False


def timeline(bars: list[Bar]) -> tuple[tuple[Note, ...], tuple[int, ...]]:
    """Notes with ties joined, and bar lines, in ticks rounded from exact times."""
    now, lines = Fraction(0), [0]
    spans: list[tuple[Fraction, Fraction, int]] = []
    tied = False
    for bar in bars:
        for pitch, length, tie in bar.events:
            if pitch is not None:
                if tied and spans and spans[-1][2] == pitch and spans[-1][1] == now:
                    spans[-1] = (spans[-1][0], now + length, pitch)
                else:
                    spans.append((now, now + length, pitch))
            tied, now = tie, now + length
        lines.append(round(now))
    if now > LONGEST:
        raise ValueError(f"The tune lasts {int(now / 4 / TICKS)} whole notes: 4096 is the most.")
    notes = tuple(Note(round(a), round(b) - round(a), pitch) for a, b, pitch in spans)
    if any(note.duration < 1 for note in notes):
        raise ValueError(f"A note is shorter than 1/{4 * TICKS}, the shortest a score can hold.")
    return notes, tuple(lines)
