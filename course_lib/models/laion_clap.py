"""LAION-CLAP as it is published: HTSAT, RoBERTa, two projections, two scales.

Wu et al. 2023, section 3. The course trains its own CLAP; this one holds published weights, which
`interop` brings here. Taught in notebook 13.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.audio.checks import check_mono
from course_lib.models.clap import covering, projection
from course_lib.models.htsat import HTSAT, HTSATConfig

HOP, N_FFT = 480, 1024  # samples, at 48 kHz


@dataclass(frozen=True)
class RoBERTaConfig:
    """entries of the vocabulary; `padding` is the id of nothing; longest: tokens, in all."""

    entries: int = 50265
    width: int = 768
    layers: int = 12
    heads: int = 12
    hidden: int = 3072
    longest: int = 514
    padding: int = 1
    epsilon: float = 1e-12


@dataclass(frozen=True)
class LAIONCLAPConfig:
    """The two towers, the shared width E, and the spectrogram: band edges in Hz, its seconds."""

    audio: HTSATConfig = field(default_factory=HTSATConfig)
    text: RoBERTaConfig = field(default_factory=RoBERTaConfig)
    embedding: int = 512
    sample_rate: int = 48000
    lowest: float = 50.0
    highest: float = 14000.0
    seconds: float = 10.0


class RoBERTa(nn.Module):
    """Ids int64 [B, L] -> the sentence's vector [B, D] (Liu et al. 2019; Devlin et al. 2019).

    A Transformer whose norms follow the layers; the vector is a tanh of the first token's state.
    """

    def __init__(self, config: RoBERTaConfig):
        super().__init__()
        self.config = c = config
        self.embedding = nn.Embedding(c.entries, c.width, padding_idx=c.padding)
        self.positions = nn.Embedding(c.longest, c.width, padding_idx=c.padding)
        self.norm = nn.LayerNorm(c.width, eps=c.epsilon)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                c.width, c.heads, c.hidden, 0.0, "gelu", c.epsilon, batch_first=True
            )
            for _ in range(c.layers)
        )
        self.pool = nn.Linear(c.width, c.width)

    def forward(self, ids: Tensor, valid: Tensor) -> Tensor:
        """valid bool [B, L], False for padding; ids are those of the published tokenizer.

        Raises TypeError for other dtypes, ValueError for other shapes and for more tokens than
        there are places.
        """
        if ids.dtype != torch.int64 or valid.dtype != torch.bool:
            raise TypeError(
                f"ids are {ids.dtype} and valid is {valid.dtype}; expected int64 and bool: turn "
                "the tokenizer's attention_mask into one with attention_mask.bool()."
            )
        if ids.ndim != 2 or ids.numel() == 0 or ids.shape != valid.shape:
            raise ValueError(
                f"ids have shape {list(ids.shape)} and valid has {list(valid.shape)}; expected the "
                "same [B, L], not empty."
            )
        most = self.config.longest - self.config.padding - 1
        if ids.shape[1] > most:
            raise ValueError(
                f"The texts have {ids.shape[1]} tokens; this RoBERTa reads up to {most}: have the "
                "tokenizer cut them."
            )
        places = valid.long().cumsum(1) * valid + self.config.padding
        x = self.norm(self.embedding(ids) + self.positions(places))
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=~valid)
        return self.pool(x[:, 0]).tanh()


class LAIONCLAP(nn.Module):
    """Unit vectors of sounds and of sentences. Deterministic, unlike the published extractor.

    That one draws ten seconds of longer audio at random; this one hears all of it.
    """

    def __init__(self, config: LAIONCLAPConfig):
        super().__init__()
        self.config = c = config
        self.audio, self.text = HTSAT(c.audio), RoBERTa(c.text)
        self.audio_projection = projection(c.audio.dims, c.embedding)
        self.text_projection = projection(c.text.width, c.embedding)
        self.log_scales = nn.Parameter(torch.full((2,), 2.6593))  # of audio's logits, of text's

    @property
    def scale(self) -> Tensor:
        """By which LAION-CLAP's loss multiplies the cosines, in both directions."""
        return self.log_scales[0].exp()

    def embed_audio(self, audio: Tensor) -> Tensor:
        """Unit vectors [B, E] of audio [B, 1, T] at `config.sample_rate`.

        What is shorter than `config.seconds` is repeated and filled up with zeros; of what is
        longer, segments cover all, and their mean is brought to length 1. Raises TypeError or
        ValueError for other shapes and dtypes.
        """
        check_mono(audio, finite=False)
        length = round(self.config.seconds * self.config.sample_rate)
        samples = audio.shape[-1]
        if samples < length:
            whole = audio.repeat(1, 1, length // samples)
            audio = F.pad(whole, (0, length - whole.shape[-1]))
        starts = covering(audio.shape[-1], length)
        parts = [self.spectrogram(audio[:, 0, s : s + length]) for s in starts]
        return F.normalize(sum(self.embed_spectrogram(part) for part in parts), dim=-1)

    def embed_spectrogram(self, spectrogram: Tensor) -> Tensor:
        """Unit vectors [B, E] of log-mel in dB [B, F, mels]."""
        return F.normalize(self.audio_projection(self.audio(spectrogram)), dim=-1)

    def embed_ids(self, ids: Tensor, valid: Tensor) -> Tensor:
        """Unit vectors [B, E] of texts that the published tokenizer has made ids [B, L] of.

        valid bool [B, L], False for padding. Raises TypeError or ValueError as RoBERTa does.
        """
        return F.normalize(self.text_projection(self.text(ids, valid)), dim=-1)

    def spectrogram(self, audio: Tensor) -> Tensor:
        """Log-mel power in dB [B, F, mels] of audio [B, T], F = 1 + T // 480; always float32."""
        from torchaudio.functional import melscale_fbanks

        c = self.config
        window = torch.hann_window(N_FFT, device=audio.device)
        spectrum = torch.stft(audio.float(), N_FFT, HOP, window=window, return_complex=True)
        filters = melscale_fbanks(
            N_FFT // 2 + 1, c.lowest, c.highest, c.audio.mels, c.sample_rate, "slaney", "slaney"
        ).to(audio.device)
        with torch.autocast(audio.device.type, enabled=False):
            power = spectrum.abs().square().transpose(1, 2) @ filters
            return 10 * power.clamp(min=1e-10).log10()
