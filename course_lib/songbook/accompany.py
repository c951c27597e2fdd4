"""What the accompanying players do: patterns of a style read bar by bar. Taught in notebook 00."""

from dataclasses import dataclass

from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.score import Score
from course_lib.songbook.style import Style
from course_lib.songbook.timing import PHRASE, bar_ticks, beat_ticks
from course_lib.songbook.voicing import approach, nearest, nearest_inversion, tones

HIT = {"x": 0.85, "X": 1.0, "o": 0.5}  # share of the stem's level


@dataclass(frozen=True)
class Span:
    """A chord of the clip, in ticks."""

    onset: int
    end: int
    root: int
    quality: str


def one_bar(pattern: str, metre: tuple[int, int]) -> str:
    """One bar of a pattern written for the family of this metre."""
    cells = pattern.replace(" ", "")
    per_beat = 3 if beat_ticks(metre) == 36 else 4
    beats = bar_ticks(metre) // beat_ticks(metre)
    if per_beat == 3 and beats == 3:
        return cells[:3] + cells[3:6] * 2
    return (cells * beats)[: beats * per_beat]


class Strokes:
    """The accompaniment's strokes, read from the patterns bar by bar."""

    def __init__(self, score: Score, style: Style, spans: list[Span], bar_lines: range):
        self.style, self.spans, self.bar_lines = style, spans, bar_lines
        self.metre, self.groove = score.metre, style.groove(score.metre)

    def span_at(self, tick: float) -> Span:
        return next((s for s in self.spans if s.onset <= tick < s.end), self.spans[-1])

    def _read(self, pattern: str, again: str | None) -> list[tuple[int, int, str]]:
        """(onset, end, token); a sound held over a change of chord starts anew as `again`."""
        cells = one_bar(pattern, self.metre)
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
            if onset == span.onset and token in "35w":
                token = "R"  # a new chord begins on its root
            root = nearest(span.root, min(now, low + 7), low, high)
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


def play_drums(score, style, bar_lines, level, rng) -> list[tuple]:
    """The groove, with the style's fill on the last beat of every phrase."""
    groove, metre = style.groove(score.metre), score.metre
    bar, beat = bar_ticks(metre), beat_ticks(metre)
    per_beat = 3 if beat == 36 else 4
    slot = beat // per_beat
    plain = {piece: one_bar(cells, metre) for piece, cells in groove.drums.items()}
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
