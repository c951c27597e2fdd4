"""Sounds that decks play, of committed files or of an executed notebook, and their pictures."""

import base64
import json
import re
from html import escape
from pathlib import Path

PLAYER = r"<audio [^>]*src='data:audio/mpeg;base64,([A-Za-z0-9+/=]+)' aria-label='{}'"


def find(link: str, folder: Path) -> bytes:
    """The MP3 at `../data/sounds/04_8.mp3`, or of the player `../notebooks/03_vqvae.ipynb#label`.

    Addresses are seen from `folder`. Raises ValueError where there is no such sound.
    """
    address, _, label = link.partition("#")
    path = folder / address
    if not path.is_file():
        raise ValueError(f"there is no sound at {address}.")
    if not label:
        return path.read_bytes()
    return in_notebook(path, label)


def in_notebook(path: Path, label: str) -> bytes:
    """The MP3 of the first player with that label in the outputs of an executed notebook."""
    pattern = re.compile(PLAYER.format(re.escape(escape(label, quote=True))))
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            found = pattern.search("".join(output.get("data", {}).get("text/html", "")))
            if found:
                return base64.b64decode(found.group(1))
    raise ValueError(f"no player of {path.name} is labelled {label!r}.")


def name(link: str) -> str:
    """The name of its copy, without ending."""
    address, _, label = link.partition("#")
    return re.sub(r"\W+", "_", f"{Path(address).stem} {label}".strip())


def copy(link: str, folder: Path, target: Path) -> None:
    """Copy the sound at `link` (seen from `folder`) into `target`, its spectrogram beside it."""
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{name(link)}.mp3"
    found = find(link, folder)
    if path.is_file() and path.read_bytes() == found and path.with_suffix(".png").is_file():
        return
    path.write_bytes(found)
    _picture(path)


def _picture(path: Path) -> None:
    from matplotlib import image

    from course_lib import audio
    from course_lib.notebook.plots import HEAT

    mel = audio.LogMel(16000)(audio.read(path, 16000).mean(0, keepdim=True))[0]  # [M, F]
    high, options = mel.max().item(), {"origin": "lower", "cmap": HEAT}
    image.imsave(path.with_suffix(".png"), mel.numpy(), vmin=high - 8, vmax=high, **options)
