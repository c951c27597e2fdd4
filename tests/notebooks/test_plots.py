"""Pictures: alternative text always, small files, nothing shown twice."""

import base64
import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.notebook import (
    COLOURS,
    form,
    picture,
    show_bars,
    show_curves,
    show_matrix,
    show_mel,
    show_piano_roll,
    show_spectrogram,
    show_waveform,
    side_by_side,
)

NOISE = torch.randn(32000, generator=torch.Generator().manual_seed(0)) * 0.1
NOTES = {"lead": [SimpleNamespace(onset=0.0, duration=0.5, pitch=60)], "bass": []}
EVERY = {
    "waveform": lambda **k: show_waveform(NOISE, **k),
    "spectrogram": lambda **k: show_spectrogram(NOISE, **k),
    "mel": lambda **k: show_mel(torch.randn(1, 80, 100), **k),
    "matrix": lambda **k: show_matrix(np.eye(4), **k),
    "roll": lambda **k: show_piano_roll(NOTES, beats=[0, 0.5], **k),
    "curves": lambda **k: show_curves({"a": [3, 2, 1], "b": ([0, 5], [1, 2])}, **k),
    "bars": lambda **k: show_bars({"a": 1.0, "b": 0.25}, **k),
}


@pytest.mark.parametrize("show", EVERY.values(), ids=EVERY)
def test_every_picture_has_words_and_is_small(show):
    shown = show(title="A <title>", alt="What to notice.")
    _, (image,) = form.media(shown._repr_html_())
    assert image["alt"].startswith("A <title>.") and image["alt"].endswith("What to notice.")
    assert len(image["alt"]) > 30
    png = base64.b64decode(image["src"].partition("base64,")[2])
    assert len(png) < 45_000
    assert Image.open(io.BytesIO(png)).width > 150
    assert repr(shown) == f"[picture] {image['alt']}"


def test_words_carry_the_numbers():
    assert "a from 3 to 1; b from 1 to 2" in EVERY["curves"]().alt
    assert "a 1, b 0.25" in EVERY["bars"]().alt
    assert "1 of lead, 0 of bass" in EVERY["roll"]().alt


def test_a_matrix_leaves_what_is_not_there_white():
    holed = np.array([[1.0, np.nan], [2.0, 3.0]])
    assert "2 columns (columns), from 1 to 3." in show_matrix(holed).alt
    image = np.asarray(Image.open(io.BytesIO(show_matrix(holed).png)).convert("RGB"))
    full = np.asarray(Image.open(io.BytesIO(show_matrix(np.nan_to_num(holed)).png)).convert("RGB"))
    white = [(picture == 255).all(-1).sum() for picture in (image, full)]
    assert white[0] > 1.2 * white[1]
    assert "all empty" in show_matrix(np.full((2, 2), np.nan)).alt


def test_a_figure_of_ones_own_needs_words_and_is_closed():
    plt = pytest.importorskip("matplotlib.pyplot")
    figure = plt.figure()
    with pytest.raises(ValueError, match="alternative text"):
        picture(figure, " ")
    assert picture(figure, "An empty figure.").alt == "An empty figure."
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: show_mel(None), "log_mel as a tensor or an array, not NoneType"),
        (lambda: show_matrix("x"), "values as a tensor or an array, not str"),
        (lambda: show_mel(torch.zeros(80)), r"not \[80\]"),
        (lambda: show_curves([1.0]), "at least one curve"),
        (lambda: show_bars([1.0]), "at least one bar"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, said):
    with pytest.raises((TypeError, ValueError), match=said):
        draw()


def test_side_by_side_keeps_all_words():
    both = side_by_side(EVERY["bars"](), EVERY["matrix"]())
    assert "Bars" in both.alt and "Matrix" in both.alt


@pytest.mark.parametrize(
    "bad",
    [
        lambda: show_mel(torch.zeros(3)),
        lambda: show_matrix(torch.zeros(0, 3)),
        lambda: show_curves({}),
        lambda: show_bars({}),
        lambda: show_piano_roll({"lead": []}),
        lambda: show_spectrogram(torch.full((100,), float("nan"))),
        lambda: side_by_side(),
    ],
)
def test_nothing_to_show_is_an_error(bad):
    with pytest.raises(ValueError):
        bad()


def test_neighbouring_colours_differ_in_lightness_too():
    """Colour-blind or in print, the first colours are told apart by lightness or line style."""
    light = [
        0.2126 * int(c[1:3], 16) + 0.7152 * int(c[3:5], 16) + 0.0722 * int(c[5:7], 16)
        for c in COLOURS
    ]
    assert all(abs(a - b) > 8 for a, b in zip(light, light[1:], strict=False))


def test_bars_with_long_names_stand_further_apart():
    def width(shown):
        _, (image,) = form.media(shown._repr_html_())
        png = base64.b64decode(image["src"].partition("base64,")[2])
        return Image.open(io.BytesIO(png)).width

    short, long = ({f"{name}{i}": 1.0 for i in range(6)} for name in ("mode", "description"))
    assert width(show_bars(long)) > 1.2 * width(show_bars(short))
