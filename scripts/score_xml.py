"""A small reader of MusicXML: notes, rests, ties, metre, repeats and endings of each part.

music21 reads these files too, but a hundred times more slowly.
"""

import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from course_lib.songbook.abc_fields import LETTERS
from course_lib.songbook.abc_repeats import Bar
from course_lib.songbook.score import TICKS


@dataclass
class Part:
    """One part: its name, the metres it writes, its bars with events as the ABC reader has them."""

    name: str
    metres: list[tuple[int, int]]
    bars: list[Bar]


def read(path: Path) -> list[Part]:
    """The parts of an .mxl or .xml file."""
    if path.suffix == ".mxl":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith("xml")]
            text = archive.read(
                next(n for n in names if not n.startswith(("META-INF", "__MACOSX")))
            )
    else:
        text = path.read_bytes()
    root = ElementTree.fromstring(text)
    names = {
        part.get("id"): (part.findtext("part-name") or "").strip()
        for part in root.iter("score-part")
    }
    return [_part(part, names[part.get("id")]) for part in root.iter("part")]


def _part(element: ElementTree.Element, name: str) -> Part:
    part, divisions, endings = Part(name, [], []), 1, frozenset()
    for measure in element.iter("measure"):
        bar = Bar()
        divisions = int(measure.findtext("attributes/divisions") or divisions)
        for time in measure.iter("time"):
            part.metres.append((int(time.findtext("beats")), int(time.findtext("beat-type"))))
        for line in measure.iter("barline"):
            ending = line.find("ending")
            if ending is not None and ending.get("type") == "start":
                endings = frozenset(int(n) for n in ending.get("number").split(","))
            repeat = line.find("repeat")
            direction = repeat.get("direction") if repeat is not None else ""
            bar.section_start |= direction == "forward"
            bar.repeat_end |= direction == "backward"
        bar.endings = endings
        if any(e.get("type") in ("stop", "discontinue") for e in measure.iter("ending")):
            endings = frozenset()
        _notes(measure, bar, Fraction(TICKS, divisions))
        part.bars.append(bar)
    return part


def _notes(measure: ElementTree.Element, bar: Bar, tick: Fraction) -> None:
    """The events of the first voice of a measure; of a chord, the top note."""
    for element in measure:
        if element.tag == "backup":
            return  # a second voice begins
        if element.tag not in ("note", "forward") or element.find("grace") is not None:
            continue
        length = int(element.findtext("duration")) * tick
        pitch, number = element.find("pitch"), None
        if pitch is not None:
            number = 12 * (int(pitch.findtext("octave")) + 1) + LETTERS[pitch.findtext("step")]
            number += int(pitch.findtext("alter") or 0)
        tied = any(tie.get("type") == "start" for tie in element.iter("tie"))
        if element.find("chord") is not None:
            before, length, tied = bar.events.pop()
            number = max(before, number)
        bar.events.append((number, length, tied))
