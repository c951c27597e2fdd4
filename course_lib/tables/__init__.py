"""Tables of the papers at the course's scale. One module a table, with a `TABLE` in it.

`course table NAME` runs `course_lib/tables/NAME.py`: a grid of (row, seed) cells, each a job that
can be killed and resumed, assembled into `data/results/NAME.json`. Notebooks, slides and README
read their figures from there.
"""

from course_lib.tables.claims import Claim, Verdict, judge
from course_lib.tables.grid import Table, names, results, run, show, show_claims

__all__ = [
    "Claim",
    "Table",
    "Verdict",
    "judge",
    "names",
    "results",
    "run",
    "show",
    "show_claims",
]
