"""VQ-VAE at the course's scale: codebooks, commitment, and the VAE beside it.

Log-mel of 4 s clips; networks of 32 channels; the same steps, clips and order in every row. Taught
in notebook 03.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from course_lib import audio, metrics, songbook
from course_lib.models import VAE, VQVAE, VAEConfig, VQVAEConfig, vae_loss, vqvae_loss
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.training import Tensors, fit

SIZE = songbook.Size(train=400, validation=1, test=100, seconds=4.0)
SMALL = {"width": 32, "units": 1, "dim": 16}
STEPS = 300
FRAMES = 16000 / 256  # log-mel frames per second


@lru_cache(maxsize=2)
def log_mels(split: str) -> Tensor:
    """Log-mel [N, 80, F] of the clips of a split."""
    clips = songbook.load(split, SIZE, progress=False)
    log_mel = audio.LogMel()
    return torch.cat([log_mel(clips.batch(p)) for p in torch.arange(len(clips)).split(50)])


def cell(job: Job) -> dict[str, float]:
    """Train the model of a row, measure it on test clips."""
    torch.manual_seed(job.seed)
    continuous = "beta" in job.settings
    if continuous:
        model, loss = VAE(VAEConfig(**SMALL)), _vae(job.settings["beta"])
    else:
        settings = dict(job.settings)
        commitment = settings.pop("commitment", 0.25)
        model, loss = VQVAE(VQVAEConfig(**SMALL, **settings)), _vqvae(commitment)
    fit(
        model,
        Tensors(log_mels("train")),
        loss,
        steps=STEPS,
        batch_size=16,
        lr=2e-3,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    return (_measure_vae if continuous else _measure_vqvae)(model.cpu(), log_mels("test"))


def _vqvae(commitment: float):
    return lambda model, batch, draws: vqvae_loss(model, batch, commitment)


def _vae(beta: float):
    def loss(model, batch, draws):
        frames = -(-batch.shape[-1] // model.hop)
        noise = draws.normal(model.config.dim, frames, stream="posterior")
        return vae_loss(model, batch, beta, noise)

    return loss


@torch.no_grad()
def _measure_vqvae(model: VQVAE, x: Tensor) -> dict[str, float]:
    out = model(x)
    size = model.config.entries
    return {
        "mse": (out.reconstruction - x).square().mean().item(),
        "bits": FRAMES / model.hop * math.log2(size),
        "usage": metrics.codebook_usage(out.codes, size).item(),
        "perplexity": metrics.perplexity(out.codes, size).item(),
        "distance": out.commitment.item(),
        "nats": math.nan,
    }


@torch.no_grad()
def _measure_vae(model: VAE, x: Tensor) -> dict[str, float]:
    """With z drawn, not its mean: the bits are those of a draw."""
    model.train()  # no part of it but the draw knows
    noise = torch.randn(
        len(x), model.config.dim, -(-x.shape[-1] // model.hop),
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    out = model(x, noise)
    nats_per_second = out.kl.sum(1).mean().item() * FRAMES / model.hop
    return {
        "mse": (out.reconstruction - x).square().mean().item(),
        "bits": nats_per_second / math.log(2),
        "usage": math.nan,
        "perplexity": math.nan,
        "distance": math.nan,
        "nats": out.kl.mean().item(),
    }


TABLE = Table(
    title="VQ-VAE on log-mel: learning the codebook, commitment, rate and distortion",
    source="van den Oord et al. 2017; Kingma and Welling 2014 for the VAE",
    rows={
        "EMA, K = 256": {"entries": 256},
        "gradient, K = 256": {"entries": 256, "codebook": "gradient"},
        "EMA, no commitment": {"entries": 256, "commitment": 0.0},
        "EMA, K = 4": {"entries": 4},
        "EMA, K = 16": {"entries": 16},
        "EMA, K = 1024": {"entries": 1024},
        "VAE, β = 0.001": {"beta": 0.001},
        "VAE, β = 0.01": {"beta": 0.01},
        "VAE, β = 0.1": {"beta": 0.1},
        "VAE, β = 1": {"beta": 1.0},
        "VAE, β = 30": {"beta": 30.0},
    },
    columns={
        "mse": "error (MSE of log-mel)",
        "bits": "rate (bit/s)",
        "usage": "codebook used",
        "perplexity": "perplexity",
        "distance": "|z - e|² per number",
        "nats": "KL per latent number (nat)",
    },
    cell=cell,
    claims=(
        Claim(
            "EMA and gradient codebooks end within 5 % of the same error.",
            "mse", "same", "EMA, K = 256", "gradient, K = 256", smallest=0.05, relative=True,
        ),
        Claim(
            "Without commitment the encoder strays farther from the codebook.",
            "distance", "higher", "EMA, no commitment", "EMA, K = 256", smallest=0.2, relative=True,
        ),
        Claim(
            "With an EMA codebook commitment is not needed for a low error.",
            "mse", "same", "EMA, no commitment", "EMA, K = 256", smallest=0.05, relative=True,
        ),
        Claim(
            "More entries, less error: 256 against 16.",
            "mse", "lower", "EMA, K = 256", "EMA, K = 16", smallest=0.05, relative=True,
        ),
        Claim(
            "The next two bits buy less: 1024 against 256 gains under 10 %.",
            "mse", "same", "EMA, K = 1024", "EMA, K = 256", smallest=0.1, relative=True,
        ),
        Claim(
            "A large β collapses the posterior: the KL falls by 0.1 nat per number or more.",
            "nats", "lower", "VAE, β = 30", "VAE, β = 0.1", smallest=0.1,
        ),
        Claim(
            "At many times the rate the VAE errs less than the largest codebook, by 20 % or more.",
            "mse", "lower", "VAE, β = 0.001", "EMA, K = 1024", smallest=0.2, relative=True,
        ),
    ),
)  # fmt: skip
