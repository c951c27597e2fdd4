"""A box to search music with: type words, hear the clips that lie nearest to them."""

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from course_lib.notebook.listening import Players, players
from course_lib.notebook.prompting import Understood, understand

if TYPE_CHECKING:
    from torch import Tensor

    from course_lib.models import CLAP
    from course_lib.songbook import Songbook

STILL = (
    "In a running notebook you type words here and hear what is found. Until you do, this is what "
    "the first ones find."
)


@dataclass(frozen=True)
class Found:
    """What was read of the words, the cosines of the nearest clips, and their players."""

    understood: Understood
    cosines: dict[int, float]
    players: Players

    def __repr__(self) -> str:
        lines = [f"“{self.understood.prompt}”", str(self.understood), repr(self.players)]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        return self.understood._repr_html_() + self.players._repr_html_()


def find(text: str, model: "CLAP", clips: "Songbook", vectors: "Tensor", count: int = 3) -> Found:
    """The `count` clips whose vectors [N, E] lie nearest to a text's, the nearest first.

    Raises ValueError for vectors of other clips or of another model, and for a count below 1.
    """
    import torch

    expected = (len(clips), model.config.embedding)
    if vectors.shape != expected:
        raise ValueError(
            f"The vectors have shape {list(vectors.shape)}; expected {list(expected)}, one for "
            "each clip: embed these clips with this model."
        )
    if count < 1:
        raise ValueError(f"count={count} must be at least 1.")
    with torch.no_grad():
        cosines = vectors.cpu().float() @ model.embed_text([text])[0].cpu().float()  # [N]
    nearest = cosines.topk(min(count, len(clips)))
    near = dict(zip(nearest.indices.tolist(), nearest.values.tolist(), strict=True))
    sounds = {
        f"{place}. {clips.attributes(i).style.replace('_', ' ')}, cosine {cosine:.2f}": clips[i]
        for place, (i, cosine) in enumerate(near.items(), 1)
    }
    tower = model.config.text
    read = understand(text, tower.tokenizer, tower.longest)
    read = replace(read, then="what is found has nothing to do with it")
    return Found(read, near, players(sounds))


def search(
    model: "CLAP",
    clips: "Songbook",
    vectors: "Tensor | None" = None,
    first: str = "a slow waltz with strings",
    count: int = 3,
) -> None:
    """Show what a first text finds among clips, and a box to type others into.

    vectors [N, E]: those of the clips, computed where they are not given. Words that no training
    caption has are struck out in grey, and known ones offered for them. Without ipywidgets it says
    so in a line. Taught in notebook 13.
    """
    from IPython.display import display

    if vectors is None:
        from course_lib.recipes.clap import embed_clips

        vectors = embed_clips(model, clips).cpu()
    print(STILL)
    display(find(first, model, clips, vectors, count))
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to type here.")
        return
    display(_form(ipywidgets, model, clips, vectors, first, count))


def _form(ipywidgets, model, clips, vectors, first: str, count: int):
    """The box, its button and a place for what is found; what ipywidgets 7 and 8 share."""
    layout = ipywidgets.Layout(width="40rem")
    box = ipywidgets.Text(value=first, description="words", layout=layout)
    button = ipywidgets.Button(description="Search")
    place = ipywidgets.HTML()

    def pressed(_) -> None:
        button.disabled = True
        try:
            place.value = find(box.value, model, clips, vectors, count)._repr_html_()
        except (ValueError, TypeError, RuntimeError) as error:
            place.value = f"<p>{escape(str(error))}</p>"
        finally:
            button.disabled = False

    button.on_click(pressed)
    return ipywidgets.VBox([box, button, place])
