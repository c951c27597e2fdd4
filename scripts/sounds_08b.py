"""Make the sounds that open notebook 08b: python scripts/sounds_08b.py

Written are data/sounds/08b_*.mp3: a held-out clip; the clip out of a file at 4 kbit/s; the same,
range-coded without the grid and decoded where logits differ in the ninth decimal place.
"""

import numpy as np
import torch
from constriction import stream
from opening_sounds import write

from course_lib import checkpoints, codec_file
from course_lib.models import FrameByFrame
from course_lib.notebook import ladder_clips

SECONDS = 3.5
ERROR = 3e-9  # of the logits


def main() -> None:
    codec, lm = checkpoints.load("codec"), checkpoints.load("codec_lm")
    wave = list(ladder_clips().values())[1].audio[:, : round(SECONDS * 16000)]
    codes = codec.encode(wave[None]).codes  # [1, 8, F]
    size = len(codec_file.bits.pack(codes[0].numpy(), codec.config.entries))
    print(f"{size:,} bytes of packed codes")
    write("08b_original", wave, SECONDS)
    write("08b_decoded", codec.decode_codes(codes)[0], SECONDS)
    write("08b_other", codec.decode_codes(elsewhere(codes[0], lm)[None])[0], SECONDS)


def elsewhere(codes: torch.Tensor, lm) -> torch.Tensor:
    """Codes [K, F] as another computer would decode them from probabilities without a grid."""
    family = stream.model.Categorical(perfect=False)
    coder, steps, last = stream.queue.RangeEncoder(), FrameByFrame(lm), None
    steps.restart(len(codes))
    for frame in codes.T:
        p = steps.step(last).softmax(-1).numpy()
        coder.encode(frame.numpy().astype(np.int32), family, p)
        last = frame
    decoder = stream.queue.RangeDecoder(coder.get_compressed())
    noise = np.random.default_rng(0)
    steps.restart(len(codes))
    last, found = None, []
    for _ in range(codes.shape[1]):
        logits = steps.step(last)
        logits = logits + ERROR * torch.from_numpy(noise.normal(size=logits.shape))
        try:
            last = decoder.decode(family, logits.softmax(-1).numpy())
        except AssertionError:  # the coder says that these words cannot be
            break
        found.append(last := torch.from_numpy(last).long())
    lost = [torch.zeros(len(codes), dtype=torch.long)] * (codes.shape[1] - len(found))
    found = torch.stack(found + lost, 1)
    wrong = (found != codes).any(0)  # [F]
    if not wrong.any():
        raise RuntimeError(f"An error of {ERROR} changed nothing: take a larger one.")
    print(f"wrong from {wrong.float().argmax().item() / 50:.2f} s on")
    return found


if __name__ == "__main__":
    main()
