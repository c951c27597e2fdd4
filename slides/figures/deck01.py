"""Figures of deck 01: vector quantization, VQ-VAE, its tricks and variants."""

from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    HALF,
    HEAT,
    ORANGE,
    PALE,
    RED,
    bars,
    boxes,
    drawn_from,
    mean,
    spread,
    subplots,
)


@drawn_from()
def nearest():
    import torch

    from course_lib import quantize

    seeded = torch.Generator().manual_seed(3)
    middles = torch.tensor([[0.0, 0.0], [3.0, 0.6], [1.3, 2.4], [3.6, 3.0]])
    points = middles.repeat(60, 1) + 0.55 * torch.randn(240, 2, generator=seeded)
    found = quantize.kmeans(points, 4, 10, torch.Generator().manual_seed(0)).centroids
    codes = quantize.nearest(points, found)
    figure, axes = subplots(size=HALF)
    for code, colour in enumerate((BLUE, ORANGE, GREEN, RED)):
        axes.scatter(*points[codes == code].T, color=colour, s=18, alpha=0.55)
        axes.scatter(*found[code], color=colour, s=420, marker="o", edgecolor="black", linewidth=2)
        axes.text(*found[code], str(code), ha="center", va="center", color="white", weight="bold")
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


@drawn_from("vqvae")
def rate_distortion(found):
    table = ["EMA, K = 4", "EMA, K = 16", "EMA, K = 256", "EMA, K = 1024"]
    smooth = [f"VAE, β = {beta}" for beta in ("30", "1", "0.1", "0.01", "0.001")]
    figure, axes = subplots(size=(6.4, 4.6))
    for rows, name, colour, shape in (
        (table, "VQ-VAE, by K", BLUE, "o-"),
        (smooth, "VAE, by β", RED, "s--"),
    ):
        bits = [mean(found, row, "bits") for row in rows]
        errors = [mean(found, row, "mse") for row in rows]
        halves = [spread(found, row, "mse") for row in rows]
        axes.errorbar(bits, errors, halves, fmt=shape, color=colour, label=name, capsize=4)
        for x, y, row in zip(bits, errors, rows, strict=True):
            words = row.split(", ")[1].replace("K = ", "").replace("β = ", "")
            axes.annotate(words, (x, y), (7, 7), textcoords="offset points", fontsize=13)
    axes.set(xscale="log", xlabel="bits a second", ylabel="error of log-mel (MSE)")
    axes.legend()
    return figure


@drawn_from("vqvae")
def learning(found):
    rows = {
        "EMA, K = 256": "running averages",
        "gradient, K = 256": "gradient",
        "EMA, no commitment": "averages, no commitment",
    }
    figure, axes = subplots(size=(11.4, 2.6))
    bars(axes, found, rows, "mse", colours=[BLUE, GREEN, RED])
    return figure


@drawn_from("quantizer_zoo")
def collapse(found):
    rows = {
        "VQ": "k-means start, revival",
        "VQ, random start, no revival": "random start, none",
    }
    figure, axes = subplots(1, 2, size=(11.4, 1.9), sharey=True)
    bars(axes[0], found, rows, "usage", "{:.0%}", [BLUE, RED])
    bars(axes[1], found, rows, "error", colours=[BLUE, RED])
    return figure


@drawn_from("quantizer_zoo")
def ten_bits(found):
    rows = {
        "VQ": "one table of 1024",
        "cosine": "cosine",
        "VQ by gradient": "by gradient",
        "residual, 2 × 32": "residual, 2 × 32",
        "VQ by gradient, orthogonal": "orthogonal",
        "product, 2 × 32": "product, 2 × 32",
        "multi-head, 2 × 32": "multi-head, 2 × 32",
        "factorised, 8 numbers": "factorised to 8",
        "LFQ, 10 bits": "LFQ",
        "FSQ 8·5·5·5": "FSQ",
    }
    figure, axes = subplots(1, 2, size=(11.4, 5.0), sharey=True)
    for ax, metric, how in ((axes[0], "error", "{:.2f}"), (axes[1], "usage", "{:.0%}")):
        bars(ax, found, rows, metric, how, BLUE)
    axes[0].set_title("less is better")
    axes[1].set_title("more is better")
    return figure


@drawn_from("quantizer_zoo")
def truncated(found):
    rows = {
        "residual, 4 × 1024": "residual",
        "grouped residual, 4 × 1024": "grouped residual",
        "product, 4 × 1024": "product",
    }
    figure, axes = subplots(size=(6.4, 4.6))
    for shift, metric, colour, words in (
        (-0.2, "error", BLUE, "all four codes"),
        (0.2, "half", ORANGE, "two of four"),
    ):
        places = [i + shift for i in range(len(rows))]
        values = [mean(found, row, metric) for row in rows]
        axes.bar(places, values, 0.38, color=colour, label=words)
        for place, value in zip(places, values, strict=True):
            axes.text(place, value + 0.01, f"{value:.2f}", ha="center", fontsize=14)
    axes.set_xticks(range(len(rows)), rows.values())
    axes.set_ylabel("error (MSE / variance)")
    axes.legend(loc="upper left")
    return figure


@drawn_from("audio_words")
def weights(found):
    counts, rarity = ("b", "l1", "l2", "o1", "o2"), ("none", "b", "p", "e1", "e2", "o")
    values = [[mean(found, f"tf_{t} · idf_{i}", "style") for i in rarity] for t in counts]
    figure, axes = subplots(size=(6.4, 4.4))
    axes.imshow(values, cmap=HEAT, aspect="auto")
    middle = (max(map(max, values)) + min(map(min, values))) / 2
    for y, line in enumerate(values):
        for x, value in enumerate(line):
            colour = "black" if value > middle else "white"
            axes.text(x, y, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=14)
    axes.set_xticks(range(len(rarity)), [f"idf {i}" for i in rarity], fontsize=14)
    axes.set_yticks(range(len(counts)), [f"tf {t}" for t in counts], fontsize=14)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


@drawn_from()
def straight_through():
    figure, axes = subplots(size=(11.4, 3.1))
    found = [
        (1.6, 2, "encoder\nz = f(x)", BLUE, 2.0, 1.2),
        (5.0, 2, "nearest entry e", ORANGE, 2.6, 1.2),
        (8.4, 2, "decoder\nx′ = g(e)", BLUE, 2.0, 1.2),
    ]
    boxes(axes, found, [((2.6, 2), (3.7, 2), "z"), ((6.3, 2), (7.4, 2), "e")])
    axes.annotate(
        "", (1.9, 1.35), (8.1, 1.35),
        arrowprops={
            "arrowstyle": "-|>", "color": RED, "lw": 3, "connectionstyle": "arc3,rad=-0.22",
        },
    )  # fmt: skip
    axes.text(5.0, 0.05, "backward: the gradient is copied past the table", color=RED, ha="center")
    return figure


@drawn_from()
def residual():
    figure, axes = subplots(size=(11.4, 2.9))
    found = [
        (1.0, 2, "z", GREY, 1.0, 1.2),
        (3.2, 2, "table 1", BLUE, 1.6, 1.2),
        (5.7, 2, "table 2", BLUE, 1.6, 1.2),
        (8.2, 2, "table 3", BLUE, 1.6, 1.2),
    ]
    arrows = [
        ((1.5, 2), (2.4, 2), ""),
        ((4.0, 2), (4.9, 2), "what is left"),
        ((6.5, 2), (7.4, 2), "what is left"),
        ((9.0, 2), (9.8, 2), "…"),
    ]
    boxes(axes, found, arrows)
    for x, words in ((3.2, "17"), (5.7, "203"), (8.2, "5")):
        axes.annotate(
            words, (x, 1.4), (x, 0.4), ha="center", color=RED, fontsize=18,
            arrowprops={"arrowstyle": "<|-", "color": RED, "lw": 2},
        )  # fmt: skip
    return figure


@drawn_from()
def regression():
    import torch

    time = torch.linspace(0, 4, 200)
    high, low = (time - 2).sigmoid() * 2 - 1, -((time - 2).sigmoid() * 2 - 1)
    figure, axes = subplots(size=HALF)
    axes.plot(time, high.clamp(min=0), color=BLUE, label="the tune goes up …")
    axes.plot(time, low.clamp(max=0), color=GREEN, label="… or down")
    axes.plot(time, 0 * time, "--", color=RED, label="the mean: neither")
    axes.axvspan(0, 2, color=PALE, alpha=0.35, lw=0)
    axes.set(xlabel="what is known | what is to come", xticks=[], yticks=[])
    axes.legend(fontsize=14, loc="upper left")
    axes.set_ylim(-1.1, 1.6)
    return figure
