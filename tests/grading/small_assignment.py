"""A source notebook of two cells to be worked on, as small as it can be."""

SOLUTION = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


check("hw1.double", double)'''
HIDDEN = """# 2 points.
### BEGIN HIDDEN TESTS
assert double(3) == 6
### END HIDDEN TESTS"""


def code(source: str, **nbgrader) -> dict:
    metadata = {"nbgrader": nbgrader} if nbgrader else {}
    return {
        "cell_type": "code",
        "id": "a",
        "metadata": metadata | {"jupyter": {"foo": 1}},
        "source": source,
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "6\n"}],
    }


def words(source: str, **nbgrader) -> dict:
    metadata = {"nbgrader": nbgrader} if nbgrader else {}
    return {"cell_type": "markdown", "metadata": metadata, "source": source}


def book(*cells: dict) -> dict:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def small() -> dict:
    return book(
        words("# Doubling"),
        code(SOLUTION, solution=True, grade=False, grade_id="hw1-double"),
        code(HIDDEN, solution=False, grade=True, grade_id="hw1-double-tests", points=2),
        words("It is twice as much.", solution=True, grade=True, grade_id="hw1-words", points=1),
    )
