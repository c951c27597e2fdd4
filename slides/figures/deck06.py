"""Figures of deck 06: diffusion."""

from slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    HEAT,
    ORANGE,
    RED,
    bars,
    boxes,
    drawn_from,
    mean,
    spread,
    subplots,
)


@drawn_from(sounds=("16_original",))
def noise(sound):
    import torch

    from course_lib.audio import LogMel

    samples, rate = sound
    figure, axes = subplots(1, 4, size=(11.4, 2.9), sharey=True)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(samples.shape, generator=generator) * samples.std()
    for ax, share in zip(axes, (0.0, 0.2, 0.7, 1.0), strict=True):
        mixed = (1 - share**2) ** 0.5 * samples + share * noise
        mel = LogMel(rate)(mixed[None, None])[0]
        ax.imshow(mel, origin="lower", aspect="auto", cmap=HEAT, vmin=-9, vmax=2)
        ax.set(xticks=(), yticks=(), title=f"σ = {share:g}")
    return figure


@drawn_from()
def latents():
    figure, axes = subplots(size=(11.4, 3.2))
    found = [
        (0.8, 2, "sound", GREY, 1.2, 1.0),
        (2.7, 2, "encoder", BLUE, 1.5, 1.2),
        (5.0, 2, "latents, noise\nput in and out", ORANGE, 2.2, 1.4),
        (7.3, 2, "decoder", BLUE, 1.5, 1.2),
        (9.2, 2, "sound", GREY, 1.2, 1.0),
    ]
    arrows = [((a, 2), (b, 2), "") for a, b in ((1.4, 1.95), (3.45, 3.9), (6.1, 6.55), (8.05, 8.6))]
    boxes(axes, found, arrows)
    axes.text(5.0, 0.85, "32 numbers a frame, 50 frames a second", color=RED, ha="center")
    return figure


@drawn_from("jen1_ablation")
def ablation(found):
    # Li et al. 2023, table 3: FAD.
    published = {
        "text alone": 3.1,
        "+ masked latents": 3.1,
        "+ whitening": 2.6,
        "+ causal mode": 2.5,
        "+ inpainting": 2.2,
        "+ continuation": 2.0,
    }
    figure, axes = subplots(1, 2, size=(11.4, 3.8), sharey=True)
    places = range(len(published))[::-1]
    axes[0].barh(places, published.values(), color=GREEN, height=0.66)
    axes[0].set_yticks(places, published)
    for place, value in zip(places, published.values(), strict=True):
        axes[0].text(value + 0.05, place, f"{value:.1f}", va="center")
    axes[0].set(title="the paper", xlabel="FAD", xlim=(0, 3.7))
    axes[0].tick_params(left=False)
    bars(axes[1], found, {row: row for row in published}, "frechet", "{:,.0f}")
    axes[1].set_title("ours")
    return figure


@drawn_from("diffusion_steps")
def steps(found):
    counts = (5, 10, 20, 50)
    figure, axes = subplots(size=(11.4, 3.3))
    solvers = (("DDPM", GREY, 10), ("DDIM", BLUE, 5), ("DPM-Solver++", ORANGE, 5))
    for number, (name, colour, first) in enumerate(solvers):
        known = [n for n in counts if n >= first]
        y = [mean(found, f"{name}, {n} steps", "frechet") for n in known]
        half = [spread(found, f"{name}, {n} steps", "frechet") for n in known]
        x = [n * 1.04 ** (number - 1) for n in known]  # beside each other, not on top
        axes.errorbar(x, y, half, fmt="o-", color=colour, label=name, capsize=4)
    axes.set(xscale="log", xlabel="steps", ylabel="Fréchet distance")
    axes.set_xticks(counts, counts)
    axes.minorticks_off()
    axes.legend(ncols=3)
    return figure


@drawn_from("diffusion_adherence")
def adherence(found):
    metrics = {
        "adherence_drums": "drums",
        "adherence_style": "style",
        "adherence_instruments": "instruments",
        "adherence_tempo_class": "tempo",
        "adherence_mode": "mode",
        "adherence_metre": "metre",
    }
    rows = (
        ("the captions' description", "diffusion", ORANGE, 0.2),
        ("MusicGen, the captions' description", "MusicGen", BLUE, -0.2),
    )
    figure, axes = subplots(size=(11.4, 4.0))
    for row, words, colour, shift in rows:
        places = [p + shift for p in range(len(metrics))][::-1]
        places = [len(metrics) - 1 - k + shift for k in range(len(metrics))]
        values = [mean(found, row, metric) for metric in metrics]
        halves = [spread(found, row, metric) for metric in metrics]
        error = {"ecolor": GREY}
        axes.barh(places, values, 0.38, xerr=halves, color=colour, label=words, error_kw=error)
    axes.set_yticks(range(len(metrics))[::-1], metrics.values())
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set(xlabel="adherence: 0 chance, 1 real music", xlim=(-0.5, 1.1))
    axes.tick_params(left=False)
    axes.legend(loc="lower right")
    return figure


@drawn_from("tokens_versus_latents")
def tokens(found):
    rows = {
        "tokens: small MusicGen": "tokens, small",
        "latents: small diffusion": "latents, small",
        "tokens: shipped MusicGen": "tokens, shipped",
        "latents: shipped diffusion": "latents, shipped",
    }
    figure, axes = subplots(1, 2, size=(11.4, 3.1), sharey=True)
    colours = [BLUE, ORANGE, BLUE, ORANGE]
    bars(axes[0], found, rows, "frechet", "{:,.0f}", colours)
    bars(axes[1], found, rows, "clap", "{:.2f}", colours)
    return figure


@drawn_from()
def melody():
    figure, axes = subplots(size=(11.4, 3.2))
    found = [
        (0.9, 2, "sentence", GREY, 1.5, 1.0),
        (3.1, 2, "language\nmodel", BLUE, 1.7, 1.3),
        (5.5, 2, "dual-path\ndiffusion", ORANGE, 1.9, 1.3),
        (7.7, 2, "VAE-GAN", GREEN, 1.5, 1.2),
        (9.35, 2, "sound", GREY, 1.1, 1.0),
    ]
    arrows = [((1.65, 2), (2.25, 2), ""), ((3.95, 2), (4.55, 2), "")]
    arrows += [((6.45, 2), (6.95, 2), ""), ((8.45, 2), (8.8, 2), "")]
    boxes(axes, found, arrows)
    axes.text(3.1, 0.8, "25 tokens a second", color=RED, ha="center")
    axes.text(5.5, 0.8, "20 passes in all", color=RED, ha="center")
    return figure


@drawn_from("mixup")
def mixup(found):
    rows = {
        "no mixup": "no mixup",
        "latent mixup from anywhere": "latents, anywhere",
        "latent mixup on beats": "latents, on beats",
        "audio mixup on beats": "audio, on beats",
    }
    figure, axes = subplots(1, 2, size=(11.4, 3.0), sharey=True)
    colours = [GREY, BLUE, ORANGE, GREEN]
    bars(axes[0], found, rows, "gap", "{:.2f}", colours)
    axes[0].set_xlabel("gap of errors, learnt and held out")
    bars(axes[1], found, rows, "frechet", "{:,.0f}", colours)
    return figure
