"""What the machine writes in the README, so that it is true: the notebooks, the codec's figures."""

from course_lib import paths
from course_lib.notebook import form, setup


def table() -> str:
    """A Markdown table of the course's notebooks with their state; planned ones have no link."""
    have = form.notebooks()
    lines = ["| | notebook | state |", "|---|---|---|"]
    for number in sorted({*form.PLAN, *have}):
        title = form.PLAN.get(number) or form.title(have[number])
        if number in have:
            path = have[number]
            badge = setup.badge(path.name).removeprefix(setup.BADGE)
            lines.append(f"| {number} | [{title}](notebooks/{path.name}) | ready{badge} |")
        else:
            lines.append(f"| {number} | {title} | planned |")
    return "\n".join(lines)


def codec_figures() -> str:
    """A Markdown table of what the shipped codec does, from data/results/codec.json."""
    from course_lib import tables

    found = tables.results("codec")
    wanted = {
        "kbps": ("kbit/s", 1),
        "si_sdr": ("SI-SDR, dB", 1),
        "mel_distance": ("mel distance", 2),
        "stft_distance": ("STFT distance", 2),
        "frechet": ("Fréchet distance (analyser)", 0),
        "encoding": ("encodes × real time", 0),
        "decoding": ("decodes × real time", 0),
    }
    lines = ["| | " + " | ".join(words for words, _ in wanted.values()) + " |"]
    lines.append("|---|" + "---|" * len(wanted))
    for name, row in found["rows"].items():
        if name.startswith("codec_plain") or name == "aims":
            continue
        means = {key: row["metrics"][key]["mean"] for key in wanted}
        cells = [
            "–" if means[key] is None else f"{means[key]:.{places}f}"
            for key, (_, places) in wanted.items()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


BLOCKS = {"notebooks": table, "codec": codec_figures}


def renew() -> bool:
    """Bring the README up to date; whether anything changed."""
    path = paths.root() / "README.md"
    text = new = path.read_text(encoding="utf-8") if path.is_file() else ""
    for name, write in BLOCKS.items():
        before, start, rest = new.partition(f"<!-- {name} -->")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        ready = name != "codec" or paths.data("results", "codec.json").is_file()
        if start and end and ready:
            new = f"{before}{start}\n{write()}\n{end}{after}"
    if new != text:
        paths.replace_file(path, lambda p: p.write_text(new, encoding="utf-8", newline="\n"))
    return new != text
