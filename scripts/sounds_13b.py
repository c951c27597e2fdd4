"""Make the sounds that open notebook 13b: python scripts/sounds_13b.py

Written are data/sounds/13b_*.mp3: parts of three test clips in different styles.
"""

from opening_sounds import write

from course_lib import songbook

SECONDS = 4.0
CLIPS = (2, 4, 11)  # of the test split


def main() -> None:
    clips = songbook.load("test", "full")
    for number, index in enumerate(CLIPS, 1):
        print(clips.attributes(index).style)
        write(f"13b_{number}", clips.batch([index])[0], SECONDS)


if __name__ == "__main__":
    main()
