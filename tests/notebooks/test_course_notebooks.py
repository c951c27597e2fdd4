"""The committed notebooks: form, exercises, references; the README's list; sizes; the artefacts."""

import ast
import contextlib
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from course_lib import checkpoints, paths
from course_lib.notebook import checking, form, listing, running
from course_lib.notebook.expecting import UNRECOGNISED

ROOT = paths.root()
NOTEBOOKS = form.notebooks()
WRONG = Path(__file__).parent / "wrong_answers"
MB = 1_000_000
each = pytest.mark.parametrize("number", NOTEBOOKS)


# ------------------------------------------------------------------ notebooks


@each
def test_the_form_is_kept(number):
    assert form.faults(NOTEBOOKS[number]) == []


@each
def test_the_parts_of_a_notebook_are_there(number):
    book = form.read(NOTEBOOKS[number])
    prose = [running.joined(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown"]
    headings = re.findall(r"^## (.*)$", "\n".join(prose), re.MULTILINE)
    assert number in form.PLAN or number.rstrip("b") in form.PLAN
    assert any(h.startswith("Exercises") for h in headings), headings
    assert headings[-1].startswith("Recap"), headings
    html = "".join(
        running.joined(o.get("data", {}).get("text/html", ""))
        for c in book["cells"]
        for o in c.get("outputs", [])
    )
    sounds, pictures = form.media(html)
    assert len(sounds) >= 3 and pictures, "two ladder clips and mine to hear, something to see"


# ------------------------------------------------------------------ exercises


def definitions(book) -> dict:
    """The names a solution may use: the notebook's imports, functions, classes and CONSTANTS."""
    kept = []
    for cell in book["cells"]:
        if cell["cell_type"] != "code":
            continue
        for node in ast.parse(running.joined(cell["source"])).body:
            named = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                named = node.targets[0].id.isupper() and node.targets[0].id not in (
                    "DRIVE",
                    "COURSE",
                )
            if named:
                kept.append(node)
    names: dict = {}
    for node in kept:  # our own committed code
        with contextlib.suppress(NameError):  # made from what the notebook computes: not for use
            exec(compile(ast.Module([node], []), "notebook", "exec"), names)
    return names


def solved(book) -> dict:
    names = definitions(book)
    for solution in form.solutions(book):
        exec(compile(solution, "solution", "exec"), names)
    return names


@each
def test_three_to_five_exercises_each_with_a_hint_and_a_solution(number):
    book = form.read(NOTEBOOKS[number])
    found = form.exercises(book)
    assert 3 <= len(found) <= 5
    assert all(name.startswith(f"{number}.") for name in found)
    assert sorted(found) == [n for n in checking.names() if n.startswith(f"{number}.")]
    assert len(form.solutions(book)) >= len(found)


@each
def test_untouched_stubs_are_not_done_and_solutions_are_correct(number):
    book = form.read(NOTEBOOKS[number])
    stubs, answers = definitions(book), solved(book)
    for name in form.exercises(book):
        answer = name.partition(".")[2]
        assert checking.grade(name, stubs[answer]).state == "not done yet", name
        result = checking.grade(name, answers[answer])
        assert result.state == "correct", f"{name}: {result}"


@each
def test_two_likely_wrong_answers_to_each_exercise_are_told_apart(number):
    """`wrong_answers/nb01.py` holds them as functions EXERCISE__MISTAKE."""
    path = WRONG / f"nb{number}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in form.exercises(form.read(NOTEBOOKS[number])):
        exercise = name.partition(".")[2]
        wrong = {k: v for k, v in vars(module).items() if k.startswith(f"{exercise}__")}
        assert len(wrong) >= 2, f"{name} needs two wrong answers in {path.name}"
        results = {key: checking.grade(name, answer) for key, answer in wrong.items()}
        for key, result in results.items():
            assert result.state == "wrong", f"{key}: {result}"
            assert result.mistake != UNRECOGNISED and "raised" not in result.mistake, key
        assert len({r.mistake for r in results.values()}) >= 2, results


# ------------------------------------------------------------------ references


@pytest.mark.parametrize("block", listing.BLOCKS)
def test_the_readme_says_what_the_machine_found(block):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    written = f"<!-- {block} -->\n{listing.BLOCKS[block]()}\n<!-- /{block} -->"
    assert written in text, "course stamp renews the README"


def test_links_in_the_pages_lead_somewhere():
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", target):
                assert (ROOT / target.partition("#")[0]).exists(), f"{page}: {target}"


def test_the_library_names_notebooks_of_the_plan():
    for file in (ROOT / "course_lib").rglob("*.py"):
        for number in re.findall(r"[Nn]otebooks? (\d\d[a-z]?)\b", file.read_text(encoding="utf-8")):
            known = number in form.PLAN or number.rstrip("b") in form.PLAN
            assert known, f"{file.name} names notebook {number}"


# ------------------------------------------------------------------ the tree


def committed() -> dict[str, int]:
    """Files of the working tree that git keeps, with their sizes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    return {name: (ROOT / name).stat().st_size for name in listed if (ROOT / name).is_file()}


def test_the_tree_keeps_its_budgets():
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    sizes = committed()
    parts = {"data/checkpoints/": 42 * MB, "notebooks/": 12 * MB, "": 6 * MB}
    spent = dict.fromkeys(parts, 0)
    for name, size in sizes.items():
        spent[next(part for part in parts if name.startswith(part))] += size
    assert {p: s for p, s in spent.items() if s > parts[p]} == {}
    assert sum(spent.values()) < 60 * MB
    weights = {n: s for n, s in sizes.items() if n.endswith(".safetensors")}
    assert [n for n, s in weights.items() if s > (9 if "musicgen" in n else 5) * MB] == []


def test_every_artefact_names_the_parents_that_are_there():
    for name in checkpoints.available():
        card = checkpoints.card(name)  # raises where the chain is broken
        for parent, sha256 in card.get("parents", {}).items():
            assert checkpoints.card(parent)["sha256"] == sha256
        checkpoints.load(name)


def test_the_budgets_of_all_artefacts_are_written_down():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", page, re.MULTILINE))
    assert sum(map(float, rows.values())) <= 42
    for name in checkpoints.available():
        size = (paths.data("checkpoints", f"{name}.safetensors")).stat().st_size
        assert size <= float(rows[name]) * MB, name
