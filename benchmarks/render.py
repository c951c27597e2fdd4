"""How many times faster than real time the band renders and mixes: one process, then all cores.

    python benchmarks/render.py

Each clip is new to the process: 5 s at 16 kHz, four stems, about 120 notes, every instrument in
turn. Results are printed, best of three runs, as other work on the machine only slows a run down.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from course_lib.songbook import band

SECONDS, RATE, CLIPS = 5.0, 16000, 48
SCALE = (0, 2, 4, 5, 7, 9, 11)


def parts(index: int) -> dict[str, tuple[str, list[band.Event]]]:
    """A made-up arrangement: stem -> (instrument, events)."""
    rng = np.random.default_rng(index)
    names = {
        stem: [
            n
            for n, i in band.INSTRUMENTS.items()
            if i.lowest <= low and i.highest >= high and (i.family in families) == inside
        ]
        for stem, low, high, families, inside in (
            ("lead", 62, 84, ("bass", "drums"), False),
            ("chords", 43, 76, ("bass", "drums"), False),
            ("bass", 31, 55, ("bass", "brass"), True),
            ("drums", 36, 60, ("drums",), True),
        )
    }
    key = int(rng.integers(-5, 6))

    def event(onset, duration, pitch):
        return band.Event(onset, duration, pitch, float(rng.uniform(0.5, 0.9)))

    def degree(k):
        return SCALE[k % 7]

    events = {
        "lead": [event(0.2 * k, 0.19, 67 + key + degree(rng.integers(7))) for k in range(25)],
        "chords": [
            event(0.6 * k, 0.5, 48 + key + third + degree(3 * k))
            for k in range(8)
            for third in (0, 4, 7)
        ],
        "bass": [event(0.3 * k, 0.28, 36 + key + degree(3 * (k // 2))) for k in range(16)],
        "drums": [
            event(0.15 * k, 0.1, drum)
            for k in range(33)
            for drum in ((42, 36), (42,), (42, 38), (42,))[k % 4]
        ],
    }
    return {stem: (names[stem][index % len(names[stem])], events[stem]) for stem in events}


def clip(index: int) -> float:
    stems = {
        stem: band.render(instrument, events, SECONDS, RATE, index)
        for stem, (instrument, events) in parts(index).items()
    }
    return float(np.abs(band.mix(stems, RATE)[0]).max())


def main() -> None:
    clip(0)  # reading the modules, the room, the noise
    speeds, shares = [], []
    for run in range(3):
        start, used = time.perf_counter(), time.process_time()
        for index in range(CLIPS):
            clip(1 + run * CLIPS + index)
        speeds.append(CLIPS * SECONDS / (time.perf_counter() - start))
        shares.append(CLIPS * SECONDS / (time.process_time() - used))
    print(
        f"one process: {max(speeds):.0f} times real time (runs: "
        f"{', '.join(f'{speed:.0f}' for speed in speeds)}), "
        f"{max(shares):.0f} for each second of processor time"
    )
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(clip, [0] * workers * 4))
        speeds = []
        for run in range(3):
            start = time.perf_counter()
            clips = range(1000 + run * workers * CLIPS, 1000 + (run + 1) * workers * CLIPS)
            list(pool.map(clip, clips, chunksize=8))
            speeds.append(len(clips) * SECONDS / (time.perf_counter() - start))
    print(
        f"{workers} processes: {max(speeds):.0f} times real time (runs: "
        f"{', '.join(f'{speed:.0f}' for speed in speeds)})"
    )


if __name__ == "__main__":
    main()
