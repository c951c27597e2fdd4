"""The styles by name. Taught in notebook 00."""

from course_lib.songbook import styles_acoustic, styles_electric
from course_lib.songbook.style import Style

STYLES: dict[str, Style] = {
    style.name: style for style in (*styles_acoustic.STYLES, *styles_electric.STYLES)
}

# The styles that `load` draws. A style added later is for `in_style` alone: drawing it too would
# change which clip is clip i.
DRAWN = (
    "chorale",
    "fiddle_session",
    "waltz",
    "music_box",
    "brass_band",
    "lo_fi",
    "house",
    "bossa_nova",
    "ambient",
    "chiptune",
    "ragtime",
    "soul",
)


def find_style(name: str) -> Style:
    """The style called `name`. Raises ValueError that lists the names."""
    if name not in STYLES:
        raise ValueError(f"No style is called {name!r}: choose one of {', '.join(STYLES)}.")
    return STYLES[name]
