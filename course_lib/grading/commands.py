"""What `course grade` and `course check` do."""

import sys
from pathlib import Path

from course_lib.grading import assignments, editions, feedback, grader, handins, records
from course_lib.grading.grader import Report, assignment_of
from course_lib.grading.process import Died, Nursery
from course_lib.grading.sandbox import Limits, refuse_readable
from course_lib.grading.secrets import PRACTICE, edition, read_seed

OUT = Path("graded")
EDITIONS = Path("editions")


def build(numbers: list[str], seed_file: Path | None, out: Path | None) -> list[Path]:
    """Write student editions of the numbered assignments ("1", by default all)."""
    from course_lib.notebook.names import choose

    known = assignments.names()
    wanted = [f"hw{n.removeprefix('hw').lstrip('0')}" for n in numbers] or known
    for name in wanted:
        choose(name, known, "assignment")
    seed = _seed(seed_file)
    return editions.build(wanted, seed, out or EDITIONS)


def grade(
    folder: Path, seed_file: Path | None, manual: Path | None, out: Path | None, agreed: bool
) -> Path:
    """Grade a folder of handed-in notebooks; the folder of the gradebook and feedback pages."""
    seed = _seed(seed_file)
    found = handins.find(folder)
    if seed_file is not None:
        refuse_readable(seed_file)
    refuse_readable(folder)
    given = {} if manual is None else records.read_manual(manual)
    unknown = {name for name, _, _ in given} - {handin.name for handin in found}
    if unknown:
        raise ValueError(f"{manual} names {', '.join(sorted(unknown))}, who handed nothing in.")
    with Nursery() as nursery:
        _agree(nursery.missing, agreed)
        reports = []
        for handin in found:
            reports.append(grader.grade(nursery, handin, seed))
            print(feedback.state(reports[-1]), flush=True)
    reports = [grader.with_manual(report, given) for report in _completed(reports)]
    target = out or OUT
    records.write_gradebook(reports, target / "grades.csv")
    records.write_by_hand(reports, target / "by_hand.csv")
    feedback.write_feedback(reports, target / "feedback")
    return target


def check(notebook: Path) -> list[str]:
    """A line for each exercise of a notebook that its author runs: points, and how it stands."""
    if not notebook.is_file():
        raise FileNotFoundError(f"{notebook} does not exist: check its name and folder.")
    handin = handins.HandIn(notebook.parent.name, notebook)
    with Nursery() as nursery, grader.Run(nursery, handin, Limits()) as run:
        told = run.open()
        if "wrong" in told:
            raise ValueError(f"{notebook}: {told['wrong']}.")
        name = assignment_of(told)
        tasks = assignments.tasks(name) if name in assignments.names() else ()
        _give(run, notebook, name, tasks)
        run.begin()
        points = {f"{name}.{task.name}": task for task in tasks}
        listed = list(dict.fromkeys([*str(told["exercises"]).split(), *points]))
        if not listed:
            raise ValueError(f"{notebook} has no exercises: no cell of it calls check(...).")
        lines = [_checked(run, exercise, points.get(exercise)) for exercise in listed]
    return lines + [f"Note: {note}" for note in run.notes if "NotImplementedError" not in note]


def _give(run: grader.Run, notebook: Path, name: str, tasks) -> None:
    given = notebook.parent / f"{name}_given.zip"
    if given.is_file():
        run.files[given.name] = given.read_bytes()
    elif tasks and (practice := editions.pack_given(name, PRACTICE)) is not None:
        run.files[given.name] = practice


def _checked(run: grader.Run, exercise: str, task) -> str:
    worth = f" ({task.points:g} points)" if task else ""
    if run.student is None:
        return f"{exercise}{worth}: not tried, the notebook's process could not be kept alive"
    try:
        _, told = run.student.ask("check", {"name": exercise}, run.limits.case)
    except Died as died:
        run._again()
        run.begin()
        return f"{exercise}{worth}: wrong, {died}"
    if told["state"] != "wrong":
        return f"{exercise}{worth}: {told['state']}"
    hint = f"\n  Hint: {told['hint']}" if told["hint"] else ""
    return f"{exercise}{worth}: wrong, {told['mistake']}{hint}"


def _seed(path: Path | None) -> bytes:
    seed = read_seed(path)
    if path is None:
        print("No --seed-file: the practice edition, whose hidden side everybody can know.")
    else:
        print(f"Edition {edition(seed)}.")
    return seed


def _agree(missing: list[str], agreed: bool) -> None:
    """Say what isolation is missing, and go on only where a person wants to."""
    if not missing:
        return
    print("This system can't close a notebook off completely:")
    for line in missing:
        print(f"  {line}")
    if agreed:
        return
    if not sys.stdin.isatty():
        raise ValueError("Nobody is here to ask: --yes grades all the same, Linux closes it off.")
    if input("Run the notebooks all the same? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ValueError("Nothing was graded.")


def _completed(reports: list[Report]) -> list[Report]:
    """Where all others belong to one assignment, what couldn't be read belongs to it too."""
    known = {report.assignment for report in reports} - {""}
    if len(known) != 1:
        return reports
    (only,) = known
    return [r if r.assignment else grader.nothing(r.name, only, r.notes) for r in reports]
