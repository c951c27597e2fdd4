"""Make the sounds that open notebook 03b: python scripts/sounds_03b.py

Written are data/sounds/03b_*.mp3: a held-out clip, the clip through the codes of the mel VQ-VAE,
the codes continued by a prior, and a tune that a model of notes invented, played by the band.
Models are those of the notebook, trained for longer; the VQ-VAE is the shipped one, or where there
is none a small one trained here.
"""

import torch
from opening_sounds import write

from course_lib import audio, checkpoints, songbook
from course_lib.models import VQVAE, VQVAEConfig, vqvae_loss
from course_lib.nets import LanguageModel, LanguageModelConfig, generate
from course_lib.notebook import ladder_clips
from course_lib.songbook import note_codes
from course_lib.training import Tensors, fit
from course_lib.training.crop import crop

SECONDS = 3.0
STEPS = 120
MEL = audio.LogMel()


def main() -> None:
    write("03b_notes", notes(), SECONDS)
    clip = next(iter(ladder_clips().values()))
    write("03b_original", clip.audio, SECONDS)
    book = songbook.load("train", progress=False)
    parts = torch.arange(len(book)).split(32)
    with torch.no_grad():
        log_mel = torch.cat([MEL(book.batch(part)) for part in parts])  # [N, 80, F]
    codec = shipped_or_small(log_mel)
    with torch.no_grad():
        codes = torch.cat([codec.encode(part) for part in log_mel.split(32)])  # [N, 1, F']
        own = codec.encode(MEL(clip.audio[None]))  # [1, 1, F']
    prior = language_model(codec.config.entries, 1)
    learn(prior, codes)
    known = round(16000 / MEL.hop / codec.hop)  # one second
    continued = generate(
        prior, own.shape[-1], prompt=own[..., :known], temperature=0.9, top_p=0.9,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    for name, some in {"codes": own, "continued": continued}.items():
        with torch.no_grad():
            write(f"03b_{name}", audio.griffin_lim(codec.decode_codes(some), MEL)[0], SECONDS)


def notes() -> torch.Tensor:
    """A reel that the model of notes invented, [1, T]."""
    kept = []
    for score in songbook.scores("train"):
        try:
            kept.append(note_codes.encode(score, 96))
        except ValueError:  # a rare length
            continue
    composer = language_model(note_codes.ENTRIES, 2)
    learn(composer, torch.stack(kept))
    prompt = torch.tensor(note_codes.head("dorian", (4, 4))).view(1, 2, 1)
    codes = generate(
        composer, 64, prompt=prompt, temperature=0.9, top_p=0.95,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    return songbook.in_style(note_codes.decode(codes[0]), "fiddle_session", seconds=SECONDS).audio


def language_model(entries: int, codebooks: int) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(LanguageModelConfig(entries, codebooks, width=96, layers=3))


def learn(model: LanguageModel, codes: torch.Tensor) -> None:
    fit(
        model, Tensors(codes), lambda m, batch, draws: m.loss(batch), steps=STEPS, batch_size=16,
        lr=3e-3, warmup=20,
    )  # fmt: skip
    model.cpu()


def shipped_or_small(log_mel: torch.Tensor) -> VQVAE:
    if "vqvae" in checkpoints.available():
        return checkpoints.load("vqvae")
    torch.manual_seed(0)
    codec = VQVAE(VQVAEConfig(width=48, units=1, dim=32, entries=256))
    fit(
        codec, Tensors(log_mel), lambda m, x, draws: vqvae_loss(m, crop(x, draws, 160)),
        steps=2 * STEPS, batch_size=8, lr=3e-3,
    )  # fmt: skip
    return codec.cpu()


if __name__ == "__main__":
    main()
