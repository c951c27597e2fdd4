"""Zero-shot classification: the class whose prompts lie nearest to what is heard.

Radford et al. 2021 (CLIP), section 3.1; Elizalde et al. 2022 (CLAP), section 3. Notebook 13.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.metrics import balanced_accuracy
from course_lib.models.clap import CLAP
from course_lib.songbook import Attributes
from course_lib.songbook.band import INSTRUMENTS
from course_lib.songbook.captions import DRUM_WORDS, METRE_WORDS, TEMPO_WORDS, called
from course_lib.songbook.draw import METRES, MODES
from course_lib.songbook.styles import DRAWN, STYLES

Prompts = Mapping[str, tuple[str, ...]]  # class -> texts about it, as many as one likes

LEADS = tuple(name for name in INSTRUMENTS if any(name in STYLES[s].lead for s in DRAWN))
PROMPTS: dict[str, Prompts] = {
    "style": {name: (STYLES[name].words, f"a {STYLES[name].piece}") for name in DRAWN},
    "lead": {name: (f"led by a {called(name)}", called(name)) for name in LEADS},
    "mode": {name: (f"in a {name} key", f"in the {name} mode") for name in MODES},
    "metre": {name: (*METRE_WORDS[name], f"{name} time") for name in METRES},
    "tempo_class": {
        name: tuple(f"a {word} tune, {word} tempo" for word in words)
        for name, words in TEMPO_WORDS.items()
    },
    "drums": {"yes": DRUM_WORDS[True], "no": DRUM_WORDS[False]},
}


@torch.no_grad()
def class_vectors(model: CLAP, prompts: Prompts) -> Tensor:
    """The unit vector of each class, [C, E]: the mean of its prompts'.

    Raises ValueError for fewer than two classes and for one without prompts.
    """
    if len(prompts) < 2:
        raise ValueError(f"There is nothing to choose from: {list(prompts)}; give two classes.")
    return torch.stack(
        [F.normalize(model.embed_text(texts).mean(0), dim=0) for texts in prompts.values()]
    )


def classify(model: CLAP, vectors: Tensor, prompts: Prompts) -> list[str]:
    """The class of `prompts` nearest to each audio vector [B, E]."""
    nearest = (vectors @ class_vectors(model, prompts).to(vectors).T).argmax(1)
    names = list(prompts)
    return [names[i] for i in nearest.tolist()]


def truth(attributes: Attributes, name: str) -> str:
    """The class of a clip, as `PROMPTS[name]` calls it."""
    if name == "lead":
        return attributes.instruments[0]
    if name == "drums":
        return "yes" if attributes.drums else "no"
    return str(getattr(attributes, name))


def zero_shot_scores(
    model: CLAP, vectors: Tensor, attributes: Sequence[Attributes]
) -> dict[str, float]:
    """Balanced accuracy in each attribute of `PROMPTS` for audio vectors [N, E] of known clips."""
    scores = {}
    for name, prompts in PROMPTS.items():
        names = list(prompts)
        found = torch.tensor([names.index(c) for c in classify(model, vectors, prompts)])
        right = torch.tensor([names.index(truth(each, name)) for each in attributes])
        scores[name] = balanced_accuracy(found, right)
    return scores
