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
    rows = found["rows"]
    ours, plain, opus = (
        {key: rows[row]["metrics"][key]["mean"] for key in ("kbps", "si_sdr", "mel_distance")}
        for row in ("codec, 8 codebooks", "codec_plain, 8 codebooks", "Opus")
    )
    short = [
        f"{words} by {abs(ours[key] - opus[key]):.{places}f}{unit}"
        for key, words, places, unit, sign in (
            ("si_sdr", "in SI-SDR", 1, " dB", -1),
            ("mel_distance", "in mel distance", 2, "", 1),
        )
        if sign * (ours[key] - opus[key]) > 0
    ]
    if short:
        lines += [
            "",
            f"At {ours['kbps']:.0f} kbit/s it falls short of Opus at {opus['kbps']:.1f} kbit/s "
            f"{' and '.join(short)}. Before its adversarial phase (`codec_plain`) it reached "
            f"{plain['si_sdr']:.1f} dB and {plain['mel_distance']:.2f}.",
        ]
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
