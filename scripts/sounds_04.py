"""Make the sounds that open notebook 04: python scripts/sounds_04.py

Written are data/sounds/04_*.mp3: a held-out clip, its log-mel spectrogram made back into sound, and
the same with every frame replaced by the sum of 1, 2, 4 or 8 entries of 256, found by k-means on
the training clips of the quick profile.
"""

import torch

from course_lib import audio, paths, songbook
from course_lib.notebook import ladder_clips
from course_lib.notebook.sounds import encode, excerpt
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
    write("original", clip.audio)
    write("mel", audio.griffin_lim(log_mel, mel)[0])
    for n in (1, 2, 4, 8):
        coded = rvq.decode(rvq.encode(log_mel, n))
        print(f"{n}: error {(coded - log_mel).square().mean() / log_mel.var():.3f} of the variance")
        write(str(n), audio.griffin_lim(coded, mel)[0])


def write(name: str, sound: torch.Tensor) -> None:
    level = audio.normalise(excerpt(sound[0], 16000, SECONDS)[None], 16000)
    data = encode(level[0], 16000, "MP3")
    path = paths.data("sounds", f"04_{name}.mp3")
    paths.replace_file(path, lambda temporary: temporary.write_bytes(data))
    print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
