"""A sentence becomes music: what of it is understood, and a widget to type it into."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from course_lib.audio import resample
from course_lib.notebook.listening import Players, player

if TYPE_CHECKING:
    from torch import Tensor

    from course_lib.models import Judge, LatentDiffusion, MusicGen
    from course_lib.text import WordTokenizer

    System = MusicGen | LatentDiffusion

STILL = (
    "In a running notebook you type a sentence here and hear it played. Until you do, this is what "
    "becomes of the first one."
)
GREY = "#767676"  # as dark as small print on white must be
CHARACTERS = 1000  # of a prompt that are looked at


@dataclass(frozen=True)
class Understood:
    """What the text tower makes of a prompt.

    unknown: words that no training caption has, with the known words nearest to each; they are read
    as one and the same unknown word. cut: whether the prompt is longer than what is read. empty:
    whether nothing of it is known, so that it asks for nothing in particular; then: what becomes of
    such a prompt.
    """

    prompt: str
    unknown: dict[str, tuple[str, ...]]
    cut: bool
    empty: bool
    then: str = "it asks for nothing in particular"

    def __str__(self) -> str:
        """One line for each thing to know; no lines where all is understood."""
        lines = []
        if self.empty:
            lines.append(f"Nothing in the prompt is known: {self.then}.")
        elif self.unknown:
            shown = list(self.unknown.items())[:5]
            words = "; ".join(
                f"'{word}'" + (f" (near: {', '.join(near)})" if near else "")
                for word, near in shown
            )
            more = f"; and {len(self.unknown) - 5} more" if len(self.unknown) > 5 else ""
            lines.append(f"Words never seen in training: {words}{more}.")
        if self.cut:
            lines.append("The prompt is longer than what is read; its end is left out.")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The prompt with unknown words struck out in grey, and what there is to know."""
        from course_lib.text.tokenizer import TOKEN, split

        shown, pieces, place = self.prompt[:CHARACTERS], [], 0
        for found in TOKEN.finditer(shown):
            pieces.append(escape(shown[place : found.start()]))
            place, word = found.end(), escape(found[0])
            strange = [token for token in split(found[0]) if token in self.unknown]
            if strange:
                near = ", ".join(self.unknown[strange[0]]) or "nothing alike"
                word = f"<s style='color:{GREY}' title='near: {escape(near)}'>{word}</s>"
            pieces.append(word)
        notes = "<br>".join(escape(line) for line in str(self).splitlines())
        return f"<p>“{''.join(pieces)}”</p>" + (f"<p><small>{notes}</small></p>" if notes else "")


def understand(prompt: str, tokenizer: "WordTokenizer", longest: int = 96) -> Understood:
    """What of a prompt a text tower with this tokenizer reads, `longest` tokens of it at most."""
    ids, valid = tokenizer.encode([prompt], longest=len(prompt) + 2)
    known = ids[0, 1:][valid[0, 1:]]
    unknown = tokenizer.unknown(prompt)
    return Understood(
        prompt,
        {word: tokenizer.near(word) for word in unknown},
        cut=int(valid.sum()) > longest,
        empty=bool((known == 1).all()),
    )


def load_musicgen(mine: bool = False) -> "MusicGen":
    """The shipped MusicGen with its codec, where it computes fastest. Raises as `checkpoints.load`.

    With `mine`, the student's own where there is one.
    """
    import torch

    from course_lib import checkpoints
    from course_lib.models import MusicGen

    model = MusicGen(checkpoints.load("codec", mine), checkpoints.load("musicgen", mine)).eval()
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def load_diffusion(mine: bool = False) -> "LatentDiffusion":
    """The shipped latent diffusion with its autoencoder and CLAP; as `load_musicgen` otherwise."""
    import torch

    from course_lib import checkpoints
    from course_lib.models import LatentDiffusion

    parts = (checkpoints.load(name, mine) for name in ("autoencoder", "clap", "diffusion"))
    return LatentDiffusion(*parts).eval().to("cuda" if torch.cuda.is_available() else "cpu")


def play(
    prompt: str,
    model: "System",
    seconds: float = 4.0,
    progress: Callable[[float], None] | None = None,
    **options,
) -> "Tensor":
    """Audio [channels, T] in [-1, 1] of one prompt; `progress` is told the seconds just written.

    Diffusion writes all of them at once, a little clearer with each step: it tells as much of them.
    Options are those of the model's `generate`, whose errors are raised.
    """
    from course_lib.models import LatentDiffusion

    def written(audio: "Tensor") -> None:
        if progress is not None:
            progress(audio.shape[-1] / model.sample_rate)

    def cleared(_: int, steps: int) -> None:
        if progress is not None:
            progress(seconds / steps)

    heard = cleared if isinstance(model, LatentDiffusion) else written
    audio = model.generate([prompt], seconds, callback=heard, **options)[0].cpu()
    return audio / audio.abs().max().clamp(min=1)


@dataclass(frozen=True)
class Answer:
    """What became of a prompt: what was read of it, the sound, what a judge hears in it.

    heard: rows (attribute, what the prompt asks for, what is heard with its confidence).
    """

    understood: Understood
    players: Players
    heard: tuple[tuple[str, str, str], ...] = ()

    def __repr__(self) -> str:
        rows = [f"{name}: asked {asked}, heard {heard}" for name, asked, heard in self.heard]
        lines = [f"“{self.understood.prompt}”", str(self.understood), repr(self.players), *rows]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        html = self.understood._repr_html_() + self.players._repr_html_()
        if not self.heard:
            return html
        head = ("", "asked for", "heard (confidence)")
        rows = [f"<tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>"]
        for row in self.heard:
            rows.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>")
        return html + f"<table>{''.join(rows)}</table>"


def answer(
    prompt: str,
    model: "System",
    judge: "Judge | None" = None,
    seconds: float = 4.0,
    progress: Callable[[float], None] | None = None,
    **options,
) -> Answer:
    """Play one prompt and say what became of it. Raises as the model's `generate` does.

    Of a text encoder that isn't the course's (see `interop`) it isn't known which words are new to
    it. A judge hears the sound at its own rate.
    """
    tower, rate = model.tower, model.sample_rate
    understood = Understood(prompt, {}, cut=False, empty=not prompt.strip())
    if tower is not None:
        understood = understand(prompt, tower.tokenizer, tower.longest)
    audio = play(prompt, model, seconds, progress, **options)
    sounds = player(audio, rate, "generated", seconds=seconds)
    heard = ()
    if judge is not None:
        heard = compared(prompt, resample(audio, rate, judge.config.sample_rate), judge)
    return Answer(understood, sounds, heard)


def compared(prompt: str, audio: "Tensor", judge: "Judge") -> tuple[tuple[str, str, str], ...]:
    """What a prompt asks for in words of the songbook, beside what a judge hears in [C, T].

    The audio is at the judge's rate.
    """
    from course_lib.evaluation.adherence import read
    from course_lib.songbook.facts import ATTRIBUTES, said_facts

    facts, heard, rows = said_facts(prompt), read(judge, [audio])[0], []
    for name in ATTRIBUTES:
        asked = sorted(value for attribute, value in facts if attribute == name)
        found = heard[name] if name == "instruments" else (heard[name],)
        rows.append(
            (
                name.replace("_", " "),
                ", ".join(map(_said, asked)) or "–",
                ", ".join(f"{_said(one.value)} ({one.confidence:.0%})" for one in found) or "–",
            )
        )
    return tuple(rows)


def _said(value: object) -> str:
    words = {True: "yes", False: "no"}.get(value, value)
    return str(words).replace("_", " ")


def prompt(
    model: "System",
    judge: "Judge | None" = None,
    first: str = "A slow waltz with a flute in front, without drums.",
    seconds: float = 4.0,
    seed: int = 0,
) -> None:
    """Show what becomes of a first prompt, and a box to type others into, with a progress bar.

    Words that no training caption has are struck out in grey, and known words offered for them.
    With a judge (`load("judge")`), what it hears stands beside what was asked for. Each press of
    the button draws anew; errors stand below in words. Without ipywidgets it says so in a line.
    Taught in notebook 15.
    """
    from IPython.display import display

    print(STILL)
    display(answer(first, model, judge, seconds, seed=seed))
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to type here.")
        return
    display(_form(ipywidgets, model, judge, first, seconds))


def _form(ipywidgets, model: "System", judge: "Judge | None", first: str, seconds: float):
    """The box, its button, a bar and a place for the answer; what ipywidgets 7 and 8 share."""
    wide = ipywidgets.Layout(width="40rem")
    box = ipywidgets.Text(value=first, description="prompt", layout=wide)
    length = ipywidgets.FloatSlider(value=seconds, min=1, max=30, step=1, description="seconds")
    button = ipywidgets.Button(description="Play")
    bar = ipywidgets.FloatProgress(value=0, min=0, max=seconds, description="written", layout=wide)
    place = ipywidgets.HTML()

    def written(more: float) -> None:
        bar.value += more

    def pressed(_) -> None:
        button.disabled, bar.value, bar.max, place.value = True, 0, length.value, ""
        try:
            made = answer(box.value, model, judge, length.value, written)
            place.value = made._repr_html_()
        except (ValueError, TypeError, RuntimeError) as error:
            place.value = f"<p>{escape(str(error))}</p>"
        except KeyboardInterrupt:
            place.value = "<p>Stopped.</p>"
        finally:
            button.disabled = False

    button.on_click(pressed)
    return ipywidgets.VBox([box, length, button, bar, place])
