"""What pytest prints at the end: seconds per notebook, and what was left out."""

import json
import platform
from collections import defaultdict
from datetime import date
from pathlib import Path

SOAK = Path(__file__).parent / "data" / "results" / "soak.json"
seconds: dict[str, float] = defaultdict(float)
cells: dict[str, int] = defaultdict(int)
soak: dict[str, dict] = {}


def pytest_runtest_logreport(report):
    path, _, _ = report.nodeid.partition("::")
    if path.endswith(".ipynb"):
        seconds[path] += report.duration
        cells[path] += report.when == "call"
    if "soak" in report.keywords and report.when == "call":
        soak[report.nodeid] = {"outcome": report.outcome, "seconds": round(report.duration, 1)}


def pytest_terminal_summary(terminalreporter, config):
    write = terminalreporter.write_line
    if seconds:
        terminalreporter.section("seconds per notebook", sep="-")
        for path in sorted(seconds):
            write(f"{seconds[path]:7.1f} s  {cells[path]:3d} cells  {Path(path).name}")
        write(f"{sum(seconds.values()):7.1f} s  in all")
    left_out = [m for m in ("soak", "browser") if f"not {m}" in config.option.markexpr]
    commands = {"soak": "long runs: make soak", "browser": "in a browser: make test-browser"}
    if left_out:
        write("Not run here: " + "; ".join(commands[m] for m in left_out) + ".")
    if config.option.markexpr == "soak" and soak:
        _record_soak()
        write(f"Recorded in {SOAK.relative_to(Path(__file__).parent)}: commit it.")


def _record_soak() -> None:
    """Keep each test's last result; a run of a few tests leaves the others' as they were."""
    import torch

    kept = json.loads(SOAK.read_text(encoding="utf-8")) if SOAK.is_file() else {}
    where = {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }
    kept |= {name: result | where for name, result in soak.items()}
    SOAK.parent.mkdir(parents=True, exist_ok=True)
    SOAK.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
