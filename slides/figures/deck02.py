"""Figures of deck 02: hierarchies of codes, Jukebox, and the systems that followed it."""

from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    bars,
    boxes,
    drawn_from,
    subplots,
)


@drawn_from()
def speeds():
    figure, axes = subplots(size=(11.4, 3.7))
    rows = {"section": 16, "chord": 2, "note": 0.25, "attack": 0.01, "period of A4": 1 / 440}
    places = range(len(rows))[::-1]
    axes.barh(places, rows.values(), left=0.001, color=[BLUE, BLUE, GREEN, ORANGE, RED], height=0.6)
    axes.set_yticks(places, rows)
    axes.set(xscale="log", xlim=(0.001, 30), xlabel="seconds that it takes")
    axes.set_xticks((0.001, 0.01, 0.1, 1, 10), ("0.001", "0.01", "0.1", "1", "10"))
    axes.tick_params(left=False)
    return figure


@drawn_from()
def two_maps():
    figure, axes = subplots(size=(11.4, 3.4))
    found = [
        (1.0, 1.1, "log-mel", GREY, 1.4, 1.1),
        (3.2, 1.1, "encoder", BLUE, 1.5, 1.1),
        (3.2, 3.2, "encoder", BLUE, 1.5, 1.1),
        (5.6, 3.2, "top map\n(coarse)", RED, 1.9, 1.1),
        (5.6, 1.1, "bottom map\n(fine)", ORANGE, 1.9, 1.1),
        (8.4, 2.1, "decoder", BLUE, 1.5, 1.1),
    ]
    arrows = [
        ((1.7, 1.1), (2.45, 1.1), ""),
        ((3.2, 1.65), (3.2, 2.65), ""),
        ((3.95, 3.2), (4.65, 3.2), ""),
        ((3.95, 1.1), (4.65, 1.1), ""),
        ((5.6, 2.65), (5.6, 1.65), ""),
        ((6.55, 3.2), (7.6, 2.4), ""),
        ((6.55, 1.1), (7.6, 1.8), ""),
    ]
    boxes(axes, found, arrows)
    return figure


@drawn_from("vqvae2")
def carries(found):
    rows = {
        "two maps": "both maps",
        "two maps, top alone": "top alone",
        "two maps, bottom alone": "bottom alone",
    }
    figure, axes = subplots(1, 2, size=(11.4, 3.0), sharey=True)
    bars(axes[0], found, rows, "chroma", colours=[GREY, RED, ORANGE])
    bars(axes[1], found, rows, "bands", "{:.1f}", [GREY, RED, ORANGE])
    axes[0].set_title("harmony: more is better")
    axes[1].set_title("colour: less is better")
    return figure


@drawn_from()
def runs():
    values = [0] * 6 + [3] * 9 + [1] * 3 + [4] * 12 + [2] * 10
    figure, axes = subplots(size=(11.4, 2.7))
    axes.step(range(len(values) + 1), [*values, values[-1]], where="post", color=BLUE, lw=3)
    start = 0
    for value, length in ((0, 6), (3, 9), (1, 3), (4, 12), (2, 10)):
        axes.text(start + length / 2, value + 0.35, f"({value}, {length})", ha="center", color=RED)
        start += length
    axes.set(xlabel="frames", ylabel="level", ylim=(-0.3, 5.4), yticks=(0, 2, 4), xlim=(0, 40))
    return figure


@drawn_from("slowae")
def priors(found):
    rows = {
        "prior of events": "events",
        "prior of frames, in turn": "frames, channels in turn",
        "prior of frames, side by side": "frames, side by side",
    }
    figure, axes = subplots(size=(11.4, 2.5))
    bars(axes, found, rows, "nats", "{:.0f}", [BLUE, GREY, GREY])
    return figure


@drawn_from()
def levels():
    figure, axes = subplots(size=(11.4, 3.6))
    found = [
        (1.0, 2, "sound\n44.1 kHz", GREY, 1.5, 1.2),
        (4.0, 3.4, "top: hop 128", RED, 2.6, 0.85),
        (4.0, 2.0, "middle: hop 32", ORANGE, 2.6, 0.85),
        (4.0, 0.6, "bottom: hop 8", BLUE, 2.6, 0.85),
        (8.0, 3.4, "prior: labels, lyrics", RED, 3.0, 0.85),
        (8.0, 2.0, "upsampler", ORANGE, 3.0, 0.85),
        (8.0, 0.6, "upsampler", BLUE, 3.0, 0.85),
    ]
    arrows = [((1.75, 2), (2.7, y), "") for y in (3.4, 2.0, 0.6)]
    arrows += [((5.3, y), (6.5, y), "") for y in (3.4, 2.0, 0.6)]
    arrows += [((8, 2.97), (8, 2.43), ""), ((8, 1.57), (8, 1.03), "")]
    boxes(axes, found, arrows)
    return figure


@drawn_from("jukebox_levels")
def heard(found):
    rows = {"bottom, hop 8": "bottom", "middle, hop 32": "middle", "top, hop 128": "top"}
    figure, axes = subplots(1, 2, size=(11.4, 2.3), sharey=True)
    bars(axes[0], found, rows, "snr", "{:.1f}", [BLUE, ORANGE, RED])
    bars(axes[1], found, rows, "chords_kept", "{:.0%}", [BLUE, ORANGE, RED])
    axes[1].set_xlabel("chords kept")
    return figure


@drawn_from("jukebox_priors")
def words(found):
    rows = {
        "real clips": "real clips",
        "real clips through the bottom level": "through the bottom level",
        "real clips through the middle level": "through the middle level",
        "real clips through the top level": "through the top level",
        "lyrics given": "sung by the prior",
        "no lyrics": "sung without lyrics",
    }
    figure, axes = subplots(size=(6.8, 4.8))
    colours = [GREY, BLUE, ORANGE, RED, PINK, PINK]
    bars(axes, found, rows, "phoneme_error", "{:.0%}", colours)
    return figure


@drawn_from()
def windows():
    from matplotlib.patches import Rectangle

    figure, axes = subplots(size=(11.4, 2.5))
    for row, start in enumerate((0.2, 2.2, 4.2)):
        low = 2.6 - 1.15 * row
        known = 0 if row == 0 else 2.0
        style = {"height": 0.8, "lw": 2}
        axes.add_patch(Rectangle((start, low), known, fc=GREY + "44", ec=GREY, **style))
        axes.add_patch(Rectangle((start + known, low), 4 - known, fc=BLUE + "33", ec=BLUE, **style))
        axes.text(start + known + (4 - known) / 2, low + 0.4, "sampled", ha="center", va="center")
        if known:
            axes.text(start + known / 2, low + 0.4, "given", ha="center", va="center")
    axes.set(xlim=(0, 8.4), ylim=(0, 3.6))
    axes.axis("off")
    return figure


@drawn_from()
def karasinger():
    figure, axes = subplots(size=(11.4, 2.9))
    order = [("T", RED), ("M", ORANGE), ("M", ORANGE), *[("B", BLUE)] * 4]
    found = [(1.2, 3, "phonemes", GREY, 1.7, 0.9), (4.0, 3, "top codes: GRU", RED, 2.6, 0.9)]
    found += [(7.8, 3, "middle and bottom: Transformer", ORANGE, 4.1, 0.9)]
    found += [
        (0.8 + 1.15 * i, 0.9, word, colour, 0.9, 0.9) for i, (word, colour) in enumerate(order)
    ]
    boxes(axes, found, [((2.05, 3), (2.7, 3), ""), ((5.3, 3), (5.75, 3), "")])
    axes.text(9.9, 0.9, "one top frame", ha="right", va="center", color=GREY)
    return figure


@drawn_from()
def drummer():
    figure, axes = subplots(size=(11.4, 2.9))
    found = [
        (1.2, 3.1, "music without\ndrums", GREY, 1.9, 1.1),
        (1.2, 1.0, "beats", GREY, 1.9, 0.9),
        (4.2, 2.0, "encoder over\nits tokens", BLUE, 2.0, 1.2),
        (6.8, 2.0, "drum tokens", RED, 1.8, 1.2),
        (9.0, 2.0, "drums", GREY, 1.3, 1.2),
    ]
    arrows = [
        ((2.15, 3.0), (3.2, 2.3), ""),
        ((2.15, 1.0), (3.2, 1.7), ""),
        ((5.2, 2.0), (5.9, 2.0), ""),
        ((7.7, 2.0), (8.35, 2.0), ""),
    ]
    boxes(axes, found, arrows)
    return figure


@drawn_from()
def singsong():
    figure, axes = subplots(size=(11.4, 3.1))
    found = [
        (1.0, 2, "song", GREY, 1.2, 1.0),
        (3.2, 2, "separate", BLUE, 1.6, 1.0),
        (5.7, 3.1, "voice\n+ a leak", RED, 1.7, 1.2),
        (5.7, 0.9, "band", GREEN, 1.7, 1.0),
        (8.5, 2, "learn: voice → band", ORANGE, 2.8, 1.0),
    ]
    arrows = [
        ((1.6, 2), (2.4, 2), ""),
        ((4.0, 2.2), (4.85, 2.9), ""),
        ((4.0, 1.8), (4.85, 1.1), ""),
        ((6.55, 3.0), (7.3, 2.4), ""),
        ((6.55, 1.0), (7.3, 1.6), ""),
    ]
    boxes(axes, found, arrows)
    return figure
