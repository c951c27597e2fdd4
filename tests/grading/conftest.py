import pytest

from course_lib.grading.process import Nursery


@pytest.fixture(scope="session")
def nursery():
    """One process that has imported torch, for all tests of a worker."""
    with Nursery() as started:
        yield started
