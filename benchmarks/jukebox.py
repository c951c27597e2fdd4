"""Sampling one second of each of Jukebox's levels: our cache, no cache, LlamaForCausalLM.

    python benchmarks/jukebox.py [--threads 1] [--pairs 5] [--levels top middle bottom]
                                 [--width 128] [--layers 5] [--heads 4] [--no-uncached]

The three have the same random weights, in Llama's blocks (RMSNorm, SwiGLU, no biases), and the
same windows of 512 codes that overlap by half; labels, lyrics and codes above are left out, which
Llama has no place for. Theirs is transformers' LlamaForCausalLM with a StaticCache, its codes drawn
by the same function. Logits are first shown to be equal within 1e-5, otherwise nothing is timed.
One process, interleaved A B A B; a ratio is the median of the pairs' ratios, with its middle half.
The loop without a cache, which computes every window again for every code, is timed once. On one
thread times are those of the processor, which other work on the machine disturbs least; on more,
those of the clock. The last lines are what the shipped priors take, conditions and lyrics included.
"""

import argparse
import platform
import time
from collections.abc import Callable

import torch
import transformers
from codec import ratio
from host_reads import reads
from torch import Tensor

from course_lib import checkpoints
from course_lib.interop import from_transformers
from course_lib.models.jukebox_sampling import sample_windows, windows
from course_lib.nets import LanguageModel, sample

RATES = {"top": 125, "middle": 500, "bottom": 2000}
ENTRIES, CONTEXT, HOP = 512, 512, 0.5


class Theirs:
    """LlamaForCausalLM with a static cache, sampled as ours is."""

    def __init__(self, width: int, layers: int, heads: int):
        config = transformers.LlamaConfig(
            vocab_size=ENTRIES + 1,  # the last starts a window, as ours
            hidden_size=width,
            intermediate_size=8 * width // 3,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            rms_norm_eps=1e-5,
            max_position_embeddings=CONTEXT,
            attn_implementation="sdpa",
        )
        self.model = transformers.LlamaForCausalLM(config).eval()
        self.cache = transformers.StaticCache(config=config, max_cache_len=CONTEXT)

    def step(self, codes: Tensor, seen: int) -> Tensor:
        """Logits [1, F, V + 1] of codes [1, F] after `seen` others."""
        places = torch.arange(seen, seen + codes.shape[1])
        return self.model(
            codes,
            past_key_values=self.cache,
            position_ids=places[None],
            cache_position=places,
        ).logits

    def second(self, rate: int) -> Tensor:
        """Codes [rate] of one second."""
        codes = torch.zeros(1, rate, dtype=torch.int64)
        for start, known, end in windows(rate, CONTEXT, int(HOP * CONTEXT)):
            self.cache.reset()
            given = torch.cat([torch.full((1, 1), ENTRIES), codes[:, start:known]], 1)
            seen = 0
            for place in range(known, end):
                logits = self.step(given, seen)[:, -1, :ENTRIES]
                seen += given.shape[1]
                given = sample(logits)[:, None]
                codes[:, place] = given[:, 0]
        return codes[0]


def ours_of(theirs: Theirs) -> LanguageModel:
    """The same weights: entry 512, which starts a window, is our "nothing here"."""
    whole = from_transformers(theirs.model)
    c = whole.config
    ours = LanguageModel(type(c)(**{**c.__dict__, "entries": ENTRIES})).eval()
    state = whole.state_dict()
    state["embedding.weight"] = state["embedding.weight"][: ENTRIES + 1]
    state["head.weight"] = state["head.weight"][:ENTRIES]
    ours.load_state_dict(state)
    return ours


def second(ours: LanguageModel, rate: int) -> Tensor:
    """Codes [rate] of one second, with the cache."""
    return sample_windows(ours, rate, CONTEXT, HOP, lambda start, length: {})[0, 0]


def second_uncached(ours: LanguageModel, rate: int) -> Tensor:
    """The same without a cache: every code costs its whole window."""
    codes = torch.zeros(1, 1, rate, dtype=torch.int64)
    for start, known, end in windows(rate, CONTEXT, int(HOP * CONTEXT)):
        for place in range(known, end):
            logits = ours(codes[..., start : place + 1])[:, :, -1]
            codes[..., place] = sample(logits)
    return codes[0, 0]


def agree(ours: LanguageModel, theirs: Theirs) -> float:
    """The largest difference of logits over a window, whole and step by step; it must be small."""
    codes = torch.randint(ENTRIES, (1, 1, 100))
    codes[..., 0] = ENTRIES
    cache = ours.cache(1, CONTEXT)
    theirs.cache.reset()
    largest, seen = 0.0, 0
    for part in codes.split([40] + 60 * [1], 2):
        ours_says = ours.step(part, cache)[:, 0]
        theirs_says = theirs.step(part[:, 0], seen)[..., :ENTRIES]
        largest = max(largest, (ours_says - theirs_says).abs().max().item())
        seen += part.shape[-1]
    assert largest <= 1e-5, f"the logits differ by {largest:.1e}"
    return largest


def shipped(clock: Callable) -> None:
    """What the shipped priors take for a second of one piece, and what a second reads."""
    try:
        top = checkpoints.load("jukebox_top")
        upsamplers = checkpoints.load("jukebox_upsamplers")
    except FileNotFoundError as error:
        print(f"\n{error}")
        return
    labels = top.labels([None])
    phonemes = torch.ones(1, 40, dtype=torch.int64)
    start = clock()
    codes = top.sample(125, labels, phonemes)
    after_top = clock()
    middle = upsamplers.middle.sample(codes, labels)
    after_middle = clock()
    upsamplers.bottom.sample(middle, labels)
    end = clock()
    print(
        f"\nthe shipped priors, one second: top {after_top - start:.2f} s, middle "
        f"{after_middle - after_top:.2f} s, bottom {end - after_middle:.2f} s; an hour of "
        f"computing for {3600 / (end - start):.0f} s of music"
    )
    few = [reads(lambda n=n: top.sample(n, labels, phonemes)) for n in (20, 120)]
    print(f"100 codes more read {few[1] - few[0]} times more from the device")


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description="Sampling Jukebox's levels beside Llama.")
    parser.add_argument("--levels", nargs="*", default=list(RATES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--no-uncached", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    theirs = Theirs(options.width, options.layers, options.heads)
    ours = ours_of(theirs)
    count = sum(p.numel() for p in ours.parameters()) / 1e6
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, "
        f"{options.threads} thread(s), {platform.machine()}; {count:.2f} M parameters, logits "
        f"equal within {agree(ours, theirs):.1e}"
    )
    print(f"{'':28}{'ours':>13} {'theirs':>13}   theirs / ours")
    for level in options.levels:
        rate = RATES[level]
        line = ratio(
            lambda r=rate: second(ours, r), lambda r=rate: theirs.second(r), options.pairs, clock
        )
        print(f"{f'{level}, {rate} codes':28}{line}", flush=True)
        if not options.no_uncached:
            start = clock()
            second_uncached(ours, rate)
            print(f"{f'{level}, without a cache':28}{1000 * (clock() - start):10.1f} ms")
    shipped(clock)


if __name__ == "__main__":
    main()
