"""Pictures of sounds and curves: small PNGs, alternative text, a colour-blind-safe palette."""

import base64
import io
import sys
from html import escape

import torch

from course_lib.notebook.sounds import mono

# Okabe and Ito (2008), black last: told apart in every common form of colour blindness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
HEAT = "cividis"
MINUS = "\N{MINUS SIGN}"


class Picture:
    """A PNG with alternative text; in a place without HTML, the text alone."""

    def __init__(self, png: bytes, alt: str):
        self.png, self.alt = png, alt

    def __repr__(self) -> str:
        return f"[picture] {self.alt}"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f"<img class='course-picture' style='max-width:100%' "
            f"src='data:image/png;base64,{data}' alt='{escape(self.alt, quote=True)}'/>"
        )


def picture(figure, alt: str, *, dpi: int = 72, colours: int = 64) -> Picture:
    """A matplotlib figure as a Picture of few colours (a third of the bytes); closes the figure.

    Raises ValueError without alternative text.
    """
    if not alt or not alt.strip():
        raise ValueError("A picture needs alternative text: say in `alt` what one sees in it.")
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    if "matplotlib.pyplot" in sys.modules:
        import matplotlib.pyplot

        matplotlib.pyplot.close(figure)  # else the notebook would show it a second time
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(colours).save(small, "PNG", optimize=True)
    return Picture(small.getvalue(), " ".join(alt.split()))


def side_by_side(*pictures: Picture) -> Picture:
    """Several pictures in one row, as one picture."""
    from PIL import Image

    if not pictures:
        raise ValueError("side_by_side() needs at least one picture.")
    images = [Image.open(io.BytesIO(p.png)).convert("RGB") for p in pictures]
    row = Image.new("RGB", (sum(i.width for i in images), max(i.height for i in images)), "white")
    left = 0
    for image in images:
        row.paste(image, (left, 0))
        left += image.width
    buffer = io.BytesIO()
    row.quantize(64).save(buffer, "PNG", optimize=True)
    return Picture(buffer.getvalue(), " | ".join(p.alt for p in pictures))


def show_waveform(sound, sample_rate: int = 16000, *, title: str = "", alt: str = "") -> Picture:
    """Amplitude over time of a sound [T], [C, T] or a Clip."""
    samples, rate = mono(sound, sample_rate)
    figure, axes = _axes((6, 1.6), title)
    seconds = torch.arange(samples.numel()) / rate
    axes.plot(seconds.numpy(), samples.numpy(), color=COLOURS[0], linewidth=0.5)
    axes.set(xlabel="seconds", ylabel="amplitude", xlim=(0, max(seconds[-1].item(), 1 / rate)))
    words = f"Waveform of {samples.numel() / rate:.3g} s, peak {samples.abs().max():.2f}."
    return picture(figure, _join(title, words, alt))


def show_spectrogram(
    sound, sample_rate: int = 16000, *, title: str = "", alt: str = "", n_fft: int = 1024
) -> Picture:
    """Magnitude spectrogram in dB of a sound [T], [C, T] or a Clip; 0 dB is the loudest bin."""
    samples, rate = mono(sound, sample_rate)
    window = torch.hann_window(n_fft)
    padded = torch.nn.functional.pad(samples, (n_fft // 2, n_fft // 2))
    spectrum = torch.stft(
        padded, n_fft, n_fft // 4, window=window, center=False, return_complex=True
    )
    level = 20 * torch.log10(spectrum.abs().clamp_min(1e-6))
    level = (level - level.max()).clamp_min(-80)
    figure, axes = _axes((6, 2.2), title)
    extent = (0, samples.numel() / rate, 0, rate / 2000)
    image = axes.imshow(level.numpy(), origin="lower", aspect="auto", extent=extent, cmap=HEAT)
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    axes.set(xlabel="seconds", ylabel="kHz")
    words = f"Spectrogram of {samples.numel() / rate:.1f} s from 0 to {rate / 2000:g} kHz."
    return picture(figure, _join(title, words, alt))


def show_mel(
    log_mel, sample_rate: int = 16000, hop: int = 256, *, title: str = "", alt: str = ""
) -> Picture:
    """A log-mel spectrogram [n_mels, F] or [1, n_mels, F] over time."""
    values = _plane(log_mel, "log_mel")
    figure, axes = _axes((6, 2.0), title)
    seconds = values.shape[1] * hop / sample_rate
    extent = (0, seconds, 0, values.shape[0])
    image = axes.imshow(values.numpy(), origin="lower", aspect="auto", extent=extent, cmap=HEAT)
    figure.colorbar(image, ax=axes, label="log magnitude", pad=0.01)
    axes.set(xlabel="seconds", ylabel="mel band")
    words = (
        f"Log-mel spectrogram, {values.shape[0]} bands, {values.shape[1]} frames, {seconds:.1f} s."
    )
    return picture(figure, _join(title, words, alt))


def show_matrix(
    values, *, x: str = "", y: str = "", upwards: bool = False, title: str = "", alt: str = ""
) -> Picture:
    """A matrix [rows, columns] as colours, first row on top, or below where `upwards`.

    NaN stays white: nothing is there.
    """
    from matplotlib.ticker import MaxNLocator

    values = _plane(values, "values")
    there = values[~values.isnan()]
    span = f"from {there.min():.3g} to {there.max():.3g}" if there.numel() else "all empty"
    figure, axes = _axes((4.5, 3.2), title)
    origin = "lower" if upwards else "upper"
    image = axes.imshow(
        values.numpy(), origin=origin, aspect="auto", cmap=HEAT, interpolation="nearest"
    )
    figure.colorbar(image, ax=axes, pad=0.02)
    axes.set(xlabel=x, ylabel=y)
    for axis in (axes.xaxis, axes.yaxis):  # rows and columns are counted: no half ones
        axis.set_major_locator(MaxNLocator(integer=True))
    words = (
        f"Matrix of {values.shape[0]} rows ({y or 'rows'}) and {values.shape[1]} columns "
        f"({x or 'columns'}), {span}."
    )
    return picture(figure, _join(title, words, alt))


def show_piano_roll(notes: dict, beats=None, *, title: str = "", alt: str = "") -> Picture:
    """Notes as bars over time, one colour a stem; `notes` is {stem: events} as in `Clip.notes`.

    `beats` (seconds) are drawn as thin lines. Events have onset, duration (seconds) and pitch
    (MIDI).
    """
    if not isinstance(notes, dict) or not any(notes.values()):
        raise ValueError("show_piano_roll() needs {stem: events} with at least one event.")
    figure, axes = _axes((6, 2.6), title)
    for stem, colour in zip(notes, COLOURS, strict=False):
        events = list(notes[stem])
        axes.barh(
            [e.pitch for e in events],
            [e.duration for e in events],
            left=[e.onset for e in events],
            height=0.9,
            color=colour,
            label=stem,
        )
    for beat in beats if beats is not None else ():
        axes.axvline(float(beat), color="#999999", linewidth=0.4, zorder=0)
    axes.set(xlabel="seconds", ylabel="MIDI pitch")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    counted = ", ".join(f"{len(list(events))} of {stem}" for stem, events in notes.items())
    return picture(figure, _join(title, f"Piano roll with notes: {counted}.", alt))


def show_curves(
    curves: dict,
    *,
    x: str = "step",
    y: str = "loss",
    log: bool = False,
    title: str = "",
    alt: str = "",
) -> Picture:
    """Lines, one for each `{label: values}` or `{label: (xs, values)}`; `log` for a log y axis."""
    figure, axes = _axes((5.5, 2.6), title)
    told = draw_curves(axes, curves)
    axes.set(xlabel=x, ylabel=y)
    if log:
        axes.set_yscale("log")
    return picture(figure, _join(title, f"Curves of {y} over {x}: {'; '.join(told)}.", alt))


def draw_curves(axes, curves: dict) -> list[str]:
    """Draw `{label: values or (xs, values)}` into matplotlib axes; what each does, in words."""
    if not isinstance(curves, dict) or not curves:
        raise ValueError("show_curves() needs {label: values} with at least one curve.")
    styles = ("-", "--", ":", "-.")
    told = []
    for i, (label, curve) in enumerate(curves.items()):
        pair = isinstance(curve, tuple) and len(curve) == 2 and hasattr(curve[0], "__len__")
        values = [float(v) for v in (curve[1] if pair else curve)]
        xs = [float(v) for v in curve[0]] if pair else list(range(len(values)))
        axes.plot(
            xs,
            values,
            label=label,
            color=COLOURS[i % len(COLOURS)],
            linestyle=styles[i % len(styles)],
            linewidth=1.4,
            marker="." if len(xs) < 12 else None,
        )
        if values:
            told.append(f"{label} from {values[0]:.3g} to {values[-1]:.3g}".replace("-", MINUS))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return told


def show_bars(values: dict, *, y: str = "", title: str = "", alt: str = "") -> Picture:
    """Bars with their values, one for each `{label: value}`."""
    if not isinstance(values, dict) or not values:
        raise ValueError("show_bars() needs {label: value} with at least one bar.")
    heights = [float(v) for v in values.values()]
    broad = max(0.8, 0.09 * max(len(str(label)) for label in values))  # inches: labels stay apart
    figure, axes = _axes((max(3.0, broad * len(heights)), 2.4), title)
    bars = axes.bar([str(label) for label in values], heights, color=COLOURS[0])
    axes.bar_label(bars, fmt="%.3g")
    axes.margins(y=0.12)  # room for the values under the title
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    told = ", ".join(f"{label} {v:.3g}" for label, v in zip(values, heights, strict=True))
    return picture(figure, _join(title, f"Bars of {y or 'values'}: {told}.", alt))


def _axes(size: tuple[float, float], title: str):
    from matplotlib.figure import Figure  # not pyplot: nothing is shown twice, nothing to close

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    return figure, axes


def _plane(values, name: str) -> torch.Tensor:
    try:
        values = torch.as_tensor(values).detach()
    except (RuntimeError, TypeError, ValueError) as error:
        kind = type(values).__name__
        raise TypeError(f"Expected {name} as a tensor or an array, not {kind}.") from error
    values = values.to("cpu", torch.float32)
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2 or values.numel() == 0:
        raise ValueError(f"Expected {name} as a plane [rows, columns], not {list(values.shape)}.")
    return values


def _join(title: str, words: str, alt: str) -> str:
    return " ".join(part for part in (f"{title}." if title else "", words, alt) if part)
