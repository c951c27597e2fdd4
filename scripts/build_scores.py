"""Build data/scores/scores.json.gz from music21's corpus, or check that it is what would be built.

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
from course_lib.songbook.scores import FORMAT, encode


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


def summary(scores: list[Score], left_out: Counter) -> str:
    """What was built, in counts."""
    sizes = Counter(Counter(score.family for score in scores).values())
    lines = [f"{len(scores)} works, {sum(sizes.values())} families"]
    for name, of in (
        ("collection and split", lambda s: f"{s.id.split('-')[0]} {s.split}"),
        ("metre", lambda s: f"{s.metre[0]}/{s.metre[1]}"),
        ("mode", lambda s: s.mode),
    ):
        counts = sorted(Counter(map(of, scores)).items())
        lines.append(f"{name}: " + ", ".join(f"{key} {n}" for key, n in counts))
    lines.append("families by size: " + ", ".join(f"{k}: {n}" for k, n in sorted(sizes.items())))
    lines += [f"left out, {reason}: {n}" for reason, n in sorted(left_out.items())]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file")
    check = parser.parse_args().check
    left_out: Counter = Counter()
    scores = build(left_out)
    text = to_json(scores)
    print(summary(scores, left_out))
    path = paths.data("scores", "scores.json.gz")
    if check:
        # The text is compared: the compressed bytes depend on the version of zlib.
        if not path.is_file() or gzip.decompress(path.read_bytes()) != text:
            print(f"{path} is not what the builder makes: run scripts/build_scores.py.")
            return 1
        print(f"{path} is what the builder makes.")
        return 0
    packed = gzip.compress(text, 9, mtime=0)
    paths.replace_file(path, lambda temporary: temporary.write_bytes(packed))
    print(f"wrote {path}: {len(packed):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
