"""A hole is drawn into a sound, and a model fills it."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import torch

from course_lib.audio import resample
from course_lib.notebook.listening import Players, players
from course_lib.notebook.plots import COLOURS, Picture, picture
from course_lib.notebook.sounds import excerpt, mono

if TYPE_CHECKING:
    from torch import Tensor

    from course_lib.models import LatentDiffusion

STILL = (
    "In a running notebook you draw the hole here and hear it filled. Until you do, this is what "
    "becomes of the first one."
)


def hole(start: float, end: float, frames: int, frame_rate: float) -> "Tensor":
    """Which frames lie between two times in seconds, by their middles: bool [F].

    Times in the wrong order are put right; a hole that no frame's middle lies in is empty.
    """
    middles = (torch.arange(frames) + 0.5) / frame_rate  # [F]
    return (middles >= min(start, end)) & (middles < max(start, end))


@dataclass(frozen=True)
class Inpainted:
    """A sound with a hole, filled: audio [1, T], its picture, and players before and after."""

    audio: "Tensor"
    picture: Picture
    players: Players

    def __repr__(self) -> str:
        return f"{self.picture!r}\n{self.players!r}"

    def _repr_html_(self) -> str:
        return self.picture._repr_html_() + self.players._repr_html_()


def fill(
    model: "LatentDiffusion",
    sound,
    start: float,
    end: float,
    prompt: str = "",
    seconds: float = 4.0,
    seed: int | None = None,
    sample_rate: int = 16000,
    **options,
) -> Inpainted:
    """What a model writes into the first `seconds` of a sound, from `start` to `end` in seconds.

    sound: as `players` takes it; options: those of `model.inpaint`, whose errors are raised; and
    ValueError for a hole that holds no frame of the sound, or all.
    """
    samples = opened(model, sound, seconds, sample_rate)  # [T]
    frames = model.frames(len(samples) / model.sample_rate)
    mask = hole(start, end, frames, model.sample_rate / model.hop)
    _check(mask, start, end, len(samples), model)
    made = model.inpaint(samples[None, None], mask, [prompt], seed=seed, **options)[0].cpu()
    emptied = samples * ~mask.repeat_interleave(model.hop)[: len(samples)]
    rows = {"given": emptied, "the hole filled": made, "what was there": samples}
    table = players(rows, model.sample_rate, reference="what was there", seconds=seconds)
    return Inpainted(made, drawn(made[0], start, end, model.sample_rate, "filled"), table)


def _check(mask: "Tensor", start: float, end: float, length: int, model) -> None:
    """Refuse a hole with nothing to fill, or with nothing around it, in words of who drew it."""
    seconds, frame = length / model.sample_rate, 1000 * model.hop / model.sample_rate
    if not mask.any():
        raise ValueError(
            f"The hole from {start:g} to {end:g} s holds no frame of {frame:g} ms of the sound of "
            f"{seconds:.3g} s: make it longer, or move it."
        )
    if mask.all():
        raise ValueError(
            f"The hole from {start:g} to {end:g} s holds all frames of the sound of "
            f"{seconds:.3g} s: leave some of the sound."
        )


def opened(model: "LatentDiffusion", sound, seconds: float, sample_rate: int) -> "Tensor":
    """The first `seconds` of a sound, mono at the model's rate, [T]. Raises as `mono` does."""
    samples, rate = mono(sound, sample_rate)
    samples, wanted = excerpt(samples, rate, seconds), model.sample_rate
    return samples if rate == wanted else resample(samples[None], rate, wanted)[0]


def drawn(samples: "Tensor", start: float, end: float, sample_rate: int, title: str) -> Picture:
    """The waveform of [T], the part between two times in seconds in another colour."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 1.5), layout="constrained")
    axes = figure.subplots()
    start, end = sorted((start, end))
    times = torch.arange(len(samples)) / sample_rate
    axes.plot(times.numpy(), samples.numpy(), color=COLOURS[0], linewidth=0.5)
    axes.axvspan(start, end, color=COLOURS[1], alpha=0.4, linewidth=0)
    axes.set(xlabel="seconds", ylabel="amplitude", xlim=(0, len(samples) / sample_rate))
    axes.set_title(title, fontsize=10)
    told = f"Waveform of {len(samples) / sample_rate:.3g} s, {title}: {start:.2f} to {end:.2f} s."
    return picture(figure, told)


def inpaint(
    model: "LatentDiffusion",
    sounds: dict,
    first: tuple[float, float] = (1.0, 2.0),
    prompt: str = "",
    seconds: float = 4.0,
    seed: int = 0,
) -> None:
    """Show a first hole of the first of `{label: sound}` filled, and a form to draw others.

    first: its start and end in seconds. Blank prompts ask for nothing. In the form one moves both
    ends of the hole over the waveform, says what shall be in it, and presses the button, which
    draws anew each time; errors stand below in words. Without ipywidgets it says so in a line.
    Raises ValueError where there is no sound, and as `fill` does. Taught in notebook 16.
    """
    from IPython.display import display

    if not isinstance(sounds, dict) or not sounds:
        raise ValueError("inpaint() needs a dictionary {label: sound} with at least one sound.")
    sounds = {str(label): sound for label, sound in sounds.items()}
    given = next(iter(sounds.values()))
    print(STILL)
    display(fill(model, given, *first, prompt=prompt, seconds=seconds, seed=seed))
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to draw here.")
        return
    display(_form(ipywidgets, model, sounds, first, prompt, seconds))


def _form(ipywidgets, model: "LatentDiffusion", sounds: dict, first, prompt: str, seconds: float):
    """Sound, waveform, both ends of the hole, prompt, button; what ipywidgets 7 and 8 share."""
    wide = ipywidgets.Layout(width="40rem")
    chosen = ipywidgets.Dropdown(options=list(sounds), description="sound")
    ends = ipywidgets.FloatRangeSlider(
        value=first,
        min=0.0,
        max=seconds,
        step=0.05,
        description="hole",
        continuous_update=False,
        layout=wide,
    )
    box = ipywidgets.Text(value=prompt, description="prompt", layout=wide)
    button = ipywidgets.Button(description="Fill")
    wave, place = ipywidgets.HTML(), ipywidgets.HTML()

    def moved(_=None) -> None:
        try:
            samples = opened(model, sounds[chosen.value], seconds, 16000)
        except (ValueError, TypeError) as error:
            wave.value, place.value = "", f"<p>{escape(str(error))}</p>"
            return
        if not wave.value:  # what was said of a sound before
            place.value = ""
        ends.max = len(samples) / model.sample_rate
        wave.value = drawn(samples, *ends.value, model.sample_rate, "the hole")._repr_html_()

    def pressed(_) -> None:
        button.disabled, place.value = True, "<p>…</p>"
        try:
            made = fill(model, sounds[chosen.value], *ends.value, box.value, seconds)
            place.value = made._repr_html_()
        except (ValueError, TypeError, RuntimeError) as error:
            place.value = f"<p>{escape(str(error))}</p>"
        except KeyboardInterrupt:
            place.value = "<p>Stopped.</p>"
        finally:
            button.disabled = False

    moved()
    for control in (chosen, ends):
        control.observe(moved, names="value")
    button.on_click(pressed)
    return ipywidgets.VBox([chosen, wave, ends, box, button, place])
