"""Every assignment: its solution has full marks, its stub none, a wrong answer what it should."""

import json

import pytest
from wrong import SEED, locally, marked, namespace_of, source_book, wrong_answers

from course_lib.grading import assignments, editions, grader
from course_lib.notebook import setup
from course_lib.notebook.running import joined

NAMES = assignments.names()


@pytest.fixture(scope="module", params=NAMES)
def solved(request, tmp_path_factory):
    """(name, what its running solution defines), with what the tests' seed gives."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    given = editions.pack_given(name, SEED)
    if given is not None:
        (folder / f"{name}_given.zip").write_bytes(given)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COURSE_HOME", str(folder / "home"))
        patch.setenv("COURSE_PROFILE", "quick")
        yield name, namespace_of(source_book(name))


def test_the_solution_has_full_marks(solved):
    name, space = solved
    for task in assignments.tasks(name):
        graded = marked(name, task, space)
        right = [mark for mark in graded.marks if (mark.criterion, mark.of) not in task.by_hand]
        assert all(mark.points == mark.of for mark in right), graded.marks
        assert sum(mark.of for mark in graded.marks) == task.points


def test_the_solution_also_of_another_seed(solved):
    """What is hidden changes with the seed; what is right does not."""
    name, space = solved
    for task in assignments.tasks(name):
        if task.plant is None:
            graded = grader.mark_task(name, task, b"another seed", locally(space))
            assert graded.points == task.points - graded.open, graded.marks


def test_the_untouched_stub_has_none_and_says_so(solved, capsys):
    name, _ = solved
    book = editions.student_edition(source_book(name), name, "practice")
    capsys.readouterr()
    space = namespace_of(book)  # nothing raises
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith(name)]
    tasks = assignments.tasks(name)
    assert printed == [f"{name}.{task.name}: not done yet." for task in tasks]
    for task in tasks:
        graded = marked(name, task, space)
        assert graded.points == 0 and graded.marks[0].words == "not done yet", graded.marks


def test_wrong_answers_lose_what_they_should(solved, capsys):
    name, space = solved
    tasks = {task.name: task for task in assignments.tasks(name)}
    wrong = wrong_answers(name)
    assert set(wrong) <= set(tasks) and sum(map(len, wrong.values())) >= 8
    lines, faults = [f"\n{name}: wrong answers, points left of points, what is said"], []
    for exercise, answers in wrong.items():
        for number, answer in enumerate(answers, 1):
            own = dict(space)
            exec(compile(answer.source, "<wrong>", "exec"), own)
            graded = marked(name, tasks[exercise], own)
            said = "; ".join(m.words for m in graded.marks if m.words and m.points < m.of)
            lines.append(
                f"  {exercise} {number}: {graded.points:g} of {tasks[exercise].points:g}  {said}"
            )
            if graded.points != answer.points or answer.says not in said:
                faults.append(f"{lines[-1]} (expected {answer.points:g}, '{answer.says}')")
    with capsys.disabled():
        print("\n".join(lines))
    assert not faults, faults


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_in_order(name):
    """nbgrader's metadata, points, the setup cell, no outputs; what its grade_ids may look like."""
    book = source_book(name)
    tasks = {task.name: task for task in assignments.tasks(name)}
    points, stubs = {}, []
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert joined(code[0]["source"]) == setup.cell()
    assert all(not c["outputs"] and c["execution_count"] is None for c in code)
    for cell in book["cells"]:
        about = cell["metadata"].get("nbgrader")
        if about is None:
            continue
        assert about["schema_version"] == 3 and about["cell_type"] == cell["cell_type"]
        assert about["grade_id"].replace("-", "").replace("_", "").isalnum()
        if about["grade"]:
            points[about["grade_id"]] = about["points"]
        else:
            stubs.append(about["grade_id"].removeprefix(f"{name}-"))
            assert f'check("{name}.{stubs[-1]}", {stubs[-1]})' in joined(cell["source"])
    assert stubs == list(tasks)
    assert sum(points.values()) == sum(task.points for task in tasks.values())
    for task in tasks.values():
        by_hand = sum(of for _, of in task.by_hand)
        assert points[f"{name}-{task.name}-tests"] == task.points - by_hand
    assert (editions.folder_of(name) / "rubric.md").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_editions_are_the_same_bytes_twice(name, tmp_path):
    first, second = (
        editions.build([name], SEED, tmp_path / folder) for folder in ("first", "second")
    )
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    editions.pack_given.cache_clear()
    again = editions.build([name], SEED, tmp_path / "third")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert "SOLUTION" not in first[0].read_text() and "HIDDEN" not in first[0].read_text()
    assert json.loads(first[0].read_text())["metadata"]["course"]["edition"] != "practice"
