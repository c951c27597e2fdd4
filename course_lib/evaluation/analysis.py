"""What the analyser hears in many clips, and measures made of it. Taught in notebook 00."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.audio.checks import check_audio
from course_lib.models.analyser import Analyser
from course_lib.training import Data


@dataclass(frozen=True)
class Analysis:
    """`embeddings` `[N, 128]` and `posteriors`: attribute -> probabilities `[N, classes]`.

    Rows of "style", "mode", "tonic", "metre" and "tempo_class" sum to 1; "instruments" `[N, I]` and
    "drums" `[N, 1]` hold a probability each. `classes` names the columns of all but "drums".
    """

    embeddings: Tensor
    posteriors: dict[str, Tensor]
    classes: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.embeddings)


@torch.no_grad()
def analyse(
    clips: Tensor | Sequence[Tensor] | Data, analyser: Analyser, batch_size: int = 32
) -> Analysis:
    """What `analyser` hears in `clips` at its sample rate, channels mixed to mono.

    Clips are a tensor `[N, C, T]`, a list of `[C, T]` of any lengths from a second up, or a data
    set such as `songbook.load("test")`. Nothing is cropped or drawn at random: the same clip always
    gives the same row. Raises TypeError or ValueError, with the number of the clip, for NaN, empty
    or too short audio.
    """
    if len(clips) == 0:
        raise ValueError("There are no clips to analyse; expected at least one.")
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be at least 1.")
    device = next(analyser.parameters()).device
    training = analyser.training
    analyser.eval()
    embeddings, logits = [], []
    try:
        for batch in _batches(clips, batch_size):
            try:
                embedding, heard = analyser.listen(batch.to(device))
            except ValueError as error:
                place = sum(map(len, embeddings))  # the first of a batch of one length
                raise ValueError(f"clip {place}: {error}") from None
            embeddings.append(embedding.float().cpu())
            logits.append({name: values.float().cpu() for name, values in heard.items()})
    finally:
        analyser.train(training)
    joined = {name: torch.cat([row[name] for row in logits]) for name in logits[0]}
    joined.pop("key")  # said by mode and tonic
    classes = analyser.config.classes
    posteriors = {
        name: values.softmax(-1) if name in classes else values.sigmoid()
        for name, values in joined.items()
    }
    names = classes | {"instruments": analyser.config.instruments}
    return Analysis(torch.cat(embeddings), posteriors, names)


def frechet(real: Analysis, made: Analysis) -> float:
    """Fréchet distance of the embeddings of two sets of clips; see `metrics.frechet_distance`."""
    return metrics.frechet_distance(real.embeddings, made.embeddings)


def kl(reference: Analysis, made: Analysis, attribute: str = "style") -> Tensor:
    """KL divergence in nats of each clip's posteriors of one attribute from its reference's: `[N]`.

    Raises ValueError for sets of other lengths and for attributes that are not one of several
    classes ("instruments", "drums"). See `metrics.kl`.
    """
    choices = [name for name in reference.classes if name != "instruments"]
    if attribute not in choices:
        raise ValueError(f"attribute is {attribute!r}; expected one of {', '.join(choices)}.")
    if len(reference) != len(made):
        raise ValueError(
            f"reference has {len(reference)} clips and made {len(made)}; expected pairs."
        )
    return metrics.kl(reference.posteriors[attribute], made.posteriors[attribute])


def attributes(analysis: Analysis) -> list[dict[str, object]]:
    """The likeliest labels of each clip in words, named as in `songbook.Attributes`.

    For example {"style": "waltz", "mode": "major", "tonic": "G", "metre": "3/4",
    "tempo_class": "fast", "instruments": ("violin", "piano", "cello"), "drums": False}.
    """
    found = []
    for i in range(len(analysis)):
        row: dict[str, object] = {}
        for name, classes in analysis.classes.items():
            probabilities = analysis.posteriors[name][i]
            if name == "instruments":
                heard = (probabilities > 0.5).tolist()
                row[name] = tuple(c for c, h in zip(classes, heard, strict=True) if h)
            else:
                row[name] = classes[int(probabilities.argmax())]
        row["drums"] = bool(analysis.posteriors["drums"][i, 0] > 0.5)
        found.append(row)
    return found


def attribute_scores(analysis: Analysis, targets: dict[str, Tensor]) -> dict[str, float]:
    """How well an analysis agrees with labels: macro F1 of instruments, else balanced accuracy.

    `targets` are class numbers `[N]` by attribute, and 0 or 1 `[N, I]` for "instruments", `[N, 1]`
    for "drums". The keys are the attributes with the measure's name behind them.
    """
    scores = {}
    for name, target in targets.items():
        posterior = analysis.posteriors[name]
        if name == "instruments":
            scores["instruments_macro_f1"] = metrics.macro_f1(posterior > 0.5, target.bool())
            continue
        if name == "drums":
            predicted, target = posterior[:, 0] > 0.5, target[:, 0].bool()
        else:
            predicted = posterior.argmax(-1)
        scores[f"{name}_balanced_accuracy"] = metrics.balanced_accuracy(predicted, target)
    return {name: round(value, 4) for name, value in scores.items()}


def _batches(clips, batch_size: int) -> Iterator[Tensor]:
    """Mono batches `[B, 1, T]` in order; a batch ends early where the length of clips changes."""
    if hasattr(clips, "batch"):
        for start in range(0, len(clips), batch_size):
            batch = clips.batch(torch.arange(start, min(start + batch_size, len(clips))))
            yield _mono(_checked(batch, start), start)
        return
    start = 0
    while start < len(clips):
        stop, end = start + 1, min(start + batch_size, len(clips))
        while stop < end and _shape(clips[stop]) == _shape(clips[start]):
            stop += 1
        batch = _checked([clips[i] for i in range(start, stop)], start)
        yield _mono(torch.stack(batch), start)
        start = stop


def _shape(clip) -> tuple[int, ...] | None:
    return getattr(clip, "shape", None)  # None of what is no tensor, which is then refused


def _checked(clips, start: int):
    for i, clip in enumerate(clips, start):
        check_audio(clip, f"clip {i}")
    return clips


def _mono(batch: Tensor, start: int) -> Tensor:
    if batch.ndim != 3:
        raise ValueError(
            f"clip {start} has shape {list(batch.shape[1:])}; expected [C, T]: add a dimension "
            "with x[None]."
        )
    return batch.float().mean(1, keepdim=True)
