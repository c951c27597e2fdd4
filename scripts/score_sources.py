"""The works as music21's corpus holds them, read as scores: the builder's first step.

Only facts are taken: pitches, durations, metre, key, title, place in the collection. Lyrics,
dynamics, layout, transcribers' remarks and every other field are left behind.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from score_keys import key_of_chorale, key_of_tune
from score_xml import Part, read

from course_lib.songbook.abc import parse_with_bars, timeline
from course_lib.songbook.abc_repeats import expand
from course_lib.songbook.score import TICKS, Note, Score

BOOKS = {  # folder of the corpus: (prefix of the ids, name of the collection)
    "oneills1850": ("oneill", "O'Neill's Music of Ireland (1903)"),
    "ryansMammoth": ("ryan", "Ryan's Mammoth Collection (1883)"),
}
RESTRICTIONS = re.compile(
    r"copyright|\u00a9|\(c\)\s*\d|all rights|permission|licen[cs]e|non-?commercial|not for sale",
    re.I,
)
LEAST_BARS = 6  # whole bars that a tune must hold
LEAST_NOTES = 24
RANGE = (36, 96)  # C2 to C7: a pitch outside is a slip of the encoder
LARGEST_LEAP = 24  # semitones; so is a larger leap
SHORTEST = 2  # ticks: a thirty-second in a triplet
METRES = {(2, 2), (2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (12, 8)}  # others have too few works
DANCES = "reel|jig|slip ?jig|hornpipe|strathspey|clog|fling|polka|waltz|quickstep|galop"
MOCKERY = re.compile(
    r"^walk around|\bcoon\b|^n\.{3,}|^dar.s sugar", re.I
)  # minstrel-show numbers that mock in their titles
SATB = ("soprano", "alto", "tenor", "bass")


def tunes(corpus: Path, left_out: Counter) -> Iterator[Score]:
    """The tunes of the two books in the order of their files; `left_out` counts reasons."""
    for folder, (prefix, book) in BOOKS.items():
        seen = set()
        for file in sorted((corpus / folder).glob("*.abc")):
            text = file.read_text(encoding="latin-1").replace("\r\n", "\n").replace("\r", "\n")
            text = re.sub(r"=(20)?$", "", text, flags=re.M)  # traces of e-mail: a soft line break
            for tune in re.split(r"(?m)^(?=X:)", text)[1:]:
                number = re.match(r"X:\s*(\d+)", tune)[1].zfill(4)
                label = f"no. {int(number)}, " if prefix == "oneill" else ""
                if prefix == "ryan":
                    number = _slug(file.stem)
                if number in seen:
                    left_out[f"{prefix}: the same number again, from another transcriber"] += 1
                    continue
                score = _tune(tune, left_out, prefix)
                if score:
                    seen.add(number)
                    yield dataclasses.replace(
                        score,
                        id=f"{prefix}-{number}",
                        source=f"{book}, {label}{folder}/{file.name}",
                    )


def _tune(text: str, left_out: Counter, prefix: str) -> Score | None:
    head = "\n".join(line for line in text.split("\n") if re.match(r"[A-JL-SU-Z]:|%", line))
    if RESTRICTIONS.search(head):
        left_out[f"{prefix}: a header that restricts use"] += 1
        return None
    try:
        score, lines = parse_with_bars(text)
    except ValueError as error:
        reason = "changes its metre" if "changes its metre" in str(error) else "cannot be read"
        left_out[f"{prefix}: {reason}"] += 1
        return None
    score = _whole_bars(score, lines)
    reason = _fault(score)
    if reason:
        left_out[f"{prefix}: {reason}"] += 1
        return None
    title = _title(score.title)
    if MOCKERY.search(title):
        left_out[f"{prefix}: a title that mocks people"] += 1
        return None
    return key_of_tune(dataclasses.replace(score, title=title))


def _whole_bars(score: Score, lines: tuple[int, ...]) -> Score | None:
    """The longest stretch whose bar lines all stand one bar apart, with the pickup before it.

    Lines inside a bar (a repeat after the pickup) do no harm. Where an encoder lost a beat, the
    stretch ends there, so that every bar line of a score is where its metre says.
    """
    full = TICKS * 4 * score.metre[0] // score.metre[1]
    known, best, start = set(lines), 0, 0
    for line in lines:
        bars = 0
        while line + (bars + 1) * full in known:
            bars += 1
        if bars > best:
            best, start = bars, line
    if best < LEAST_BARS:
        return None
    end = start + best * full
    if 0 < lines[-1] - end < full:
        end = lines[-1]  # the last bar, short by the pickup
    before = [line for line in lines if start - full < line < start]
    pickup = start - before[0] if before and start == lines[1] else 0
    first = start - pickup
    notes = tuple(
        Note(note.onset - first, min(note.onset + note.duration, end) - note.onset, note.pitch)
        for note in score.voices[0]
        if first <= note.onset < end
    )
    return dataclasses.replace(score, pickup=pickup, voices=(notes,))


def _fault(score: Score | None) -> str | None:
    """Why a score is left out, or None."""
    if score is None:
        return f"fewer than {LEAST_BARS} bars in a row that agree with the metre"
    if score.metre not in METRES:
        return f"the rare metre {score.metre[0]}/{score.metre[1]}"
    if len(score.voices[0]) < LEAST_NOTES:
        return f"fewer than {LEAST_NOTES} notes"
    pitches = [note.pitch for voice in score.voices for note in voice]
    if min(pitches) < RANGE[0] or max(pitches) > RANGE[1]:
        return f"a pitch outside {RANGE[0]} to {RANGE[1]}"
    if any(note.duration < SHORTEST for voice in score.voices for note in voice):
        return f"a note shorter than {SHORTEST} ticks"
    full = TICKS * 4 * score.metre[0] // score.metre[1]
    for voice in score.voices:
        for note, after in zip(voice, voice[1:], strict=False):
            if abs(after.pitch - note.pitch) > LARGEST_LEAP:
                return f"a leap of more than {LARGEST_LEAP} semitones"
            if after.onset - note.onset - note.duration > full:
                return "a voice that rests for more than a bar"
    return None


def chorales(left_out: Counter) -> Iterator[Score]:
    """Bach's chorales, from the files that music21's chorale iterator lists, by BWV number."""
    from music21 import corpus

    titles = {str(k): v["title"] for k, v in corpus.chorales.ChoraleListRKBWV().byBWV.items()}
    names = sorted({str(name) for name in corpus.chorales.Iterator(returnType="filename")})
    for name in names:
        found = corpus.getWork(name)
        files = sorted(map(Path, found if isinstance(found, list) else [found]))
        files = [file for file in files if file.suffix in (".mxl", ".xml")]
        file = next((file for file in files if file.stem == name[5:]), files[0])
        number = file.stem.removeprefix("bwv")
        score = _chorale(read(file), left_out)
        if score:
            yield dataclasses.replace(
                score,
                id=f"bach-{number}",
                title=titles.get(number, f"Chorale, BWV {number}").replace("\u2019", "'"),
                source=f"J. S. Bach, BWV {number}, bach/{file.name}",
            )


def _chorale(parts: list[Part], left_out: Counter) -> Score | None:
    found = [[p for p in parts if p.name.lower().startswith(name)] for name in SATB]
    if any(len(same) != 1 for same in found):
        left_out["bach: not for soprano, alto, tenor and bass"] += 1
        return None
    metres = {metre for (part,) in found for metre in part.metres}
    if len(metres) != 1:
        left_out["bach: changes its metre"] += 1
        return None
    metre = metres.pop()
    full = TICKS * 4 * metre[0] // metre[1]
    played = [timeline(expand(part.bars)) for (part,) in found]
    lines = played[0][1]
    pickup = lines[1] % full
    for a, b in zip(lines, lines[1:], strict=False):
        if b - a > full or (b - a == full and (a - pickup) % full):
            left_out["bach: bars that do not agree with the metre, repeats written out"] += 1
            return None
    voices = tuple(voice for voice, _ in played)
    if len({voice[-1].onset + voice[-1].duration for voice in voices}) != 1:
        left_out["bach: voices that do not end together"] += 1
        return None
    score = Score("", "", "", -1, "", 0, "major", metre, pickup, voices)
    reason = _fault(score)
    if reason:
        left_out[f"bach: {reason}"] += 1
        return None
    return key_of_chorale(score)


def _title(title: str) -> str:
    """A title as a reader writes it: one line, the article first, no capitals throughout."""
    title = re.sub(r'^T:|"|``', "", title)
    title = re.sub(r"(?<=[a-z]):(?=[a-z])", "", title)  # "Stat:ue", a slip of the transcribers
    title = re.sub(r"\s*--+\s*|\s+-+\s+", " ", title).rstrip("., ")
    if title.isupper():
        title = re.sub(r"[\w']+", lambda m: m[0].capitalize(), title)
        title = re.sub(r"\bO'[a-z]{2}", lambda m: m[0][:2] + m[0][2:].capitalize(), title)
    title = re.sub(r"^(.*?)[.,]+ ?(The|A|An)$", r"\2 \1", title, flags=re.I)
    title = re.sub(rf"\b({DANCES})$", lambda m: m[0].title(), title, flags=re.I)
    title = re.sub(r"\s+", " ", title).strip(" ,")
    return title[:1].upper() + title[1:]


def _slug(stem: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", stem).lower()
