"""A page for each student: every criterion, its points, and why not."""

from html import escape
from pathlib import Path

from course_lib import paths
from course_lib.grading.grader import NOT_DONE, Report
from course_lib.notebook.album import page

STYLE = (
    "<style>td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "caption{text-align:left;font-weight:bold;padding:.8rem 0 .3rem}table{width:100%}"
    "td:nth-child(2){white-space:nowrap}</style>"
)


def feedback(report: Report) -> str:
    """A self-contained HTML page; nothing a student wrote is taken for HTML."""
    parts = [f"<h1>{escape(report.assignment or 'Homework')}: {escape(report.name)}</h1>"]
    total = f"{report.points:g} of {report.of:g} points"
    waiting = sum(graded.open for graded in report.tasks)
    parts.append(
        f"<p><b>{total}</b>"
        + (f", {waiting:g} still to be given by hand</p>" * (waiting > 0) or "</p>")
    )
    for graded in report.tasks:
        head = f"{graded.task.name}: {graded.points:g} of {graded.task.points:g}"
        rows = "".join(
            f"<tr><td>{escape(mark.criterion)}</td><td>{mark.points:g} of {mark.of:g}</td>"
            f"<td>{escape(mark.words or 'right')}</td></tr>"
            for mark in graded.marks
        )
        table = "<tr><th>criterion</th><th>points</th><th>why</th></tr>" + rows
        parts.append(f"<table><caption>{escape(head)}</caption>{table}</table>")
    if report.notes:
        listed = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
        parts.append(f"<h2>What happened on the way</h2><ul>{listed}</ul>")
    return page(f"{report.name}, {report.assignment}", STYLE + "".join(parts))


def write_feedback(reports: list[Report], folder: Path) -> list[Path]:
    """FOLDER/NAME_hw1.html for each report; a second hand-in of the same gets a number."""
    written: list[Path] = []
    for report in reports:
        stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in report.name)[:80]
        stem = f"{stem.lstrip('.') or 'student'}_{report.assignment or 'unknown'}"
        path, number = folder / f"{stem}.html", 2
        while path in written:
            path, number = folder / f"{stem}_{number}.html", number + 1
        text = feedback(report)
        paths.replace_file(path, lambda p, text=text: p.write_text(text, encoding="utf-8"))
        written.append(path)
    return written


def state(report: Report) -> str:
    """One line on a hand-in, for the terminal."""
    undone = sum(mark.words == NOT_DONE for graded in report.tasks for mark in graded.marks)
    waiting = sum(graded.open for graded in report.tasks)
    said = f"{report.name}: {report.assignment or '?'}, {report.points:g} of {report.of:g}"
    said += f", {waiting:g} open by hand" if waiting else ""
    said += f", {undone} not done" if undone else ""
    return said + (f" ({report.notes[0]})" if report.notes else "")
