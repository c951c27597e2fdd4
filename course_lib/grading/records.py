"""The gradebook as CSV, and the points given by hand that are read from one."""

import csv
import io
from pathlib import Path

from course_lib import paths
from course_lib.grading import assignments
from course_lib.grading.grader import Report

HEAD = ("name", "task", "criterion", "of", "points", "words")


def write_gradebook(reports: list[Report], path: Path) -> None:
    """One row a hand-in: points, a column for each task, what waits for a person, notes."""
    tasks = sorted({f"{r.assignment}.{g.task.name}" for r in reports for g in r.tasks})
    rows = [["name", "assignment", "points", "of", "open by hand", *tasks, "notes"]]
    for report in reports:
        points = {f"{report.assignment}.{g.task.name}": g.points for g in report.tasks}
        waiting = sum(graded.open for graded in report.tasks)
        row = [report.name, report.assignment, report.points, report.of, waiting]
        row += [points.get(task, "") for task in tasks]
        rows.append([*row, "; ".join(report.notes)])
    _write(rows, path)


def write_by_hand(reports: list[Report], path: Path) -> None:
    """A form for what a person gives: fill in `points` and `words`, hand it in by --manual."""
    rows = [list(HEAD)]
    for report in reports:
        for graded in report.tasks:
            task = f"{report.assignment}.{graded.task.name}"
            if graded.open:
                rows += [[report.name, task, name, of, "", ""] for name, of in graded.task.by_hand]
    _write(rows, path)


def read_manual(path: Path) -> dict[tuple[str, str, str], tuple[float, str]]:
    """{(name, task, criterion): (points, words)}; rows without points are left out.

    Raises ValueError naming the line for an unknown task or criterion, or points out of range.
    """
    known = {
        (f"{name}.{task.name}", criterion): of
        for name in assignments.names()
        for task in assignments.tasks(name)
        for criterion, of in task.by_hand
    }
    given = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"name", "task", "criterion", "points"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path.name} needs the columns {', '.join(HEAD)}.")
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            if not (row["points"] or "").strip():
                continue
            of = known.get((row["task"], row["criterion"]))
            if of is None:
                raise ValueError(
                    f"{place}: '{row['task']}' has no criterion '{row['criterion']}' to be given "
                    "by hand; by_hand.csv lists those that are."
                )
            try:
                points = float(row["points"])
            except ValueError:
                points = -1.0
            if not 0 <= points <= of:
                raise ValueError(f"{place}: {row['points']} points; expected 0 to {of:g}.")
            key = (_plain(row["name"]), row["task"], row["criterion"])
            given[key] = (points, row.get("words") or "")
    return given


def _write(rows: list[list], path: Path) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_safe(cell) for cell in r] for r in rows])
    paths.replace_file(path, lambda p: p.write_text(text.getvalue(), encoding="utf-8"))


def _safe(cell) -> str:
    """A cell that no spreadsheet takes for a formula, whatever a student called a file."""
    text = f"{cell:g}" if isinstance(cell, int | float) else str(cell)
    text = "".join(c if c.isprintable() else " " for c in text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _plain(name: str) -> str:
    return name[1:] if name[:1] == "'" and name[1:2] in ("=", "+", "-", "@") else name
