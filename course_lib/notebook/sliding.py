"""A slider that plays: one sound at each of its places."""

from course_lib.notebook.listening import Players, players

STILL = "In a running notebook there is a slider here; the table of players has the same sounds."


def slide(
    sounds: dict,
    sample_rate: int = 16000,
    *,
    title: str = "",
    reference=None,
    seconds: float | None = 4.0,
) -> None:
    """Show a slider over `{label: sound}`; moving it plays the sound at its new place.

    Nothing plays before it is moved. Loudness, words and errors are those of `players`. A committed
    notebook keeps no widget, so a table of the same sounds goes with it. Without ipywidgets it says
    so in a line.
    """
    rows = players(sounds, sample_rate, reference=reference, seconds=seconds).rows
    from IPython.display import display

    print(STILL)
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to have it.")
        return
    display(_form(ipywidgets, rows, title))


def _form(ipywidgets, rows: list[tuple[str, str, str]], title: str):
    """The slider above its player; only what ipywidgets 7 and 8 share."""
    pages = {row[0]: Players([row])._repr_html_() for row in rows}
    slider = ipywidgets.SelectionSlider(
        options=list(pages),
        value=next(iter(pages)),
        description=title,
        continuous_update=False,
        layout=ipywidgets.Layout(width="28rem"),
    )
    place = ipywidgets.HTML(pages[slider.value])

    def moved(change) -> None:
        # Moving the slider asks for the sound; loading the page does not.
        place.value = pages[change["new"]].replace("<audio ", "<audio autoplay ")

    slider.observe(moved, names="value")
    return ipywidgets.VBox([slider, place])
