"""Figures of deck 07: one model for many tasks, attributes between words and notes, directors."""

from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    HEAT,
    ORANGE,
    PALE,
    PINK,
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


@drawn_from()
def sequences():
    rows = {
        "text to music": [("words", GREEN), ("music", RED)],
        "text to speech": [("phonemes", GREEN), ("a voice", SKY), ("speech", RED)],
        "singing": [("phonemes", GREEN), ("notes", PINK), ("a voice", SKY), ("song", RED)],
        "pick a voice": [("mixture", ORANGE), ("a voice", SKY), ("that voice", RED)],
        "clean up": [("noisy", ORANGE), ("clean", RED)],
        "edit": [("words", GREEN), ("before", ORANGE), ("after", RED)],
    }
    figure, axes = subplots(size=(11.4, 4.3))
    found = []
    for row, (task, parts) in enumerate(rows.items()):
        y = 3.68 - 0.67 * row
        axes.text(0, y, task, va="center", fontsize=16)
        x = 2.0
        for words, colour in parts:
            width = 3.0 if colour == RED else 1.55
            found.append((x + width / 2, y, words, colour, width, 0.54))
            x += width + 0.08
    boxes(axes, found)
    return figure


@drawn_from()
def tasks():
    found = {
        "UniAudio": 11,
        "SpeechX": 4,
        "NaturalSpeech 2": 4,
        "VoiceBox": 3,
        "AudioLDM 2": 3,
        "Make-A-Voice": 3,
        "Mega-TTS": 2,
        "SPEAR-TTS": 2,
        "YourTTS": 2,
        "VALL-E": 1,
        "MusicLM": 1,
    }
    figure, axes = subplots(size=(11.4, 4.8))
    counted(axes, found, [RED, *[BLUE] * 10])
    axes.set(xlabel="tasks, of eleven", xlim=(0, 11.7))
    return figure


@drawn_from()
def masked():
    figure, axes = subplots(size=(11.4, 2.1))
    kinds = ((GREEN, "w", 3), (ORANGE, "a", 4), (RED, "b", 5))
    found, x = [], 0.5
    for colour, letter, count in kinds:
        for i in range(count):
            found.append((x, 2.5, f"${letter}_{i + 1}$", colour, 0.66, 1.5))
            x += 0.76
        x += 0.16
    boxes(axes, found)
    for start, end, words, colour in (
        (0.2, 2.35, "words", GREY),
        (2.65, 5.55, "before", GREY),
        (5.85, 9.5, "after: the loss is here", RED),
    ):
        axes.plot((start, end), (1.25, 1.25), color=colour, lw=3)
        axes.text((start + end) / 2, 0.9, words, ha="center", va="top", color=colour)
    return figure


@drawn_from()
def scales():
    figure, axes = subplots(size=(11.4, 4.2))
    found = [(5.4, 2.15, "global Transformer: from frame to frame", BLUE, 8.4, 0.7)]
    arrows = []
    for frame in range(3):
        x = 2.3 + 3.1 * frame
        found.append((x, 0.95, "sum or join", GREY, 2.3, 0.56))
        found.append((x, 3.25, "local Transformer", ORANGE, 2.5, 0.6))
        found += [(x + 0.8 * (k - 1), 0.25, str(k + 1), GREY, 0.62, 0.44) for k in range(3)]
        found += [(x + 0.8 * (k - 1), 3.8, str(k + 1), RED, 0.62, 0.38) for k in range(3)]
        arrows += [((x, 1.23), (x, 1.8), ""), ((x, 2.5), (x, 2.95), "")]
    boxes(axes, found, arrows)
    axes.text(0.05, 0.25, "a frame", va="center", color=GREY)
    axes.text(0.05, 3.8, "the next", va="center", color=RED)
    return figure


@drawn_from("musicgen_patterns")
def savings(found):
    import torch

    figure, axes = subplots(1, 2, size=(11.4, 4.2))
    seconds = torch.linspace(1, 30, 60)
    frames, books = 50 * seconds, 3
    kinds = (
        ("flattened", (books * frames) ** 2, RED, "-"),
        ("two scales", frames**2 + frames * books**2, BLUE, "-"),
        ("delay", (frames + books - 1) ** 2, ORANGE, "--"),
    )
    for words, pairs, colour, line in kinds:
        axes[0].plot(seconds, pairs / 1e6, line, color=colour, label=words)
    axes[0].set(title="counted, 3 codes a frame", xlabel="seconds", ylabel="million pairs")
    axes[0].legend()
    rows = {"flattening": "flattened", "delay": "delay", "parallel": "side by side"}
    bars(axes[1], found, rows, "slowness", "{:.3f}", [RED, ORANGE, PALE])
    axes[1].set(title="measured, ours, 4 codes", xlabel="seconds of computing a second")
    return figure


@drawn_from()
def hours():
    found = {
        "LibriLight": 60000,
        "MLS": 20000,
        "WavCaps": 7000,
        "Million Song": 7000,
        "AudioSet": 5800,
        "LibriTTS": 1000,
        "AudioCaps": 500,
        "five more": 5.2 + 50 + 85 + 200 + 100,
    }
    figure, axes = subplots(size=(11.4, 4.6))
    colours = [BLUE, BLUE, GREEN, RED, GREEN, BLUE, GREEN, GREY]
    counted(axes, found, colours)
    axes.set(xlabel="hours")
    for y, words, colour in ((3.0, "speech", BLUE), (2.0, "sound", GREEN), (1.0, "music", RED)):
        axes.text(52000, y, words, color=colour, weight="bold")
    return figure


@drawn_from()
def two_steps():
    figure, axes = subplots(size=(11.4, 3.4))
    found = [
        (1.15, 2, "“a slow waltz\nin D minor”", GREEN, 2.1, 1.3),
        (3.6, 2, "reader", BLUE, 1.4, 1.0),
        (5.6, 2, "tempo: slow\nmetre: 3/4\nkey: minor\ndrums: ?", PINK, 1.7, 2.6),
        (7.55, 2, "composer", BLUE, 1.5, 1.0),
        (9.3, 2, "notes", RED, 1.2, 1.0),
    ]
    ends = ((2.2, 2.9), (4.3, 4.75), (6.45, 6.8), (8.3, 8.7))
    boxes(axes, found, [((a, 2), (b, 2), "") for a, b in ends])
    return figure


@drawn_from()
def told():
    figure, axes = subplots(1, 2, size=(11.4, 3.4), sharey=True)
    values = {"added to every input": 36.94, "moving every norm": 47.46, "a prefix": 67.40}
    counted(axes[0], values, [GREY, GREY, RED], "{:.1f} %".format)
    axes[0].set(xlabel="attributes that come out (%)")
    values = {"added to every input": 2.97, "moving every norm": 3.11, "a prefix": 3.15}
    places = range(3)[::-1]
    axes[1].barh(places, values.values(), xerr=(0.91, 1.02, 1.02), color=[GREY, GREY, RED])
    for place, value in zip(places, values.values(), strict=True):
        axes[1].text(0.1, place, f"{value:.2f}", va="center", color="white", weight="bold")
    axes[1].set(xlabel="musicality, by listeners (1 to 5)", xlim=(0, 5))
    axes[1].tick_params(left=False)
    return figure


@drawn_from()
def files():
    found = {
        "MMD": 1524557,
        "MetaMIDI": 612088,
        "Symphony": 46360,
        "emotion": 25730,
        "EMOPIA": 1078,
        "POP909": 909,
        "all": 2210722,
        "kept": 947659,
    }
    figure, axes = subplots(size=(11.4, 4.6))
    counted(axes, found, [*[BLUE] * 6, GREY, RED])
    axes.set_xticks((0, 5e5, 1e6, 1.5e6, 2e6), ("0", "0.5", "1", "1.5", "2"))
    axes.set(xlabel="million files")
    return figure


@drawn_from("musicgen_sizes")
def sizes(found):
    figure, axes = subplots(1, 2, size=(11.4, 3.6))
    axes[0].bar(("203 M", "1.2 B"), (83.63, 87.15), 0.5, color=GREEN)
    for place, value in enumerate((83.63, 87.15)):
        axes[0].text(place, value + 2, f"{value:.1f} %", ha="center")
    axes[0].set(title="MuseCoco", ylabel="attributes right (%)", ylim=(0, 115), xlabel="weights")
    rows = ("width 64, 1 layer", "width 72, 2 layers", "width 80, 3 layers")
    values = [mean(found, row, "clap") for row in rows]
    halves = [spread(found, row, "clap") for row in rows]
    names = [f"{mean(found, row, 'parameters'):.2f} M" for row in rows]
    axes[1].bar(names, values, 0.5, yerr=halves, color=BLUE, ecolor=GREY)
    ceiling = mean(found, "real clips through the codec", "clap")
    axes[1].axhline(ceiling, color=GREY, ls="--")
    axes[1].text(2.4, ceiling - 0.012, "real clips", ha="right", va="top", color=GREY)
    axes[1].set(title="ours, MusicGen", ylabel="CLAP score", xlabel="weights", ylim=(0, 0.5))
    return figure


@drawn_from("musicgen_adherence")
def obeyed(found):
    kinds = {
        "style": "style",
        "drums": "drums",
        "instruments": "instruments",
        "tempo_class": "tempo",
        "mode": "mode",
        "metre": "metre",
    }
    lines = (
        ("shuffled prompts", "another prompt's wishes", PALE, 0.27),
        ("the captions' description", "its own wishes", BLUE, 0.0),
        ("real clips through four codebooks", "real clips", GREY, -0.27),
    )
    figure, axes = subplots(size=(11.4, 4.5))
    for row, words, colour, shift in lines:
        places = [i + shift for i in reversed(range(len(kinds)))]
        values = [mean(found, row, kind) for kind in kinds]
        halves = [spread(found, row, kind) for kind in kinds]
        axes.barh(places, values, 0.25, xerr=halves, color=colour, ecolor=GREY, label=words)
    axes.set_yticks(range(len(kinds))[::-1], kinds.values())
    axes.set(xlabel="what the analyser hears of what was asked", xlim=(0, 1.0))
    axes.tick_params(left=False)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


@drawn_from(sounds=("15_house",))
def lights(found):
    """Spectra of four moments of a clip; a lamp for each band, lit where it is above its mean."""
    import torch
    import torchaudio

    wave, rate = found
    mel = torchaudio.transforms.MelSpectrogram(rate, 2048, hop_length=rate // 50, n_mels=64)
    level = (mel(wave) + 1e-6).log10()  # [64, F]
    lamps = (level - level.mean(1, keepdim=True)) / level.std(1, keepdim=True)
    level = (level - level.min()) / (level.max() - level.min())
    figure, axes = subplots(2, 4, size=(11.4, 4.4), height_ratios=[1, 2])
    for column, frame in enumerate((20, 45, 70, 95)):
        axes[0, column].fill_between(range(64), level[:, frame], color=BLUE, alpha=0.7, lw=0)
        axes[0, column].set(xticks=(), yticks=(), ylim=(0, 1), title=f"{frame / 50:.1f} s")
        grid = lamps[:, frame].reshape(8, 8)
        axes[1, column].imshow(grid, cmap=HEAT, vmin=-2, vmax=2, origin="lower")
        axes[1, column].set_xticks(torch.arange(0.5, 7), labels=[])
        axes[1, column].set_yticks(torch.arange(0.5, 7), labels=[])
        axes[1, column].grid(color="white", lw=4)
        axes[1, column].set_axisbelow(False)
        axes[1, column].tick_params(length=0)
        for side in axes[1, column].spines.values():
            side.set_visible(False)
    axes[0, 0].set_ylabel("prompt")
    axes[1, 0].set_ylabel("completion")
    return figure


@drawn_from()
def syllables():
    from matplotlib.patches import Rectangle

    notes = [(0, 1, 0), (1, 1, 0), (2, 1, 4), (3, 1, 4), (4, 1, 5), (5, 1, 5), (6, 2, 4)]
    words = ["Twin", "kle,", "twin", "kle,", "lit", "tle", "star"]
    figure, axes = subplots(size=(11.4, 3.4))
    for (start, length, pitch), word in zip(notes, words, strict=True):
        strong = start % 2 == 0
        colour = RED if strong else BLUE
        box = Rectangle((start + 0.04, pitch), length - 0.08, 0.8, fc=colour + "33", ec=colour)
        axes.add_patch(box)
        weight = "bold" if strong else "normal"
        axes.text(start + length / 2, -1.6, word, ha="center", color=colour, weight=weight)
    for bar in (0, 4, 8):
        axes.axvline(bar, color=PALE, zorder=0)
    axes.text(8.2, 2.6, "7 notes:\n7 syllables", va="center", linespacing=1.4)
    axes.text(8.2, -1.6, "stress on strong beats", color=RED)
    axes.set(xlim=(-0.2, 11.2), ylim=(-2.2, 6.4))
    axes.axis("off")
    return figure


@drawn_from()
def script():
    figure, axes = subplots(size=(11.4, 4.2))
    found = [
        (1.1, 3.3, "“rain, then\nfar-off news”", GREEN, 2.0, 1.0),
        (3.7, 3.3, "language\nmodel", BLUE, 1.6, 1.0),
        (6.2, 3.3, "script\n(JSON)", PINK, 1.6, 1.0),
        (8.8, 3.3, "program", ORANGE, 1.6, 1.0),
        (4.5, 1.75, "speech: “Good evening”", SKY, 3.0, 0.6),
        (7.9, 1.75, "speech: “… and rain”", SKY, 3.2, 0.6),
        (6.2, 1.0, "music, quiet", RED, 6.6, 0.6),
        (4.9, 0.25, "effect: rain", GREEN, 6.6, 0.5),
    ]
    arrows = [((a, 3.3), (b, 3.3), "") for a, b in ((2.1, 2.9), (4.5, 5.4), (7.0, 8.0))]
    boxes(axes, found, arrows)
    axes.annotate(
        "",
        (8.8, 2.15),
        (8.8, 2.8),
        arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 2},
    )
    axes.text(0.1, 1.75, "foreground", va="center", color=GREY)
    axes.text(0.1, 0.62, "background", va="center", color=GREY)
    return figure
