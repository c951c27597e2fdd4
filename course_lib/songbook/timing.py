"""Bars, beats and seconds: from the ticks of a score to the time of a clip."""

import math

from course_lib.songbook.score import TICKS, Score

PHRASE = 4  # bars


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
