"""What a run wrote down: rows in memory and, line by line, in `log.jsonl`."""

import json
from dataclasses import dataclass
from pathlib import Path

from course_lib import paths


@dataclass(frozen=True)
class History:
    """The course of a training run.

    `rows` are dicts with `step`, `seconds` (of training so far), `lr` (of the first optimiser),
    `loss`, whatever else the loss returned (means since the row before), and at times what
    `evaluate` returned. `steps` were done, on `device`, in `seconds`, over all sittings.
    """

    rows: tuple[dict[str, float], ...]
    steps: int
    seconds: float
    device: str

    def column(self, name: str) -> tuple[list[int], list[float]]:
        """Steps and values of one column, ready to plot. Raises KeyError for an unknown name."""
        found = [(row["step"], row[name]) for row in self.rows if name in row]
        if not found:
            known = sorted({key for row in self.rows for key in row})
            raise KeyError(f"No column {name!r} in this history; it has {known}.")
        steps, values = zip(*found, strict=True)
        return list(steps), list(values)

    @property
    def last(self) -> dict[str, float]:
        """The last row."""
        return self.rows[-1]


class Log:
    """Rows of a run, appended to `FOLDER/log.jsonl` as they come where there is a folder."""

    def __init__(self, folder: Path | None, step: int):
        """Take over the rows up to `step`; what a killed run logged after its last save goes."""
        self.path = None if folder is None else folder / "log.jsonl"
        self.rows: list[dict] = []
        if self.path is not None and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    break  # the process was killed within this line
                if row["step"] <= step:
                    self.rows.append(row)
        if self.path is not None:
            paths.remove_leftovers(self.path)
            text = "".join(json.dumps(row) + "\n" for row in self.rows)
            paths.replace_file(self.path, lambda p: p.write_text(text, encoding="utf-8"))

    def append(self, row: dict) -> None:
        self.rows.append(row)
        if self.path is not None:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
