"""Two sliders that are heard: how many steps a sound takes out of the noise, and the guidance."""

from html import escape
from typing import TYPE_CHECKING, get_args

from course_lib.notebook.listening import Players, players

if TYPE_CHECKING:
    from course_lib.models import LatentDiffusion

STILL = (
    "In a running notebook there are two sliders here, for steps and guidance. The table has some "
    "of their places."
)
PLACES = ((1, 3.0), (3, 3.0), (20, 3.0), (20, 0.0), (20, 8.0))  # steps, guidance
MOST_STEPS, MOST_GUIDANCE = 50, 10.0


def steer(
    model: "LatentDiffusion",
    prompt: str = "Driving, fast house music led by a piano, with drums",
    places: tuple[tuple[int, float], ...] = PLACES,
    seconds: float = 3.0,
    seed: int = 0,
) -> None:
    """Show what a prompt becomes at some (steps, guidance), and sliders for all others.

    All begin with the same noise, so that what differs is what the sliders do. Moving one makes the
    sound anew and plays it; nothing plays before. Raises as the model's `generate` does; from the
    sliders on, errors stand below in words. Without ipywidgets it says so in a line. Taught in
    notebook 16.
    """
    from IPython.display import display

    made = {}
    for steps, guidance in places:
        told = {"steps": steps, "guidance": guidance, "seed": seed}
        made[_named(steps, guidance)] = model.generate([prompt], seconds, **told)[0].cpu()
    table = players(made, model.sample_rate, seconds=seconds)
    print(STILL)
    display(table)
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to have them.")
        return
    display(_form(ipywidgets, model, prompt, seconds, seed))


def _named(steps: int, guidance: float) -> str:
    return f"{steps} {'step' if steps == 1 else 'steps'}, guidance {guidance:g}"


def _form(ipywidgets, model: "LatentDiffusion", prompt: str, seconds: float, seed: int):
    """Prompt, sliders, solver and a place for the sound; what ipywidgets 7 and 8 share."""
    from course_lib.nets.diffusion import Solver

    wide = ipywidgets.Layout(width="40rem")
    late = {"continuous_update": False, "layout": wide}
    box = ipywidgets.Text(value=prompt, description="prompt", **late)
    steps = ipywidgets.IntSlider(value=20, min=1, max=MOST_STEPS, description="steps", **late)
    guidance = ipywidgets.FloatSlider(
        value=3.0, min=0.0, max=MOST_GUIDANCE, step=0.5, description="guidance", **late
    )
    solver = ipywidgets.Dropdown(options=get_args(Solver), value="dpm2", description="solver")
    place = ipywidgets.HTML()

    def moved(_) -> None:
        place.value = "<p>…</p>"
        told = {"steps": steps.value, "guidance": guidance.value, "solver": solver.value}
        try:
            made = model.generate([box.value], seconds, seed=seed, **told)[0].cpu()
            label = f"{_named(steps.value, guidance.value)}, {solver.value}"
            rows = players({label: made}, model.sample_rate, seconds=seconds).rows
        except (ValueError, TypeError, RuntimeError) as error:
            place.value = f"<p>{escape(str(error))}</p>"
            return
        except KeyboardInterrupt:
            place.value = "<p>Stopped.</p>"
            return
        # Moving a slider asks for the sound; loading the page does not.
        place.value = Players(rows)._repr_html_().replace("<audio ", "<audio autoplay ")

    for control in (box, steps, guidance, solver):
        control.observe(moved, names="value")
    return ipywidgets.VBox([box, steps, guidance, solver, place])
