"""Make the sounds that open notebook 07: python scripts/sounds_07.py

Written are data/sounds/07_*.mp3: a held-out clip, the same codes of it through the decoders of the
shipped `codec_plain` and `codec`, and one code of eight through the latter.
"""

from opening_sounds import write

from course_lib import checkpoints
from course_lib.notebook import ladder_clips

SECONDS = 3.0


def main() -> None:
    clip = next(iter(ladder_clips().values()))
    plain, judged = checkpoints.load("codec_plain"), checkpoints.load("codec")
    x = clip.audio[None]  # [1, 1, T]
    write("07_original", x[0], SECONDS)
    write("07_plain", plain.decode(plain.encode(x))[0], SECONDS)
    write("07_judged", judged.decode(judged.encode(x))[0], SECONDS)
    write("07_coarse", judged.decode(judged.encode(x, n_codebooks=1))[0], SECONDS)


if __name__ == "__main__":
    main()
