"""Tables are computed cell by cell, kept, resumed, and shown."""

import json
import os
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

from course_lib import paths, tables
from course_lib.songbook import rendering
from course_lib.tables import grid

MADE_UP = """
    import os
    from pathlib import Path

    from course_lib.tables import Claim, Table

    def cell(job):
        with open(os.environ["CALLS"], "a", encoding="utf-8") as file:
            file.write(f"{job.row} {job.seed}\\n")
        job.folder.mkdir(parents=True, exist_ok=True)
        (job.folder / "state").write_text("half", encoding="utf-8")
        if os.environ.get("STOP_AT") == f"{job.row} {job.seed}":
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
        return {"mse": job.settings["mse"] + 0.01 * job.seed, "more": float("nan"), "unused": 1}

    TABLE = Table(
        title="Two made-up rows",
        source="nowhere",
        rows={"A": {"mse": 0.5}, "B": {"mse": 1.0}},
        columns={"mse": "error (MSE)", "more": "more"},
        cell=cell,
        claims=(
            Claim("A errs less.", "mse", "lower", "A", "B", smallest=0.2),
            Claim("B errs less.", "mse", "lower", "B", "A", smallest=0.1, relative=True),
            Claim("A sounds better.", impossible="it takes listeners"),
        ),
    )
"""
RUN = """
    import sys
    from pathlib import Path
    from course_lib import tables
    tables.__path__.append(sys.argv[1])
    tables.run("made_up", folder=Path(sys.argv[1]) / "results", progress=False)
"""
ALL = [f"{row} {seed}" for seed in range(3) for row in "AB"]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    (tmp_path / "made_up.py").write_text(dedent(MADE_UP), encoding="utf-8")
    (tmp_path / "run").write_text(dedent(RUN), encoding="utf-8")
    monkeypatch.setattr(tables, "__path__", [*tables.__path__, str(tmp_path)])
    monkeypatch.setattr(rendering, "scores_digest", lambda: "of no scores")
    monkeypatch.setattr(paths, "data", lambda *parts: tmp_path.joinpath("data", *parts))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("STOP_AT", raising=False)
    monkeypatch.delitem(sys.modules, "course_lib.tables.made_up", raising=False)
    return tmp_path


def calls(folder):
    return (folder / "calls").read_text(encoding="utf-8").splitlines()


def test_each_cell_is_computed_once(folder):
    path = tables.run("made_up", progress=False)
    assert path == folder / "data" / "results" / "made_up.json"
    assert calls(folder) == ALL
    first = path.read_text(encoding="utf-8")
    tables.run("made_up", progress=False)
    assert calls(folder) == ALL and path.read_text(encoding="utf-8") == first
    assert not list((folder / "cache").rglob("state"))  # what a cell kept to resume is gone


def test_what_is_written(folder):
    tables.run("made_up", progress=False)
    found = tables.results("made_up")
    mse = found["rows"]["A"]["metrics"]["mse"]
    assert mse["values"] == [0.5, 0.51, 0.52] and mse["mean"] == pytest.approx(0.51)
    assert mse["half_interval"] == pytest.approx(0.01 * 4.302653 / 3**0.5, rel=1e-5)
    assert found["rows"]["A"]["metrics"]["more"] == {
        "values": [None] * 3,
        "mean": None,
        "half_interval": None,
    }
    words = [claim["verdict"]["words"] for claim in found["claims"]]
    assert words == ["holds here", "reversed here", "cannot be tested here"]
    assert found["devices"][0].startswith("cpu") and "torch" in found["versions"][0]
    assert "NaN" not in (folder / "data/results/made_up.json").read_text(encoding="utf-8")


def test_shown_as_markdown(folder):
    tables.run("made_up", progress=False)
    found = tables.results("made_up")
    assert tables.show(found) == (
        "|  | error (MSE) | more |\n|---|---|---|\n"
        "| A | 0.510 ± 0.025 | – |\n| B | 1.010 ± 0.025 | – |"
    )
    lines = tables.show_claims(found).splitlines()
    assert lines[2] == "| A errs less. | 0.5 | 0.5 to 0.5 | 0.2 | *holds here* |"
    assert lines[3].endswith("| 10 % | *reversed here* |")
    assert lines[4].endswith("*cannot be tested here: it takes listeners* |")


def test_an_effect_missed_for_certain_is_told_from_one_that_seeds_blur(folder):
    """Both are undecided, but an aim of 0.7 that ended at 0.5 to 0.6 was missed."""
    tables.run("made_up", progress=False)
    found = tables.results("made_up")
    first = found["claims"][0]
    for values, end in (
        ([0.5, 0.51, 0.52], "*undecided here: whatever the effect is, it is smaller than what "),
        ([0.5, 0.9, 0.1], "*undecided here* |"),
    ):
        told = tables.Claim("A.", "error", "higher", "A", "B", smallest=0.7)
        verdict = tables.judge(told, values, [0.0, 0.0, 0.0])
        judged = found | {"claims": [{**first, "smallest": 0.7, "verdict": vars(verdict)}]}
        assert end in tables.show_claims(judged).splitlines()[2]


def test_a_bar_in_the_words_of_a_column_does_not_end_its_cell():
    found = {"columns": {"d": "|z - e|²"}, "rows": {"one": {"metrics": {"d": None}}}}
    assert tables.show(found).splitlines()[0] == r"|  | \|z - e\|² |"


def test_the_papers_numbers_stand_beside_ours(folder, monkeypatch):
    table = grid.find("made_up")
    paper = {"B": {"ViSQOL": 4.01, "bit/s": 6000}}
    made = grid.Table(**{**vars(table), "paper": paper})
    monkeypatch.setattr("course_lib.tables.made_up.TABLE", made)
    tables.run("made_up", progress=False)
    assert tables.show(tables.results("made_up")).splitlines() == [
        "|  | error (MSE) | more | paper: ViSQOL | paper: bit/s |",
        "|---|---|---|---|---|",
        "| A | 0.510 ± 0.025 | – | – | – |",
        "| B | 1.010 ± 0.025 | – | 4.01 | 6000 |",
    ]
    with pytest.raises(ValueError, match="paper's numbers name a row that is not there: C"):
        grid.Table(**{**vars(table), "paper": {"C": {"ViSQOL": 4.0}}})


def test_killed_half_way_it_goes_on(folder):
    number = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has but the second, as abrupt
    command = [sys.executable, str(folder / "run"), str(folder)]
    stop = {**os.environ, "STOP_AT": "B 1", "SIGNAL": str(int(number))}
    assert subprocess.run(command, env=stop).returncode != 0
    assert not (folder / "results").exists()
    subprocess.run(command, check=True)
    assert calls(folder) == [*ALL[:4], *ALL[3:]]  # only the cell it was in comes twice
    assert len(json.loads((folder / "results/made_up.json").read_text())["rows"]) == 2


def test_a_torn_cell_is_computed_again(folder):
    tables.run("made_up", progress=False)
    torn = sorted((folder / "cache" / "tables" / "made_up").glob("*.json"))[0]
    torn.write_text("{", encoding="utf-8")
    tables.run("made_up", progress=False)
    assert len(calls(folder)) == 7


def test_other_settings_are_other_cells(folder, monkeypatch):
    tables.run("made_up", progress=False)
    table = grid.find("made_up")
    changed = {**table.rows, "A": {"mse": 0.6}}
    monkeypatch.setattr(
        "course_lib.tables.made_up.TABLE", grid.Table(**{**vars(table), "rows": changed})
    )
    tables.run("made_up", progress=False)
    assert calls(folder)[6:] == ["A 0", "A 1", "A 2"]


def test_other_models_are_other_cells(folder, monkeypatch):
    from dataclasses import replace

    tables.run("made_up", progress=False)
    made = replace(grid.find("made_up"), artefacts=("codec",))
    monkeypatch.setattr("course_lib.tables.made_up.TABLE", made)
    for digest, computed in (("one", 12), ("one", 12), ("another", 18)):
        card = {"sha256": digest}
        monkeypatch.setattr(grid.checkpoints, "card", lambda name, mine=False, card=card: card)
        tables.run("made_up", progress=False)
        assert len(calls(folder)) == computed


def test_unknown_names_and_missing_results_are_said(folder):
    assert "made_up" in tables.names() and "grid" not in tables.names()
    with pytest.raises(ValueError, match="no table 'mad': choose from .*made_up"):
        tables.run("mad")
    with pytest.raises(ValueError, match="no table"):
        tables.results("../made_up")
    with pytest.raises(FileNotFoundError, match="'course table made_up'"):
        tables.results("made_up")


@pytest.mark.parametrize("wrong", [{"better": "C"}, {"metric": "mae"}])
def test_a_claim_about_nothing_is_refused(folder, wrong):
    table = grid.find("made_up")
    claim = tables.Claim(
        **{"sentence": "A", "metric": "mse", "better": "A", "than": "B", "smallest": 1} | wrong
    )
    with pytest.raises(ValueError, match="names (a row that is not there|no column)"):
        grid.Table(**{**vars(table), "claims": (claim,)})


def test_a_cell_without_its_columns_is_refused(folder, monkeypatch):
    table = grid.find("made_up")
    broken = grid.Table(**{**vars(table), "cell": lambda job: {"mse": 1.0}})
    monkeypatch.setattr("course_lib.tables.made_up.TABLE", broken)
    with pytest.raises(ValueError, match="Row 'A' returned no 'more'"):
        tables.run("made_up", progress=False)
