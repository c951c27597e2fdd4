"""Build data/scores (scores.json.gz, CONTENTS.md) from music21's corpus, or check them.

    python -m pip install -e .[builder] -c constraints.txt
    python scripts/build_scores.py [--check]

The rules are in score_sources.py (what is taken and left out), score_keys.py (key and mode) and
course_lib/songbook/families.py (families and splits).
"""

import argparse
import dataclasses
import gzip
import json
import math
import sys
from collections import Counter
from pathlib import Path

from score_sources import chorales, tunes

from course_lib import paths
from course_lib.songbook.families import families, split_of
from course_lib.songbook.score import Score
from course_lib.songbook.scores import FORMAT, SPLITS, encode


def build(left_out: Counter) -> list[Score]:
    """All scores, without doubles, with families and splits, sorted by id."""
    import music21

    corpus = Path(music21.__file__).parent / "corpus"
    works = sorted([*chorales(left_out), *tunes(corpus, left_out)], key=lambda score: score.id)
    kept, known = [], set()
    for work in works:
        notes = tuple(_shape(voice) for voice in work.voices)
        if notes in known:
            left_out[f"{work.id.split('-')[0]}: a literal double"] += 1
            continue
        known.add(notes)
        kept.append(work)
    first: dict[int, str] = {}
    result = []
    for work, family in zip(kept, families(kept), strict=True):
        split = split_of(first.setdefault(family, work.id))
        result.append(dataclasses.replace(work, family=family, split=split))
    return result


def _shape(voice) -> tuple:
    """A voice without its key and unit: intervals from the first note, times over their divisor."""
    unit = math.gcd(*(note.duration for note in voice), *(note.onset for note in voice))
    start = voice[0]
    return tuple(
        ((n.onset - start.onset) // unit, n.duration // unit, n.pitch - start.pitch) for n in voice
    )


def to_json(scores: list[Score]) -> bytes:
    """The table as text, one work a line."""
    rows = ",\n".join(
        json.dumps(encode(score), ensure_ascii=False, separators=(",", ":")) for score in scores
    )
    return f'{{"format":{FORMAT},"scores":[\n{rows}\n]}}\n'.encode()


def contents(scores: list[Score], left_out: Counter) -> str:
    """The page that counts what was built and what was left out."""
    sizes = Counter(Counter(score.family for score in scores).values())
    tables = [
        ("Collection", lambda s: s.id.split("-")[0]),
        ("Metre", lambda s: f"{s.metre[0]}/{s.metre[1]}"),
        ("Mode", lambda s: s.mode),
    ]
    lines = [
        "# What the scores are, in numbers",
        "",
        f"{len(scores):,} works in {sum(sizes.values()):,} families. Written by "
        "`scripts/build_scores.py`.",
    ]
    for name, of in tables:
        head = f"| {name} | " + " | ".join(SPLITS) + " | all |"
        lines += ["", head, "|---|" + "---:|" * (len(SPLITS) + 1)]
        for value in sorted({of(score) for score in scores}):
            counts = [sum(of(s) == value and s.split == split for s in scores) for split in SPLITS]
            lines.append(f"| {value} | " + " | ".join(map(str, [*counts, sum(counts)])) + " |")
    lines += ["", "| Works in a family | families |", "|---:|---:|"]
    lines += [f"| {size} | {count} |" for size, count in sorted(sizes.items())]
    lines += ["", "| Left out | works |", "|---|---:|"]
    lines += [f"| {reason} | {count} |" for reason, count in sorted(left_out.items())]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file")
    check = parser.parse_args().check
    left_out: Counter = Counter()
    scores = build(left_out)
    table, page = to_json(scores), contents(scores, left_out)
    files = {"scores.json.gz": gzip.compress(table, 9, mtime=0), "CONTENTS.md": page.encode()}
    for name, made in files.items():
        path = paths.data("scores", name)
        if check:
            # Text is compared: compressed bytes depend on the version of zlib.
            if not path.is_file() or _text(name, path.read_bytes()) != _text(name, made):
                print(f"{path} is not what the builder makes: run scripts/build_scores.py.")
                return 1
            print(f"{path} is what the builder makes.")
        else:
            paths.replace_file(path, lambda temporary, made=made: temporary.write_bytes(made))
            print(f"wrote {path}: {len(made):,} bytes")
    return 0


def _text(name: str, content: bytes) -> bytes:
    return gzip.decompress(content) if name.endswith(".gz") else content.replace(b"\r\n", b"\n")


if __name__ == "__main__":
    sys.exit(main())
