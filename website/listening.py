"""The listening tables of the front page: the same clips through every stage of the course, the
same prompts through every generator.

Every sound is computed by the shipped models, and again when one of them or this file changes.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib import paths

if TYPE_CHECKING:
    from torch import Tensor

MODELS = (
    "vqvae", "vqvae2", "slowae", "jukebox_levels", "codec_plain", "codec", "autoencoder",
    "clap", "musicgen", "diffusion", "judge",
)  # fmt: skip
PROMPTS = (
    "A slow, romantic waltz with an accordion in front, without drums",
    "Driving, fast house music led by a piano, with drums",
    "A calm ambient piece with bells in front",
    "A lively chiptune tune at a fast tempo, with drums",
)
SECONDS = 4.0


@dataclass(frozen=True)
class Sound:
    """One player: `file` within the folder of sounds, and what was measured, in words."""

    file: str
    label: str
    words: str


@dataclass(frozen=True)
class Stage:
    """What one model keeps of the clips; `rate` in words, `notebook` that teaches it."""

    title: str
    rate: str
    notebook: str
    sounds: list[Sound]


@dataclass(frozen=True)
class Answer:
    """What the generators made of one prompt, each with what the judge heard of what was asked."""

    prompt: str
    sounds: list[Sound]
    heard: list[str]


def tables(target: Path) -> tuple[list[Stage], list[Answer]]:
    """Both tables, their MP3s written into `target`; nothing is computed twice."""
    from tqdm.auto import tqdm

    key = _key()
    known = target / "tables.json"
    if known.is_file():
        found = json.loads(known.read_text(encoding="utf-8"))
        if found["key"] == key:
            return _read(found)
    target.mkdir(parents=True, exist_ok=True)
    with tqdm(desc="Playing the tables", unit="row") as bar:
        stages = stage_rows(target, bar.update)
        answers = prompt_rows(target, bar.update)
    told = {
        "key": key,
        "stages": [asdict(s) for s in stages],
        "answers": [asdict(a) for a in answers],
    }
    paths.replace_file(known, lambda p: p.write_text(json.dumps(told), encoding="utf-8"))
    return stages, answers


def _key() -> str:
    cards = [(paths.data("checkpoints") / f"{name}.json").read_bytes() for name in MODELS]
    return hashlib.sha256(b"".join([Path(__file__).read_bytes(), *cards])).hexdigest()


def _read(found: dict) -> tuple[list[Stage], list[Answer]]:
    def sounds(row: dict) -> dict:
        return row | {"sounds": [Sound(**sound) for sound in row["sounds"]]}

    stages = [Stage(**sounds(row)) for row in found["stages"]]
    return stages, [Answer(**sounds(row)) for row in found["answers"]]


def stage_rows(target: Path, done: Callable[[], object] = lambda: None) -> list[Stage]:
    """The two held-out clips and the course's tune through every shipped model."""
    import torch

    from course_lib.notebook import ladder_clips, players

    clips, models = ladder_clips(), _models()
    through: dict[str, list[Tensor]] = {}
    for title, (_, _, model) in models.items():
        with torch.no_grad():
            through[title] = [model(clip.audio[None])[0] for clip in clips.values()]
        done()
    rows = [Stage(title, rate, nb, []) for title, (rate, nb, _) in models.items()]
    for place, name in enumerate(clips):
        # One table of players a clip: all of its rows at one loudness, each against the clip.
        sounds = {title: heard[place] for title, heard in through.items()}
        shown = players(sounds, reference=rows[0].title, seconds=SECONDS)
        for number, (row, (_, uri, words)) in enumerate(zip(rows, shown.rows, strict=True)):
            label = "the course's tune" if name == "mine" else name.replace("_", " ")
            file = _write(target, f"stage_{number:02}_{place}", uri)
            row.sounds.append(Sound(file, f"{label}: {row.title}", words))
    return rows


def prompt_rows(target: Path, done: Callable[[], object] = lambda: None) -> list[Answer]:
    """The prompts through MusicGen and latent diffusion: the first attempt of each, none picked."""
    from course_lib import audio, checkpoints
    from course_lib.notebook import players
    from course_lib.notebook.prompting import compared, load_diffusion, load_musicgen, play

    makers = {"MusicGen": load_musicgen(), "latent diffusion": load_diffusion()}
    judge = checkpoints.load("judge")
    answers = []
    for number, prompt in enumerate(PROMPTS):
        made, heard = {}, []
        for name, model in makers.items():
            made[name] = play(prompt, model, SECONDS, seed=0)
            rate = judge.config.sample_rate
            rows = compared(prompt, audio.resample(made[name], model.sample_rate, rate), judge)
            heard.append("; ".join(f"{a}: {b}, heard {c}" for a, b, c in rows if b != "–"))
            done()
        shown = players(made, seconds=SECONDS)
        sounds = [
            Sound(_write(target, f"prompt_{number:02}_{k}", uri), f"{name}: {prompt}", words)
            for k, (name, uri, words) in enumerate(shown.rows)
        ]
        answers.append(Answer(prompt, sounds, heard))
    return answers


def _models() -> dict[str, tuple[str, str, "Callable[[Tensor], Tensor]"]]:
    """{title: (rate in words, notebook, audio [1, 1, T] through the model)}, in order."""
    from course_lib import audio, checkpoints
    from course_lib.metrics.rate import Rate
    from course_lib.models import LEVELS, Jukebox
    from course_lib.recipes import slowae, vqvae2

    load = checkpoints.load
    mel, vq, vq2, slow, jukebox = (
        audio.LogMel(), load("vqvae"), load("vqvae2"), load("slowae"),
        Jukebox(load("jukebox_levels")),
    )  # fmt: skip
    plain, codec, autoencoder = load("codec_plain"), load("codec"), load("autoencoder")

    def bits(hop: float, entries: int) -> float:
        return Rate(16000, hop, 1, entries).bits_per_second

    def vocoded(transform, model):
        return lambda x: audio.griffin_lim(model(transform(x)), transform)

    def fine(some):
        top, bottom = vq2.encode(some)
        return vq2.decode_codes(top, bottom)

    def level(place, name):
        return lambda x: jukebox.decode(jukebox.encode(x)[place], name)[..., : x.shape[-1]]

    def coded(model, n):
        return lambda x: model.decode(model.encode(x, n))[..., : x.shape[-1]]

    bands, config = vqvae2.MEL, vq2.config
    squares = 16 * 16 / 64, 16 * 4 / 64  # codes a frame of the spectrogram: bottom, top
    frames = 16000 / bands.hop
    top = frames * squares[1] * _log2(config.top_entries)
    both = top + frames * squares[0] * _log2(config.bottom_entries)
    code = bits(mel.hop * 4, vq.config.entries)
    stages = {
        "the music itself": ("16,000 samples a second", "00", lambda x: x),
        "log-mel, and back": ("no codes yet", "03", vocoded(mel, lambda some: some)),
        "VQ-VAE": (_rate(code), "03", vocoded(mel, lambda s: vq(s).reconstruction)),
        "VQ-VAE-2, both maps": (_rate(both), "05", vocoded(bands, fine)),
        "VQ-VAE-2, top map alone": (
            _rate(top),
            "05",
            vocoded(bands, lambda s: vq2.decode_codes(vq2.encode(s)[0], None)),
        ),
        "SlowAE": (
            f"{checkpoints.card('slowae')['metrics']['events_per_second']:.0f} events a second",
            "05b",
            vocoded(slowae.MEL, lambda s: slow.decode_codes(slow.encode(s))),
        ),
    }
    for place, name in enumerate(LEVELS):
        one = getattr(jukebox.levels.config, name)
        rate = _rate(bits(one.hop, one.entries))
        stages[f"Jukebox, {name} level"] = (rate, "10", level(place, name))
    for n in (1, 2, 4, 8):
        stages[f"codec, {n} codebook{'s' * (n > 1)}"] = (
            _rate(codec.bitrate(n)),
            "08",
            coded(codec, n),
        )
    stages["codec before its judges, 8 codebooks"] = (_rate(plain.bitrate()), "08", coded(plain, 8))
    numbers = autoencoder.frame_rate * autoencoder.config.kept
    stages["continuous latents"] = (
        f"{numbers:,.0f} numbers a second",
        "16",
        lambda x: autoencoder.decode(autoencoder.encode(x))[..., : x.shape[-1]],
    )
    return stages


def _log2(entries: int) -> float:
    import math

    return math.log2(entries)


def _rate(bits: float) -> str:
    return f"{bits:,.0f} bit/s" if bits < 1000 else f"{bits / 1000:.3g} kbit/s"


def _write(target: Path, name: str, uri: str) -> str:
    import base64

    path = target / f"{name}.mp3"
    path.write_bytes(base64.b64decode(uri.partition("base64,")[2]))
    return path.name
