"""The sounds that go through the whole course: two held-out clips and the student's own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_lib.songbook import Clip

PLACES = (7, 3)  # of the test split: one clip without drums, one with
SECONDS = 4.0
MINE = "mine"


def ladder_clips(sample_rate: int = 16000) -> "dict[str, Clip]":
    """{label: Clip}, 4 s, mono: the same two test clips in every notebook and profile, then "mine".

    The two are labelled by their styles; "mine" is the student's own music or the default tune.
    """
    from course_lib import songbook

    size = songbook.Size(train=1, validation=1, test=max(PLACES) + 1, seconds=SECONDS)
    book = songbook.load("test", size=size, sample_rate=sample_rate, progress=False)
    clips = [book[place] for place in PLACES]
    own = songbook.mine(seconds=SECONDS, sample_rate=sample_rate)
    return {clip.attributes.style: clip for clip in clips} | {MINE: own}
