"""Make the sounds that open notebooks 01 and 01b: python scripts/sounds_01.py

Written are data/sounds/01_*.mp3 (a held-out clip through codebooks of several sizes) and
01b_letter_*.mp3 (moments of many clips that share one code). Codebooks are learned as the
notebooks learn them, from the quick songbook.
"""

import torch
from opening_sounds import write

from course_lib import audio, quantize, songbook
from course_lib.notebook import ladder_clips

SECONDS = 3.0
MOMENT = 2048  # samples, an eighth of a second


def main() -> None:
    mel = audio.LogMel()
    train = songbook.load("train", progress=False)
    log_mel = torch.cat([mel(train.batch(p)) for p in torch.arange(len(train)).split(64)])
    clip = next(iter(ladder_clips().values()))
    write("01_original", clip.audio, SECONDS)
    x = log_mel[..., ::4].transpose(1, 2).flatten(0, 1)  # [N, 80]
    own = mel(clip.audio[None])  # [1, 80, F]
    for size in (4, 16, 256, 1024):
        seeded = torch.Generator().manual_seed(0)
        codebook = quantize.kmeans(x, size, 6, seeded).centroids  # [V, 80]
        rebuilt = codebook[quantize.nearest(own[0].T, codebook)].T[None]  # [1, 80, F]
        write(f"01_{size}", audio.griffin_lim(rebuilt, mel)[0], SECONDS)
    for number, sound in enumerate(letters(train, log_mel), 1):
        write(f"01b_letter_{number}", sound, SECONDS)


def letters(train, log_mel: torch.Tensor) -> list[torch.Tensor]:
    """Three letters, low, middle and high, each as moments [1, T] of at least 24 clips."""
    x = log_mel.transpose(1, 2)  # [clips, F, 80]
    seeded = torch.Generator().manual_seed(0)
    alphabet = quantize.kmeans(x.flatten(0, 1)[::3], 128, 10, seeded).centroids  # [128, 80]
    codes = quantize.nearest(x.flatten(0, 1), alphabet).view(x.shape[:2])  # [clips, F]
    shared = [k for k in range(128) if (codes == k).any(1).sum() >= 24]
    bands = torch.arange(80.0)
    weight = alphabet[shared].exp()  # [letters, 80]
    order = ((weight * bands).sum(1) / weight.sum(1)).argsort()
    chosen = [shared[order[place]] for place in (0, len(order) // 2, -1)]
    return [moments(train, codes == k) for k in chosen]


def moments(train, here: torch.Tensor) -> torch.Tensor:
    """The first moment of each of 24 clips where `here` [clips, F] holds, end to end: [1, T]."""
    fade = torch.hann_window(512)[:256]
    window = torch.cat([fade, torch.ones(MOMENT - 512), fade.flip(0)])  # [2048]
    pieces = []
    for number in here.any(1).nonzero()[:24, 0].tolist():
        frames = here[number].nonzero()[:, 0]
        start = int(frames[len(frames) // 2]) * 256 - MOMENT // 2
        sound = torch.nn.functional.pad(train.batch([number])[0, 0], (MOMENT, MOMENT))
        pieces.append(sound[start + MOMENT : start + 2 * MOMENT] * window)
    return torch.cat(pieces)[None]


if __name__ == "__main__":
    main()
