"""Our codec beside EncodecModel and DacModel of transformers: the same weights, audio and threads.

    python benchmarks/codec.py [--models encodec dac] [--seconds 0 1 10 60] [--pairs 10]
                               [--threads 1] [--minutes 30]

0 seconds is one frame. One process, published sizes with random weights, interleaved A B A B; a
ratio is the median of the pairs' ratios, with its middle half. Codes are first shown to be equal
and waveforms to be within 1e-5, otherwise nothing is timed. On one thread times are those of the
processor, which other work on the machine disturbs least; on more, those of the clock. Weight norm
is folded in ours, live in EncodecModel, which has no way to fold it, and folded in DacModel.
The last lines say how often an encode and decode reads back from the device, how many times faster
than real time the course's own codec is, and what memory a long file takes.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
import transformers
from host_reads import reads
from torch.nn.utils import parametrize

from course_lib.interop import from_transformers
from course_lib.models import PRESETS, Codec, StreamingDecoder, StreamingEncoder

KBPS = 6.0  # of EnCodec: 8 of 32 codebooks


class Encodec:
    """EncodecModel at 24 kHz, and ours."""

    def __init__(self):
        self.theirs = transformers.EncodecModel(transformers.EncodecConfig()).eval()
        with torch.no_grad():  # transformers leaves codebooks 0
            for layer in self.theirs.quantizer.layers:
                layer.codebook.embed.normal_(std=0.1)
        self.ours = from_transformers(self.theirs)
        self.n = self.theirs.quantizer.get_num_quantizers_for_bandwidth(KBPS)

    def their_encode(self, x):
        return self.theirs.encode(x, bandwidth=KBPS).audio_codes[0]

    def their_decode(self, codes):
        return self.theirs.decode(codes[None], [None])[0]


class Dac:
    """DacModel at 16 kHz, and ours; with lengths that both can."""

    def __init__(self):
        self.theirs = transformers.DacModel(transformers.DacConfig()).eval()
        for module in self.theirs.modules():
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight")
        self.ours = from_transformers(self.theirs)
        self.n = self.theirs.config.n_codebooks

    def their_encode(self, x):
        return self.theirs.encode(x).audio_codes

    def their_decode(self, codes):
        return self.theirs.decode(audio_codes=codes).audio_values[:, None]


def agree(pair, x) -> torch.Tensor:
    """The codes of both, once they and the audio made of them are shown to be the same."""
    codes = pair.ours.encode(x, pair.n).codes
    assert torch.equal(codes, pair.their_encode(x)), "the codes differ"
    audio = pair.their_decode(codes)
    ours = pair.ours.decode_codes(codes)[..., : audio.shape[-1]]
    torch.testing.assert_close(ours, audio, rtol=0, atol=1e-5)
    return codes


def ratio(ours: Callable, theirs: Callable, pairs: int, clock: Callable) -> str:
    def seconds(function):
        start = clock()
        function()
        return clock() - start

    times = [(seconds(ours), seconds(theirs)) for _ in range(pairs + 1)][1:]
    ratios = sorted(b / a for a, b in times)
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    a, b = (1000 * statistics.median(side) for side in zip(*times, strict=True))
    return f"{a:10.1f} ms {b:10.1f} ms   {statistics.median(ratios):5.2f} ({low:.2f} to {high:.2f})"


def compare(name: str, pair, options, clock: Callable) -> None:
    hop, rate = pair.ours.hop, pair.ours.sample_rate
    for seconds in options.seconds:
        frames = max(1, round(seconds * rate / hop))
        x = 0.1 * torch.randn(1, 1, frames * hop)
        codes = agree(pair, x)
        pairs = max(3, min(options.pairs, round(20 / max(seconds, 0.1))))
        label = f"{name}, {f'{seconds:g} s' if seconds else '1 frame'}"
        encode = ratio(
            lambda x=x: pair.ours.encode(x, pair.n), lambda x=x: pair.their_encode(x), pairs, clock
        )
        print(f"{label + ', encode':28}{encode}", flush=True)
        decode = ratio(
            lambda codes=codes: pair.ours.decode_codes(codes),
            lambda codes=codes: pair.their_decode(codes),
            pairs,
            clock,
        )
        print(f"{label + ', decode':28}{decode}", flush=True)
    x = 0.1 * torch.randn(1, 1, 10 * hop)
    ours = reads(lambda: pair.ours.decode(pair.ours.encode(x, pair.n)))
    theirs = reads(lambda: pair.their_decode(pair.their_encode(x)))
    print(f"{name + ', reads from the device per encode and decode':60}{ours:4d} {theirs:6d}")


def course(clock: Callable) -> None:
    """How fast the course's codec is, as a whole and frame by frame, and what a step reads."""
    codec = Codec(PRESETS["course_16khz"])
    x = 0.1 * torch.randn(4, 1, 8000)
    codec(x)  # places the codebooks
    step = reads(lambda: (lambda o: (o.audio.square().mean() + o.commitment).backward())(codec(x)))
    codec.eval()
    x = 0.1 * torch.randn(1, 1, 10 * codec.sample_rate)
    codec.decode(encoded := codec.encode(x))
    start = clock()
    encoded = codec.encode(x)
    middle = clock()
    codec.decode(encoded)
    end = clock()
    print(f"\ncourse_16khz: a training step reads {step} times from the device")
    print(
        f"course_16khz, 10 s: {10 / (middle - start):.0f} times real time encoding, "
        f"{10 / (end - middle):.0f} decoding"
    )
    encoder, decoder = StreamingEncoder(codec), StreamingDecoder(codec)
    spent = []
    for hop in x[..., : 2 * codec.sample_rate].split(codec.hop, -1):
        start = clock()
        decoder.push(encoder.push(hop))
        spent.append(1000 * (clock() - start))
    frame = 1000 * codec.hop / codec.sample_rate
    print(
        f"course_16khz, frame by frame: {statistics.median(spent):.1f} ms of computing for each "
        f"{frame:.0f} ms; latency {frame:.0f} ms + {statistics.median(spent):.1f} ms"
    )


def long_file(minutes: float) -> None:
    """Memory and time for a file of `minutes`, read block by block and never whole in memory."""
    import resource  # not on Windows

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    codec = Codec(PRESETS["course_16khz"]).eval()
    block = 0.1 * torch.randn(1, 1, 10 * codec.sample_rate)
    codec.decode(codec.encode(block))
    before, start, samples = peak(), time.perf_counter(), 0
    encoder, decoder = StreamingEncoder(codec), StreamingDecoder(codec)
    for _ in range(round(6 * minutes)):
        samples += decoder.push(encoder.push(block)).shape[-1]
    samples += decoder.push(encoder.flush(), last=True).shape[-1]
    assert samples == round(6 * minutes) * block.shape[-1]
    taken = time.perf_counter() - start
    print(
        f"course_16khz, {minutes:g} min ({samples / 1e6:.1f} M samples) there and back by blocks "
        f"of 10 s: {taken:.0f} s, at most {peak() - before:.0f} MB more than one block took"
    )


@torch.no_grad()
def models(options, clock: Callable) -> None:
    torch.manual_seed(0)
    print(f"{'':28}{'ours':>13} {'theirs':>13}   theirs / ours")
    for name, kind in (("encodec", Encodec), ("dac", Dac)):
        if name in options.models:
            compare(name, kind(), options, clock)


def main() -> None:
    parser = argparse.ArgumentParser(description="Our codec beside those of transformers.")
    parser.add_argument("--models", nargs="*", default=["encodec", "dac"])
    parser.add_argument("--seconds", nargs="*", type=float, default=[0, 1, 10, 60])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, "
        f"{options.threads} thread(s), {platform.machine()}"
    )
    models(options, clock)
    course(clock)
    if options.minutes:
        long_file(options.minutes)


if __name__ == "__main__":
    main()
