"""The recogniser of sung phonemes, on voices alone and in the mix. Taught in notebook 10.

It learns from 1,000 clips twice over, alone and mixed, each disturbed as codecs disturb sound: a
floor of noise, a missing treble, gaps. About 14 minutes on one CPU core, once the songbook with
voice is rendered.
"""

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from course_lib.evaluation.phonemes import edits
from course_lib.models.phonemes import BLANK, PhonemeRecogniser, PhonemeRecogniserConfig, merged
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load, phoneme_ids
from course_lib.training import Draws
from course_lib.training.precision import native_bfloat16

CONFIG = PhonemeRecogniserConfig()
BATCH = 16
QUIET, LOUD = -9.0, -2.0  # log magnitudes between which a disturbing floor of noise lies
BELOW, ABOVE = -5.0, 0.5  # log magnitudes of noise that follows the sound, against the sound
SMEAR = (15, 3)  # bands and frames over which it follows
GAP_BANDS, GAP_FRAMES = 12, 12


class SungClips:
    """Spectrograms float16 [N, 2, 80, F] of solos and mixes, and their phonemes int64 [N, L].

    `batch` gives (spectrograms, phonemes) of some clips, phonemes padded with 0.
    """

    def __init__(self, clips: Songbook, model: PhonemeRecogniser):
        self.spectrograms, rows = [], []
        for part in torch.arange(len(clips)).split(BATCH):
            solos = torch.stack([clips.solo(int(i)) for i in part])  # [B, 1, T]
            pair = [model.spectrogram(audio) for audio in (solos, clips.batch(part))]
            self.spectrograms.append(torch.stack(pair, dim=1).half())
            rows += [phoneme_ids(clips.lyrics(int(i)).phonemes) for i in part]
        self.spectrograms = torch.cat(self.spectrograms)
        self.ids = pad_sequence(rows, batch_first=True, padding_value=BLANK)

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        return self.spectrograms[indices], self.ids[indices]


def data(split: str, size: str, parents: Parents) -> SungClips:
    return SungClips(load(split, size, voice=True), PhonemeRecogniser(CONFIG))


def loss(model: PhonemeRecogniser, batch: tuple[Tensor, Tensor], draws: Draws) -> Tensor:
    """CTC on the solo or the mix of each clip, one as often as the other, disturbed."""
    pairs, ids = batch
    which = draws.integers(2, stream="which")  # [B]
    chosen = pairs[torch.arange(len(pairs), device=pairs.device), which].float()
    with native_bfloat16(chosen.device):
        return model.loss(disturbed(chosen, draws), ids)


def disturbed(log_mel: Tensor, draws: Draws) -> Tensor:
    """Spectrograms [B, 80, F] as a codec might leave them.

    With steady noise, with noise that follows the sound (every other one), dull, and with gaps.
    """
    items, bands, frames = log_mel.shape

    def uniform(stream: str, *shape: int) -> Tensor:
        return draws.uniform(*shape, stream=stream).view(items, *(shape or (1, 1)))

    floor = QUIET + (LOUD - QUIET) * uniform("floor")
    grain = uniform("grain", bands, frames).clamp(min=1e-3).log()
    x = torch.logaddexp(log_mel, floor + grain)
    around = F.avg_pool2d(log_mel.exp(), SMEAR, 1, (SMEAR[0] // 2, SMEAR[1] // 2)).log()
    follows = BELOW + (ABOVE - BELOW) * (2 * uniform("follows") - 1)  # below BELOW: next to none
    x = torch.logaddexp(x, around + follows + grain)
    place = torch.arange(bands, device=x.device)[:, None] / bands
    cutoff = 0.5 + uniform("cutoff")  # every other clip loses nothing
    x = x - 20 * (place - cutoff).clamp(min=0)
    for axis, size, widest in ((1, bands, GAP_BANDS), (2, frames, GAP_FRAMES)):
        width = uniform(f"width {axis}") * widest
        start = uniform(f"start {axis}") * (size - width)
        at = torch.arange(size, device=x.device).view([1, -1, 1] if axis == 1 else [1, 1, -1])
        x = torch.where((at >= start) & (at < start + width), x.mean((1, 2), keepdim=True), x)
    return x


def test(model: PhonemeRecogniser, clips: SungClips) -> dict[str, float]:
    """Phoneme error rates of solos and mixes."""
    device = next(model.parameters()).device
    found = {"phoneme_error_solo": 0, "phoneme_error_mix": 0}
    for indices in torch.arange(len(clips)).split(BATCH):
        pairs, ids = clips.batch(indices)
        for name, log_mel in zip(found, pairs.unbind(1), strict=True):
            best = model.listen(log_mel.float().to(device)).argmax(-1)
            meant = [row[row != BLANK].tolist() for row in ids]
            found[name] += sum(map(edits, merged(best), meant))
    total = int((clips.ids != BLANK).sum())
    return {name: round(value / total, 4) for name, value in found.items()}


RECIPE = Recipe(
    model=lambda: PhonemeRecogniser(CONFIG),
    data=data,
    loss=loss,
    test=test,
    steps=1500,
    size="full",
    batch_size=8,
    lr=3e-3,
    warmup=100,
    average=0.99,
    int8=True,
)
