"""What the student keeps, and the one offline page that shows all of it."""

import re
from datetime import datetime
from html import escape
from pathlib import Path

from course_lib import paths
from course_lib.notebook.sounds import encode, mono

KINDS = (".wav", ".flac", ".ogg", ".mp3", ".opus")


def keep(name: str, sound, sample_rate: int = 16000) -> Path:
    """Save a sound [T], [C, T] or a Clip as `sounds/NAME.flac` in the student's home; its path.

    Raises as `file_name` and `sounds.mono` do.
    """
    file = file_name(name, ".flac")
    samples, rate = mono(sound, sample_rate, f"'{name}'")
    path = paths.home("sounds", file)
    paths.replace_file(path, lambda p: p.write_bytes(encode(samples, rate, "FLAC")))
    return path


def file_name(name: str, suffix: str) -> str:
    """A name as that of a file: letters, digits, - and _. ValueError without any, or over 100."""
    slug = re.sub(r"[^\w-]+", "_", name).strip("_")
    if not slug or len(slug) > 100:
        raise ValueError(f"'{name}' is no name for a file: use 1 to 100 letters and digits.")
    return slug + suffix


def album(target: Path | None = None) -> Path:
    """Write one self-contained page of every sound in the student's home; its path.

    Files that cannot be read as sound are named on the page. Raises FileNotFoundError where nothing
    has been kept yet.
    """
    from course_lib import audio
    from course_lib.notebook.listening import player

    home = paths.home()
    found = home.rglob("[!.]*")  # a process that was killed may leave a hidden half of a file
    files = sorted(p for p in found if p.suffix.lower() in KINDS and p.is_file())
    if not files:
        raise FileNotFoundError(
            f"There are no sounds of yours in {home} yet: keep one with keep('my tune', audio)."
        )
    sections = []
    for path in files:
        title = " / ".join(path.relative_to(home).with_suffix("").parts).replace("_", " ")
        try:
            samples = audio.read(path)
            import soundfile

            rate = soundfile.info(path).samplerate
            body = player(samples, rate, title, seconds=60)._repr_html_()
        except (OSError, ValueError, RuntimeError) as error:
            body = f"<p>{escape(path.name)} could not be read as sound: {escape(str(error))}</p>"
        day = datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d")
        sections.append(f"<section>{body}<p><small>{day}</small></p></section>")
    target = target or home / "album.html"
    text = page("My album", f"<h1>My album</h1><p>{len(files)} sounds.</p>" + "".join(sections))
    paths.replace_file(target, lambda p: p.write_text(text, encoding="utf-8"))
    return target


STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}
img{max-width:100%} audio{width:18rem;max-width:100%} table{border-collapse:collapse}
section{border-top:1px solid #ddd;padding:.5rem 0}
"""


def page(title: str, body: str) -> str:
    """A self-contained HTML page."""
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
