"""Student editions: what is taken out, what stays, the same bytes every time."""

import json

import pytest
from small_assignment import SOLUTION, book, code, small

from course_lib.grading.editions import student_edition
from course_lib.grading.secrets import PRACTICE, edition, read_seed, secret
from course_lib.notebook.running import joined


def sources(made: dict) -> list[str]:
    return [joined(cell["source"]) for cell in made["cells"]]


def test_solutions_hidden_tests_and_outputs_go():
    made = student_edition(small(), "hw1", "practice")
    title, stub, tests, essay = sources(made)
    assert title == "# Doubling" and essay == "YOUR ANSWER HERE"
    assert '    """Twice x."""\n    # YOUR CODE HERE\n    raise NotImplementedError()' in stub
    assert stub.endswith('check("hw1.double", double)') and "2 * x" not in stub
    assert tests == "# 2 points."
    assert all(not cell.get("outputs") for cell in made["cells"])
    assert "jupyter" not in made["cells"][1]["metadata"]
    assert made["cells"][1]["metadata"]["nbgrader"]["grade_id"] == "hw1-double"
    assert made["metadata"]["course"] == {"assignment": "hw1", "edition": "practice"}


def test_the_same_source_gives_the_same_bytes_whatever_its_ids_and_outputs():
    other = small()
    other["cells"][1] |= {"id": "b", "outputs": [], "execution_count": None}
    made = [json.dumps(student_edition(b, "hw1", "practice")) for b in (small(), other)]
    assert made[0] == made[1]
    ids = [cell["id"] for cell in json.loads(made[0])["cells"]]
    assert ids == ["hw1-00", "hw1-01", "hw1-02", "hw1-03"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "not inside a function"),
        ("def f():\n    ### BEGIN SOLUTION\n    pass", "never ends"),
        ("def f():\n    pass\n    ### END SOLUTION", "never began"),
        ("def f():\n    ### BEGIN SOLUTION\n    ### BEGIN SOLUTION", "within a solution"),
        (f"{SOLUTION}\n### BEGIN HIDDEN TESTS", "never end"),
        (f"{SOLUTION}\n### END HIDDEN TESTS", "don't pair"),
    ],
)
def test_misplaced_markers_are_refused(source, said):
    cell = code(source, solution=True, grade=False, grade_id="hw1-f")
    with pytest.raises(ValueError, match=f"hw1, cell 1: .*{said}"):
        student_edition(book(cell), "hw1", "practice")


def test_a_solution_in_an_unmarked_cell_is_refused():
    with pytest.raises(ValueError, match="metadata doesn't say so"):
        student_edition(book(code(SOLUTION)), "hw1", "practice")


def test_every_task_draws_from_a_stream_of_its_own():
    seed, other = b"a secret of some length", b"another one of some length"
    draws = [
        secret(s, name).integers(2**63)
        for s, name in ((seed, "hw1.a"), (seed, "hw1.b"), (other, "hw1.a"), (seed, "hw1.a"))
    ]
    assert draws[0] == draws[3] and len(set(draws)) == 3
    assert edition(PRACTICE) == "practice" and edition(seed) != edition(other)


def test_seed_files(tmp_path):
    assert read_seed(None) == PRACTICE
    file = tmp_path / "seed"
    file.write_text("short\n")
    with pytest.raises(ValueError, match="at least 16"):
        read_seed(file)
    file.write_text("0123456789abcdef\n")
    assert read_seed(file) == b"0123456789abcdef"
