"""Figures of deck 00: what sound is, what it costs, and how the course judges."""

from course_lib import paths
from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    HALF,
    HEAT,
    ORANGE,
    PALE,
    PINK,
    RED,
    boxes,
    drawn_from,
    subplots,
)

CLAIMED = [
    path.stem
    for path in sorted(paths.data("results").glob("*.json"))
    if '"claims"' in path.read_text(encoding="utf-8")
]


@drawn_from(sounds=("00_fiddle_session",))
def zooms(sound):
    wave, rate = sound
    figure, axes = subplots(1, 3)
    for ax, (start, length) in zip(axes, ((0.0, 3.0), (0.5, 0.03), (0.51, 0.002)), strict=True):
        piece = wave[round(start * rate) : round((start + length) * rate)]
        milliseconds = [1000 * i / rate for i in range(len(piece))]
        style = "o-" if len(piece) < 100 else "-"
        ax.plot(milliseconds, piece, style, color=BLUE, linewidth=0.5 if length > 1 else 2)
        ax.set(title=f"{len(piece):,} samples", xlabel="milliseconds", yticks=[])
        ax.spines["left"].set_visible(False)
    return figure


@drawn_from(sounds=("00_fiddle_session",))
def spectrogram(sound):
    from course_lib import audio

    wave, rate = sound
    figure, axes = subplots(size=(6.4, 4.6))
    mel = audio.LogMel(rate)(wave[None])[0]  # [80, F]
    seconds = len(wave) / rate
    axes.imshow(
        mel,
        origin="lower",
        aspect="auto",
        cmap=HEAT,
        vmin=mel.max() - 8,
        extent=(0, seconds, 0, 80),
    )
    axes.set(xlabel="seconds", ylabel="mel band", yticks=(0, 40, 80))
    return figure


@drawn_from()
def two_kinds():
    figure, axes = subplots()
    found = [
        (1.0, 2, "sound", GREY, 1.3, 1.0),
        (3.4, 2, "encoder", BLUE, 1.7, 1.2),
        (5.8, 3.2, "tokens\n17  203  5 …", RED, 2.3, 1.1),
        (5.8, 0.8, "latents\n0.3  −1.2 …", GREEN, 2.3, 1.1),
        (8.6, 3.2, "language\nmodel", RED, 1.9, 1.1),
        (8.6, 0.8, "diffusion\nmodel", GREEN, 1.9, 1.1),
    ]
    arrows = [
        ((1.65, 2), (2.55, 2), ""),
        ((4.25, 2.2), (4.65, 3.0), ""),
        ((4.25, 1.8), (4.65, 1.0), ""),
        ((6.95, 3.2), (7.65, 3.2), ""),
        ((6.95, 0.8), (7.65, 0.8), ""),
    ]
    boxes(axes, found, arrows)
    return figure


@drawn_from()
def codec():
    figure, axes = subplots(size=(11.4, 3.0))
    found = [
        (0.9, 2, "16,000\nnumbers/s", GREY, 1.6, 1.4),
        (3.1, 2, "encoder", BLUE, 1.6, 1.4),
        (5.4, 2, "table of\nentries", ORANGE, 1.7, 1.4),
        (7.5, 2, "decoder", BLUE, 1.6, 1.4),
        (9.2, 2, "sound", GREY, 1.1, 1.4),
    ]
    arrows = [
        ((1.7, 2), (2.3, 2), ""),
        ((3.9, 2), (4.55, 2), "z"),
        ((6.25, 2), (6.7, 2), "e"),
        ((8.3, 2), (8.65, 2), ""),
    ]
    boxes(axes, found, arrows)
    axes.annotate(
        "codes: 17  203  5  88 …", (5.4, 1.3), (5.4, 0.35), ha="center", color=RED, fontsize=17,
        arrowprops={"arrowstyle": "<|-", "color": RED, "lw": 2},
    )  # fmt: skip
    return figure


@drawn_from()
def token_rates():
    from course_lib.metrics.rate import Rate

    jukebox = sum(Rate(44100, hop, 1, 2048).tokens_per_second for hop in (8, 32, 128))
    musiclm = Rate(24000, 480, 12, 1024).tokens_per_second + 25
    musicgen = Rate(32000, 640, 4, 2048).tokens_per_second
    rows = {"samples at 16 kHz": 16000, "Jukebox, 2020": jukebox}
    rows |= {"MusicLM, 2023": musiclm, "MusicGen, 2023": musicgen}
    figure, axes = subplots()
    places = range(len(rows))[::-1]
    axes.barh(places, rows.values(), color=[PALE, BLUE, BLUE, BLUE], height=0.62)
    axes.set_yticks(places, rows)
    for place, value in zip(places, rows.values(), strict=True):
        axes.text(value * 1.06, place, f"{value:,.0f}", va="center")
    axes.set(xscale="log", xlim=(100, 40000), xlabel="numbers to predict for a second of music")
    axes.tick_params(left=False)
    return figure


@drawn_from(*CLAIMED)
def verdicts(*found):
    words = {"holds here": GREEN, "undecided here": ORANGE, "reversed here": RED}
    words |= {"cannot be tested here": PALE}
    claims = [claim["verdict"]["words"] for result in found for claim in result["claims"]]
    figure, axes = subplots(size=HALF)
    counts = [claims.count(word) for word in words]
    places = range(len(words))[::-1]
    axes.barh(places, counts, color=words.values(), height=0.62)
    axes.set_yticks(places, words)
    for place, count in zip(places, counts, strict=True):
        axes.text(count + 0.02 * max(counts), place, str(count), va="center")
    axes.set(xlim=(0, 1.2 * max(counts)), xlabel="claims of all tables")
    axes.tick_params(left=False)
    return figure


@drawn_from()
def road():
    figure, axes = subplots(size=(11.4, 4.0))
    found = [
        (1.0, 3.0, "01–04\ntokens", BLUE, 1.6, 1.1),
        (3.4, 3.0, "05–06\nhierarchies", BLUE, 1.9, 1.1),
        (5.9, 3.0, "07–09\ncodecs", BLUE, 1.7, 1.1),
        (8.6, 3.0, "10–12\nfirst singers", PINK, 2.1, 1.1),
        (1.0, 1.0, "13\nwords", ORANGE, 1.4, 1.1),
        (3.4, 1.0, "14–15\ntoken models", RED, 2.1, 1.1),
        (5.9, 1.0, "16–17\ndiffusion", GREEN, 1.7, 1.1),
        (8.6, 1.0, "18–19\nall tasks, control", PINK, 2.4, 1.1),
    ]
    arrows = [
        ((1.8, 3.0), (2.45, 3.0), ""),
        ((4.35, 3.0), (5.05, 3.0), ""),
        ((6.75, 3.0), (7.55, 3.0), ""),
        ((8.6, 2.45), (1.7, 1.5), ""),
        ((1.7, 1.0), (2.35, 1.0), ""),
        ((4.45, 1.0), (5.05, 1.0), ""),
        ((6.75, 1.0), (7.4, 1.0), ""),
    ]
    boxes(axes, found, arrows)
    return figure
