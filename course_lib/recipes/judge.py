"""The judge: real clips and what the codec leaves of them. Taught in notebook 15.

Half of what it hears has been through four codebooks of the codec, since that is how a model speaks
to it. Clips are played up to a fifth faster or slower, which makes other tempi of them. About 15
minutes on one CPU core, once the songbook is rendered.
"""

from functools import cached_property

import torch
from torch import Tensor

from course_lib.evaluation import analyse, attribute_scores
from course_lib.models import Codec
from course_lib.models.judge import SLOW, Judge, JudgeConfig, Spectra
from course_lib.recipes import Parents, Recipe, analyser
from course_lib.recipes.analyser import LabelledClips, cross_entropies
from course_lib.songbook import Songbook, load
from course_lib.songbook.draw import TEMPO_CLASSES
from course_lib.training import Draws
from course_lib.training.precision import native_bfloat16

CODEBOOKS = 4  # of the codec, as MusicGen uses them
CODED_AT_ONCE = 8  # clips
WINDOW = 48  # frames of pitches that a step hears, 6.1 s
STRETCH = 0.2  # of the tempo, up or down
TEMPI = tuple(low for low, _ in TEMPO_CLASSES.values())[1:]  # from where medium and fast begin

CONFIG = JudgeConfig(
    instruments=analyser.CONFIG.instruments,
    styles=analyser.CONFIG.styles,
    modes=analyser.CONFIG.modes,
    metres=analyser.CONFIG.metres,
    tempo_classes=analyser.CONFIG.tempo_classes,
    tonics=analyser.CONFIG.tonics,
)


class Coded:
    """Clips through the codec with four codebooks: `batch` gives audio `[B, 1, T]`."""

    def __init__(self, clips: Songbook, codec: Codec):
        self.clips, self.codec = clips, codec

    def __len__(self) -> int:
        return len(self.clips)

    @torch.no_grad()
    def batch(self, indices: Tensor) -> Tensor:
        parts = []
        for some in torch.as_tensor(indices).split(CODED_AT_ONCE):
            audio = self.clips.batch(some)
            with native_bfloat16(audio.device):
                made = self.codec.decode(self.codec.encode(audio, CODEBOOKS))
            parts.append(made.float())
        return torch.cat(parts)


class HeardClips(LabelledClips):
    """Clips twice over, as they are and coded, with labels and the tempo in beats per minute.

    `batch` gives the spectra of both, "log_mel" float16 `[B, 2, 80, F]` and "pitches" float16
    `[B, 2, 12, 12, G]`, made when first asked for.
    """

    def __init__(self, clips: Songbook, codec: Codec, config: JudgeConfig = CONFIG):
        super().__init__(clips, config)
        self.coded, self.config = Coded(clips, codec), config
        self.tempo = torch.tensor([clips.attributes(i).tempo for i in range(len(clips))])

    @cached_property
    def spectra(self) -> Spectra:
        judge = Judge(self.config)
        found = []
        for some in torch.arange(len(self)).split(CODED_AT_ONCE):
            pair = [judge.spectra(clips.batch(some)) for clips in (self.clips, self.coded)]
            found.append(
                Spectra(
                    torch.stack([each.log_mel for each in pair], dim=1).half(),
                    torch.stack([each.pitches for each in pair], dim=1).half(),
                )
            )
        return Spectra(
            torch.cat([each.log_mel for each in found]), torch.cat([each.pitches for each in found])
        )

    def batch(self, indices: Tensor) -> dict[str, Tensor]:
        labels = {name: values[indices] for name, values in self.labels.items()}
        spectra = self.spectra
        heard = {"log_mel": spectra.log_mel[indices], "pitches": spectra.pitches[indices]}
        return heard | labels | {"tempo": self.tempo[indices]}


def data(split: str, size: str, parents: Parents) -> HeardClips:
    return HeardClips(load(split, size), parents["codec"])


def part(batch: dict[str, Tensor], draws: Draws) -> tuple[Spectra, Tensor]:
    """A drawn part of each clip, as it is or coded, and its tempo at the speed it is heard at."""
    items, frames = len(batch["tempo"]), batch["pitches"].shape[-1]
    which = draws.integers(2, stream="coded")  # [B]
    speed = 1 + STRETCH * (2 * draws.uniform(stream="speed") - 1)  # [B]
    window = min(WINDOW, int((frames - 1) / (1 + STRETCH)))
    start = draws.uniform(stream="start") * (frames - 1 - speed * (window - 1)).clamp(min=0)
    rows = torch.arange(items, device=which.device)
    return Spectra(
        log_mel=_played(batch["log_mel"][rows, which], SLOW * start, speed, SLOW * window),
        pitches=_played(batch["pitches"][rows, which], start, speed, window),
    ), batch["tempo"] * speed


def _played(x: Tensor, start: Tensor, speed: Tensor, frames: int) -> Tensor:
    """`frames` frames of x [B, ..., F] from `start` [B] on, `speed` [B] frames apart."""
    x = x.float()
    places = start[:, None] + speed[:, None] * torch.arange(frames, device=x.device)
    places = places.clamp(max=x.shape[-1] - 1).view(len(x), *[1] * (x.ndim - 2), frames)
    below = places.floor().long()
    above = (below + 1).clamp(max=x.shape[-1] - 1)
    shape = (*x.shape[:-1], frames)
    low, high = (x.gather(-1, index.expand(shape)) for index in (below, above))
    return torch.lerp(low, high, places - below)


def loss(model: Judge, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
    """The cross-entropies of the analyser's recipe, of a part of each clip."""
    spectra, tempo = part(batch, draws)
    slow, fast = (tempo >= bound for bound in TEMPI)
    with native_bfloat16(tempo.device):
        logits = model.hear(spectra)[1]
    return cross_entropies(logits, batch | {"tempo_class": slow.long() + fast.long()})


def test(model: Judge, clips: HeardClips) -> dict[str, float]:
    """Scores on real clips, and on coded ones under names that begin with "coded_"."""
    real = attribute_scores(analyse(clips.clips, model), clips.labels)
    coded = attribute_scores(analyse(clips.coded, model), clips.labels)
    return real | {f"coded_{name}": value for name, value in coded.items()}


RECIPE = Recipe(
    model=lambda: Judge(CONFIG),
    data=data,
    loss=loss,
    test=test,
    steps=2000,
    size="full",
    batch_size=32,
    lr=2e-3,
    warmup=100,
    average=0.995,
    seed=1,
    parents=("codec",),
    int8=True,
)
