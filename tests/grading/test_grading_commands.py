"""`course grade` and `course check`: a whole folder, points by hand, pages, and what is refused."""

import csv
import json
import sys

import pytest
from test_hostile import NEAREST, PERPLEXITY, write

from course_lib import cli
from course_lib.grading import commands, editions, feedback, grader, records, sandbox
from course_lib.grading.process import Nursery
from course_lib.notebook.album import page

SEED = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def one_nursery(nursery, monkeypatch):
    """The commands use the tests' own nursery, and nothing is given."""
    monkeypatch.setattr(commands, "Nursery", lambda: nursery)
    monkeypatch.setattr(Nursery, "__exit__", lambda *exception: None)
    monkeypatch.setattr(editions, "pack_given", lambda name, seed: None)


@pytest.fixture
def handed_in(tmp_path):
    folder = tmp_path / "in"
    heard = "def heard():\n    return {'answers': 'AB' * 6, 'how': 'ear', 'needed': 10}"
    write(folder / "ann" / "hw1.ipynb", NEAREST, heard)
    write(folder / "=cmd()<b>.ipynb", PERPLEXITY, "1 / 0  # <script>", edition="other")
    (folder / "zoe").mkdir()
    (tmp_path / "seed").write_text(SEED)
    return folder


def test_a_folder_is_graded_and_points_by_hand_are_merged(handed_in, tmp_path, capsys):
    options = ["--seed-file", str(tmp_path / "seed"), "--out", str(tmp_path / "out")]
    assert cli.main(["grade", str(handed_in), *options, "--yes"]) == 0
    printed = capsys.readouterr().out
    assert SEED not in printed and "ann: hw1, 4 of 25, 3 open by hand" in printed
    with (tmp_path / "out" / "grades.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"ann", "'=cmd()<b>", "zoe"}
    assert (rows["ann"]["points"], rows["ann"]["hw1.nearest"]) == ("4", "2")
    assert (rows["zoe"]["points"], rows["zoe"]["of"]) == ("0", "25")
    assert rows["zoe"]["notes"] == "no notebook was handed in"
    assert "another seed" in rows["'=cmd()<b>"]["notes"]

    pages = {p.name: p.read_text() for p in (tmp_path / "out" / "feedback").iterdir()}
    assert len(pages) == 3 and "<script>" not in "".join(pages.values())
    assert "src=" not in "".join(pages.values())  # nothing from elsewhere
    assert "&lt;b&gt;" in pages["_cmd___b__hw1.html"]

    form = tmp_path / "out" / "by_hand.csv"
    text = form.read_text()
    assert text.splitlines()[1:3] == ["'=cmd()<b>,hw1.heard,the argument,3,,",
                                      "ann,hw1.heard,the argument,3,,"]  # fmt: skip
    form.write_text(text.replace("ann,hw1.heard,the argument,3,,",
                                 "ann,hw1.heard,the argument,3,2.5,Well heard."))  # fmt: skip
    given = records.read_manual(form)
    assert given == {("ann", "hw1.heard", "the argument"): (2.5, "Well heard.")}
    assert cli.main(["grade", str(handed_in), *options, "--yes", "--manual", str(form)]) == 0
    with (tmp_path / "out" / "grades.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert (rows["ann"]["points"], rows["ann"]["open by hand"]) == ("6.5", "0")
    assert "Well heard." in (tmp_path / "out" / "feedback" / "ann_hw1.html").read_text()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("ann,hw1.heard,the argument,3,4,", "line 2: 4 points; expected 0 to 3"),
        ("ann,hw1.heard,the argument,3,many,", "line 2: many points"),
        ("ann,hw1.heard,nan,3,1,", "no criterion 'nan'"),
        ("ann,hw1.nearest,the argument,3,1,", "'hw1.nearest' has no criterion"),
    ],
)
def test_points_by_hand_are_looked_at(tmp_path, row, said):
    path = tmp_path / "manual.csv"
    path.write_text(",".join(records.HEAD) + "\n" + row + "\n")
    with pytest.raises(ValueError, match=said):
        records.read_manual(path)


def test_missing_isolation_is_said_and_asked_about(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    commands._agree([], False)
    with pytest.raises(ValueError, match="--yes"):
        commands._agree(["network: open"], False)
    assert "network: open" in capsys.readouterr().out
    commands._agree(["network: open"], True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(ValueError, match="Nothing was graded"):
        commands._agree(["network: open"], False)
    monkeypatch.setattr("builtins.input", lambda question: "y")
    commands._agree(["network: open"], False)


def test_elsewhere_than_on_linux_everything_missing_is_listed(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert len(sandbox.missing()) == 2
    monkeypatch.setattr(sys, "platform", "win32")
    assert len(sandbox.missing()) == 3


def test_a_seed_where_notebooks_can_read_is_refused():
    with pytest.raises(ValueError, match="keep it elsewhere"):
        sandbox.refuse_readable(sandbox.paths.data("scores", "seed"))


def test_a_student_sees_how_each_exercise_stands(tmp_path, capsys):
    wrong = "def nearest(x, codebook, price):\n    return torch.cdist(x, codebook).argmin(1)"
    blank = "def ema_step(*given):\n    raise NotImplementedError"
    notebook = write(tmp_path / "mine.ipynb", wrong, PERPLEXITY, blank)
    assert cli.main(["check", str(notebook)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["hw1.nearest (2 points): wrong, The price changes nothing.",
                         "  Hint: Add price[k]."]  # fmt: skip
    assert "hw1.perplexity (2 points): correct" in lines
    assert "hw1.ema_step (3 points): not done yet" in lines


def test_what_is_refused_is_one_sentence(tmp_path, capsys):
    for arguments in (
        ("check", "nowhere.ipynb"),
        ("grade", str(tmp_path)),
        ("grade", str(tmp_path / "nowhere")),
        ("grade", "build", "99"),
        ("grade", "build", "1", "--seed-file", str(tmp_path / "nowhere")),
    ):
        assert cli.main(list(arguments)) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_editions_are_built_and_practice_is_said(tmp_path, capsys):
    assert cli.main(["grade", "build", "1", "--out", str(tmp_path)]) == 0
    assert "practice edition" in capsys.readouterr().out
    made = json.loads((tmp_path / "01_vector_quantization" / "assignment.ipynb").read_text())
    assert made["metadata"]["course"] == {"assignment": "hw1", "edition": "practice"}


def test_two_hand_ins_of_a_name_have_two_pages(tmp_path):
    reports = [grader.nothing("ann", "hw1", ("empty",)), grader.nothing("ann", "hw1", ("bad",))]
    written = feedback.write_feedback(reports, tmp_path)
    assert [path.name for path in written] == ["ann_hw1.html", "ann_hw1_2.html"]
    assert written[0].read_text().startswith(page("", "")[:15])
