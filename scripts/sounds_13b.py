"""Make the sounds that open notebook 13b: python scripts/sounds_13b.py

Written are data/sounds/13b_*.mp3: parts of three test clips in different styles.
"""

from course_lib import audio, paths, songbook
from course_lib.notebook.sounds import encode, excerpt

SECONDS = 4.0
CLIPS = (2, 4, 11)  # of the test split


def main() -> None:
    clips = songbook.load("test", "full")
    for number, index in enumerate(CLIPS, 1):
        sound = excerpt(clips.batch([index])[0, 0], 16000, SECONDS)[None]
        data = encode(audio.normalise(sound, 16000)[0], 16000, "MP3")
        path = paths.data("sounds", f"13b_{number}.mp3")
        paths.replace_file(path, lambda temporary, data=data: temporary.write_bytes(data))
        print(f"{path.name}: {clips.attributes(index).style}, {len(data):,} bytes")


if __name__ == "__main__":
    main()
