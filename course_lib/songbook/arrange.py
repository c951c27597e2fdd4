"""From a score to a band's parts: which note each player plays, and when. Taught in notebook 00.

Everything is laid out in ticks of the score and turned into seconds at the end, so that notes,
beats and chords are exact. Two things happen at repeats: a tune that ends before the clip does
starts again, and its pickup then sounds only where the last bar leaves room for it.
"""

import math
from dataclasses import dataclass

import numpy as np

from course_lib.songbook.band import INSTRUMENTS, Event
from course_lib.songbook.harmony import chords as find_chords
from course_lib.songbook.score import TICKS, Note, Score
from course_lib.songbook.styles import Style
from course_lib.songbook.voicing import (
    SCALES,
    approach,
    nearest,
    nearest_inversion,
    symbol,
    tones,
    with_seventh,
)

STEMS = ("lead", "chords", "bass", "drums")
PHRASE = 4  # bars
HIT = {"x": 0.85, "X": 1.0, "o": 0.5}  # share of the stem's level
SHORTEST = 0.03  # seconds: a note that would begin later than this before the end is left out


@dataclass(frozen=True)
class Arrangement:
    """What the players play, in seconds. `notes` has the four stems; a silent one is empty."""

    notes: dict[str, tuple[Event, ...]]
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    chords: tuple[tuple[float, float, str], ...]  # start, end, symbol


@dataclass(frozen=True)
class Span:
    """A chord of the clip, in ticks."""

    onset: int
    end: int
    root: int
    quality: str


def beat_ticks(metre: tuple[int, int]) -> int:
    """The felt beat: a quarter in 3/4, a dotted quarter in 6/8, a half in 2/2."""
    beats, unit = metre
    return (3 if unit == 8 and beats % 3 == 0 else 1) * TICKS * 4 // unit


def bar_ticks(metre: tuple[int, int]) -> int:
    """The length of a bar."""
    return metre[0] * TICKS * 4 // metre[1]


def bars(score: Score) -> int:
    """The number of bars after the pickup."""
    end = max(note.onset + note.duration for note in score.voices[0])
    return max(1, math.ceil((end - score.pickup) / bar_ticks(score.metre)))


class Clock:
    """Ticks to seconds: tempo and swing, with `start` at 0 s."""

    def __init__(self, score: Score, tempo: float, swing: float, start: int):
        self.beat, self.anchor, self.start = beat_ticks(score.metre), score.pickup, start
        self.tempo, self.swing = tempo, 0.5 if self.beat == 36 else swing
        self.zero = self._beats(start)

    def _beats(self, tick: float) -> float:
        beat, within = divmod((tick - self.anchor) / self.beat, 1)
        first = self.swing
        return beat + (
            within * 2 * first if within < 0.5 else first + (within - 0.5) * 2 * (1 - first)
        )

    def seconds(self, tick: float) -> float:
        return (self._beats(tick) - self.zero) * 60 / self.tempo

    def end(self, seconds: float) -> int:
        """A tick that certainly lies after `seconds`."""
        return self.start + math.ceil((seconds * self.tempo / 60 + 1) * self.beat)


def arrange(
    score: Score,
    style: Style,
    instruments: tuple[str, str, str],
    seconds: float,
    tempo: float,
    rng: np.random.Generator,
    shift: int = 0,
    first_bar: int = 0,
    drums: bool = True,
) -> Arrangement:
    """Arrange the score from `first_bar` (its pickup before it), `shift` semitones up.

    `instruments` play lead, chords and bass; `tempo` counts felt beats a minute.
    """
    bar = bar_ticks(score.metre)
    start = first_bar * bar  # a bar line less the pickup
    clock = Clock(score, tempo, style.swing, start)
    end = clock.end(seconds)
    kept = style.voices and len(score.voices) == 4
    melodies = [_unroll(score, voice, start, end) for voice in score.voices[: 4 if kept else 1]]
    spans = _spans(score, style, melodies[0], shift, start, end)
    bar_lines = range(start + score.pickup, end, bar)

    lead = _fit(melodies[0], shift, instruments[0], 72)
    parts = {"lead": _sing(lead, score, 0.85, rng)}
    levels = style.levels
    if kept:
        inner = [_fit(melodies[v], shift, instruments[1], c) for v, c in ((1, 65), (2, 58))]
        parts["chords"] = _sing(inner[0] + inner[1], score, levels[0], rng)
        low = _fit(melodies[3], shift, instruments[2], 50)
        parts["bass"] = _sing(low, score, levels[1], rng)
    else:
        above = np.mean([note.pitch for note in lead]) if lead else 72.0
        scale = frozenset((score.tonic + shift + s) % 12 for s in SCALES[score.mode])
        strokes = _Strokes(score, style, spans, bar_lines)
        parts["chords"] = strokes.chords(instruments[1], above - 12, levels[0], rng)
        parts["bass"] = strokes.bass(instruments[2], scale, levels[1], rng)
    parts["drums"] = _drums(score, style, bar_lines, levels[2], rng) if drums else []

    notes = {stem: _timed(parts[stem], clock, seconds) for stem in STEMS}
    beats = _ticks_in(score.pickup, clock.beat, clock, seconds)
    downbeats = _ticks_in(score.pickup, bar, clock, seconds)
    return Arrangement(notes, beats, downbeats, _labels(spans, clock, seconds))


# ---- the score, unrolled ------------------------------------------------------------------


def _rounds(score: Score, start: int, end: int) -> list[int]:
    period = bars(score) * bar_ticks(score.metre)
    return list(range(start // period * period, end, period))


def _unroll(score: Score, voice: tuple[Note, ...], start: int, end: int) -> list[Note]:
    """The notes from `start` to `end` of the tune played over and over."""
    notes: list[Note] = []
    for offset in _rounds(score, start, end):
        busy = notes[-1].onset + notes[-1].duration if notes else -1
        for note in voice:
            onset = note.onset + offset
            pickup = note.onset < score.pickup
            if start <= onset < end and not (pickup and onset < busy):
                notes.append(Note(onset, note.duration, note.pitch))
    return notes


def _spans(score, style, melody, shift, start, end) -> list[Span]:
    """The chords, end to end from the first bar line; sevenths where the style has them."""
    scale = frozenset((score.tonic + s) % 12 for s in SCALES[score.mode])
    found = []
    first = min((n for n in find_chords(score)), key=lambda c: c.onset, default=None)
    if first is None:
        raise ValueError(f"No chords were found for {score.id!r}: it has no notes.")
    for offset in _rounds(score, start, end):
        for chord in find_chords(score):
            onset = chord.onset + offset
            if found and onset < found[-1][0] + 1:
                continue
            found.append((onset, chord.root, chord.quality))
    spans: list[Span] = []
    for i, (onset, root, quality) in enumerate(found):
        stop = found[i + 1][0] if i + 1 < len(found) else end
        if stop <= start or onset >= end:
            continue
        onset = max(onset, start)
        if style.sevenths:
            heard = frozenset(
                n.pitch % 12 for n in melody if n.onset < stop and n.onset + n.duration > onset
            )
            quality = with_seventh(root, quality, scale, heard)
        root = (root + shift) % 12
        if spans and (spans[-1].root, spans[-1].quality) == (root, quality):
            spans[-1] = Span(spans[-1].onset, stop, root, quality)
        else:
            spans.append(Span(onset, stop, root, quality))
    return spans


def _fit(notes: list[Note], shift: int, instrument: str, centre: float) -> list[Note]:
    """Transposed, in the octave nearest to `centre` that the instrument can play."""
    if not notes:
        return []
    low, high = INSTRUMENTS[instrument].lowest, INSTRUMENTS[instrument].highest
    pitches = np.array([note.pitch for note in notes]) + shift

    def cost(octave: int) -> float:
        moved = pitches + 12 * octave
        outside = np.mean((moved < low) | (moved > high))
        return 100 * outside + abs(moved.mean() - centre)

    pitches = pitches + 12 * min(range(-5, 6), key=cost)
    # What still lies outside (a very wide tune) moves by octaves, note by note.
    pitches = np.where(pitches < low, pitches + 12 * np.ceil((low - pitches) / 12), pitches)
    pitches = np.where(pitches > high, pitches - 12 * np.ceil((pitches - high) / 12), pitches)
    return [Note(n.onset, n.duration, int(p)) for n, p in zip(notes, pitches, strict=True)]


# ---- players: (onset, end, pitch, velocity) in ticks -----------------------------------------


def _sing(notes, score, level, rng) -> list[tuple]:
    """A melody with accents on the beats and a swell over each phrase."""
    bar, beat = bar_ticks(score.metre), beat_ticks(score.metre)
    played = []
    for note in notes:
        at = note.onset - score.pickup
        accent = 0.06 if at % bar == 0 else 0.02 if at % beat == 0 else -0.03
        swell = 0.08 * math.sin(math.pi * (at / bar % PHRASE) / PHRASE)
        velocity = level * (0.94 + accent + swell + 0.03 * rng.uniform(-1, 1))
        played.append((note.onset, note.onset + 0.96 * note.duration, note.pitch, velocity))
    return played


def _pattern(pattern: str, metre: tuple[int, int]) -> str:
    """One bar of a pattern written for the family of this metre."""
    cells = pattern.replace(" ", "")
    per_beat = 3 if beat_ticks(metre) == 36 else 4
    beats = bar_ticks(metre) // beat_ticks(metre)
    if per_beat == 3 and beats == 3:
        return cells[:3] + cells[3:6] * 2
    return (cells * beats)[: beats * per_beat]


class _Strokes:
    """The accompaniment's strokes, read from the patterns bar by bar."""

    def __init__(self, score: Score, style: Style, spans: list[Span], bar_lines: range):
        self.style, self.spans, self.bar_lines = style, spans, bar_lines
        self.metre, self.groove = score.metre, style.groove(score.metre)

    def span_at(self, tick: float) -> Span:
        return next((s for s in self.spans if s.onset <= tick < s.end), self.spans[-1])

    def _read(self, pattern: str, again: str | None) -> list[tuple[int, int, str]]:
        """(onset, end, token); a sound held over a change of chord starts anew as `again`."""
        cells = _pattern(pattern, self.metre)
        slot = bar_ticks(self.metre) // len(cells)
        changes = {span.onset for span in self.spans}
        marks: list[tuple[int, str]] = []
        for line in self.bar_lines:
            for i, token in enumerate(cells):
                tick = line + i * slot
                if token == "." and again and tick in changes and marks and marks[-1][1] != "-":
                    token = again
                if token != ".":
                    marks.append((tick, token))
        ends = [tick for tick, _ in marks[1:]] + [self.bar_lines.stop]
        return [(t, e, token) for (t, token), e in zip(marks, ends, strict=True) if token != "-"]

    def chords(self, instrument: str, centre: float, level: float, rng) -> list[tuple]:
        player = INSTRUMENTS[instrument]
        low, high = max(player.lowest, 48), min(player.highest, 84)
        centre = min(max(centre, low + 8), 64) if low < 56 else low + 8
        again = "x" if self.style.chord_length >= 0.9 else None
        played, voicing, last = [], None, None
        for onset, end, token in self._read(self.groove.chords, again):
            span = self.span_at(onset)
            if span is not last:
                voicing = nearest_inversion(
                    tones(span.root, span.quality), voicing, low, high, centre
                )
                last = span
            pitches = [voicing[int(token) % len(voicing)]] if token.isdigit() else voicing
            accent = 1.0 if token == "X" else 0.88
            stop = onset + (end - onset) * self.style.chord_length
            for pitch in pitches:
                velocity = level * accent * (1 + 0.05 * rng.uniform(-1, 1))
                played.append((onset, stop, pitch, velocity))
        return played

    def bass(self, instrument: str, scale: frozenset[int], level: float, rng) -> list[tuple]:
        player = INSTRUMENTS[instrument]
        low = max(player.lowest, 33)
        high = min(player.highest, low + 21)
        played, now = [], nearest(self.spans[0].root, low + 7, low, high)
        for onset, end, token in self._read(self.groove.bass, "R"):
            span = self.span_at(onset)
            root = nearest(span.root, min(now, low + 10), low, high)
            chord = tones(span.root, span.quality)
            pitch = root
            if token == "5":
                pitch = nearest(chord[2], root - 1, low, high)
            elif token == "3":
                pitch = nearest(chord[1], root + 2, low, high)
            elif token == "8":
                pitch = root + 12 if root + 12 <= player.highest else root
            elif token == "w":
                after = self.span_at(end)
                target = nearest(after.root, root, low, high)
                pitch = nearest(chord[2], root, low, high)
                if after.root != span.root:
                    pitch = min(max(approach(root, target, scale), low), high)
            now = root if token == "8" else pitch
            accent = 1.0 if token == "R" else 0.9
            velocity = level * accent * (1 + 0.05 * rng.uniform(-1, 1))
            played.append((onset, onset + (end - onset) * self.style.bass_length, pitch, velocity))
        return played


def _drums(score, style, bar_lines, level, rng) -> list[tuple]:
    """The groove, with the style's fill on the last beat of every phrase."""
    groove, metre = style.groove(score.metre), score.metre
    bar, beat = bar_ticks(metre), beat_ticks(metre)
    per_beat = 3 if beat == 36 else 4
    slot = beat // per_beat
    plain = {piece: _pattern(cells, metre) for piece, cells in groove.drums.items()}
    # The same bar with its last beat given to the fill.
    filled = {piece: cells[:-per_beat] for piece, cells in plain.items()}
    for piece, cells in style.fill.items():
        silence = "." * (bar // slot - per_beat)
        filled[piece] = filled.get(piece, silence) + cells[:per_beat]
    played = []
    for line in bar_lines:
        ends_phrase = (line - score.pickup) // bar % PHRASE == PHRASE - 1
        hits = filled if ends_phrase and style.fill and bar > beat else plain
        for piece, cells in hits.items():
            for i, token in enumerate(cells):
                if token in HIT:
                    velocity = level * HIT[token] * (1 + 0.06 * rng.uniform(-1, 1))
                    onset = line + i * slot
                    played.append((onset, onset + slot, piece, velocity))
    return played


# ---- seconds ---------------------------------------------------------------------------------


def _timed(played: list[tuple], clock: Clock, seconds: float) -> tuple[Event, ...]:
    events = []
    for onset, end, pitch, velocity in sorted(played):
        begin = clock.seconds(onset)
        if 0 <= begin < seconds - SHORTEST:
            length = min(clock.seconds(end), seconds) - begin
            events.append(Event(begin, length, pitch, float(np.clip(velocity, 0.05, 1.0))))
    return tuple(events)


def _ticks_in(anchor: int, step: int, clock: Clock, seconds: float) -> tuple[float, ...]:
    first = anchor + math.ceil((clock.start - anchor) / step) * step
    times = (clock.seconds(tick) for tick in range(first, clock.end(seconds), step))
    return tuple(time for time in times if time < seconds)


def _labels(spans: list[Span], clock: Clock, seconds: float) -> tuple:
    """Chord labels that cover the clip; "N" before the first chord (the pickup)."""
    edges = [(max(0.0, clock.seconds(s.onset)), symbol(s.root, s.quality)) for s in spans]
    if edges[0][0] > 0:
        edges.insert(0, (0.0, "N"))
    ends = [time for time, _ in edges[1:]] + [seconds]
    return tuple(
        (begin, min(end, seconds), name)
        for (begin, name), end in zip(edges, ends, strict=True)
        if begin < min(end, seconds)
    )
