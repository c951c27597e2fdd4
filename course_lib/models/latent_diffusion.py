"""Latent diffusion: CLAP's text tower, a denoiser, an autoencoder (Li et al. 2023, JEN-1).

Taught in notebook 16.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_lib.models.asking import frames_of, given_audio, random_of, texts_of
from course_lib.models.clap import CLAP
from course_lib.models.continuous_autoencoder import ContinuousAutoencoder
from course_lib.models.jukebox_sampling import windows
from course_lib.models.latent_denoiser import STEPS, Condition, Known, LatentDenoiser
from course_lib.models.text_tower import TextTowerConfig
from course_lib.nets.diffusion import Solver
from course_lib.nets.evaluating import evaluating

KEPT = 0.4  # of a window, which the next one begins with, as MusicGen has it


class LatentDiffusion(nn.Module):
    """The whole system: text -> denoiser -> latents -> autoencoder -> audio.

        diffusion = LatentDiffusion(load("autoencoder"), load("clap"), load("diffusion"))
        audio = diffusion.generate(["a slow waltz with a flute in front"], seconds=5)

    What is given and kept passes through the autoencoder, too. Raises ValueError where the latents
    or widths of the parts differ. Taught in notebook 16.
    """

    def __init__(self, autoencoder: ContinuousAutoencoder, clap: CLAP, denoiser: LatentDenoiser):
        super().__init__()
        self.autoencoder, self.clap, self.denoiser = autoencoder, clap, denoiser
        c, found = denoiser.config, (autoencoder.config.kept, autoencoder.frame_rate)
        if found != (c.latents, c.frame_rate):
            raise ValueError(
                f"The denoiser makes {c.latents} numbers at {c.frame_rate:g} frames a second; the "
                f"autoencoder has {found[0]} at {found[1]:g}: load those trained together."
            )
        widths = (clap.text.config.width, clap.config.embedding)
        wanted = (c.net.memory_width, c.net.vector_width)
        if any(w not in (None, width) for w, width in zip(wanted, widths, strict=True)):
            raise ValueError(
                f"The denoiser reads states and vectors of {wanted[0]} and {wanted[1]} numbers; "
                f"CLAP has {widths[0]} and {widths[1]}: load those trained together."
            )
        if autoencoder.config.channels != 1:
            raise ValueError(
                f"The autoencoder has {autoencoder.config.channels} channels; latent diffusion "
                "takes one of mono audio: load that."
            )

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.autoencoder.sample_rate

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return self.autoencoder.hop

    @property
    def tower(self) -> TextTowerConfig:
        """Of what reads the prompts."""
        return self.clap.text.config

    def frames(self, seconds: float) -> int:
        """The frames that `seconds` take, rounded up. Raises as `models.asking.frames_of` does."""
        return frames_of(seconds, self.sample_rate, self.hop)

    def read(self, prompts: Sequence[str | None]) -> Condition:
        """What prompts ask for; None and blank ones ask for nothing. Raises as `texts_of`, CLAP."""
        texts, asks = texts_of(prompts)
        states, valid, pooled = self.clap.text.read(texts)
        kept = torch.tensor(asks, device=states.device)
        net = self.denoiser.config.net
        vector = nn.functional.normalize(self.clap.text_projection(pooled), dim=-1)
        asked = Condition(
            None if net.memory_width is None else states,
            None if net.memory_width is None else valid,
            None if net.vector_width is None else vector,
        )
        return asked.where(kept)

    @torch.no_grad()
    def generate(
        self,
        prompts: Sequence[str | None],
        seconds: float,
        steps: int = STEPS,
        guidance: float = 3.0,
        solver: Solver = "dpm2",
        seed: int | None = None,
        callback: Callable[[int, int], None] | None = None,
        rescale: float = 0.0,
    ) -> Tensor:
        """Audio [B, 1, T] of `seconds`, rounded up to whole frames, for B prompts.

        prompts: texts; None and blank ones ask for nothing. steps, guidance, solver, rescale: as in
            `LatentDenoiser.sample`. seed: the same seed gives the same audio; None another one each
            time. callback(done, all) is called after every step.

        What is longer than the denoiser's context goes on as in `extend`. Raises TypeError and
        ValueError, in words, for what does not fit.
        """
        frames, texts = self.frames(seconds), texts_of(prompts)[0]
        sampling = {"steps": steps, "guidance": guidance, "solver": solver, "rescale": rescale}
        with evaluating(self):
            made = self._windows(frames, texts, None, seed, callback, sampling)
            return self.autoencoder.decode(made)

    @torch.no_grad()
    def extend(
        self,
        audio: Tensor,
        seconds: float,
        prompts: Sequence[str | None] = (None,),
        seed: int | None = None,
        callback: Callable[[int, int], None] | None = None,
        sample_rate: int | None = None,
        **sampling,
    ) -> Tensor:
        """Audio [B, 1, T] and `seconds` more that follow it; [1, 1, T] is for all prompts.

        It is written in windows of the denoiser's context, of which at least the first 40 % are
        there already, or all there is, in the causal mode, in which no frame sees what comes after
        it. sample_rate: of the audio, that of the autoencoder where it isn't given. sampling:
        `steps`, `guidance`, `solver` and `rescale`, as in `generate`, which raises the same.
        """
        more, texts = self.frames(seconds), texts_of(prompts)[0]
        with evaluating(self):
            known = self.autoencoder.encode(self._given(audio, len(texts), sample_rate))
            frames = known.shape[-1] + more
            made = self._windows(frames, texts, known, seed, callback, sampling)
            return self.autoencoder.decode(made)

    @torch.no_grad()
    def inpaint(
        self,
        audio: Tensor,
        mask: Tensor,
        prompts: Sequence[str | None] = (None,),
        seed: int | None = None,
        callback: Callable[[int, int], None] | None = None,
        sample_rate: int | None = None,
        **sampling,
    ) -> Tensor:
        """Audio [B, 1, T] whose frames that `mask` bool [F], [1, F] or [B, F] names are made anew.

        F = ceil(T / hop) for audio of the autoencoder's rate, after resampling for another. All
        frames are seen at once, also more than the denoiser's context. Other arguments are as in
        `extend`. Raises TypeError for a mask that is not bool, ValueError for one of another
        length, one that leaves nothing of the audio, for which `generate` is there, or one that
        names no frame, and as `generate` does.
        """
        texts = texts_of(prompts)[0]
        with evaluating(self):
            audio = self._given(audio, len(texts), sample_rate)
            latents = self.autoencoder.encode(audio)
            known = Known(latents, ~_checked(mask, *latents[:, 0].shape).to(latents.device))
            told = _told(callback, 0, 1, sampling)
            drawn = random_of(seed, latents.device)
            made = self._sample(self.read(texts), known, drawn, told, sampling)
            return self.autoencoder.decode(made, audio.shape[-1])

    def _windows(
        self,
        frames: int,
        texts: list[str],
        known: Tensor | None,
        seed: int | None,
        callback: Callable[[int, int], None] | None,
        sampling: dict,
    ) -> Tensor:
        """Latents [B, K, frames], the known ones [B, K, P] first."""
        context = min(self.denoiser.config.context, frames)
        hop = max(1, context - round(KEPT * context))
        given = 0 if known is None else known.shape[-1]
        shape = (len(texts), self.denoiser.config.latents, frames)
        made = torch.zeros(shape, device=self.denoiser.device)
        there = torch.zeros(len(texts), frames, dtype=torch.bool, device=made.device)
        if known is not None:
            made[..., :given], there[:, :given] = known, True
        asked, drawn = self.read(texts), random_of(seed, made.device)
        plan = windows(frames, context, hop, given)
        for i, (start, _, end) in enumerate(plan):
            part = Known(made[..., start:end], there[:, start:end])
            told = _told(callback, i, len(plan), sampling)
            window = self._sample(asked, part, drawn, told, sampling, causal=start > 0 or given > 0)
            made[..., start:end], there[:, start:end] = window, True
        return made

    def _sample(
        self, asked: Condition, known: Known, drawn: torch.Generator, told, sampling, causal=False
    ) -> Tensor:
        """Latents [B, K, F] of one window."""
        noise = torch.randn(known.latents.shape, generator=drawn, device=drawn.device)
        return self.denoiser.sample(
            noise, asked, known, causal=causal, generator=drawn, callback=told, **sampling
        )

    def _given(self, audio: Tensor, batch: int, sample_rate: int | None) -> Tensor:
        """Audio [B, 1, T] that is given with B prompts, at the autoencoder's rate."""
        rates = (sample_rate, self.sample_rate)
        return given_audio("audio", audio, batch, 1, rates).to(self.denoiser.device)


def _told(
    callback: Callable[[int, int], None] | None, window: int, of: int, sampling: dict
) -> Callable[[int, Tensor], None] | None:
    """What tells `callback` how many of all steps are done."""
    if callback is None:
        return None
    steps = sampling.get("steps", STEPS)
    return lambda step, _: callback(window * steps + step + 1, of * steps)


def _checked(mask: Tensor, batch: int, frames: int) -> Tensor:
    """A mask bool [B, F] of frames to be made; TypeError and ValueError, in words."""
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(
            f"The mask is of {kind}; expected a tensor of bool, True what is made anew."
        )
    if mask.shape not in ((frames,), (1, frames), (batch, frames)):
        raise ValueError(
            f"The mask has shape {list(mask.shape)}; the audio has {frames} frames: give it "
            f"[{frames}] or {[batch, frames]}."
        )
    mask = mask.expand(batch, frames)
    if not mask.any(1).all():
        raise ValueError("The mask names no frame: nothing would be made. Set some to True.")
    if mask.all(1).any():
        raise ValueError("The mask names all frames: nothing is left of the audio; use `generate`.")
    return mask
