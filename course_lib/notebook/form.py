"""The form of a committed notebook (CONTRIBUTING.md, "A notebook"): what breaks it, in words."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

from course_lib import paths
from course_lib.notebook import setup
from course_lib.notebook.running import joined, stray

CELLS, WORDS, BYTES, SECONDS = 50, 2000, 600_000, 4.05
# The notebooks of the course; those without a file are planned.
PLAN = {
    "00": "Songbook",
    "01": "Vector quantization",
    "02": "Continuous models",
    "03": "VQ-VAE",
    "03b": "Waveform VQ-VAE and a prior",
    "04": "Quantizer zoo",
    "05": "Hierarchies",
    "06": "VQGAN",
    "07": "SoundStream",
    "08": "EnCodec",
    "08b": "Codec files",
    "09": "DAC",
    "10": "Jukebox",
    "11": "KaraSinger",
    "12": "Accompaniment",
    "13": "CLAP",
    "14": "MusicLM",
    "15": "MusicGen",
    "16": "Latent diffusion",
    "17": "MeLoDy and JEN-1 Composer",
    "18": "UniAudio and MuseCoco",
    "19": "Control and fine-tuning",
}


def notebooks(folder: Path | None = None) -> dict[str, Path]:
    """The notebooks that exist, by number, in order. `folder`: by default the course's own."""
    found = (folder or paths.root() / "notebooks").glob("[0-9][0-9]*_*.ipynb")
    return {p.name.partition("_")[0]: p for p in sorted(found)}


def read(path: Path) -> dict:
    """A notebook as a dictionary. Raises ValueError where the file holds none."""
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        book["cells"], book["nbformat"]
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is not a notebook of format 4: {error}.") from error
    return book


def title(path: Path) -> str:
    """The title of a notebook, without its number."""
    first = joined(read(path)["cells"][0]["source"]).splitlines()[0]
    return re.sub(r"^# *(\d+[a-z]?\. *)?", "", first)


def faults(path: Path) -> list[str]:
    """Everything that breaks the form of the notebook at `path`, one sentence each."""
    book = read(path)
    found = [*_head(book, path.name), *_order(book), *_sizes(book, path), *_references(book, path)]
    for index, cell in enumerate(book["cells"], 1):
        outputs = cell.get("outputs", [])
        found += [f"cell {index}: {fault}" for fault in [*stray(outputs), *_media(outputs)]]
    return found


def summary(path: Path) -> str:
    """Cells, words and size of a notebook against their budgets."""
    cells, words = core(read(path))
    size = path.stat().st_size
    return f"{cells} of {CELLS} cells, {words} of {WORDS} words, {size / 1e6:.2f} of 0.60 MB"


def core(book: dict) -> tuple[int, int]:
    """Cells and words of the core path: title to recap, without the section Exercises."""
    cells = words = 0
    inside = True
    for cell in book["cells"]:
        text = joined(cell["source"])
        if cell["cell_type"] == "markdown":
            for heading in re.findall(r"^## (.*)$", text, flags=re.MULTILINE):
                inside = not heading.startswith("Exercise")
        if inside:
            cells += 1
            words += word_count(text) if cell["cell_type"] == "markdown" else 0
    return cells, words


def word_count(markdown: str) -> int:
    """Words of prose: formulas, code blocks, HTML and the targets of links don't count."""
    for pattern in (r"```.*?```", r"\$\$.*?\$\$", r"\$[^$]*\$", r"<[^>]*>", r"\]\([^)]*\)"):
        markdown = re.sub(pattern, " ", markdown, flags=re.DOTALL)
    return len(re.findall(r"[^\W_][\w'’-]*", markdown))


def exercises(book: dict) -> list[str]:
    """The names checked in a notebook, as "NN.exercise", in order."""
    code = "\n".join(joined(c["source"]) for c in book["cells"] if c["cell_type"] == "code")
    return list(dict.fromkeys(re.findall(r"^check\(\s*[\"']([^\"']+)[\"']", code, re.MULTILINE)))


def solutions(book: dict) -> list[str]:
    """The code in the collapsed solution blocks, in order."""
    prose = "\n".join(joined(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown")
    blocks = re.findall(r"<details>\s*<summary>\s*Solution.*?</details>", prose, flags=re.DOTALL)
    return [c for block in blocks for c in re.findall(r"```python\n(.*?)```", block, re.DOTALL)]


def _head(book: dict, name: str) -> list[str]:
    cells = book["cells"]
    first = joined(cells[0]["source"]) if cells else ""
    found = []
    if not first.startswith("# ") or cells[0]["cell_type"] != "markdown":
        found.append("cell 1: it does not begin with a title ('# …')")
    if setup.badge(name) not in first.splitlines():
        found.append(f"cell 1: the badge's line is missing or old ('{setup.BADGE}'; course stamp)")
    code = [c for c in cells if c["cell_type"] == "code"]
    if not code or joined(code[0]["source"]) != setup.cell():
        found.append("the first code cell is not the setup cell, verbatim")
    return found


def _order(book: dict) -> list[str]:
    code = [c for c in book["cells"] if c["cell_type"] == "code" and joined(c["source"]).strip()]
    counts = [c.get("execution_count") for c in code]
    if any(count is None for count in counts):
        return ["it was stripped, or not executed: some cells have no number"]
    if counts != list(range(1, len(counts) + 1)):
        return [f"it was executed out of order: {counts}"]
    if not any(c.get("outputs") for c in code):
        return ["it has no outputs"]
    return []


def _sizes(book: dict, path: Path) -> list[str]:
    cells, words = core(book)
    size = path.stat().st_size
    found = []
    if cells > CELLS:
        found.append(f"{cells} cells in the core path, at most {CELLS}")
    if words > WORDS:
        found.append(f"{words} words in the core path, at most {WORDS}")
    if size > BYTES:
        found.append(f"{size:,} bytes, at most {BYTES:,}")
    return found


def _references(book: dict, path: Path) -> list[str]:
    found = []
    have = notebooks(path.parent)
    for index, cell in enumerate(book["cells"], 1):
        if cell["cell_type"] != "markdown":
            continue
        text = joined(cell["source"])
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (path.parent / target.partition("#")[0]).exists():
                found.append(f"cell {index}: the link to {target} leads nowhere")
        for number, after in re.findall(r"[Nn]otebooks? (\d\d[a-z]?)\b(.{0,12})", text):
            if number not in have and "planned" not in after:
                found.append(f"cell {index}: notebook {number} does not exist; say '(planned)'")
    return found


class _Media(HTMLParser):
    """Collects the attributes of the sounds and pictures of a page."""

    def __init__(self):
        super().__init__()
        self.sounds: list[dict] = []
        self.pictures: list[dict] = []

    def handle_starttag(self, tag, attrs):
        if tag == "audio":
            self.sounds.append(dict(attrs))
        if tag == "source" and self.sounds:
            self.sounds[-1].setdefault("src", dict(attrs).get("src"))
        if tag == "img":
            self.pictures.append(dict(attrs))


def media(html: str) -> tuple[list[dict], list[dict]]:
    """The attributes of every `<audio>` and every `<img>` in a page."""
    parser = _Media()
    parser.feed(html)
    return parser.sounds, parser.pictures


def _media(outputs: list) -> list[str]:
    found = []
    for output in outputs:
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data):
            found.append("a picture without alternative text: show it by picture(figure, alt)")
        sounds, pictures = media(joined(data.get("text/html", "")))
        found += ["a picture without alternative text" for p in pictures if not p.get("alt")]
        for sound in sounds:
            found += _sound(sound)
    return found


def _sound(attributes: dict) -> list[str]:
    import soundfile

    found = []
    if "autoplay" in attributes:
        found.append("a player that starts by itself")
    kind, _, payload = (attributes.get("src") or "").partition(";base64,")
    if not kind.startswith("data:audio/"):
        return [*found, "a player whose sound is not within the notebook"]
    try:
        told = soundfile.info(io.BytesIO(base64.b64decode(payload)))
    except (soundfile.SoundFileError, ValueError) as error:
        return [*found, f"a player whose sound can't be read ({error})"]
    if told.channels != 1:
        found.append(f"a player with {told.channels} channels: mono is enough")
    if told.duration > SECONDS:
        found.append(f"a player of {told.duration:.1f} s, at most 4 s")
    if told.format == "WAV":
        found.append("a player that isn't compressed")
    return found
