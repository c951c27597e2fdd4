"""Grading one handed-in notebook: run it apart, ask its functions, compare here."""

import re
import time
from dataclasses import dataclass, field, replace

from course_lib.grading import assignments, editions
from course_lib.grading.handins import HandIn
from course_lib.grading.process import Died, Nursery, Student
from course_lib.grading.sandbox import Limits
from course_lib.grading.secrets import edition, secret
from course_lib.grading.task import Failed, Mark, Task, Values, sent

OPENING = 120.0  # seconds to read a notebook of any size
RESTARTS = 8
NOT_DONE = "not done yet"
BY_HAND = "not given yet"


@dataclass(frozen=True)
class Graded:
    """The marks of one task; `open` points wait for a person."""

    task: Task
    marks: tuple[Mark, ...]
    open: float = 0

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)


@dataclass(frozen=True)
class Report:
    """What became of one hand-in; `notes` say in words what happened on the way."""

    name: str
    assignment: str  # "hw1", or "" where nobody could tell
    tasks: tuple[Graded, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return sum(graded.points for graded in self.tasks)

    @property
    def of(self) -> float:
        return sum(graded.task.points for graded in self.tasks)


def grade(nursery: Nursery, handin: HandIn, seed: bytes, limits: Limits = Limits()) -> Report:  # noqa: B008
    """Grade one hand-in. Nothing that it does stops the grader."""
    if handin.path is None:
        return Report(handin.name, "", notes=(handin.wrong,))
    with Run(nursery, handin, limits) as run:
        try:
            told = run.open()
        except Died as died:
            return Report(handin.name, "", notes=(f"the notebook can't be read: {died}",))
        name = assignment_of(told)
        if "wrong" in told or name not in assignments.names():
            said = str(told.get("wrong", "it is none of the assignments"))[:200]
            return Report(handin.name, "", notes=(said,))
        if told.get("edition") not in ("", edition(seed)):
            run.notes.append("it was made from another seed: what it was given differs")
        given = editions.pack_given(name, seed)
        run.files |= {} if given is None else {f"{name}_given.zip": given}
        run.begin()
        tasks = tuple(mark_task(name, task, seed, run.ask) for task in assignments.tasks(name))
        return Report(handin.name, name, tasks, tuple(run.notes))


def nothing(name: str, assignment: str, notes: tuple[str, ...]) -> Report:
    """The report of a hand-in that holds no answers to an assignment."""
    marks = {t.name: (Mark(t.name, 0, t.points, notes[0]),) for t in assignments.tasks(assignment)}
    graded = tuple(Graded(task, marks[task.name]) for task in assignments.tasks(assignment))
    return Report(name, assignment, graded, notes)


def assignment_of(told: Values) -> str:
    """The assignment that a notebook says it is, or that its checks belong to."""
    said = str(told.get("assignment", ""))
    if re.fullmatch(r"hw\d+", said):
        return said
    found = re.findall(r"\b(hw\d+)\.", str(told.get("exercises", "")))
    return max(set(found), key=found.count) if found else ""


def mark_task(assignment: str, task: Task, seed: bytes, ask) -> Graded:
    """The marks of one task; `ask(task, cases)` gives an answer or a Failed for each case."""
    cases = task.cases(secret(seed, f"{assignment}.{task.name}"))
    answers = ask(task, cases)
    by_hand = tuple(Mark(name, 0, of, BY_HAND) for name, of in task.by_hand)
    if all(isinstance(a, Failed) and a.blank for a in answers):
        return Graded(task, (Mark(task.name, 0, task.points, NOT_DONE),))
    automatic = task.points - sum(mark.of for mark in by_hand)
    try:
        marks = tuple(task.judge(cases, answers))
    except Exception as error:  # an answer of a shape that its judge didn't think of
        said = f"your answer can't be compared ({type(error).__name__})"
        marks = (Mark(task.name, 0, automatic, said),)
    return Graded(task, marks + by_hand, sum(mark.of for mark in by_hand))


@dataclass
class Run:
    """One notebook in its process, started again without the cell that ended it."""

    nursery: Nursery
    handin: HandIn
    limits: Limits
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skip: set[int] = field(default_factory=set)
    student: Student | None = None
    started: int = 0
    since: float = field(default_factory=time.monotonic)

    def open(self) -> Values:
        """Start the process; what the notebook says of itself. Raises Died."""
        self.files |= {k: v for k, v in self.handin.sounds().items() if k not in self.files}
        self.student = Student(self.nursery, self.handin.path, self.files, self.limits)
        self.started += 1
        return self.student.ask("open", {}, OPENING)[1]

    def begin(self) -> None:
        """Run the cells; a cell that takes too long or ends the process is left out."""
        for name, content in self.files.items():
            (self.student.folder / name).write_bytes(content)
        while self.student is not None:
            at = [-1]
            try:
                _, raised = self.student.ask(
                    "run",
                    {"skip": " ".join(map(str, sorted(self.skip)))},
                    self.limits.cell,
                    lambda values, at=at: at.__setitem__(0, int(values["index"])),
                )
                told = [f"code cell {int(k) + 1} raised {str(v)[:300]}" for k, v in raised.items()]
                self.notes += [note for note in told if note not in self.notes]
                return
            except Died as died:
                self.notes.append(f"code cell {at[0] + 1} was left out: {died}")
                self.skip.add(at[0])
                self._again()

    def _again(self) -> None:
        """A new process for the same notebook, or none where too many or too long."""
        self.student = None
        late = time.monotonic() - self.since > self.limits.whole
        if self.started > RESTARTS or late:
            self.notes.append("it was given up: it ended its process too often or took too long")
            return
        try:
            self.open()
        except Died as died:
            self.student = None
            self.notes.append(f"it could not be started again: {died}")

    def ask(self, task: Task, cases: list[Values]) -> list[Values | Failed]:
        """An answer to each case, sent one at a time. A death fails the rest of the task alone."""
        answers: list[Values | Failed] = []
        for case in cases:
            if self.student is None:
                answers.append(Failed("the notebook's process could not be kept alive"))
                continue
            try:
                question = sent(case) | {"drive": task.drive}
                kind, values = self.student.ask("ask", question, self.limits.case)
            except Died as died:
                answers += [Failed(str(died))] * (len(cases) - len(answers))
                self._again()
                self.begin()
                break
            if kind == "answer":
                answers.append(values)
            else:
                words = str(values.get("words", "no answer"))[:500]
                answers.append(Failed(words, values.get("blank") == 1))
        return answers

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.student is not None:
            self.student.close()


def with_manual(report: Report, given: dict[tuple[str, str, str], tuple[float, str]]) -> Report:
    """The report with the points a person gave, {(name, task, criterion): (points, words)}."""
    tasks = []
    for graded in report.tasks:
        marks, left = [], graded.open
        for mark in graded.marks:
            key = (report.name, f"{report.assignment}.{graded.task.name}", mark.criterion)
            if key in given and (mark.criterion, mark.of) in graded.task.by_hand:
                points, words = given[key]
                mark = replace(mark, points=points, words=words)
                left -= mark.of
            marks.append(mark)
        tasks.append(replace(graded, marks=tuple(marks), open=left))
    return replace(report, tasks=tuple(tasks))
