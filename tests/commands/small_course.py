"""`course`, with a small codec and a small language model in place of the shipped ones.

    python small_course.py SEED encode IN OUT ...

Models of another seed are other models.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "codec_file"))

import small_codec  # noqa: E402

from course_lib import checkpoints, cli  # noqa: E402


def loading(seed: int):
    """What stands in for checkpoints.load."""

    def load(name: str):
        make = {"codec": small_codec.small_codec, "codec_lm": small_codec.small_lm}[name]
        return make(seed=seed)

    return load


if __name__ == "__main__":
    checkpoints.load = loading(int(sys.argv[1]))
    sys.exit(cli.main(sys.argv[2:]))
