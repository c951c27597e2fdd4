"""Make the sounds that open notebook 04: python scripts/sounds_04.py

Written are data/sounds/04_*.mp3: a held-out clip, its log-mel spectrogram made back into sound, and
the same with every frame replaced by the sum of 1, 2, 4 or 8 entries of 256, found by k-means on
the training clips of the quick profile.
"""

import torch
from opening_sounds import write

from course_lib import audio, songbook
from course_lib.notebook import ladder_clips
from course_lib.quantize import ResidualVQ

SECONDS = 3.0


def main() -> None:
    mel = audio.LogMel()
    book = songbook.load("train", songbook.Size(train=256, validation=1, test=64, seconds=5.0))
    frames = torch.cat([mel(book.batch(part)) for part in torch.arange(len(book)).split(64)])
    torch.manual_seed(0)
    rvq = ResidualVQ(80, 256, 8)
    some = frames.transpose(1, 2).flatten(0, 1)[:: len(frames) // 32]  # [N, 80]
    rvq(some.T[None])  # k-means of every stage
    rvq.eval()
    clip = next(iter(ladder_clips().values()))
    log_mel = mel(clip.audio[None])  # [1, 80, F]
    write("04_original", clip.audio, SECONDS)
    write("04_mel", audio.griffin_lim(log_mel, mel)[0], SECONDS)
    for n in (1, 2, 4, 8):
        coded = rvq.decode(rvq.encode(log_mel, n))
        print(f"{n}: error {(coded - log_mel).square().mean() / log_mel.var():.3f} of the variance")
        write(f"04_{n}", audio.griffin_lim(coded, mel)[0], SECONDS)


if __name__ == "__main__":
    main()
