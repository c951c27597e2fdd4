"""Figures of deck 08: controls, adapters, tracks; what it costs, and what may be done with it."""

from course_lib import paths
from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    HEAT,
    ORANGE,
    PALE,
    PINK,
    RED,
    boxes,
    counted,
    drawn_from,
    mean,
    spread,
    subplots,
)

MODELS = tuple(sorted(path.stem for path in paths.data("checkpoints").glob("*.json")))
TABLES = tuple(
    sorted(path.stem for path in paths.data("results").glob("*.json") if path.stem != "soak")
)
WATTS = {"V100": 300, "core": 15}  # the card's limit; an assumption, which the slide states


@drawn_from(models=("musicgen",))
def rates(model):
    from math import log2

    words = model.text.embedding.weight.shape[0]
    found = {
        f"a sentence, 10 words of {words}, for 10 s": 10 * log2(words) / 10,
        "a chord of 25, twice a second": 2 * log2(25),
        "a drum or none, 16 times a second": 16,
        "the gate: one of 13, 7.8 times a second": 7.8 * log2(13),
        "loudness, 16 steps, 50 times a second": 50 * 4,
        "codes: 4 of 1,024, 50 times a second": 4 * 10 * 50,
    }
    figure, axes = subplots(size=(11.4, 3.9))
    counted(axes, found, [GREEN, PINK, PINK, PINK, PINK, RED], "{:,.0f}".format, log=True)
    axes.set(xlabel="bits a second, at most", xlim=(3, 5000))
    axes.set_xticks((10, 100, 1000), ("10", "100", "1,000"))
    return figure


@drawn_from()
def places():
    figure, axes = subplots(size=(11.4, 4.0))
    found = [
        (1.5, 2.0, "in front\nprompt, prefix,\nchroma", GREEN, 2.5, 1.7),
        (5.0, 2.0, "a frozen model", BLUE, 2.6, 1.7),
        (5.0, 0.5, "inside: adapters, gates", ORANGE, 3.4, 0.7),
        (8.5, 2.0, "while sampling\nguidance, masks,\ninpainting", PINK, 2.5, 1.7),
        (5.0, 3.55, "afterwards: choose, stretch, mix", GREY, 3.8, 0.7),
    ]
    arrows = [((2.75, 2), (3.7, 2), ""), ((6.3, 2), (7.25, 2), "")]
    arrows += [((5, 0.85), (5, 1.15), ""), ((5, 2.85), (5, 3.2), "")]
    boxes(axes, found, arrows)
    return figure


@drawn_from(sounds=("15b_tune",))
def chords(found):
    import torch

    from course_lib.evaluation.harmony import TONICS, TRIADS, best_triad
    from course_lib.models.chroma_melody import chromagram, strongest

    wave, rate = found
    full = chromagram(wave[None, None], rate)[0]  # [12, F]
    gate = strongest(full[None])[0]
    multi = torch.zeros_like(full)
    half = full.shape[1] // 4
    for start in range(0, full.shape[1], half):
        tonic, kind = best_triad(full[:, start : start + half].sum(1)).split(":")
        for step in TRIADS[kind]:
            multi[(TONICS.index(tonic) + step) % 12, start : start + half] = 1
    figure, axes = subplots(1, 3, size=(11.4, 3.6), sharey=True)
    titles = ("heard", "melody: one class", "chord: three classes")
    for ax, picture, title in zip(axes, (full, gate, multi), titles, strict=True):
        ax.imshow(picture, aspect="auto", origin="lower", cmap=HEAT)
        ax.set(title=title, xlabel="frames")
        ax.set_yticks(range(12), TONICS, fontsize=12)
        ax.tick_params(left=False)
    return figure


@drawn_from()
def remixer():
    figure, axes = subplots(size=(11.4, 4.2))
    found = [
        (0.75, 2, "song", GREY, 1.1, 0.9),
        (2.7, 3.4, "separate: voice", PINK, 2.0, 0.8),
        (2.7, 2.0, "separate: band", BLUE, 2.0, 0.8),
        (2.7, 0.6, "beats, tempo", ORANGE, 2.0, 0.8),
        (5.1, 2.0, "chords", BLUE, 1.3, 0.8),
        (7.0, 2.0, "MusicGen\nChord", RED, 1.5, 1.1),
        (7.0, 0.6, "pair downbeats,\nstretch", ORANGE, 2.0, 0.9),
        (9.3, 2.0, "mix", GREY, 1.0, 0.9),
        (5.1, 1.22, "“lo-fi” + bpm", GREEN, 1.6, 0.6),
    ]
    arrows = [((1.3, 2), (1.7, y), "") for y in (3.3, 2.0, 0.7)]
    arrows += [
        ((3.7, 2), (4.45, 2), ""),
        ((5.75, 2), (6.25, 2), ""),
        ((5.9, 1.35), (6.25, 1.65), ""),
        ((7.0, 1.45), (7.0, 1.05), ""),
        ((3.7, 0.6), (6.0, 0.6), ""),
        ((8.0, 0.8), (9.0, 1.55), ""),
        ((3.7, 3.6), (9.0, 2.45), ""),
    ]
    boxes(axes, found, arrows)
    return figure


@drawn_from()
def meeting():
    song, made = (0.0, 2.0, 4.0, 6.0, 8.0), (0.15, 1.9, 3.7, 5.6, 7.4)
    figure, axes = subplots(1, 2, size=(11.4, 3.0), width_ratios=[3, 2])
    for y, downbeats, words, colour in ((1, song, "song", BLUE), (0, made, "generated", RED)):
        axes[0].hlines(y, -0.2, 8.3, color=PALE, lw=8)
        axes[0].plot(downbeats, [y] * 5, "o", color=colour, markersize=12)
        axes[0].text(-0.45, y, words, ha="right", va="center", color=colour)
    for a, b in zip(song, made, strict=True):
        axes[0].plot((a, b), (0.9, 0.1), color=GREY, lw=1.5, ls=":")
    axes[0].set(xlim=(-2.3, 8.6), ylim=(-0.5, 1.5))
    axes[0].axis("off")
    axes[1].plot(made, song, "o-", color=GREEN)
    axes[1].plot((0, 8), (0, 8), "--", color=PALE)
    axes[1].set(xlabel="time as generated (s)", ylabel="time as played (s)")
    return figure


@drawn_from()
def cocomulla():
    figure, axes = subplots(size=(11.4, 4.0))
    found = [
        (1.2, 3.3, "chords, 37", PINK, 1.9, 0.7),
        (1.2, 2.3, "piano roll, 12", PINK, 1.9, 0.7),
        (1.2, 1.3, "drums, 12", PINK, 1.9, 0.7),
        (3.6, 2.3, "a vector\nfor each layer", ORANGE, 1.8, 1.2),
        (5.7, 2.3, "copy of the\nfrozen layer", BLUE, 1.8, 1.2),
        (7.3, 2.3, "gate", ORANGE, 0.7, 0.7),
        (8.9, 2.3, "frozen layer\nof MusicGen", BLUE, 1.8, 1.4),
        (8.9, 0.4, "codes so far", GREY, 1.8, 0.6),
    ]
    arrows = [((2.15, y), (2.7, 2.3 + (y - 2.3) * 0.3), "") for y in (3.3, 2.3, 1.3)]
    arrows += [
        ((4.5, 2.3), (4.8, 2.3), ""),
        ((6.6, 2.3), (6.95, 2.3), ""),
        ((7.65, 2.3), (8.0, 2.3), ""),
        ((8.9, 0.7), (8.9, 1.6), ""),
        ((8.9, 3.0), (8.9, 3.8), ""),
    ]
    boxes(axes, found, arrows)
    axes.text(4.8, 0.6, "orange learns, blue is frozen", color=GREY, ha="center")
    return figure


@drawn_from()
def controlnet():
    figure, axes = subplots(size=(6.8, 4.8))
    found = [
        (2.4, 3.3, "encoder", BLUE, 2.6, 0.9),
        (2.4, 1.0, "decoder", BLUE, 2.6, 0.9),
        (7.2, 3.3, "copy of encoder", ORANGE, 3.8, 0.9),
        (7.2, 1.0, "convolutions of 0", RED, 3.8, 0.9),
    ]
    arrows = [
        ((2.4, 3.98), (2.4, 3.75), ""),
        ((7.2, 3.98), (7.2, 3.75), ""),
        ((2.4, 2.85), (2.4, 1.45), ""),
        ((7.2, 2.85), (7.2, 1.45), ""),
        ((5.3, 1.0), (3.7, 1.0), "+"),
    ]
    boxes(axes, found, arrows)
    axes.text(7.2, 4.08, "noise + curve", ha="center", color=GREY)
    axes.text(2.4, 4.08, "noise", ha="center", color=GREY)
    axes.set(ylim=(0.3, 4.3))
    return figure


def _linear(model) -> list[tuple[int, int]]:
    """(outputs, inputs) of each matrix of the shipped MusicGen's layers that attention uses."""
    return [
        tuple(weight.shape)
        for name, weight in model.named_parameters()
        if name.startswith("lm.transformer") and weight.ndim == 2 and ".mlp." not in name
    ]


@drawn_from(models=("musicgen",))
def ranks(model):
    total = sum(p.numel() for p in model.parameters())
    found = (1, 2, 4, 8, 16, 32, 64)
    share = [100 * sum(r * (a + b) for a, b in _linear(model)) / total for r in found]
    figure, axes = subplots(size=(6.6, 4.4))
    axes.plot(found, share, "o-", color=BLUE)
    axes.plot(8, share[3], "o", color=RED, markersize=13)
    axes.text(8.8, share[3] - 0.4, f"r = 8: {share[3]:.1f} %", color=RED, va="top")
    axes.set(xscale="log", xlabel="rank r", ylabel="% of our MusicGen's weights")
    axes.set_xticks(found, [str(r) for r in found])
    axes.minorticks_off()
    return figure


@drawn_from(models=("musicgen",))
def friends(model):
    named = dict(model.named_parameters())
    layers = [named[name].numel() for name in named if name.startswith("lm.transformer.blocks")]
    depth = model.lm.transformer.blocks
    width = named["lm.embedding.weight"].shape[1]
    found = {
        "all of it": sum(weight.numel() for weight in named.values()),
        "a copy of half of the layers": sum(layers) // 2,
        "LoRA, rank 8": sum(8 * (a + b) for a, b in _linear(model)),
        "a prefix of 8 for each layer": 2 * 8 * width * len(depth),
        "biases and gains alone": sum(
            weight.numel() for name, weight in named.items() if weight.ndim == 1
        ),
    }
    figure, axes = subplots(size=(11.4, 4.3))
    counted(axes, found, [GREY, ORANGE, RED, BLUE, BLUE], "{:,.0f}".format, log=True)
    axes.set(xlabel="numbers that learn, in our MusicGen", xlim=(1e3, 4e7))
    return figure


@drawn_from("jen1_ablation")
def filled(found):
    rows = {
        "real clips through the autoencoder": "real clips",
        "text alone": "never practised",
        "+ continuation": "all tasks",
        "real clips against others": "pasted from others",
    }
    figure, axes = subplots(2, 1, size=(6.6, 4.8))
    colours = [GREY, BLUE, RED, PALE]
    for ax, metric, words in (
        (axes[0], "filled_key", "key: the more alike the better"),
        (axes[1], "filled_seams", "seams: 1 is as real music"),
    ):
        values = [mean(found, row, metric) for row in rows]
        halves = [spread(found, row, metric) for row in rows]
        places = range(len(rows))[::-1]
        ax.barh(places, values, 0.66, xerr=halves, color=colours, ecolor=GREY)
        for place, value, half in zip(places, values, halves, strict=True):
            ax.text(value + half + 0.03, place, f"{value:.2f}", va="center")
        ax.set(title=words, xlim=(0, 1.2 * max(values)))
        ax.set_yticks(places, rows.values())
        ax.tick_params(left=False)
    return figure


@drawn_from()
def tracks():
    from matplotlib.patches import Rectangle

    names = ("bass", "drums", "instrument", "melody")
    modes = (
        ("all together", "tttt"),
        ("one alone", "tTTT"),
        ("bass for the rest", "t000"),
        ("a tune over drums", "T0Tt"),
    )
    words = {"t": ("made, $t$", RED), "0": ("given, 0", BLUE), "T": ("left out, $T$", GREY)}
    figure, axes = subplots(size=(11.4, 3.9))
    for column, (mode, steps) in enumerate(modes):
        axes.text(2.9 + 2.35 * column, 4.15, mode, ha="center", weight="bold")
        for row, step in enumerate(steps):
            said, colour = words[step]
            corner = (1.85 + 2.35 * column, 3.1 - row)
            style = {"fc": colour + "33", "ec": colour, "lw": 2}
            axes.add_patch(Rectangle(corner, 2.1, 0.78, **style))
            axes.text(corner[0] + 1.05, corner[1] + 0.39, said, ha="center", va="center")
    for row, name in enumerate(names):
        axes.text(1.65, 3.49 - row, name, ha="right", va="center")
    axes.set(xlim=(0, 11.2), ylim=(-0.1, 4.6))
    axes.axis("off")
    return figure


@drawn_from(models=MODELS)
def minutes(*models):
    from course_lib import checkpoints

    cards = {name: checkpoints.card(name)["seconds"] / 60 for name in MODELS}
    cards = dict(sorted(cards.items(), key=lambda pair: -pair[1]))
    figure, axes = subplots(size=(11.4, 4.7))
    axes.bar(range(len(cards)), cards.values(), 0.7, color=BLUE)
    for place, value in enumerate(cards.values()):
        axes.text(place, value + 1, f"{value:.0f}", ha="center", fontsize=14)
    axes.set_xticks(range(len(cards)), cards, rotation=40, ha="right", fontsize=13)
    total = sum(cards.values()) / 60
    axes.set(ylabel="minutes of one core", ylim=(0, 1.12 * max(cards.values())))
    axes.set_title(f"{len(cards)} models, {total:.1f} hours")
    axes.tick_params(bottom=False)
    return figure


@drawn_from("tokens_versus_latents", models=MODELS)
def energy(found, *models):
    from course_lib import checkpoints

    weeks = 128 * 2 + 512 * 4 + 512 * 2
    hours = sum(checkpoints.card(name)["seconds"] for name in MODELS) / 3600
    slow = mean(found, "tokens: shipped MusicGen", "slowness") / 60  # hours of computing an hour
    core, card = WATTS["core"] / 1000, WATTS["V100"] / 1000
    figure, axes = subplots(1, 2, size=(11.4, 3.1))
    values = {"Jukebox": weeks * 168 * card, "all of ours": hours * core}
    counted(axes[0], values, [RED, BLUE], lambda v: f"{v:,.0f}" if v > 1 else f"{v:.2f}", log=True)
    axes[0].set(title="training", xlabel="kWh", xlim=(0.01, 1e9))
    axes[0].set_xticks((0.1, 100, 1e5), ("0.1", "100", "100,000"))
    values = {"Jukebox": 9 * card, "our MusicGen": slow * core}
    counted(axes[1], values, [RED, BLUE], lambda v: f"{v:.1f}" if v > 0.1 else f"{v:.5f}", log=True)
    axes[1].set(title="writing a minute", xlabel="kWh", xlim=(1e-6, 1000))
    axes[1].set_xticks((1e-5, 0.01, 10), ("0.00001", "0.01", "10"))
    return figure


@drawn_from("memorisation")
def copies(found):
    rows = {
        "pieces of training clips": "pieces of training clips",
        "held-out clips": "real music, held out",
        "written for training captions": "written, known captions",
        "written for held-out captions": "written, new captions",
    }
    lines = (("codes_beyond", "by codes", BLUE, 0.26), ("clap_beyond", "by CLAP", ORANGE, 0.0))
    lines += (("analyser_beyond", "by the analyser", GREEN, -0.26),)
    figure, axes = subplots(size=(11.4, 3.6))
    for metric, words, colour, shift in lines:
        places = [i + shift for i in reversed(range(len(rows)))]
        values = [100 * mean(found, row, metric) for row in rows]
        halves = [100 * spread(found, row, metric) for row in rows]
        axes.barh(places, values, 0.24, xerr=halves, color=colour, ecolor=GREY, label=words)
    axes.axvline(5, color=GREY, ls="--", lw=1.5)
    axes.set_yticks(range(len(rows))[::-1], rows.values())
    axes.set(xlabel="% nearer to training clips than 95 % of real music", xlim=(0, 100))
    axes.tick_params(left=False)
    axes.legend(loc="lower right")
    return figure


@drawn_from(*TABLES)
def ledger(*found):
    kinds = {
        "holds here": GREEN,
        "undecided here": ORANGE,
        "reversed here": RED,
        "cannot be tested here": PALE,
    }
    counts = dict.fromkeys(kinds, 0)
    for table in found:
        for claim in table["claims"]:
            counts[claim["verdict"]["words"]] += 1
    figure, axes = subplots(size=(11.4, 3.2))
    counted(axes, counts, list(kinds.values()), "{:.0f}".format)
    axes.set(title=f"{sum(counts.values())} claims of {len(found)} tables")
    return figure
