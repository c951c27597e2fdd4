"""The committed corpus: enough of it, well formed, and nothing shared between the splits."""

import gzip
import json
from collections import Counter
from itertools import combinations

import pytest

from course_lib import paths
from course_lib.songbook.families import DIFFERENT, families, fingerprints, split_of
from course_lib.songbook.score import TICKS, Note, Score
from course_lib.songbook.scores import SPLITS, decode, encode, scores


def tune(pitches, *, title="A", unit=12, metre=(4, 4)) -> Score:
    notes = tuple(Note(i * unit, unit, pitch) for i, pitch in enumerate(pitches))
    return Score(title, title, "test", -1, "", 0, "major", metre, 0, (notes,))


def test_counts():
    works = scores()
    collections = Counter(score.id.split("-")[0] for score in works)
    assert collections["bach"] >= 300
    assert collections["oneill"] + collections["ryan"] >= 1500
    assert len({score.id for score in works}) == len(works)
    metres, modes = Counter(s.metre for s in works), Counter(s.mode for s in works)
    for metre in [(2, 4), (3, 4), (4, 4), (2, 2), (6, 8), (9, 8)]:
        assert metres[metre] >= 100, metre
    for mode in ("major", "minor", "dorian", "mixolydian"):
        assert modes[mode] >= 100, mode


def test_the_files_are_small():
    assert sum(file.stat().st_size for file in paths.data("scores").iterdir()) <= 1_000_000


@pytest.mark.parametrize(
    "of",
    [lambda s: s.id.split("-")[0], lambda s: s.metre, lambda s: s.mode],
    ids=["collection", "metre", "mode"],
)
def test_splits_are_near_80_10_10(of):
    totals = Counter(map(of, scores()))
    for split, low, high in (
        ("train", 0.75, 0.85),
        ("validation", 0.07, 0.14),
        ("test", 0.07, 0.14),
    ):
        counts = Counter(map(of, scores(split)))
        for value, total in totals.items():
            assert total < 100 or low <= counts[value] / total <= high, (split, value)


def test_splits_make_up_the_whole():
    assert Counter(s.id for split in SPLITS for s in scores(split)) == Counter(
        s.id for s in scores()
    )
    assert scores("test") is scores("test")


def test_nothing_is_shared_between_splits():
    marks = {}
    for split in SPLITS:
        works = scores(split)
        marks[split] = {mark for work in works for mark in fingerprints(work)}
        marks[split] |= {("family", work.family) for work in works}
    for a, b in combinations(SPLITS, 2):
        assert not marks[a] & marks[b], (a, b)


def test_nothing_is_shared_by_a_count_of_its_own():
    """The same claim, by text search instead of the library's sets."""

    def line(score):
        pitches = [note.pitch for note in score.voices[0]]
        return "".join(chr(200 + b - a) for a, b in zip(pitches, pitches[1:], strict=False))

    elsewhere = "\n".join(line(score) for score in scores("train"))
    for score in scores("test")[::12]:
        steps = line(score)
        for i in range(0, len(steps) - 15):
            stretch = steps[i : i + 16]
            assert len(set(stretch)) < DIFFERENT or stretch not in elsewhere, score.id


def test_families_are_what_the_rule_says():
    works = scores()
    assert families(works) == [score.family for score in works]
    first = {}
    for score in works:
        assert score.split == split_of(first.setdefault(score.family, score.id))
    assert max(Counter(s.family for s in works).values()) < 30  # no family chains into a blob


def test_no_literal_doubles():
    shapes = Counter(
        tuple((n.onset, n.duration, n.pitch - voice[0].pitch) for voice in s.voices for n in voice)
        for s in scores()
    )
    assert max(shapes.values()) == 1


def test_every_score_is_well_formed():
    for score in scores():
        bar = TICKS * 4 * score.metre[0] // score.metre[1]
        assert 0 <= score.tonic < 12 and 0 <= score.pickup < bar, score.id
        assert score.title and score.title == score.title.strip() and score.source, score.id
        assert len(score.voices) == (4 if score.id.startswith("bach") else 1), score.id
        for voice in score.voices:
            end = 0
            for note in voice:
                assert note.onset >= end and note.duration >= 2, score.id
                assert 36 <= note.pitch <= 96, score.id
                end = note.onset + note.duration
        assert end - score.pickup >= 6 * bar - bar, score.id


def test_provenance_names_collection_and_file():
    ends = {"bach": (".mxl", ".xml"), "oneill": (".abc",), "ryan": (".abc",)}
    for score in scores():
        file = score.source.split(", ")[-1]
        assert "/" in file and file.endswith(ends[score.id.split("-")[0]]), score.source


def test_known_works():
    works = {score.id: score for score in scores()}
    chorale = works["bach-269"]  # Aus meines Herzens Grunde: G major, 3/4, from the third beat
    assert (chorale.tonic, chorale.mode, chorale.metre, chorale.pickup) == (7, "major", (3, 4), 24)
    assert [n.pitch for n in chorale.voices[0]][:5] == [67, 67, 74, 71, 69]
    assert chorale.title == "Aus meines Herzens Grunde"
    valley = works["oneill-0001"]  # written in G minor, with E natural throughout
    assert (valley.title, valley.tonic, valley.mode) == ("The Enchanted Valley", 7, "dorian")


def test_families_find_variants():
    base = [60, 62, 64, 65, 67, 64, 60, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 59, 60]
    other = [60, 67, 64, 72, 71, 62, 65, 69, 60, 64, 61, 67, 66, 72, 59, 60, 71, 64, 62, 60]
    works = [
        tune(base, title="a"),
        tune([p + 5 for p in base], title="b"),  # transposed
        tune(base, title="c", unit=18),  # another rhythm
        tune(other, title="d"),
        tune(other[:10], title="A!"),  # only the title
    ]
    assert families(works) == [0, 0, 0, 1, 0]


def test_families_see_through_ornaments():
    beats = [60, 64, 67, 65, 62, 59, 60, 67, 69, 72, 71, 67, 65, 64, 60, 62]
    plain = tune(beats, title="plain", unit=24)
    graced = tune([p for b in beats for p in (b, b + 2)], title="graced", unit=12)
    other = tune([p for b in beats[::-1] for p in (b, b + 2)], title="other", unit=12)
    assert families([plain, graced, other]) == [0, 0, 1]


def test_short_and_monotonous_stretches_do_not_count():
    scale = [60 + i for i in range(20)]
    assert fingerprints(tune(scale)) == frozenset()
    assert fingerprints(tune([60, 64, 67, 65, 62, 59])) == frozenset()


def test_split_of_is_a_hash_and_stays():
    assert [split_of(f"work-{i}") for i in range(8)] == [
        "train",
        "test",
        "train",
        "train",
        "train",
        "train",
        "test",
        "train",
    ]
    counts = Counter(split_of(f"work-{i}") for i in range(5000))
    assert 0.78 < counts["train"] / 5000 < 0.82


def test_coding_is_exact():
    for score in scores()[::50]:
        assert decode(json.loads(json.dumps(encode(score)))) == score


def test_unknown_split():
    with pytest.raises(ValueError, match="No split 'dev': choose one of train, validation, test"):
        scores("dev")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "scores").mkdir()
    monkeypatch.setattr(paths, "data", lambda *parts: tmp_path.joinpath(*parts))
    scores.cache_clear()
    yield tmp_path / "scores"
    scores.cache_clear()


def test_missing_file(folder):
    with pytest.raises(FileNotFoundError, match="git checkout data/scores"):
        scores()


@pytest.mark.parametrize(
    "content",
    [
        b"not a gzip file",
        gzip.compress(b'{"format":1,"scores":[{}]}'),
        gzip.compress(b'{"format":2,"scores":[]}'),
        gzip.compress(b'{"format":1,'),
        gzip.compress(b'{"format":1,"scores":[]}' * 50)[:-20],
    ],
    ids=["text", "empty row", "format", "half a table", "cut short"],
)
def test_damaged_file(folder, content):
    (folder / "scores.json.gz").write_bytes(content)
    with pytest.raises(ValueError, match="damaged or of another version"):
        scores()
