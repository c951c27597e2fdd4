"""Figures of deck 05: token language models."""

from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    HALF,
    ORANGE,
    PALE,
    RED,
    SKY,
    bars,
    boxes,
    counted,
    drawn_from,
    mean,
    spread,
    subplots,
)

PATTERNS = (
    "parallel",
    "delay",
    "partial delay",
    "coarse first",
    "partial flattening",
    "flattening",
)


@drawn_from()
def rates():
    # Dhariwal et al. 2020; Agostinelli et al. 2023; Copet et al. 2023.
    values = {"Jukebox": 7234, "MusicLM": 625, "MusicGen, tokens": 200, "MusicGen, steps": 50}
    figure, axes = subplots(size=(11.4, 3.4))
    counted(axes, values, [GREY, ORANGE, BLUE, BLUE], log=True)
    axes.set(xlim=(20, 30000), xlabel="a second of music")
    return figure


@drawn_from()
def musiclm():
    figure, axes = subplots(size=(11.4, 3.6))
    found = [
        (0.85, 2, "“a slow\nwaltz”", GREY, 1.4, 1.1),
        (2.5, 2, "12 MuLan\ntokens", GREEN, 1.4, 1.2),
        (4.5, 2, "semantic\n25 a second", ORANGE, 1.8, 1.3),
        (6.75, 2, "coarse\n200 a second", BLUE, 1.8, 1.3),
        (9.0, 2, "fine\n400 a second", SKY, 1.8, 1.3),
    ]
    arrows = [((1.55, 2), (1.8, 2), ""), ((3.2, 2), (3.6, 2), ""), ((5.4, 2), (5.85, 2), "")]
    arrows += [((7.65, 2), (8.1, 2), "")]
    boxes(axes, found, arrows)
    for x, words in ((3.6, "model 1"), (5.85, "model 2"), (8.1, "model 3")):
        axes.text(x, 3.05, words, ha="center", fontsize=14, color=RED)
    axes.annotate("", (6.75, 1.3), (2.5, 1.35), arrowprops=_under())
    return figure


def _under():
    return {"arrowstyle": "-|>", "color": GREY, "lw": 2, "connectionstyle": "arc3,rad=0.3"}


@drawn_from()
def musicgen():
    figure, axes = subplots(size=(11.4, 4.0))
    found = [(1.2, y, f"codes {n}", BLUE, 1.5, 0.6) for n, y in enumerate((3.5, 2.6, 1.7, 0.8), 1)]
    found += [(8.9, y, f"head {n}", BLUE, 1.5, 0.6) for n, y in enumerate((3.5, 2.6, 1.7, 0.8), 1)]
    found += [
        (3.2, 2.15, "+", GREY, 0.6, 0.8),
        (5.7, 2.6, "causal Transformer", ORANGE, 2.9, 1.3),
        (5.7, 0.8, "states of the sentence", GREEN, 2.9, 0.8),
    ]
    heights = (3.5, 2.6, 1.7, 0.8)
    arrows = [((1.95, y), (2.9, 2.15 + (y - 2.15) * 0.2), "") for y in heights]
    arrows += [((3.5, 2.2), (4.25, 2.5), ""), ((5.7, 1.2), (5.7, 1.95), "")]
    arrows += [((7.15, 2.6), (8.15, y), "") for y in heights]
    boxes(axes, found, arrows)
    return figure


@drawn_from()
def patterns():
    figure, axes = subplots(2, 3, size=(11.4, 4.4))
    frames, colours = 4, (BLUE, ORANGE, GREEN, SKY)
    for ax, name in zip(axes.flat, PATTERNS, strict=True):
        for frame in range(frames):
            for book in range(4):
                step = _step(name, frame, book, frames)
                ax.add_patch(_cell(step, 3 - book, colours[frame]))
                ax.text(step + 0.45, 3.45 - book, frame + 1, ha="center", va="center", fontsize=11)
        ax.set(xlim=(0, 16.2), ylim=(0, 4), xticks=(), yticks=(), title=name)
        ax.spines[["left", "bottom"]].set_color(PALE)
    return figure


def _step(name, frame, book, frames):
    """The step at which a pattern writes codebook `book` of a frame."""
    return {
        "parallel": frame,
        "delay": frame + book,
        "partial delay": frame + (book > 0),
        "coarse first": frame if book == 0 else frames + frame,
        "partial flattening": 2 * frame + (book > 0),
        "flattening": 4 * frame + book,
    }[name]


def _cell(x, y, colour):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 0.9, 0.9, fc=colour + "66", ec=colour)


@drawn_from("musicgen_patterns")
def ours(found):
    rows = {name: "side by side" if name == "parallel" else name for name in PATTERNS}
    figure, axes = subplots(size=(11.4, 3.4))
    bars(axes, found, rows, "nats", colours=[RED, BLUE, BLUE, BLUE, BLUE, BLUE])
    axes.set_xlabel("nats a code, fewer are better")
    return figure


@drawn_from("musicgen_patterns", "musicgen_patterns_longer")
def longer(short, found):
    figure, axes = subplots(1, 2, size=(11.4, 3.0), sharey=True)
    rows = {"parallel": "side by side", "delay": "delay"}
    for ax, results, words in (
        (axes[0], short, "short training"),
        (axes[1], found, "five times as long"),
    ):
        bars(ax, results, rows, "nats", colours=[RED, BLUE])
        ax.set_title(words)
        ax.set(xlim=(0, 12), xlabel="nats a code")
    return figure


@drawn_from("musicgen_sizes")
def sizes(found):
    rows = ["width 64, 1 layer", "width 72, 2 layers", "width 80, 3 layers"]
    figure, axes = subplots(size=HALF)
    x = [mean(found, row, "parameters") for row in rows]
    y = [mean(found, row, "perplexity") for row in rows]
    axes.errorbar(x, y, [spread(found, row, "perplexity") for row in rows], fmt="o-", capsize=4)
    axes.set(xlabel="million weights, ours", ylabel="perplexity")
    return figure


@drawn_from("guidance")
def guidance(found):
    strengths = (1, 2, 3, 5, 8)
    figure, axes = subplots(size=(11.4, 3.0))
    for metric, words, colour in (
        ("adherence", "mean of six", BLUE),
        ("adherence_drums", "drums", ORANGE),
    ):
        y = [mean(found, f"guidance {s}", metric) for s in strengths]
        half = [spread(found, f"guidance {s}", metric) for s in strengths]
        axes.errorbar(strengths, y, half, fmt="o-", color=colour, label=words, capsize=4)
    axes.set(xlabel="guidance s", ylabel="adherence", xticks=strengths, ylim=(0, None))
    axes.legend(loc="lower right", ncols=2)
    return figure


@drawn_from("musicgen_adherence")
def adherence(found):
    metrics = {
        "adherence_drums": "drums",
        "adherence_style": "style",
        "adherence_instruments": "instruments",
        "adherence_tempo_class": "tempo",
        "adherence_metre": "metre",
        "adherence_mode": "mode",
    }
    row = "the captions' description"
    figure, axes = subplots(size=(11.4, 3.8))
    values = [mean(found, row, metric) for metric in metrics]
    halves = [spread(found, row, metric) for metric in metrics]
    places = range(len(metrics))[::-1]
    axes.barh(places, values, xerr=halves, color=BLUE, height=0.66, error_kw={"ecolor": GREY})
    axes.set_yticks(places, metrics.values())
    axes.axvline(1, color=GREEN, linestyle="--")
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set(xlabel="adherence: 0 chance, 1 real music (dashed)", xlim=(-0.4, 1.1))
    axes.tick_params(left=False)
    return figure
