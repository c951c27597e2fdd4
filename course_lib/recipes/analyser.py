"""The analyser: real clips, all attributes at once. Taught in notebook 00."""

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.evaluation import analyse, attribute_scores
from course_lib.models.analyser import Analyser, AnalyserConfig
from course_lib.recipes import Parents, Recipe
from course_lib.songbook import Songbook, load
from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.draw import METRES, MODES, TEMPO_CLASSES
from course_lib.songbook.styles import DRAWN
from course_lib.songbook.voicing import PITCH_NAMES
from course_lib.training import Draws
from course_lib.training.crop import crop

CROP = 6.0  # seconds of a clip that a training step hears

CONFIG = AnalyserConfig(
    instruments=tuple(name for name, i in INSTRUMENTS.items() if i.family != "drums"),
    styles=DRAWN,
    modes=MODES,
    metres=METRES,
    tempo_classes=tuple(TEMPO_CLASSES),
    tonics=PITCH_NAMES,
)


class LabelledClips:
    """A songbook with its labels as numbers: `batch` gives the audio `[B, 1, T]` and `labels`.

    `labels` has class numbers `[N]` by attribute, and 0 or 1 in float32 for "instruments" `[N, I]`
    and "drums" `[N, 1]`.
    """

    def __init__(self, clips: Songbook, config: AnalyserConfig = CONFIG):
        self.clips = clips
        rows = [clips.attributes(i) for i in range(len(clips))]
        self.labels: dict[str, Tensor] = {
            name: torch.tensor([classes.index(getattr(row, name)) for row in rows])
            for name, classes in config.classes.items()
        }
        self.labels["instruments"] = torch.tensor(
            [[float(name in row.instruments) for name in config.instruments] for row in rows]
        )
        self.labels["drums"] = torch.tensor([[float(row.drums)] for row in rows])

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, indices: Tensor) -> dict[str, Tensor]:
        labels = {name: values[indices] for name, values in self.labels.items()}
        return {"audio": self.clips.batch(indices), **labels}


def data(split: str, size: str, parents: Parents) -> LabelledClips:
    return LabelledClips(load(split, size))


def loss(model: Analyser, batch: dict[str, Tensor], draws: Draws) -> dict[str, Tensor]:
    """The sum of cross-entropies, each over a random part of every clip.

    Mode and tonic are learnt as one choice, the key: which notes sound says little about the mode
    unless one knows which of them is home.
    """
    logits = model(crop(batch["audio"], draws, round(CROP * model.config.sample_rate)))
    return cross_entropies(logits, batch)


def cross_entropies(logits: dict[str, Tensor], batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Their sum "loss" and each by name, of logits against the labels of a batch."""
    key = batch["mode"] * logits["tonic"].shape[-1] + batch["tonic"]
    losses = {"key": F.cross_entropy(logits["key"].float(), key)}
    for name in ("style", "metre", "tempo_class"):
        losses[name] = F.cross_entropy(logits[name].float(), batch[name])
    for name in ("instruments", "drums"):
        values = logits[name].float()
        losses[name] = F.binary_cross_entropy_with_logits(values, batch[name])
    # Most instruments are silent in a clip, so their mean loss is small: weigh them as one choice.
    total = sum(losses.values()) + 4 * losses["instruments"]
    return {"loss": total, **losses}


def test(model: Analyser, clips: LabelledClips) -> dict[str, float]:
    return attribute_scores(analyse(clips.clips, model), clips.labels)


RECIPE = Recipe(
    model=lambda: Analyser(CONFIG),
    data=data,
    loss=loss,
    test=test,
    steps=2000,
    batch_size=32,
    lr=2e-3,
    warmup=100,
    average=0.995,
)
