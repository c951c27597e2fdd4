"""Training a codec, with or without discriminators. Taught in notebooks 07 to 09."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from course_lib.models import CodecOutput
from course_lib.nets.discriminators import Judgement
from course_lib.quantize.residual_vq import DROPPED
from course_lib.training.adversarial import (
    feature_matching,
    frozen,
    hinge_discriminator_loss,
    hinge_generator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from course_lib.training.balancer import Balancer
from course_lib.training.draws import Draws
from course_lib.training.precision import in_float32, native_bfloat16

OF_THE_OUTPUT = ("wave", "error", "mel", "adversarial", "features")  # what a balancer can weigh


class CodecTraining(nn.Module):
    """A codec and what is trained or remembered beside it, for `fit`; the codec alone is shipped.

    codec: audio [B, C, T] -> an output with `audio`, `commitment` and `codebook_loss`.
    mel: (reference, estimate) -> a scalar, such as a `MultiScaleMelLoss`.
    weights: of "wave" (mean absolute difference of samples), "error" (`relative_error`), "mel",
        "adversarial", "features", "commitment" and "codebook". What is left out is not computed.
    discriminator: audio -> `logits` and `features`, such as a `Panel` of several. It takes weights
        for "adversarial", "features" or both.
    balanced: lets an EnCodec `Balancer` weigh the first four; the last two are added outside.
    least_squares: instead of the hinge loss.
    relative: feature matching in parts of the features of the real sound.
    decoder_only: encoder and codebooks stay as they are, so that codes stay too: what the
        discriminators teach is then how the same codes sound.

    Raises ValueError for unknown weights and where discriminator and weights do not fit. Taught in
    notebook 07.
    """

    def __init__(
        self,
        codec: nn.Module,
        mel: nn.Module,
        weights: Mapping[str, float],
        discriminator: nn.Module | None = None,
        balanced: bool = False,
        least_squares: bool = False,
        relative: bool = False,
        decoder_only: bool = False,
    ):
        super().__init__()
        unknown = weights.keys() - {*OF_THE_OUTPUT, "commitment", "codebook"}
        if unknown:
            raise ValueError(f"There is no loss {sorted(unknown)[0]!r} to weigh in a codec.")
        judged = {"adversarial", "features"} & weights.keys()
        if bool(judged) != (discriminator is not None):
            raise ValueError(
                f"The discriminator is {type(discriminator).__name__}, the weights of its losses "
                f"are those of {', '.join(sorted(judged)) or 'none'}: give both or neither."
            )
        self.codec, self.mel, self.weights = codec, mel, dict(weights)
        self.discriminator = discriminator
        self.least_squares, self.relative = least_squares, relative
        self.decoder_only = decoder_only
        shares = {name: w for name, w in weights.items() if name in OF_THE_OUTPUT}
        self.balancer = Balancer(shares) if balanced else None

    def optimizers(
        self, lr: float = 3e-4, judge_lr: float = 3e-4, betas: tuple[float, float] = (0.5, 0.9)
    ) -> dict[str, AdamW]:
        """The optimisers "codec" and, where there is one, "discriminator", for `fit`."""
        settings = {"betas": betas, "fused": True}
        trained = self.codec.decoder if self.decoder_only else self.codec
        made = {"codec": AdamW(trained.parameters(), lr=lr, **settings)}
        if self.discriminator is not None:
            parameters = self.discriminator.parameters()
            made["discriminator"] = AdamW(parameters, lr=judge_lr, **settings)
        return made

    def step(
        self, audio: Tensor, kept: Tensor | None = None, quantize: bool = True
    ) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """One training step on audio [B, C, T], as `fit` takes it: losses by optimiser.

        First the discriminator learns to tell the sound from what the codec made of it, which is
        detached: no gradient reaches the codec. Then the codec learns, the discriminator frozen.
        `kept` int64 [B] are the codebooks that each item may use. Without `quantize` the latents
        reach the decoder as they are: a start in which encoder and decoder find each other before
        k-means places the codebooks. (From nothing, codes that say little teach the decoder to do
        without them, and then commitment alone moves the encoder: both collapse.)
        """
        with native_bfloat16(audio.device):
            if self.decoder_only:
                out = self._decoded(audio, kept)
            else:
                out = self.codec(audio, kept=kept) if quantize else self._continuous(audio)
        estimate = out.audio.float()
        if self.discriminator is not None:
            real, fake = self._judge(audio), self._judge(estimate.detach())
            of_judge = hinge_discriminator_loss
            if self.least_squares:
                of_judge = least_squares_discriminator_loss
            yield "discriminator", {"loss": of_judge(real.logits, fake.logits)}
        with frozen(self.discriminator) if self.discriminator is not None else nullcontext():
            losses = self._of_the_output(audio, estimate)
            outside = {"commitment": out.commitment, "codebook": out.codebook_loss}
            outside = {name: value for name, value in outside.items() if name in self.weights}
            if self.balancer is None:
                total = sum(self.weights[name] * value for name, value in losses.items())
            else:
                total = self.balancer(losses, estimate)
            total = total + sum(self.weights[name] * value for name, value in outside.items())
            yield "codec", {"loss": total} | losses | outside

    def _decoded(self, audio: Tensor, kept: Tensor | None) -> CodecOutput:
        """The decoder's part of the codec alone has a gradient; the codebooks do not learn."""
        quantizer = self.codec.quantizer
        codes = self.codec.encode(audio).codes
        if kept is not None:
            stages = torch.arange(codes.shape[1], device=codes.device)[:, None]  # [K, 1]
            codes = codes.where(stages < kept[:, None, None], DROPPED)
        latents = quantizer.decode_unchecked(codes)
        none = latents.new_zeros(())
        estimate = self.codec.decoder(latents)[..., : audio.shape[-1]]
        return CodecOutput(estimate, codes, none, none, latents)

    def _continuous(self, audio: Tensor) -> CodecOutput:
        latents = self.codec.encoder(audio)
        estimate = self.codec.decoder(latents)[..., : audio.shape[-1]]
        none = latents.new_zeros(())
        return CodecOutput(estimate, None, none, none, latents)

    def _of_the_output(self, audio: Tensor, estimate: Tensor) -> dict[str, Tensor]:
        losses = {}
        if "wave" in self.weights:
            losses["wave"] = F.l1_loss(estimate, audio.float())
        if "error" in self.weights:
            losses["error"] = relative_error(audio.float(), estimate)
        if "mel" in self.weights:
            losses["mel"] = self.mel(audio, estimate)
        if self.discriminator is None:
            return losses
        judged = self._judge(estimate)
        if "adversarial" in self.weights:
            of_codec = hinge_generator_loss
            if self.least_squares:
                of_codec = least_squares_generator_loss
            losses["adversarial"] = of_codec(judged.logits)
        if "features" in self.weights:
            with torch.no_grad():
                wanted = self._judge(audio).features
            losses["features"] = feature_matching(wanted, judged.features, self.relative)
        return losses

    @in_float32
    def _judge(self, audio: Tensor) -> Judgement:
        return self.discriminator(audio)


def relative_error(reference: Tensor, estimate: Tensor) -> Tensor:
    """Energy of x' - x in parts of that of x, the mean over sounds [B, C, T]: 1 / SNR.

    Unlike the mean absolute difference, whose least value for a guess is near silence, it pulls
    at once towards the waveform. Sounds below -40 dBFS count as if they were as loud as that.
    Taught in notebook 07.
    """
    energy = reference.square().mean((1, 2)).clamp(min=1e-4)
    return ((estimate - reference).square().mean((1, 2)) / energy).mean()


def draw_kept(draws: Draws, codebooks: int, levels: Sequence[int], share: float) -> Tensor:
    """How many codebooks each item may use, int64 [B]: one of `levels`, or all of `codebooks`.

    Each item is cut to a level, all equally likely, with chance `share` (quantizer dropout).
    Source: Zeghidour et al. 2021, section III-C; per item and by share: Kumar et al. 2023.
    Taught in notebook 07.
    """
    cut = draws.uniform(stream="dropout") < share  # [B]
    chosen = draws.integers(len(levels), stream="level")  # [B]
    return torch.where(cut, torch.tensor(levels, device=cut.device)[chosen], codebooks)
