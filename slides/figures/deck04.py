"""Figures of deck 04: text and audio in one space, captions, data."""

from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    RED,
    bars,
    boxes,
    counted,
    drawn_from,
    subplots,
)

READERS = ("text frozen, read for something else", "text small", "text larger")


@drawn_from()
def towers():
    figure, axes = subplots(size=(11.4, 4.0))
    found = [
        (1.0, 3.0, "“a slow waltz\nwith strings”", GREY, 1.9, 1.0),
        (1.0, 1.0, "log-mel of\na clip", GREY, 1.9, 1.0),
        (3.5, 3.0, "a tower\nthat reads", BLUE, 1.9, 1.2),
        (3.5, 1.0, "a tower\nthat listens", ORANGE, 1.9, 1.2),
        (5.8, 3.0, "vector", BLUE, 1.1, 0.8),
        (5.8, 1.0, "vector", ORANGE, 1.1, 0.8),
    ]
    arrows = [((a, y), (b, y), "") for y in (3.0, 1.0) for a, b in ((1.95, 2.55), (4.45, 5.25))]
    arrows += [((6.35, 3.0), (7.3, 2.4), ""), ((6.35, 1.0), (7.3, 1.6), "")]
    boxes(axes, found, arrows)
    size = 0.42
    for row in range(5):
        for column in range(5):
            colour = GREEN if row == column else PALE
            corner = (7.5 + column * size, 3.0 - (row + 1) * size + 0.05)
            axes.add_patch(_square(corner, size * 0.9, colour))
    axes.text(8.55, 3.2, "sounds", ha="center", fontsize=13, color=GREY)
    axes.text(9.75, 2.0, "captions", ha="center", va="center", fontsize=13, color=GREY, rotation=90)
    return figure


def _square(corner, size, colour):
    from matplotlib.patches import Rectangle

    return Rectangle(corner, size, size, fc=colour, ec="none")


@drawn_from()
def published():
    # Wu et al. 2023, AudioCaps, text to audio.
    values = {
        "HTSAT, RoBERTa": 51.3,
        "HTSAT, BERT": 49.2,
        "HTSAT, CLIP's reader": 6.0,
        "PANN, RoBERTa": 45.3,
        "PANN, BERT": 44.3,
        "PANN, CLIP's reader": 11.7,
    }
    figure, axes = subplots(size=(11.4, 4.0))
    colours = [BLUE, BLUE, RED] * 2
    counted(axes, values, colours, "{:.1f}".format)
    axes.set_xlabel("mAP@10 (%)")
    return figure


@drawn_from("clap")
def ours(found):
    names = {"CNN and Transformer": "CNN, Transformer", "CNN": "CNN"}
    told = ("frozen", "small", "larger")
    rows = {
        f"{tower}; {reader}": f"{shown}; {word}"
        for tower, shown in names.items()
        for reader, word in zip(READERS, told, strict=True)
    }
    figure, axes = subplots(size=(11.4, 3.7))
    bars(axes, found, rows, "text_to_audio", "{:.1f}", [RED, BLUE, BLUE] * 2)
    return figure


@drawn_from("mulan_noise")
def noise(found):
    rows = {
        "true captions": "true captions",
        "25 % from elsewhere": "25 % from elsewhere",
        "50 % from elsewhere": "50 % from elsewhere",
        "50 % from elsewhere, filtered": "50 % from elsewhere, filtered",
        "50 % of other clips": "50 % of other clips",
        "50 % of other clips, filtered": "50 % of other clips, filtered",
    }
    figure, axes = subplots(size=(11.4, 4.0))
    bars(axes, found, rows, "to_audio", colours=[GREY, ORANGE, ORANGE, GREEN, RED, RED])
    return figure


@drawn_from("mulan_noise")
def codes(found):
    rows = {"true captions": "vectors"}
    rows |= {f"true captions, vectors in {n} codes": f"{n} code{'s' * (n > 1)}" for n in (12, 4, 1)}
    figure, axes = subplots(size=(11.4, 2.9))
    bars(axes, found, rows, "to_audio", colours=[GREY, BLUE, BLUE, RED])
    return figure


@drawn_from("fusion")
def long(found):
    rows = {name: name for name in ("a part of 4 s", "the mean of parts", "feature fusion")}
    figure, axes = subplots(1, 2, size=(11.4, 3.2), sharey=True)
    bars(axes[0], found, rows, "to_audio", colours=[GREY, BLUE, GREEN])
    bars(axes[1], found, rows, "ending", colours=[GREY, BLUE, GREEN])
    axes[1].axvline(0.5, color=RED, linestyle="--")
    axes[1].set_xlabel("true ending preferred (chance: dashed)")
    return figure


@drawn_from()
def hours():
    # The lecture's table of the sets of HarmonyLM, in hours.
    values = {
        "LP-MusicCaps, MSD": 4283,
        "AudioSet, filtered": 2084,
        "BBC effects": 481,
        "LibriTTS": 300,
        "Epidemic Sound": 220,
        "Clotho": 152,
        "AudioCaps": 109,
        "Audiostock": 43,
        "LP-MusicCaps, MC": 15,
    }
    figure, axes = subplots(size=(11.4, 4.6))
    music = {"LP-MusicCaps, MSD", "Audiostock", "LP-MusicCaps, MC"}
    counted(axes, values, [ORANGE if k in music else BLUE for k in values], log=True)
    axes.set(xlim=(8, 12000), xlabel="hours (orange: music)")
    return figure


@drawn_from()
def pseudo():
    figure, axes = subplots(size=(11.4, 3.6))
    found = [
        (1.2, 2, "tags:\nwaltz, strings,\nslow", GREY, 2.0, 1.5),
        (4.2, 3.4, "write", BLUE, 1.9, 0.7),
        (4.2, 2.5, "summarise", BLUE, 1.9, 0.7),
        (4.2, 1.6, "paraphrase", BLUE, 1.9, 0.7),
        (4.2, 0.7, "predict", RED, 1.9, 0.7),
        (7.9, 3.4, "a slow waltz played by strings", GREEN, 3.6, 0.7),
        (7.9, 2.5, "a waltz for strings", GREEN, 3.6, 0.7),
        (7.9, 1.6, "strings turn in three, unhurried", GREEN, 3.6, 0.7),
        (7.9, 0.7, "a slow waltz, perhaps in a hall", RED, 3.6, 0.7),
    ]
    heights = (3.4, 2.5, 1.6, 0.7)
    arrows = [((2.2, 2 + (y - 2) * 0.3), (3.25, y), "") for y in heights]
    arrows += [((5.15, y), (6.1, y), "") for y in heights]
    boxes(axes, found, arrows)
    return figure


@drawn_from("captioner")
def captioners(found):
    rows = {
        "captions of people alone": "people alone",
        "pseudo captions": "pseudo alone",
        "pseudo captions, then those of people": "pseudo, then people",
        "what a person says of another clip": "a person, of another clip",
    }
    figure, axes = subplots(1, 2, size=(11.4, 3.4), sharey=True)
    colours = [BLUE, ORANGE, GREEN, GREY]
    bars(axes[0], found, rows, "bleu4", colours=colours)
    bars(axes[1], found, rows, "recall", colours=colours)
    return figure
