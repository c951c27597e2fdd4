"""Make the sounds that open notebook 08: python scripts/sounds_08.py

Written are data/sounds/08_*.mp3: a held-out clip, the same through Opus, and through the shipped
codec before and after its discriminators and with one codebook.
"""

from opening_sounds import write

from course_lib import checkpoints
from course_lib.evaluation.opus import opus
from course_lib.notebook import ladder_clips

SECONDS = 3.0
OPUS = 10.0  # kbit/s asked of Opus; headers come on top


def main() -> None:
    sound = list(ladder_clips().values())[1].audio  # [1, T]
    plain, codec = checkpoints.load("codec_plain"), checkpoints.load("codec")
    packed, kbps = opus(sound, 16000, OPUS)
    print(f"Opus: {kbps:.1f} kbit/s")
    write("08_original", sound, SECONDS)
    write("08_opus", packed, SECONDS)
    write("08_plain", plain.decode(plain.encode(sound[None]))[0], SECONDS)
    write("08_codec", codec.decode(codec.encode(sound[None]))[0], SECONDS)
    write("08_coarse", codec.decode(codec.encode(sound[None], 1))[0], SECONDS)


if __name__ == "__main__":
    main()
