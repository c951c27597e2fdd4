"""How far a set of sounds is from another, seen through a network. Taught in notebook 00."""

import warnings

import torch


def frechet_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Fréchet distance of two sets of embeddings `[N, D]` and `[M, D]`, each taken as a Gaussian.

    |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)), in float64; the trace of the root is the
    sum of the roots of the eigenvalues of S_a S_b. Biased upward for few samples: compare sets of
    one size, and read it beside `frechet_floor`. Warns where a set has no more samples than
    dimensions.

    Raises TypeError or ValueError for other shapes, NaN, or fewer than 2 samples.
    Source: Dowson and Landau 1982; Kilgour et al. 2019 (Fréchet audio distance). Notebook 00.
    """
    a, b = _embeddings(a, b)
    fewest = min(len(a), len(b))
    if fewest <= a.shape[1]:
        warnings.warn(
            f"Fréchet distance from {fewest} samples of {a.shape[1]} dimensions: a covariance is "
            f"singular and the distance far too high; use at least {10 * a.shape[1]} samples.",
            stacklevel=2,
        )
    return _frechet(a, b)


def frechet_interval(
    a: torch.Tensor, b: torch.Tensor, draws: int = 200, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Basic bootstrap interval (low, high) of the Fréchet distance between two distributions.

    Samples are drawn again with replacement from either set; quantiles of the redrawn distances are
    reflected about the measured one (Davison and Hinkley 1997, section 5.2). A redrawn set repeats
    samples, which raises its distance about as much as having few samples does, so reflection also
    takes that bias out: the measured distance may lie above the interval.

    Raises as `frechet_distance`, and ValueError for fewer than 20 draws or a level outside (0, 1).
    """
    a, b = _embeddings(a, b)
    if draws < 20 or not 0 < level < 1:
        raise ValueError(f"draws is {draws} and level {level}; expected at least 20 and 0 to 1.")
    generator = torch.Generator().manual_seed(seed)

    def redrawn(x: torch.Tensor) -> torch.Tensor:
        return x[torch.randint(len(x), (len(x),), generator=generator).to(x.device)]

    distances = torch.tensor(
        [_frechet(redrawn(a), redrawn(b)) for _ in range(draws)], dtype=torch.float64
    )
    tail = (1 - level) / 2
    measured = _frechet(a, b)
    low, high = (2 * measured - float(distances.quantile(q)) for q in (1 - tail, tail))
    return max(0.0, low), max(0.0, high)


def frechet_floor(real: torch.Tensor, draws: int = 10, seed: int = 0) -> float:
    """What `frechet_distance` gives where nothing differs: its mean between halves of `real`.

    The set `[N, D]` is cut into two random halves `draws` times. A distance between sets of N / 2
    samples means something only above it. Raises as `frechet_distance`; needs at least 4 samples.
    """
    real, _ = _embeddings(real, real)
    if len(real) < 4 or draws < 1:
        raise ValueError(
            f"real has {len(real)} samples and draws is {draws}; expected at least 4 and 1."
        )
    generator = torch.Generator().manual_seed(seed)
    half = len(real) // 2
    total = 0.0
    for _ in range(draws):
        order = torch.randperm(len(real), generator=generator).to(real.device)
        total += _frechet(real[order[:half]], real[order[half : 2 * half]])
    return total / draws


def kl(reference: torch.Tensor, generated: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """Kullback–Leibler divergence in nats of each clip's class probabilities `[N, C]`: `[N]`.

    sum_c p log(p / q) with p of the reference clip and q of the generated one, each mixed with
    `eps` of a uniform distribution per class so that no logarithm is infinite: never negative, and
    0 for equal rows. Raises TypeError or ValueError for other shapes and rows that do not sum to 1.
    Source: Kreuk et al. 2022 (AudioGen), section 4; audiocraft's eps. Taught in notebook 00.
    """
    for name, rows in (("reference", reference), ("generated", generated)):
        if not isinstance(rows, torch.Tensor) or not rows.is_floating_point():
            raise TypeError(f"{name} must be a float tensor [N, C] of probabilities.")
        if rows.ndim != 2 or rows.numel() == 0 or rows.shape != reference.shape:
            raise ValueError(
                f"{name} has shape {list(rows.shape)}; expected [N, C] for both, one row a clip."
            )
        sums = rows.double().sum(-1)
        if not ((sums - 1).abs() < 1e-3).all() or not (rows >= 0).all():
            raise ValueError(
                f"{name} has rows that are not probabilities (a sum of {float(sums.min()):.4g}); "
                "expected values of at least 0 that sum to 1: apply softmax to logits."
            )
    p, q = ((rows.double() + eps) for rows in (reference, generated))
    p, q = p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)
    return (p * (p / q).log()).sum(-1)


def _embeddings(a, b) -> tuple[torch.Tensor, torch.Tensor]:
    for x in (a, b):
        if not isinstance(x, torch.Tensor) or not x.is_floating_point():
            raise TypeError(
                f"embeddings are {getattr(x, 'dtype', type(x).__name__)}; expected a float tensor "
                "[N, D]."
            )
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or a.shape[1] == 0:
        raise ValueError(
            f"embeddings have shapes {list(a.shape)} and {list(b.shape)}; expected [N, D] and "
            "[M, D] from one network."
        )
    if min(len(a), len(b)) < 2:
        raise ValueError(
            f"embeddings of {len(a)} and {len(b)} samples; a covariance needs at least 2."
        )
    if not (torch.isfinite(a).all() and torch.isfinite(b).all()):
        raise ValueError("embeddings have NaN or infinite values; expected finite ones.")
    return a.double(), b.double()


def _frechet(a: torch.Tensor, b: torch.Tensor) -> float:
    covariance_a, covariance_b = torch.cov(a.T), torch.cov(b.T)
    covariance_a, covariance_b = torch.atleast_2d(covariance_a), torch.atleast_2d(covariance_b)
    roots = torch.linalg.eigvals(covariance_a @ covariance_b).real.clamp(min=0).sqrt()
    means = (a.mean(0) - b.mean(0)).square().sum()
    distance = means + covariance_a.trace() + covariance_b.trace() - 2 * roots.sum()
    return max(0.0, float(distance))  # rounding can leave a tiny negative number
