"""Drawing figures of the decks: one style, and stamps that tell a figure older than its result."""

import hashlib
import importlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib import paths
from course_lib.notebook.plots import COLOURS, HEAT
from slides import quotes

LINK = re.compile(r"figures/(deck\d\d)/(\w+)\.svg")
FONT = "@fontsource/atkinson-hyperlegible/files/atkinson-hyperlegible-latin-{}-normal.woff"
BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, BLACK = COLOURS
GREY, PALE = "#5c6670", "#c9d1d8"
WIDE, HALF = (11.4, 4.4), (5.5, 4.4)  # inches: the width of a slide, and of one of two columns

__all__ = ["BLACK", "BLUE", "GREEN", "GREY", "HALF", "HEAT", "ORANGE", "PALE", "PINK", "RED"]
__all__ += ["SKY", "WIDE", "YELLOW", "Figure", "bars", "boxes", "counted", "draw", "drawn_from"]
__all__ += ["fault", "find", "mean", "spread", "subplots"]


@dataclass(frozen=True)
class Figure:
    """A function that draws, and the names of what it is drawn from, handed to it in this order."""

    function: Callable[..., Any]
    results: tuple[str, ...]
    models: tuple[str, ...]
    sounds: tuple[str, ...]

    @property
    def sources(self) -> list[Path]:
        """The files it is drawn from."""
        return [
            *(paths.data("results", f"{name}.json") for name in self.results),
            *(paths.data("checkpoints", f"{name}.safetensors") for name in self.models),
            *(paths.data("sounds", f"{name}.mp3") for name in self.sounds),
        ]

    @property
    def code(self) -> list[Path]:
        return [Path(sys.modules[self.function.__module__].__file__), Path(__file__)]


def drawn_from(*results: str, models: tuple[str, ...] = (), sounds: tuple[str, ...] = ()):
    """Say of a function what it is drawn from: results, shipped models, committed sounds.

    The function gets each result as its JSON, each model loaded, each sound as (tensor [T], rate),
    and returns a matplotlib figure. One that shows an idea alone names nothing.
    """
    return lambda function: Figure(function, results, models, sounds)


def find(link: str) -> Figure:
    """The figure of an address such as `figures/deck01/errors.svg`. Raises ValueError for none."""
    match = LINK.fullmatch(link)
    if not match:
        raise ValueError(f"{link} is not of the form figures/deck01/NAME.svg.")
    try:
        module = importlib.import_module(f"slides.figures.{match.group(1)}")
    except ModuleNotFoundError as error:
        raise ValueError(f"there is no slides/figures/{match.group(1)}.py for {link}.") from error
    figure = getattr(module, match.group(2), None)
    if not isinstance(figure, Figure):
        raise ValueError(f"slides/figures/{match.group(1)}.py draws no figure {match.group(2)!r}.")
    missing = [path for path in figure.sources if not path.is_file()]
    if missing:
        raise ValueError(f"{link} is drawn from {missing[0].name}, which is not in data/.")
    return figure


def stamp(figure: Figure) -> dict[str, str]:
    """What a figure was drawn from, by hash."""
    files = [*figure.sources, *figure.code]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def fault(link: str, folder: Path) -> str | None:
    """Why the drawn figure in `folder` will not do, in a sentence; None where it will."""
    path = folder / link
    if not path.is_file() or not path.with_suffix(".json").is_file():
        return f"The figure {link} is missing: it was not drawn."
    was, now = json.loads(path.with_suffix(".json").read_text()), stamp(find(link))
    older = [name for name in now if was.get(name) != now[name]]
    return f"The figure {link} is older than {older[0]}: draw it again." if older else None


def draw(link: str, folder: Path) -> None:
    """Draw a figure into `folder`, and its stamp beside it."""
    import matplotlib

    figure = find(link)
    path = folder / link
    with matplotlib.rc_context(_style()):
        drawn = figure.function(*_given(figure))
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(path, format="svg", metadata={"Date": None})
        sys.modules["matplotlib.pyplot"].close(drawn)
    path.with_suffix(".json").write_text(json.dumps(stamp(figure), indent=1) + "\n")


def _given(figure: Figure) -> list[Any]:
    from course_lib import audio, checkpoints

    given = [quotes.results(name) for name in figure.results]
    given += [checkpoints.load(name) for name in figure.models]
    for name in figure.sounds:
        given.append((audio.read(paths.data("sounds", f"{name}.mp3"), 16000).mean(0), 16000))
    return given


def _style() -> dict[str, Any]:
    return {
        "font.family": [*_fonts(), "DejaVu Sans"],
        "font.size": 16,
        "axes.titlesize": 17,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.edgecolor": GREY,
        "axes.labelcolor": "#22282d",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.prop_cycle": _cycle(),
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": "#22282d",
        "ytick.labelcolor": "#22282d",
        "grid.color": "#e3e8ec",
        "legend.frameon": False,
        "lines.linewidth": 2.5,
        "lines.markersize": 8,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "savefig.transparent": True,
        "svg.hashsalt": "slides",
    }


def _cycle():
    from cycler import cycler

    return cycler(color=[BLUE, RED, GREEN, PINK, ORANGE, SKY, BLACK])


def _fonts() -> list[str]:
    """The decks' typeface for matplotlib, where npm has fetched it."""
    from fontTools.ttLib import TTFont
    from matplotlib import font_manager

    name = "Atkinson Hyperlegible"
    if any(entry.name == name for entry in font_manager.fontManager.ttflist):
        return [name]
    packages = Path(__file__).parent / "node_modules"
    if not (packages / FONT.format(400)).is_file():
        return []
    for weight in (400, 700):
        path = paths.root() / "build" / "fonts" / f"atkinson-{weight}.ttf"
        path.parent.mkdir(parents=True, exist_ok=True)
        font = TTFont(packages / FONT.format(weight))
        font.flavor = None  # matplotlib reads no woff
        font.save(path)
        font_manager.fontManager.addfont(path)
    return [name]


def subplots(*shape: int, size: tuple[float, float] = WIDE, **options):
    """Figure and axes, the width of a slide."""
    from matplotlib import pyplot

    return pyplot.subplots(*shape, figsize=size, **options)


def mean(found: dict, row: str, metric: str) -> float:
    """The mean of a metric of a row, over the seeds."""
    return found["rows"][row]["metrics"][metric]["mean"]


def spread(found: dict, row: str, metric: str) -> float:
    """Half its 95 % interval."""
    return found["rows"][row]["metrics"][metric]["half_interval"]


def bars(axes, found: dict, rows: dict[str, str], metric: str, how: str = "{:.2f}", colours=BLUE):
    """Lying bars of a metric, `rows` maps names of rows to what is written, intervals drawn."""
    values = [mean(found, row, metric) for row in rows]
    spreads = [spread(found, row, metric) for row in rows]
    places = range(len(rows))[::-1]
    axes.barh(places, values, xerr=spreads, color=colours, height=0.66, error_kw={"ecolor": GREY})
    axes.set_yticks(places, rows.values())
    end = max(abs(v) + s for v, s in zip(values, spreads, strict=True))
    for place, value, half in zip(places, values, spreads, strict=True):
        at = value + half if value >= 0 else half
        axes.text(max(at, 0) + 0.02 * end, place, how.format(value).replace("-", "−"), va="center")
    axes.set_xlim(min(0, *(v - h for v, h in zip(values, spreads, strict=True))), 1.18 * end)
    axes.tick_params(left=False)
    axes.set_xlabel(found["columns"][metric])
    return axes


def counted(
    axes,
    values: dict[str, float],
    colours,
    how: Callable[[float], str] = "{:,.0f}".format,
    log: bool = False,
):
    """Lying bars of numbers that a paper printed or that were counted, each written behind its bar.

    With `log` the axis is logarithmic, and its limits are the caller's.
    """
    places = range(len(values))[::-1]
    axes.barh(places, values.values(), color=colours, height=0.66)
    axes.set_yticks(places, values)
    end = max(values.values())
    for place, value in zip(places, values.values(), strict=True):
        axes.text(value * 1.25 if log else value + 0.015 * end, place, how(value), va="center")
    if log:
        axes.set_xscale("log")
        axes.minorticks_off()
    else:
        axes.set_xlim(0, 1.18 * end)
    axes.tick_params(left=False)
    return axes


def boxes(axes, found: list[tuple], arrows: list[tuple] = ()):
    """A block diagram: boxes (x, y, words, colour, width, height), arrows ((x, y), (x, y), words).

    Units are those of the axes, which reach from 0 to 10 in width and 0 to 4 in height.
    """
    from matplotlib.patches import FancyBboxPatch

    axes.set(xlim=(0, 10), ylim=(0, 4))
    axes.axis("off")
    for x, y, words, colour, width, height in found:
        shape = "round,pad=0,rounding_size=0.12"
        corner = (x - width / 2, y - height / 2)
        axes.add_patch(
            FancyBboxPatch(corner, width, height, boxstyle=shape, fc=colour + "22", ec=colour, lw=2)
        )
        axes.text(x, y, words, ha="center", va="center", fontsize=15, linespacing=1.25)
    for start, end, words in arrows:
        line = {"arrowstyle": "-|>", "color": GREY, "lw": 2, "shrinkA": 2, "shrinkB": 2}
        axes.annotate("", end, start, arrowprops=line)
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.12)
        axes.text(*middle, words, ha="center", va="bottom", fontsize=13, color=GREY)
    return axes
