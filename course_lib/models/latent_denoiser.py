"""JEN-1's denoiser: one network for text-to-music, inpainting and continuation (Li et al. 2023).

Taught in notebook 16.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from course_lib.models.asking import check_guidance
from course_lib.nets.diffusion import (
    Objective,
    Solver,
    check_rescale,
    diffusion_loss,
    guided,
    noised,
    sample,
)
from course_lib.nets.diffusion_transformer import DiffusionTransformer, DiffusionTransformerConfig
from course_lib.nets.evaluating import evaluating
from course_lib.nets.noise_schedule import NoiseSchedule
from course_lib.nets.unet1d import UNet1d, UNet1dConfig

STEPS = 20  # of sampling
SCHEDULES = {
    "linear": NoiseSchedule.linear_betas,
    "cosine": NoiseSchedule.cosine_betas,
    "straight": NoiseSchedule.straight,
}


@dataclass(frozen=True)
class LatentDenoiserConfig:
    """The default is the course's own, on the latents of its autoencoder.

    latents, frame_rate: K numbers a frame, frames a second. context: frames that it is trained on
    at once. schedule, objective: how noise grows, and what of it is predicted. net: a U-Net, or a
    Transformer (notebook 16b), from 2 K + 1 numbers a frame to K.

    Raises ValueError for numbers out of place, an unknown schedule or objective, "noise" on a
    straight schedule, from which nothing could be sampled, and a net of other sizes.
    """

    latents: int = 32
    frame_rate: float = 50.0
    context: int = 256
    schedule: Literal["linear", "cosine", "straight"] = "cosine"
    objective: Objective = "velocity"
    net: UNet1dConfig | DiffusionTransformerConfig = field(
        default_factory=lambda: UNet1dConfig(
            32, 65, 120, (1, 1, 1), attends=(1, 2), memory_width=128, vector_width=128
        )
    )

    def __post_init__(self):
        if self.context < 1 or not self.frame_rate > 0:
            raise ValueError(
                f"context={self.context} must be at least 1, frame_rate={self.frame_rate} positive."
            )
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule={self.schedule!r}: choose from {', '.join(SCHEDULES)}.")
        if self.objective not in get_args(Objective):
            choices = ", ".join(get_args(Objective))
            raise ValueError(f"objective={self.objective!r}: choose from {choices}.")
        if (self.schedule, self.objective) == ("straight", "noise"):
            raise ValueError(
                "objective='noise' tells nothing of the signal where schedule='straight' begins, "
                "in noise alone; choose 'data', 'velocity' or 'flow'."
            )
        found, wanted = (self.net.channels, self.net.inputs), (self.latents, 2 * self.latents + 1)
        if found != wanted:
            raise ValueError(
                f"The net makes {found[0]} numbers of {found[1]}; latents={self.latents} "
                f"take one that makes {wanted[0]} of {wanted[1]}: noisy latents, known ones and "
                "which are known."
            )


class Condition(NamedTuple):
    """What a text asks for: memory [B, L, M], valid bool [B, L], vector [B, V]; or a part of it.

    Where valid is None, all of the memory is. An item of which nothing is valid, with a vector of
    zeros, asks for nothing.
    """

    memory: Tensor | None = None
    valid: Tensor | None = None
    vector: Tensor | None = None

    def where(self, kept: Tensor) -> "Condition":
        """The same where `kept` bool [B], and nothing in other items."""
        found = (None if x is None else x * kept[:, None] for x in (self._valid(), self.vector))
        return Condition(self.memory, *found)

    def and_nothing(self) -> "Condition":
        """Twice the batch, whose second half asks for nothing."""
        memory = None if self.memory is None else self.memory.repeat(2, 1, 1)
        found = (self._valid(), self.vector)
        pairs = (None if x is None else torch.cat([x, torch.zeros_like(x)]) for x in found)
        return Condition(memory, *pairs)

    def _valid(self) -> Tensor | None:
        if self.memory is None or self.valid is not None:
            return self.valid
        return torch.ones(self.memory.shape[:2], dtype=torch.bool, device=self.memory.device)


class Known(NamedTuple):
    """latents [B, K, F] of which those of the frames in `frames` bool [B, F] are known."""

    latents: Tensor
    frames: Tensor

    @classmethod
    def nothing(cls, like: Tensor) -> "Known":
        """Of no frame of latents like these, [B, K, F]."""
        return cls(torch.zeros_like(like), torch.zeros_like(like[:, 0], dtype=torch.bool))

    def check(self, z: Tensor, latents: int) -> None:
        """Raise ValueError unless this fits noisy latents z [B, latents, F]."""
        if z.ndim != 3 or z.shape[1] != latents:
            raise ValueError(
                f"The noisy latents have shape {list(z.shape)}; expected [B, {latents}, F]."
            )
        if self.latents.shape != z.shape:
            raise ValueError(
                f"The known latents have shape {list(self.latents.shape)}; expected that of the "
                f"noisy ones, {list(z.shape)}."
            )
        if self.frames.dtype != torch.bool or self.frames.shape != z[:, 0].shape:
            raise ValueError(
                f"Which frames are known is told by {self.frames.dtype} "
                f"{list(self.frames.shape)}; expected bool {list(z[:, 0].shape)}."
            )


class LatentDenoiser(nn.Module):
    """Noisy latents [B, K, F] at times [B], a text, and what is known -> a prediction [B, K, F].

    What is known comes in as further channels: the latents, 0 where they are to be made, and one
    channel that says which are there. With none it is text-to-music, with a hole in the middle
    inpainting, with a beginning continuation; all of it in two modes with the same weights, in one
    of which no frame sees a later one.

    Source: Li et al. 2023 (JEN-1), sections 4.2 and 4.3. Taught in notebook 16.
    """

    def __init__(self, config: LatentDenoiserConfig | None = None):
        super().__init__()
        self.config = c = config or LatentDenoiserConfig()
        self.schedule = SCHEDULES[c.schedule]()
        transformer = isinstance(c.net, DiffusionTransformerConfig)
        self.net = (DiffusionTransformer if transformer else UNet1d)(c.net)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def forward(
        self, z: Tensor, t: Tensor, condition: Condition, known: Known, causal: bool = False
    ) -> Tensor:
        """What `config.objective` names, [B, K, F], of z [B, K, F] at times t int64 [B].

        Raises ValueError for shapes that do not fit the configuration or each other.
        """
        known.check(z, self.config.latents)
        there = known.frames[:, None]  # [B, 1, F]
        x = torch.cat([z, known.latents.where(there, 0), there.to(z.dtype)], 1)  # [B, 2 K + 1, F]
        return self.net(x, t, *condition, causal=causal)

    def loss(
        self,
        latents: Tensor,
        condition: Condition,
        known: Known,
        noise: Tensor,
        t: Tensor,
        causal: bool = False,
    ) -> Tensor:
        """Mean squared error of the prediction from latents [B, K, F] with noise [B, K, F].

        Over all frames, those that are known, too. Raises as `forward`.
        """
        z = noised(self.schedule, latents, noise, t)
        output = self(z, t, condition, known, causal)
        return diffusion_loss(self.schedule, self.config.objective, output, latents, noise, t)

    @torch.no_grad()
    def sample(
        self,
        noise: Tensor,
        condition: Condition,
        known: Known | None = None,
        steps: int = STEPS,
        guidance: float = 3.0,
        rescale: float = 0.0,
        solver: Solver = "dpm2",
        causal: bool = False,
        generator: torch.Generator | None = None,
        callback: Callable[[int, Tensor], None] | None = None,
    ) -> Tensor:
        """Latents [B, K, F] from noise [B, K, F]; known frames come out as they went in.

        steps, solver, generator, callback: as in `nets.diffusion.sample`. guidance s: predictions
        are u + s (c - u), with c for what is asked and u for nothing, both made in one batch; 1
        makes c alone, 0 ignores what is asked, below 0 leads away from it. rescale: as in
        `nets.diffusion.guided`. Raises ValueError and TypeError as those and `forward` do.
        """
        check_guidance(guidance)
        check_rescale(rescale)
        known = Known.nothing(noise) if known is None else known
        known.check(noise, self.config.latents)
        asked, twice = condition.and_nothing(), Known(*(torch.cat([x, x]) for x in known))

        def denoise(z: Tensor, t: Tensor) -> Tensor:
            if guidance == 1:
                return self(z, t, condition, known, causal)
            output = self(torch.cat([z, z]), torch.cat([t, t]), asked, twice, causal)
            return guided(*output.chunk(2), guidance, rescale)

        with evaluating(self):
            made = sample(
                denoise,
                noise,
                self.schedule,
                self.config.objective,
                steps,
                solver,
                generator=generator,
                callback=callback,
            )
        return torch.where(known.frames[:, None], known.latents, made)
