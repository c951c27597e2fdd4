"""Every quantizer of the course on the same latents, and as the middle of the same autoencoder.

First on the latents of notebook 03's VQ-VAE, whose networks stay as they are: a quantizer learns
from the training clips and codes the test clips, and a small Transformer learns the codes, to say
how well they can be predicted. Then end to end: a small VQ-VAE is trained around it. Taught in
notebook 04.
"""

import math
import time
from functools import lru_cache
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import audio, checkpoints, metrics, quantize, songbook
from course_lib.models import VQVAE, VQVAEConfig
from course_lib.nets import LanguageModel, LanguageModelConfig
from course_lib.tables.claims import Claim
from course_lib.tables.grid import Job, Table
from course_lib.training import Tensors, fit

SIZE = songbook.Size(train=400, validation=1, test=100, seconds=4.0)
STEPS, CLIPS = 100, 16  # of a quantizer on latents, and the clips of a step
PRIOR_STEPS, JOINT_STEPS = 50, 120
DECAY = 0.95  # of averages; 0.99 would look back over all of so few steps
SMALL = {"width": 32, "units": 1, "dim": 16}
COMMITMENT, ENTROPY, ORTHOGONAL = 0.25, 0.1, 10.0  # weights of losses


def build(kind: str, dim: int, seed: int = 0, **settings) -> nn.Module:
    """The quantizer `kind`, a class of course_lib.quantize, for latents of `dim` numbers."""
    made = getattr(quantize, kind)
    if kind in ("FSQ", "LFQ"):
        return made(dim=dim, **settings)
    if kind != "RandomProjectionQuantizer":
        settings["decay"] = DECAY
    return made(dim, seed=seed, **settings)


def losses(quantizer: nn.Module, q: quantize.Quantized, orthogonal: bool) -> Tensor:
    """What trains a codebook and holds an encoder to it, weighted as usual."""
    weight = ENTROPY if isinstance(quantizer, quantize.LFQ) else 1.0
    loss = COMMITMENT * q.commitment + weight * q.codebook_loss
    return loss + ORTHOGONAL * quantize.orthogonal_loss(quantizer.codebook) if orthogonal else loss


@lru_cache(maxsize=2)
def log_mels(split: str) -> Tensor:
    """Log-mel [N, 80, F] of the clips of a split."""
    clips = songbook.load(split, SIZE, progress=False)
    log_mel = audio.LogMel()
    return torch.cat([log_mel(clips.batch(p)) for p in torch.arange(len(clips)).split(50)])


@lru_cache(maxsize=1)
def latents() -> dict[str, Tensor]:
    """Latents [N, 64, F] of the shipped VQ-VAE, shifted to mean 0 and scaled to variance 1."""
    model = checkpoints.load("vqvae").cpu().eval()
    with torch.no_grad():
        z = {
            split: torch.cat([model.latents(part) for part in log_mels(split).split(50)])
            for split in ("train", "test")
        }
    mean, spread = z["train"].mean((0, 2), keepdim=True), z["train"].std()
    return {split: (x - mean) / spread for split, x in z.items()}


def cell(job: Job) -> dict[str, float]:
    """Train and measure the quantizer of a row, on latents and end to end."""
    settings = dict(job.settings)
    orthogonal = settings.pop("orthogonal", False)
    torch.manual_seed(job.seed)
    quantizer = build(dim=64, seed=job.seed, **settings)
    ms = _learn(quantizer, orthogonal, job.seed)
    quantizer.eval()
    train, test = quantizer.encode(latents()["train"]), quantizer.encode(latents()["test"])
    found = {
        **_errors(quantizer, latents()["test"]),
        **_use(test, quantizer.size),
        "nats": prior_nats(train, test, quantizer.size, job.seed),
        "ms": ms,
    }
    if hasattr(quantizer, "decode"):
        return found | _joint(job, settings, orthogonal)
    return found | dict.fromkeys(("joint_mse", "joint_usage", "joint_perplexity"), math.nan)


def _learn(quantizer: nn.Module, orthogonal: bool, seed: int) -> float:
    """Train on latents; milliseconds of CPU that a step takes, forward and backward."""
    if not hasattr(quantizer, "decode"):  # nothing to learn
        start = time.process_time()
        quantizer(latents()["train"][:CLIPS])
        return 1000 * (time.process_time() - start)
    parameters = list(quantizer.parameters())
    optimizer = torch.optim.Adam(parameters, 3e-3) if parameters else None
    generator, spent = torch.Generator().manual_seed(seed), []
    for _ in range(STEPS):
        z = latents()["train"][torch.randint(SIZE.train, (CLIPS,), generator=generator)]
        z.requires_grad_()
        start = time.process_time()
        q = quantizer(z)
        target = _target(quantizer, z.detach())
        (F.mse_loss(q.values, target) + losses(quantizer, q, orthogonal)).backward()
        if optimizer:
            optimizer.step()
            optimizer.zero_grad()
        spent.append(1000 * (time.process_time() - start))
    return median(spent[10:])


def _target(quantizer: nn.Module, z: Tensor) -> Tensor:
    """What the values stand for: z, or its directions where the quantizer knows no lengths."""
    return F.normalize(z, dim=1) if isinstance(quantizer, quantize.CosineVQ) else z


@torch.no_grad()
def _errors(quantizer: nn.Module, z: Tensor) -> dict[str, float]:
    """Mean squared errors over the variance, of all codebooks and of the first half of them."""
    if not hasattr(quantizer, "decode"):
        return {"error": math.nan, "half": math.nan}
    target = _target(quantizer, z)
    variance = (target - target.mean((0, 2), keepdim=True)).square().mean()
    error = (quantizer(z).values - target).square().mean() / variance
    half = math.nan
    if quantizer.n_codebooks > 1 and not isinstance(quantizer, quantize.MultiHeadVQ):
        fewer = quantizer(z, n_codebooks=quantizer.n_codebooks // 2).values
        half = ((fewer - target).square().mean() / variance).item()
    return {"error": error.item(), "half": half}


def _use(codes: Tensor, size: int, prefix: str = "") -> dict[str, float]:
    """Usage and perplexity, means over codebooks."""
    return {
        f"{prefix}usage": metrics.codebook_usage(codes, size).mean().item(),
        f"{prefix}perplexity": metrics.perplexity(codes, size).mean().item(),
    }


def prior_nats(train: Tensor, test: Tensor, size: int, seed: int) -> float:
    """Cross-entropy of test codes [N, K, F] in nats per code, by a small Transformer."""
    torch.manual_seed(seed)
    config = LanguageModelConfig(size, train.shape[1], width=64, layers=1, heads=2)
    model = LanguageModel(config)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(PRIOR_STEPS):
        optimizer.zero_grad()
        model.loss(train[torch.randint(len(train), (CLIPS,))]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        parts = [model.loss(part) * len(part) for part in test.split(25)]
    return (sum(parts) / len(test)).item()


def _joint(job: Job, settings: dict, orthogonal: bool) -> dict[str, float]:
    """A small VQ-VAE trained around the quantizer."""
    torch.manual_seed(job.seed)
    model = VQVAE(VQVAEConfig(**SMALL))
    model.quantizer = build(dim=SMALL["dim"], seed=job.seed, **settings)

    def loss(model: VQVAE, batch: Tensor, draws) -> dict[str, Tensor]:
        out = model(batch)
        error = F.mse_loss(out.reconstruction, batch) / model.config.scale**2
        return {"loss": error + losses(model.quantizer, out, orthogonal)}

    halves = log_mels("train").unfold(2, 124, 124).transpose(1, 2).flatten(0, 1)  # 2 s each
    fit(
        model,
        Tensors(halves),
        loss,
        steps=JOINT_STEPS,
        batch_size=CLIPS,
        lr=2e-3,
        seed=job.seed,
        folder=job.folder,
        device=job.device,
        progress=False,
    )
    model = model.cpu().eval()
    with torch.no_grad():
        out = model(log_mels("test"))
    return {
        "joint_mse": (out.reconstruction - log_mels("test")).square().mean().item(),
        **_use(out.codes, model.quantizer.size, "joint_"),
    }


TABLE = Table(
    title="The quantizers on the latents of a VQ-VAE, and end to end",
    source="the papers named at each quantizer in course_lib.quantize",
    rows={
        "VQ": {"kind": "VectorQuantizer", "size": 1024},
        "VQ, random start, no revival": {
            "kind": "VectorQuantizer", "size": 1024, "init": "random", "dead": 0.0,
        },
        "VQ by gradient": {"kind": "VectorQuantizer", "size": 1024, "codebook": "gradient"},
        "VQ by gradient, orthogonal": {
            "kind": "VectorQuantizer", "size": 1024, "codebook": "gradient", "orthogonal": True,
        },
        "cosine": {"kind": "CosineVQ", "size": 1024},
        "factorised, 8 numbers": {"kind": "FactorisedVQ", "size": 1024, "code_dim": 8},
        "FSQ 8·5·5·5": {"kind": "FSQ", "levels": [8, 5, 5, 5]},
        "LFQ, 10 bits": {"kind": "LFQ", "bits": 10},
        "random projection": {
            "kind": "RandomProjectionQuantizer", "size": 1024, "code_dim": 8,
        },
        "multi-head, 2 × 32": {"kind": "MultiHeadVQ", "size": 32, "heads": 2},
        "product, 2 × 32": {"kind": "ProductVQ", "size": 32, "n_codebooks": 2},
        "residual, 2 × 32": {"kind": "ResidualVQ", "size": 32, "n_codebooks": 2},
        "product, 4 × 1024": {"kind": "ProductVQ", "size": 1024, "n_codebooks": 4},
        "grouped residual, 4 × 1024": {
            "kind": "GroupedResidualVQ", "size": 1024, "n_codebooks": 4, "groups": 2,
        },
        "residual, 4 × 1024": {"kind": "ResidualVQ", "size": 1024, "n_codebooks": 4},
    },
    columns={
        "error": "error (MSE / variance)",
        "half": "error, half of the codebooks",
        "usage": "codebook used",
        "perplexity": "perplexity",
        "nats": "prior (nat per token)",
        "ms": "CPU ms per step",
        "joint_mse": "end to end: MSE of log-mel",
        "joint_usage": "end to end: used",
        "joint_perplexity": "end to end: perplexity",
    },
    cell=cell,
    claims=(
        Claim(
            "A start by k-means and revival use more of the codebook, by 10 points or more.",
            "usage", "higher", "VQ", "VQ, random start, no revival", smallest=0.1,
        ),
        Claim(
            "They also make the error smaller.",
            "error", "lower", "VQ", "VQ, random start, no revival", smallest=0.05, relative=True,
        ),
        Claim(
            "At 10 bits one codebook of 1024 errs less than two stages of 32.",
            "error", "lower", "VQ", "residual, 2 × 32", smallest=0.05, relative=True,
        ),
        Claim(
            "At 10 bits two residual stages err less than two parts.",
            "error", "lower", "residual, 2 × 32", "product, 2 × 32", smallest=0.05, relative=True,
        ),
        Claim(
            "At 40 bits four residual stages err less than four parts.",
            "error", "lower", "residual, 4 × 1024", "product, 4 × 1024",
            smallest=0.05, relative=True,
        ),
        Claim(
            "Two parts of two stages each err less than four parts.",
            "error", "lower", "grouped residual, 4 × 1024", "product, 4 × 1024",
            smallest=0.05, relative=True,
        ),
        Claim(
            "Half of the residual codes are a usable coarse code; half of the parts are not: "
            "the error is 20 % lower or more.",
            "half", "lower", "residual, 4 × 1024", "product, 4 × 1024",
            smallest=0.2, relative=True,
        ),
        Claim(
            "One codebook for two heads does within 10 % what a codebook for each does.",
            "error", "same", "multi-head, 2 × 32", "product, 2 × 32", smallest=0.1, relative=True,
        ),
        Claim(
            "FSQ errs more than VQ with as many entries (about 1000) on fixed latents.",
            "error", "higher", "FSQ 8·5·5·5", "VQ", smallest=0.05, relative=True,
        ),
        Claim(
            "End to end FSQ uses more of its codebook than VQ, by 5 points or more.",
            "joint_usage", "higher", "FSQ 8·5·5·5", "VQ", smallest=0.05,
        ),
        Claim(
            "End to end a codebook learned by gradient is used more when it looks up 8 numbers.",
            "joint_usage", "higher", "factorised, 8 numbers", "VQ by gradient", smallest=0.05,
        ),
        Claim(
            "Orthogonal entries change the error by less than 5 %.",
            "error", "same", "VQ by gradient, orthogonal", "VQ by gradient",
            smallest=0.05, relative=True,
        ),
    ),
)  # fmt: skip
