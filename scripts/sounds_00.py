"""Make the sounds that open notebook 00: python scripts/sounds_00.py

Written are data/sounds/00_STYLE.mp3: the beginning of one tune in ten styles.
"""

from opening_sounds import write

from course_lib import songbook

TUNE = "oneill-1814"  # The Rakes of Mallow
STYLES = (
    "fiddle_session",
    "music_box",
    "brass_band",
    "ragtime",
    "bossa_nova",
    "soul",
    "lo_fi",
    "house",
    "ambient",
    "chiptune",
)
SECONDS = 3.0  # whole bars: `in_style` chooses the tempo for it


def main() -> None:
    for style in STYLES:
        clip = songbook.in_style(TUNE, style, SECONDS)
        write(f"00_{style}", clip.audio, SECONDS)


if __name__ == "__main__":
    main()
