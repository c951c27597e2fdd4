"""Writing out the repeats and numbered endings of a tune. Taught in notebook 00."""

from dataclasses import dataclass, field
from fractions import Fraction

Event = tuple[int | None, Fraction, bool]  # pitch or None for a rest, ticks, tied onward


@dataclass
class Bar:
    """What stands between two bar lines, and what the lines and brackets around it say."""

    events: list[Event] = field(default_factory=list)
    section_start: bool = False  # a repeat returns here: |:  ||  or the end of another repeat
    repeat_end: bool = False
    endings: frozenset[int] = frozenset()  # the passes this bar is played in; empty: all


def expand(bars: list[Bar]) -> list[Bar]:
    """The bars in the order in which they sound; a repeat is played twice, or once an ending."""
    played: list[Bar] = []
    start, turn, i = 0, 1, 0
    while i < len(bars):
        bar = bars[i]
        if bar.section_start and i != start and not bar.endings:
            start, turn = i, 1
        heard = not bar.endings or turn in bar.endings
        if heard:
            played.append(bar)
        if heard and bar.repeat_end and turn < _turns(bars, start, i):
            turn, i = turn + 1, start
            continue
        i += 1
        if bar.repeat_end and heard and not (i < len(bars) and bars[i].endings):
            start, turn = i, 1
    return [bar for bar in played if bar.events]


def _turns(bars: list[Bar], start: int, i: int) -> int:
    """How often the section from bar `start`, whose repeat ends with bar `i`, is played."""
    after = i + 1
    while after < len(bars) and bars[after].endings:
        after += 1
    return max(2, *(turn for bar in bars[start:after] for turn in bar.endings or {2}))
