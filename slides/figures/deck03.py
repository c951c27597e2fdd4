"""Figures of deck 03: audio codecs, from SoundStream to DAC."""

from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    HALF,
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
def codec():
    figure, axes = subplots(size=(11.4, 3.0))
    found = [
        (0.8, 2, "wave", GREY, 1.1, 1.0),
        (2.9, 2, "strided\nconvolutions", BLUE, 2.0, 1.3),
        (5.2, 2, "residual\nVQ", ORANGE, 1.6, 1.3),
        (7.5, 2, "transposed\nconvolutions", BLUE, 2.0, 1.3),
        (9.5, 2, "wave", GREY, 0.95, 1.0),
    ]
    arrows = [((a, 2), (b, 2), "") for a, b in ((1.35, 1.9), (3.9, 4.4), (6.0, 6.5), (8.5, 9.0))]
    boxes(axes, found, arrows)
    axes.text(5.2, 0.8, "8 codes a frame, 50 frames a second", color=RED, ha="center")
    return figure


@drawn_from("codec")
def rates(found):
    names = (("codec", "after the judges", RED), ("codec_plain", "before", BLUE))
    figure, axes = subplots(1, 2, size=(11.4, 4.6))
    for ax, metric in zip(axes, ("mel_distance", "si_sdr"), strict=True):
        for model, words, colour in names:
            rows = [f"{model}, {n} codebook{'s' * (n > 1)}" for n in (1, 2, 4, 8)]
            x = [mean(found, row, "kbps") for row in rows]
            y = [mean(found, row, metric) for row in rows]
            half = [spread(found, row, metric) for row in rows]
            ax.errorbar(x, y, half, fmt="o-", color=colour, label=words, capsize=4)
        opus = mean(found, "Opus", "kbps"), mean(found, "Opus", metric)
        ax.plot(*opus, "D", color="black", markersize=11, label="Opus")
        ax.set(xscale="log", xlabel="kbit/s", ylabel=found["columns"][metric])
        ax.set_xticks((0.5, 1, 2, 4, 12), ("0.5", "1", "2", "4", "12"))
        ax.minorticks_off()
    axes[0].legend()
    return figure


@drawn_from("soundstream_depth")
def depth(found):
    rows = {
        "5 codebooks of 256": "5 of 256",
        "8 codebooks of 32": "8 of 32",
        "40 codebooks of 2": "40 of 2",
        "5 codebooks of 256, dropout": "5 of 256, dropout",
    }
    figure, axes = subplots(1, 2, size=(11.4, 3.0), sharey=True)
    colours = [BLUE, BLUE, BLUE, ORANGE]
    bars(axes[0], found, rows, "mel", colours=colours)
    bars(axes[1], found, rows, "coarse", colours=colours)
    axes[1].set_xlabel("with a fifth of the bits")
    return figure


@drawn_from("encodec_bandwidth")
def balancer(found):
    rows = {
        "balancer": "balancer",
        "balancer, mel loss × 100": "balancer, mel × 100",
        "weighted sum": "weighted sum",
        "weighted sum, mel loss × 100": "weighted sum, mel × 100",
    }
    figure, axes = subplots(size=(11.4, 2.9))
    bars(axes, found, rows, "si_sdr", "{:.1f}", [BLUE, BLUE, ORANGE, RED])
    return figure


@drawn_from("encodec_bandwidth")
def saved(found):
    counts = (1, 2, 4, 8)
    rows = [f"{n} codebook{'s' * (n > 1)}" for n in counts]
    figure, axes = subplots(size=(6.6, 4.6))
    for shift, tail, colour, words in (
        (-0.2, "", PALE, "fixed bits"),
        (0.2, ", language model", BLUE, "by a language model"),
    ):
        values = [mean(found, row + tail, "kbps") for row in rows]
        places = [i + shift for i in range(len(rows))]
        axes.bar(places, values, 0.38, color=colour, label=words)
        for place, value in zip(places, values, strict=True):
            axes.text(place, value + 0.05, f"{value:.2f}", ha="center", fontsize=14)
    axes.set_xticks(range(len(rows)), counts)
    axes.set(xlabel="codebooks", ylabel="kbit/s")
    axes.legend(loc="upper left")
    return figure


@drawn_from("hificodec")
def grouped(found):
    rows = {
        "RVQ, 4 codebooks": "one stack, 4",
        "GRVQ, 4 codebooks in 2 groups": "two groups, 4",
        "RVQ, 8 codebooks": "one stack, 8",
        "GRVQ, 8 codebooks in 2 groups": "two groups, 8",
    }
    figure, axes = subplots(1, 2, size=(11.4, 3.2), sharey=True)
    colours = [BLUE, ORANGE, BLUE, ORANGE]
    bars(axes[0], found, rows, "mel", colours=colours)
    bars(axes[1], found, rows, "first", colours=colours)
    axes[1].set_xlabel("mel distance, first code alone")
    return figure


@drawn_from()
def snake():
    import torch

    x = torch.linspace(-6, 6, 400)
    figure, axes = subplots(size=HALF)
    for a, colour in ((1.0, BLUE), (2.0, RED)):
        axes.plot(x, x + (a * x).sin() ** 2 / a, color=colour, label=f"Snake, a = {a:g}")
    axes.plot(x, x.relu(), "--", color=GREY, label="ReLU")
    axes.legend()
    axes.set(xlabel="x")
    return figure


@drawn_from("dac_ablation")
def ablation(found):
    rows = list(found["rows"])
    figure, axes = subplots(1, 2, size=(11.4, 5.0), sharey=True)
    values = [found["paper"][row]["SI-SDR"] for row in rows]
    colours = [GREY, *[GREEN] * (len(rows) - 1)]
    places = range(len(rows))[::-1]
    axes[0].barh(places, values, color=colours, height=0.66)
    axes[0].set_yticks(places, rows)
    for place, value in zip(places, values, strict=True):
        axes[0].text(value + 0.15, place, f"{value:.1f}", va="center")
    axes[0].set(title="Kumar et al. 2023, 44 kHz", xlabel="SI-SDR (dB)", xlim=(0, 12))
    axes[0].tick_params(left=False)
    colours = [GREY, *[BLUE] * (len(rows) - 1)]
    bars(
        axes[1], found, dict.fromkeys(rows, "") | {r: r for r in rows}, "si_sdr", "{:.1f}", colours
    )
    axes[1].set_title("ours, small")
    return figure


@drawn_from("dac_ablation")
def sizes(found):
    rows = {"codes of 2 numbers": "2", "base": "8", "codes of 32 numbers": "32"}
    figure, axes = subplots(1, 2, size=(6.6, 4.4))
    for ax, metric, how in ((axes[0], "mel", "{:.2f}"), (axes[1], "efficiency", "{:.0%}")):
        values = [mean(found, row, metric) for row in rows]
        halves = [spread(found, row, metric) for row in rows]
        ax.bar(range(3), values, 0.6, yerr=halves, color=[RED, BLUE, RED], ecolor=GREY)
        for i, (value, half) in enumerate(zip(values, halves, strict=True)):
            ax.text(i, value + half + 0.01 * max(values), how.format(value), ha="center")
        ax.set_xticks(range(3), rows.values())
        ax.set(xlabel="numbers a code", ylim=(0, 1.15 * max(values)))
    axes[0].set_title("mel distance")
    axes[1].set_title("efficiency")
    return figure
