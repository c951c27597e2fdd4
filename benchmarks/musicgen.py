"""Our MusicGen beside MusicgenForConditionalGeneration of transformers: steps with guidance.

    python benchmarks/musicgen.py [--threads 1] [--pairs 5] [--batches 1 4 16] [--steps 200]
                                  [--width 256] [--layers 6] [--heads 4] [--device cpu]
                                  [--no-small]

Both have the same random weights and the same prompts of 20 tokens; text encoder and codec are
tiny, so that what is timed is the language model. Greedy guided codes are first shown to be
identical, otherwise nothing is timed; then both sample (top-k 250). One process, interleaved
A B A B; a ratio is the median of the pairs' ratios, with its middle half. On one thread times are
those of the processor, which other work on the machine disturbs least; on more, and on a GPU, those
of the clock. Then: the bare matrix products of a step; MusicGen-small's shape (24 layers of width
1024) against reading its weights once; how often a step reads back from the device; and how much
faster than real time the course's own size is, its codec included.
"""

import argparse
import platform
import statistics
from collections.abc import Callable

import torch
import transformers
from clocks import clock_of, seconds_of
from codec import ratio
from host_reads import reads
from torch import Tensor

from course_lib.interop import from_transformers
from course_lib.models import Codec, MusicGen, MusicGenLM, MusicGenLMConfig, TextTowerConfig
from course_lib.models.musicgen_lm import Reading
from course_lib.nets import sample
from course_lib.nets.guided_steps import GuidedSteps

TOKENS = 20  # of a prompt
SMALL = {"width": 1024, "layers": 24, "heads": 16, "entries": 2048}


class Pair:
    """A language model of transformers and ours, with one text and one codec."""

    def __init__(self, width: int, layers: int, heads: int, entries: int, device: str):
        decoder = transformers.MusicgenDecoderConfig(
            vocab_size=entries, pad_token_id=entries, bos_token_id=entries, hidden_size=width,
            ffn_dim=4 * width, num_hidden_layers=layers, num_attention_heads=heads,
            initializer_factor=0.3 / width**0.5,
        )  # fmt: skip
        text = transformers.T5Config(
            vocab_size=50, d_model=24, d_kv=6, d_ff=32, num_layers=1, num_heads=4
        )
        audio = transformers.EncodecConfig(
            target_bandwidths=[160.0], sampling_rate=16000, num_filters=4, hidden_size=8,
            codebook_size=entries, codebook_dim=8, upsampling_ratios=[5, 2], num_lstm_layers=1,
            use_causal_conv=False,
        )  # fmt: skip
        config = transformers.MusicgenConfig(
            text_encoder=text, audio_encoder=audio, decoder=decoder
        )
        self.theirs = transformers.MusicgenForConditionalGeneration(config).eval().to(device)
        for name in ("pad_token_id", "bos_token_id", "decoder_start_token_id"):
            setattr(self.theirs.generation_config, name, entries)
        self.ours = from_transformers(self.theirs).lm
        self.ids = torch.randint(2, 50, (16, TOKENS), device=device)

    def reading(self, batch: int) -> Reading:
        ids = self.ids[:batch]
        return self.ours.reading(*self.ours.text(ids, ids > 0)[:2])

    def ours_writes(self, batch: int, frames: int, greedy: bool = False) -> Tensor:
        temperature = 0 if greedy else 1.0
        return self.ours.sample(frames, self.reading(batch), guidance=3.0, temperature=temperature)

    def theirs_writes(self, batch: int, frames: int, greedy: bool = False) -> Tensor:
        """Codes [B, K, F], taken where they go to the codec."""
        ids, found = self.ids[:batch], []
        decode = self.theirs.audio_encoder.decode

        def taken(codes, *args, **kwargs):
            found.append(codes[0])
            return decode(codes[..., :1], *args, **kwargs)

        self.theirs.audio_encoder.decode = taken
        try:
            self.theirs.generate(
                input_ids=ids, attention_mask=(ids > 0).long(), do_sample=not greedy, top_k=250,
                guidance_scale=3.0, max_new_tokens=self.ours.config.pattern.count(frames),
            )  # fmt: skip
        finally:
            self.theirs.audio_encoder.decode = decode
        return found[0]


def agree(pair: Pair, batch: int, frames: int) -> None:
    """Greedy guided codes must be identical."""
    ours, theirs = (f(batch, frames, greedy=True) for f in (pair.ours_writes, pair.theirs_writes))
    assert ours.unique().numel() > 10, "the codes say nothing"
    assert torch.equal(ours, theirs), "the codes differ"


def matrices(lm: MusicGenLM) -> list[Tensor]:
    """Every matrix that a step multiplies by: all but the embeddings and what reads the text."""
    blocks = lm.lm.transformer.blocks
    linears = [
        linear
        for b in blocks
        for linear in (
            b.attention.qkv,
            b.attention.out,
            b.cross.q,
            b.cross.out,
            b.mlp[0],
            b.mlp[-1],
        )
    ]
    return [linear.weight for linear in (*linears, lm.lm.head)]


def bare(lm: MusicGenLM, clock: Callable) -> tuple[float, float]:
    """Seconds that a guided step's matrix products take by themselves, and one reading of them."""
    weights = matrices(lm)
    inputs = {w.shape[1]: torch.randn(2, w.shape[1], device=w.device) for w in weights}
    products = seconds_of(lambda: [torch.mm(inputs[w.shape[1]], w.t()) for w in weights], clock, 15)
    return products, seconds_of(lambda: [w.sum() for w in weights], clock, 15)


def step_seconds(lm: MusicGenLM, reading: Reading, clock: Callable, steps: int) -> float:
    """Seconds of a guided step and of sampling from it, once there is a past; the median."""
    guided = GuidedSteps(lm.lm, steps + 1, *reading, guidance=3.0)
    codes = torch.zeros(len(reading.memory), lm.config.codebooks, 1, dtype=torch.int64)
    codes, found = codes.to(lm.device), []
    for _ in range(steps):
        start = clock()
        codes = sample(guided(codes), top_k=250)[..., None]
        found.append(clock() - start)
    return statistics.median(found)


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description="MusicGen's steps beside transformers.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 4, 16])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-small", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    clock = clock_of(options.threads, options.device)

    pair = Pair(options.width, options.layers, options.heads, 1024, options.device)
    count = sum(p.numel() for p in pair.ours.lm.parameters()) / 1e6
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, "
        f"{options.threads} thread(s), {platform.machine()}, {options.device}; "
        f"{count:.1f} M parameters, {options.steps} guided steps, greedy codes identical"
    )
    print(f"{'':28}{'ours':>13} {'theirs':>13}   theirs / ours")
    frames = options.steps - 3
    for batch in options.batches:
        agree(pair, batch, min(frames, 60))
        line = ratio(
            lambda b=batch: pair.ours_writes(b, frames),
            lambda b=batch: pair.theirs_writes(b, frames),
            options.pairs,
            clock,
        )
        print(f"{f'batch {batch}':28}{line}", flush=True)
    products, _ = bare(pair.ours, clock)
    alone = step_seconds(pair.ours, pair.reading(1), clock, options.steps)
    print(
        f"\nbatch 1: {1 / alone:.0f} steps a second; the bare products of a step would allow "
        f"{1 / products:.0f}"
    )
    count = [reads(lambda n=n: pair.ours.sample(n, pair.reading(1))) for n in (10, 110)]
    print(f"100 steps more read {count[1] - count[0]} times more from the device")
    real_time(clock, options.device)
    if not options.no_small:
        small = Pair(**SMALL, device=options.device)
        agree(small, 1, 10)
        _, reading = bare(small.ours, clock)
        step = step_seconds(small.ours, small.reading(1), clock, 25)
        print(
            f"MusicGen-small's shape, batch 1: {1000 * step:.0f} ms a guided step, "
            f"{step / reading:.2f} times the {1000 * reading:.0f} ms of reading its weights once"
        )


def real_time(clock: Callable, device: str) -> None:
    """The course's own size, from prompt to audio."""
    lm = MusicGenLM(MusicGenLMConfig(text=TextTowerConfig(words=("a", "waltz"))))
    musicgen = MusicGen(Codec(), lm).eval().to(device)
    took = seconds_of(lambda: musicgen.generate(["a waltz"], seconds=4), clock, 3)
    print(f"the course's own size: {4 / took:.1f} times faster than real time, codec included")


if __name__ == "__main__":
    main()
