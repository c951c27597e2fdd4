"""Chords as a player sees them: their tones, their written symbol, the nearest inversion."""

from collections.abc import Sequence

TONES = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "hdim7": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
}
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
}
PITCH_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def symbol(root: int, quality: str) -> str:
    """The label of a chord, such as "D:min" (Harte et al., ISMIR 2005)."""
    return f"{PITCH_NAMES[root % 12]}:{quality}"


def with_seventh(root: int, quality: str, scale: frozenset[int], melody: frozenset[int]) -> str:
    """The quality with the seventh that the scale has, unless the melody would rub against it."""
    if quality == "min" and (root + 10) % 12 in scale:
        return "min7"
    if quality == "maj" and (root + 10) % 12 in scale:
        return "7"
    if quality == "maj" and (root + 11) % 12 in scale and root % 12 not in melody:
        return "maj7"
    return quality


def tones(root: int, quality: str) -> tuple[int, ...]:
    """The pitch classes of a chord, root first. Raises ValueError for an unknown quality."""
    if quality not in TONES:
        raise ValueError(f"No chord quality is called {quality!r}: use one of {', '.join(TONES)}.")
    return tuple((root + step) % 12 for step in TONES[quality])


def nearest_inversion(
    pitch_classes: Sequence[int],
    previous: Sequence[int] | None,
    low: int,
    high: int,
    centre: float,
) -> tuple[int, ...]:
    """The close position within [low, high] that moves least from `previous`, near `centre`."""
    best, best_cost = None, float("inf")
    for bottom in range(low, high + 1):
        if bottom % 12 not in pitch_classes:
            continue
        chord = sorted(bottom + (pc - bottom) % 12 for pc in set(pitch_classes))
        if chord[-1] > high:
            break
        middle = sum(chord) / len(chord)
        cost = 0.6 * abs(middle - centre)
        if previous:
            cost += abs(chord[0] - previous[0]) + abs(chord[-1] - previous[-1])
        if cost < best_cost:
            best, best_cost = tuple(chord), cost
    if best is None:
        raise ValueError(f"No position of {tuple(pitch_classes)} fits between {low} and {high}.")
    return best


def nearest(pitch_class: int, to: float, low: int, high: int) -> int:
    """The pitch of this class within [low, high] that lies nearest to `to`; the lower of two."""
    pitches = [p for p in range(low, high + 1) if p % 12 == pitch_class % 12]
    if not pitches:
        raise ValueError(f"No pitch of class {pitch_class} lies between {low} and {high}.")
    return min(pitches, key=lambda pitch: abs(pitch - to))


def approach(now: int, target: int, scale: frozenset[int]) -> int:
    """The step of the scale next to `target` on the side of `now`."""
    side = 1 if now > target else -1
    return next((target + side * d for d in (1, 2) if (target + side * d) % 12 in scale), target)
