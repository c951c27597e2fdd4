"""The vector quantizer of the VQ-VAE: a codebook learned by running averages or by gradient."""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.quantize import processes
from course_lib.quantize.checks import check_codes, check_finite, check_latents
from course_lib.quantize.kmeans import kmeans, nearest
from course_lib.quantize.straight_through import rotate, straight_through


class Quantized(NamedTuple):
    """What a quantizer makes of latents z [B, D, F].

    `values` [B, D, F] pass their gradient on to z; `codes` int64 [B, K, F]; `commitment`
    |z - sg(e)|^2 trains the encoder alone; `codebook_loss` |sg(z) - e|^2 trains the codebook alone
    and is 0 where averages learn it. Both are means over all numbers, summed over residual stages,
    without a weight. Where there is no codebook, see FSQ and LFQ for what the losses are.
    """

    values: Tensor
    codes: Tensor
    commitment: Tensor
    codebook_loss: Tensor


class VectorQuantizer(nn.Module):
    """Replaces each latent frame by the nearest of `size` codebook entries of `dim` numbers.

    codebook: "ema" averages the frames that fell to each entry (van den Oord et al. 2017,
        appendix A.1) and keeps their decayed `sums` and `counts`; "gradient" makes the entries a
        parameter, trained by the codebook loss.
    decay: of the averages, per training step.
    gradient: how it passes the lookup, "straight_through" or "rotation".
    lookup: the nearest entry is the one at the least distance ("euclidean") or angle ("cosine").
    init: "kmeans" places the entries on the first training batch, "random" draws them.
    dead: an entry used less than this fraction of the mean usage is revived with a frame of the
        batch; 0 leaves the dead alone.
    seed: of k-means and revival. A revived entry's frame is a pure function of
        (seed, step, entry), so that one process and many do the same.

    A training step reads nothing back from the device. Distances and averages are computed in
    float32 whatever autocast says (in float64 where the module is). With torch.distributed
    initialised, averages and draws are those of the global batch. Taught in notebooks 01 and 03.
    """

    n_codebooks = 1

    def __init__(
        self,
        dim: int,
        size: int,
        codebook: Literal["ema", "gradient"] = "ema",
        decay: float = 0.99,
        gradient: Literal["straight_through", "rotation"] = "straight_through",
        lookup: Literal["euclidean", "cosine"] = "euclidean",
        init: Literal["kmeans", "random"] = "kmeans",
        dead: float = 0.1,
        eps: float = 1e-5,
        seed: int = 0,
    ):
        super().__init__()
        if dim < 1 or size < 1:
            raise ValueError(f"dim={dim} and size={size} must both be at least 1.")
        if not 0 <= decay < 1 or not 0 <= dead < 1:
            raise ValueError(f"decay={decay} and dead={dead} must both be in [0, 1).")
        for name, value, known in (
            ("codebook", codebook, ("ema", "gradient")),
            ("gradient", gradient, ("straight_through", "rotation")),
            ("lookup", lookup, ("euclidean", "cosine")),
            ("init", init, ("kmeans", "random")),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r} is unknown: choose from {known}.")
        self.dim, self.size, self.seed = dim, size, seed
        self.decay, self.dead, self.eps = decay, dead, eps
        self.learns_by_gradient = codebook == "gradient"
        self.compares_angles = lookup == "cosine"
        self.pass_gradient = rotate if gradient == "rotation" else straight_through

        entries = torch.empty(size, dim)
        nn.init.kaiming_uniform_(entries)
        if self.learns_by_gradient:
            self.codebook = nn.Parameter(entries)
        else:
            self.register_buffer("codebook", entries)
            self.register_buffer("sums", entries.clone())
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("initialised", torch.tensor(init == "random"))
        self._known_initialised = init == "random"  # spares reading the buffer in every step
        self.register_load_state_dict_pre_hook(_renew_sums)
        self.register_load_state_dict_post_hook(_forget_initialised)

    def extra_repr(self) -> str:
        learned = "gradient" if self.learns_by_gradient else f"ema, decay={self.decay}"
        return f"dim={self.dim}, size={self.size}, codebook={learned}"

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents z [B, D, F]; in training mode, also let the codebook learn.

        Values and losses are those of the codebook before it learns. NaN is not looked for here,
        since looking would read from the device; `encode` does. Raises TypeError where z is not
        floating point and ValueError where it is not [B, D, F] with D = dim, or is empty.
        """
        frames = self.frames(z)  # [B, F, D]
        with torch.autocast(z.device.type, enabled=False):
            rows = frames.flatten(0, 1)  # [N, D]
            values, codes, commitment, codebook_loss = self.quantize_rows(rows)
            if rows.requires_grad and torch.is_grad_enabled():
                values = self.pass_gradient(rows, values)
        values = values.view_as(frames)
        values = values.transpose(1, 2).to(z.dtype)  # [B, D, F]
        return Quantized(values, codes.view(len(z), 1, -1), commitment, codebook_loss)

    def quantize_rows(self, rows: Tensor, used: Tensor | None = None) -> Quantized:
        """`forward` on rows [N, D]: values [N, D], which pass no gradient on, and codes [N].

        Rows that are not `used` (bool [N]) count as 0 in the losses and teach the codebook nothing.
        """
        constant = rows.detach()
        if self.training and not self.is_initialised():
            self.initialise(constant)
        codes = self.search(constant)
        entries = F.embedding(codes, self.entries())  # [N, D]
        values = entries.detach()
        commitment = _mean_square(rows, values, used)
        codebook_loss = torch.zeros_like(commitment)
        if self.learns_by_gradient:
            codebook_loss = _mean_square(entries, constant, used)
        if self.training:
            self.learn(constant, codes, used)
        return Quantized(values, codes, commitment, codebook_loss)

    @torch.no_grad()
    def encode(self, z: Tensor) -> Tensor:
        """Codes int64 [B, 1, F] of latents z [B, D, F]; the codebook stays as it is.

        Raises as `forward` does, and ValueError where z contains NaN or infinity.
        """
        frames = check_finite(self.frames(z))
        with torch.autocast(z.device.type, enabled=False):
            return self.search(frames.flatten(0, 1)).view(len(z), 1, -1)

    def decode(self, codes: Tensor) -> Tensor:
        """Codebook entries [B, D, F] of codes int64 [B, 1, F].

        Raises TypeError where codes are not int64 and ValueError where they are not [B, 1, F] or
        lie outside [0, size).
        """
        check_codes(codes, self.size)
        return self.look_up(codes[:, 0]).transpose(1, 2)

    def search(self, rows: Tensor) -> Tensor:
        """Codes int64 [N] of rows [N, D], which have the precision of `entries`."""
        entries = self.entries().detach()
        if self.compares_angles:
            rows, entries = F.normalize(rows), F.normalize(entries)
        return nearest(rows, entries)

    def look_up(self, codes: Tensor) -> Tensor:
        """Values [..., D] of codes int64 [...], known to be in range."""
        return F.embedding(codes, self.codebook)

    def entries(self) -> Tensor:
        """The codebook in the precision of distances: float32, or float64 where the module is."""
        return self.codebook if self.codebook.dtype == torch.float64 else self.codebook.float()

    def frames(self, z: Tensor) -> Tensor:
        """Latents [B, D, F] as frames [B, F, D], in the precision of `entries`."""
        return check_latents(z, self.dim).transpose(1, 2).to(self.entries().dtype)

    def is_initialised(self) -> bool:
        if not self._known_initialised:  # once True it stays so, and the device is left in peace
            self._known_initialised = bool(self.initialised)
        return self._known_initialised

    @torch.no_grad()
    def initialise(self, rows: Tensor) -> None:
        """k-means on the first global batch; where it is smaller than the codebook, its rows again.

        Sums are centroid times count, so that the first EMA step keeps the centroids where they
        are instead of dividing them by their counts.
        """
        rows = processes.gather(rows)
        found = min(self.size, len(rows))
        generator = torch.Generator().manual_seed(self.seed)
        centroids = kmeans(rows, found, generator=generator).centroids
        counts = rows.new_zeros(found).index_add_(
            0, nearest(rows, centroids), rows.new_ones(len(rows))
        )
        again = torch.arange(self.size, device=rows.device) % found
        self.codebook.copy_(self.placed(centroids[again]))
        self.counts.copy_(counts[again].clamp(min=1))
        processes.from_first(self.codebook, self.counts)  # sums on a GPU differ in their last bits
        if not self.learns_by_gradient:
            self.sums.copy_(self.codebook * self.counts[:, None])
        self.initialised.fill_(True)
        self._known_initialised = True

    @torch.no_grad()
    def learn(self, rows: Tensor, codes: Tensor, used: Tensor | None = None) -> None:
        """One step of the averages over the global batch, then the revival of dead entries.

        `rows` [N, D] fell to `codes` [N]; those that are not `used` (bool [N]) do not count.
        """
        ones = rows.new_ones(len(rows)) if used is None else used.to(rows.dtype)
        both = rows.new_zeros(self.size * (self.dim + 1))  # one message between processes
        sums, counts = both[: -self.size].view(self.size, self.dim), both[-self.size :]
        sums.index_add_(0, codes, rows if used is None else rows * ones[:, None])
        counts.index_add_(0, codes, ones)
        processes.sum_(both)
        weight = 1 - self.decay
        if used is not None:  # where nobody uses the quantizer, its averages stay as they are
            weight = weight * (counts.sum() > 0)
        self.counts.lerp_(counts, weight)
        if not self.learns_by_gradient:
            self.sums.lerp_(sums, weight)
            smoothed = _smoothed(self.counts, self.eps)
            self.codebook.copy_(self.placed(self.sums / smoothed[:, None]))
        if self.dead > 0:
            self._revive(rows, used)
        self.step.add_(1)

    def placed(self, entries: Tensor) -> Tensor:
        """Entries [V, D] as the codebook may hold them: here anywhere."""
        return entries

    def _revive(self, rows: Tensor, used: Tensor | None) -> None:
        """Move each dead entry to a used frame of the batch, neighbours rarely to the same one.

        Sums and counts move along, otherwise the next average would undo it. The number of dead
        entries stays on the device: the k-th of them draws from the k-th of as many equal parts of
        the global batch.
        """
        usual = self.counts.mean()
        dead = self.counts < self.dead * usual  # [V]
        place = dead.cumsum(0) - 1
        count = len(rows) if used is None else used.sum()
        first, total = processes.place_of(count, rows.device)
        if not isinstance(total, int):
            dead = dead & (total > 0)
            total = total.clamp(min=1)
        draw = processes.draws(self.seed, self.step, self.size) % total
        row = (place.clamp(min=0) * total + draw) // dead.sum().clamp(min=1) - first  # [V]
        here = (row >= 0) & (row < count)
        row = row.clamp(0, len(rows) - 1)
        if used is not None:
            row = used.to(torch.uint8).argsort(descending=True, stable=True)[row]
        frames = rows.index_select(0, row)  # [V, D]
        if processes.several():  # exactly one process has each
            processes.sum_(frames.mul_(here[:, None]))
        # Interpolation by exactly 0 or 1, several times as fast on a CPU as torch.where.
        moved = dead.to(rows.dtype)
        self.counts.lerp_(usual, moved)
        self.codebook.lerp_(frames, moved[:, None])
        if not self.learns_by_gradient:
            self.sums.lerp_(frames * usual, moved[:, None])


def _smoothed(counts: Tensor, eps: float) -> Tensor:
    """Laplace smoothing, which keeps an unused entry from being divided by nothing."""
    total = counts.sum()
    return (counts + eps) / (total + len(counts) * eps) * total


def _renew_sums(module: VectorQuantizer, state: dict, prefix: str, *_) -> None:
    """Where sums were not stored, as in an artefact, they are the codebook times its counts."""
    own = {f"{prefix}{name}" for name in ("codebook", "counts")}
    if not module.learns_by_gradient and own <= state.keys():
        smoothed = _smoothed(state[f"{prefix}counts"], module.eps)
        state.setdefault(f"{prefix}sums", state[f"{prefix}codebook"] * smoothed[:, None])


def _forget_initialised(module: VectorQuantizer, _) -> None:
    module._known_initialised = False  # the loaded buffer knows


def _mean_square(x: Tensor, y: Tensor, used: Tensor | None) -> Tensor:
    """Mean of (x - y)^2 over all numbers [N, D], those of rows not `used` counting as 0."""
    if used is None:
        return F.mse_loss(x, y)
    return ((x - y).square() * used[:, None]).mean()
