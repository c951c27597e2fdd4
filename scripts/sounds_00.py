"""Make the sounds that open notebook 00: python scripts/sounds_00.py

Written are data/sounds/00_STYLE.mp3: the beginning of one tune in ten styles.
"""

from course_lib import audio, paths, songbook
from course_lib.notebook.sounds import encode

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
        level = audio.normalise(clip.audio, clip.sample_rate)
        data = encode(level[0], clip.sample_rate, "MP3")
        path = paths.data("sounds", f"00_{style}.mp3")
        paths.replace_file(path, lambda temporary, data=data: temporary.write_bytes(data))
        print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
