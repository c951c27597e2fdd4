"""MusicGen (Copet et al. 2023): a codec and a language model that writes its codes from a text."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_lib.models.asking import frames_of, given_audio, random_of
from course_lib.models.chroma_melody import melody_of
from course_lib.models.codec import Codec
from course_lib.models.codec_streaming import StreamingDecoder
from course_lib.models.jukebox_sampling import windows
from course_lib.models.musicgen_lm import MusicGenLM, Reading
from course_lib.models.text_tower import TextTowerConfig
from course_lib.nets.evaluating import evaluating

KEPT = 0.4  # of a window, which the next one begins with: 12 of 30 s in the paper's code
PIECE = 0.5  # seconds of audio at a time that a callback gets


class MusicGen(nn.Module):
    """The whole system: text -> language model -> codes -> codec -> audio.

        musicgen = MusicGen(load("codec"), load("musicgen"))
        audio = musicgen.generate(["a slow waltz with a flute in front"], seconds=4)

    Raises ValueError where the codec has other entries, frame rate or too few codebooks for the
    language model. A codec of the same sizes that learned other codebooks cannot be told apart: it
    plays noise. Taught in notebook 15.
    """

    def __init__(self, codec: Codec, lm: MusicGenLM):
        super().__init__()
        self.codec, self.lm = codec, lm
        c, of_codec = lm.config, codec.config
        wanted = (c.entries, c.frame_rate)
        found = (of_codec.entries, codec.frame_rate)
        if wanted != found or c.codebooks // c.channels > of_codec.n_codebooks:
            raise ValueError(
                f"The language model writes {c.codebooks // c.channels} codebooks of {c.entries} "
                f"entries at {c.frame_rate:g} frames a second; the codec has "
                f"{of_codec.n_codebooks} of {of_codec.entries} at {codec.frame_rate:g}: load those "
                "that were trained together."
            )
        if of_codec.channels != 1 or of_codec.chunk or of_codec.normalise:
            raise ValueError(
                "MusicGen takes a mono codec that codes a piece as a whole: one without chunks and "
                "scales."
            )

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.codec.sample_rate

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return self.codec.hop

    @property
    def tower(self) -> TextTowerConfig | None:
        """Of what reads the prompts; None where that is no tower of the course's."""
        return self.lm.config.text

    def frames(self, seconds: float) -> int:
        """The frames that `seconds` take, rounded up.

        Raises TypeError unless it is a number, ValueError unless above 0 and at most 600.
        """
        return frames_of(seconds, self.sample_rate, self.codec.hop)

    @torch.no_grad()
    def generate(
        self,
        prompts: Sequence[str | None],
        seconds: float,
        guidance: float = 3.0,
        temperature: float = 1.0,
        top_k: int | None = 250,
        top_p: float | None = None,
        melody: Tensor | None = None,
        continuation: Tensor | None = None,
        seed: int | None = None,
        callback: Callable[[Tensor], None] | None = None,
        sample_rate: int | None = None,
    ) -> Tensor:
        """Audio [B, channels, T] of `seconds`, rounded up to whole frames, for B prompts.

        prompts: texts; None and blank ones ask for nothing. guidance, temperature, top_k, top_p: as
            in `MusicGenLM.sample`.
        melody: audio [B, 1, T], or [1, 1, T] for all, whose melody the pieces follow while it
            lasts; silence has none. continuation: audio of the same kind that the pieces begin
            with. Both at `sample_rate`, that of the codec where it isn't given.
        seed: the same seed gives the same audio; None another one each time.
        callback: gets audio [B, channels, t] of about half a second as soon as it is written; its
            pieces together are what is returned.

        Pieces longer than the language model's context are written in windows that begin with the
        last 40 % of the one before. Raises TypeError and ValueError, in words, for what does not
        fit.
        """
        frames = self.frames(seconds)
        with evaluating(self):
            reading = self.lm.read(prompts)
            batch = len(reading.memory)
            if melody is not None:
                melody = self._given("melody", melody, batch, 1, sample_rate)
                rates = (self.sample_rate, frames, self.codec.frame_rate)
                melody = melody_of(melody, *rates)
            known = None
            if continuation is not None:
                channels = self.lm.config.channels
                continuation = self._given(
                    "continuation", continuation, batch, channels, sample_rate
                )
                known = self._known(continuation, frames)
            generator = random_of(seed, self.lm.device)
            stream = None if callback is None else _Stream(self, callback)
            sampling = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
            codes = self.write(
                frames, reading, melody, known, stream, guidance=guidance, generator=generator,
                **sampling,
            )  # fmt: skip
            return self.decode(codes) if stream is None else stream.end()

    @torch.no_grad()
    def write(
        self,
        frames: int,
        reading: Reading,
        melody: Tensor | None = None,
        known: Tensor | None = None,
        heard: Callable[[Tensor], None] | None = None,
        **sampling,
    ) -> Tensor:
        """Codes int64 [B, K, frames] in windows of the model's context.

        reading, melody, known, heard and sampling as in `MusicGenLM.sample`, of the whole piece.
        """
        context = min(self.lm.config.context, frames)
        hop = max(1, context - round(KEPT * context))
        given = 0 if known is None else known.shape[-1]
        pieces = [] if known is None else [known]
        if heard is not None and given:
            heard(known)
        done = given
        for start, _, end in windows(frames, context, hop, given):
            before = torch.cat(pieces, 2)[..., start:done] if pieces else None
            here = None if melody is None else melody[..., start:end]
            window = self.lm.sample(end - start, reading, here, before, heard=heard, **sampling)
            pieces.append(window[..., done - start :])
            done = end
        return torch.cat(pieces, 2)

    def decode(self, codes: Tensor) -> Tensor:
        """Audio [B, channels, F * hop] of codes int64 [B, K, F]."""
        parts = [codes[:, i :: self.lm.config.channels] for i in range(self.lm.config.channels)]
        return torch.cat([self.codec.decode_codes(part) for part in parts], 1)

    def encode(self, audio: Tensor) -> Tensor:
        """Codes int64 [B, K, F] of audio [B, channels, T]."""
        channels = self.lm.config.channels
        count = self.lm.config.codebooks // channels
        audio = audio.to(next(self.codec.parameters()))  # its device and dtype
        parts = [self.codec.encode(audio[:, i : i + 1], count).codes for i in range(channels)]
        return torch.stack(parts, 2).flatten(1, 2)  # [B, K / channels, channels, F]

    def _given(
        self, name: str, audio: Tensor, batch: int, channels: int, sample_rate: int | None
    ) -> Tensor:
        """Audio that is given, for each item, at the codec's rate; ValueError where it can't be."""
        rates = (sample_rate, self.sample_rate)
        return given_audio(name, audio, batch, channels, rates).to(self.lm.device)

    def _known(self, audio: Tensor, frames: int) -> Tensor:
        """Codes of the whole frames of audio [B, channels, T] that pieces begin with."""
        whole = audio.shape[-1] // self.codec.hop
        if not 1 <= whole < frames:
            raise ValueError(
                f"The continuation has {whole} whole frames of {self.codec.hop} samples; it takes "
                f"from 1 to {frames - 1} to leave something to write."
            )
        return self.encode(audio[..., : whole * self.codec.hop])


class _Stream:
    """Frames in, audio to a callback, about half a second at a time.

    A codec that sees the future is heard as a whole, at the end.
    """

    def __init__(self, model: MusicGen, callback: Callable[[Tensor], None]):
        self.model, self.callback = model, callback
        self.channels = model.lm.config.channels
        streams = model.codec.config.stack.streams
        self.decoders = [StreamingDecoder(model.codec) for _ in range(self.channels * streams)]
        self.enough = round(PIECE * model.codec.frame_rate)  # frames
        self.waiting: list[Tensor] = []
        self.audio: list[Tensor] = []

    def __call__(self, codes: Tensor) -> None:
        self.waiting.append(codes)
        if self.decoders and sum(codes.shape[-1] for codes in self.waiting) >= self.enough:
            self._push(last=False)

    def end(self) -> Tensor:
        """All audio, once the last of it was heard."""
        self._push(last=True)  # with no frames too: a decoder may have waited for more
        return torch.cat(self.audio, 2)

    def _push(self, last: bool) -> None:
        codes = torch.cat(self.waiting, 2)
        self.waiting = [codes[..., :0]]
        if self.decoders:
            parts = [codes[:, i :: self.channels] for i in range(self.channels)]
            pairs = zip(self.decoders, parts, strict=True)
            audio = torch.cat([decoder.push(part, last) for decoder, part in pairs], 1)
        else:
            audio = self.model.decode(codes)
        if audio.shape[2]:
            self.audio.append(audio)
            self.callback(audio)
