"""From a score to a band's parts: which note each player plays, and when. Taught in notebook 00.

Everything is laid out in ticks of the score and turned into seconds at the end, so that notes,
beats and chords are exact. Two things happen at repeats: a tune that ends before the clip does
starts again, and its pickup then sounds only where the last bar leaves room for it.
"""

import math
from dataclasses import dataclass

import numpy as np

from course_lib.songbook.accompany import Span, Strokes, play_drums
from course_lib.songbook.band import INSTRUMENTS, Event
from course_lib.songbook.harmony import chords as find_chords
from course_lib.songbook.score import Note, Score
from course_lib.songbook.style import Style
from course_lib.songbook.timing import PHRASE, Clock, bar_ticks, bars, beat_ticks
from course_lib.songbook.voice_lyrics import Lyrics
from course_lib.songbook.voicing import SCALES, symbol, with_seventh

STEMS = ("lead", "chords", "bass", "drums")
SHORTEST = 0.03  # seconds: a note that would begin later than this before the end is left out


@dataclass(frozen=True)
class Arrangement:
    """What the players play, in seconds. `notes` has the four stems; a silent one is empty.

    `lyrics` are what a voice sings on the notes of the lead, None where an instrument plays them.
    """

    notes: dict[str, tuple[Event, ...]]
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    chords: tuple[tuple[float, float, str], ...]  # start, end, symbol
    lyrics: Lyrics | None = None


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
        # Each voice as far below the soprano as it was written, where its instrument can.
        middle = [_middle(voice) for voice in melodies]
        centres = [_middle(lead) + m - middle[0] for m in middle]
        alto, tenor = (_fit(melodies[v], shift, instruments[1], centres[v]) for v in (1, 2))
        parts["chords"] = _sing(alto + tenor, score, levels[0], rng)
        low = _fit(melodies[3], shift, instruments[2], centres[3])
        parts["bass"] = _sing(low, score, levels[1], rng)
    else:
        scale = frozenset((score.tonic + shift + s) % 12 for s in SCALES[score.mode])
        strokes = Strokes(score, style, spans, bar_lines)
        parts["chords"] = strokes.chords(instruments[1], _middle(lead) - 12, levels[0], rng)
        parts["bass"] = strokes.bass(instruments[2], scale, levels[1], rng)
    parts["drums"] = play_drums(score, style, bar_lines, levels[2], rng) if drums else []

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


def _middle(notes: list[Note]) -> float:
    return float(np.mean([note.pitch for note in notes])) if notes else 72.0


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
