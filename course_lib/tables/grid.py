"""Running a table: (row, seed) cells, each kept as soon as it is done, and what they add up to."""

import hashlib
import importlib
import json
import math
import pkgutil
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_lib import checkpoints, paths
from course_lib.tables import claims
from course_lib.tables.claims import Claim

NOT_TABLES = (
    "claims",
    "diffused",
    "grid",
    "prompted",
    "small_codecs",
    "small_diffusions",
    "small_musicgens",
)


@dataclass(frozen=True)
class Job:
    """One cell to compute: the row's settings, the seed, a folder for `fit`, and the device."""

    row: str
    settings: Mapping[str, Any]
    seed: int
    folder: Path
    device: str | None


@dataclass(frozen=True)
class Table:
    """A table of a paper at the course's scale.

    title: what is compared, on what.
    source: paper and table that it stands beside.
    rows: settings by row name, JSON values.
    columns: words for each metric by its name, in the order to show; the unit belongs in the words.
    cell: Job -> the metrics of one row with one seed.
    claims: what the rows should show, written before the run.
    paper: numbers of the paper, row -> words for a column -> value, shown beside those of the row.
    artefacts: the shipped models that cells load: with others of them, cells are computed again.
    """

    title: str
    source: str
    rows: Mapping[str, Mapping[str, Any]]
    columns: Mapping[str, str]
    cell: Callable[[Job], dict[str, float]]
    claims: tuple[Claim, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)
    paper: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    artefacts: tuple[str, ...] = ()

    def __post_init__(self):
        strange = self.paper.keys() - self.rows.keys()
        if strange:
            raise ValueError(f"The paper's numbers name a row that is not there: {min(strange)}.")
        for claim in self.claims:
            if claim.impossible:
                continue
            if not {claim.better, claim.than} <= self.rows.keys():
                raise ValueError(f"The claim {claim.sentence!r} names a row that is not there.")
            if claim.metric not in self.columns:
                raise ValueError(f"The claim {claim.sentence!r} names no column: {claim.metric}.")


def names() -> tuple[str, ...]:
    """Names of all tables: of the modules in this folder."""
    folder = importlib.import_module("course_lib.tables").__path__
    found = {module.name for module in pkgutil.iter_modules(folder)}
    return tuple(sorted(found.difference(NOT_TABLES)))


def find(name: str) -> Table:
    """The table `name`. Raises ValueError for an unknown name."""
    if name not in names():
        raise ValueError(f"There is no table {name!r}: choose from {', '.join(names())}.")
    return importlib.import_module(f"course_lib.tables.{name}").TABLE


def run(
    name: str,
    device: str | None = None,
    folder: Path | None = None,
    progress: bool = True,
) -> Path:
    """Compute the cells of table `name` that are not yet there, write and return its results.

    They go to `NAME.json` in `folder` (by default `data/results`). Stopped or killed, the same
    call goes on with the cell it was in. Raises ValueError for an unknown name.
    """
    from tqdm.auto import tqdm

    from course_lib.songbook import rendering

    table = find(name)
    source = Path(importlib.import_module(f"course_lib.tables.{name}").__file__).read_bytes()
    sound = (rendering.RENDER_VERSION, rendering.scores_digest())
    models = tuple(checkpoints.parent_hashes(table.artefacts, mine=False).items())
    jobs = [(row, seed) for seed in table.seeds for row in table.rows]
    cells: dict[str, dict[int, dict]] = {row: {} for row in table.rows}
    for row, seed in tqdm(jobs, disable=not progress, unit="cell"):
        settings = table.rows[row]
        key = repr((source, row, sorted(settings.items()), seed, device, sound, *models))
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        path = paths.cache("tables", name, f"{digest}.json")
        cells[row][seed] = _done(path) or _compute(table, row, seed, path, device)
    path = (paths.data("results") if folder is None else Path(folder)) / f"{name}.json"
    found = _assembled(name, table, cells)
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    paths.replace_file(path, lambda p: p.write_text(text, encoding="utf-8"))
    return path


def results(name: str) -> dict[str, Any]:
    """The committed results of table `name`.

    Raises ValueError for an unknown name and FileNotFoundError where the table was not run yet.
    """
    path = paths.data("results", f"{name}.json")
    if not path.is_file():
        find(name)
        raise FileNotFoundError(
            f"There are no results of table {name!r} yet: make them with 'course table {name}'."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def show(found: Mapping[str, Any]) -> str:
    """Results as a Markdown table: a row each, mean ± half the 95 % interval over the seeds.

    The paper's numbers, where there are any, stand in columns behind, headed "paper: …".
    """
    columns, paper = found["columns"], found.get("paper", {})
    printed = list(dict.fromkeys(words for values in paper.values() for words in values))
    heads = [*columns.values(), *(f"paper: {words}" for words in printed)]
    heads = [words.replace("|", r"\|") for words in heads]  # a bar would end the cell
    lines = ["| " + " | ".join(["", *heads]) + " |", "|---" * (len(heads) + 1) + "|"]
    for row, values in found["rows"].items():
        shown = [_number(values["metrics"].get(column)) for column in columns]
        shown += [
            f"{v:g}" if (v := paper.get(row, {}).get(p)) is not None else "–" for p in printed
        ]
        lines.append("| " + " | ".join([row, *shown]) + " |")
    return "\n".join(lines)


def show_claims(found: Mapping[str, Any]) -> str:
    """The claims of a table with their verdicts, as a Markdown table."""
    lines = [
        "| claim | effect | 95 % interval | smallest effect | verdict |",
        "|---" * 5 + "|",
    ]
    for claim in found["claims"]:
        verdict, unit = claim["verdict"], 100 if claim["relative"] else 1
        words = verdict["words"]
        if verdict["effect"] is None:
            effect = between = smallest = "–"
            words += f": {verdict['why']}"
        else:
            mark = " %" if claim["relative"] else ""
            effect = f"{unit * verdict['effect']:.3g}{mark}"
            between = f"{unit * verdict['low']:.3g} to {unit * verdict['high']:.3g}{mark}"
            smallest = f"{unit * claim['smallest']:.3g}{mark}"
            words += f": {claims.TOO_SMALL}" * (verdict["why"] == claims.TOO_SMALL)
        lines.append(f"| {claim['sentence']} | {effect} | {between} | {smallest} | *{words}* |")
    return "\n".join(lines)


def _done(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _compute(table: Table, row: str, seed: int, path: Path, device: str | None) -> dict:
    folder = path.with_suffix("")
    began = time.monotonic()
    metrics = table.cell(Job(row, table.rows[row], seed, folder, device))
    lacking = table.columns.keys() - metrics.keys()
    if lacking:
        raise ValueError(f"Row {row!r} returned no {sorted(lacking)[0]!r}, which is a column.")
    cell = {
        "metrics": {name: float(value) for name, value in metrics.items()},
        "seconds": round(time.monotonic() - began, 1),
        "device": checkpoints.device_name(device),
        "versions": checkpoints.versions(),
    }
    paths.replace_file(path, lambda p: p.write_text(json.dumps(cell), encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)
    return cell


def _assembled(name: str, table: Table, cells: Mapping[str, Mapping[int, dict]]) -> dict[str, Any]:
    rows = {}
    for row, by_seed in cells.items():
        metrics = {}
        for metric in table.columns:
            values = [by_seed[seed]["metrics"][metric] for seed in table.seeds]
            metrics[metric] = _summary(values)
        rows[row] = {
            "settings": dict(table.rows[row]),
            "metrics": metrics,
            "seconds": round(sum(cell["seconds"] for cell in by_seed.values()), 1),
        }
    judged = []
    for claim in table.claims:
        pair = [
            [cells[row][seed]["metrics"][claim.metric] for seed in table.seeds]
            for row in (claim.better, claim.than)
            if not claim.impossible
        ]
        judged.append(claims.as_json(claim, claims.judge(claim, *pair or ((), ()))))
    every = [cell for by_seed in cells.values() for cell in by_seed.values()]
    return {
        "name": name,
        "title": table.title,
        "source": table.source,
        "columns": dict(table.columns),
        "seeds": list(table.seeds),
        "rows": rows,
        "paper": {row: dict(values) for row, values in table.paper.items()},
        "claims": judged,
        "seconds": round(sum(cell["seconds"] for cell in every), 1),
        "devices": sorted({cell["device"] for cell in every}),
        "versions": [dict(v) for v in sorted({tuple(cell["versions"].items()) for cell in every})],
    }


def _summary(values: list[float]) -> dict[str, Any]:
    """Values by seed, their mean and half the 95 % interval; null where one is not a number."""
    kept = [value if math.isfinite(value) else None for value in values]  # JSON has no NaN
    mean = half = None
    if None not in kept:
        mean = math.fsum(values) / len(values)
        if len(values) > 1:
            half = claims.interval(values)[2] - mean
    return {"values": kept, "mean": mean, "half_interval": half}


def _number(summary: Mapping[str, Any] | None) -> str:
    if summary is None or summary["mean"] is None:
        return "–"
    mean, half = summary["mean"], summary["half_interval"]
    if half is None:
        return f"{mean:.4g}"
    same = half <= 1e-9 * abs(mean)  # but for rounding
    digits = 3 if same else min(6, max(0, 1 - math.floor(math.log10(half))))
    return f"{mean:.{digits}f} ± {half:.{digits}f}"
