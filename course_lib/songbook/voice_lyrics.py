"""Words for a melody, and when each of their phonemes is sung. Taught in notebook 10.

No poem is used, so that nothing is licensed and nothing can be guessed: a syllable is a consonant
and a vowel of `voice_phonemes`, each drawn evenly by the clip's own random generator, one in four
of those before a breath with a closing consonant. So lyrics follow from the clip's seed, split and
index, and a model that sings them has read them.

A syllable takes one note, or several short ones, for nobody sings ten syllables a second. Its vowel
begins on the note and its consonant before it, as singers do (Sundberg, "The Science of the
Singing Voice", 1987). The singer breathes after a long note every few seconds.
"""

from dataclasses import dataclass

import numpy as np

from course_lib.songbook.band import Event
from course_lib.songbook.voice_phonemes import CONSONANTS, VOWELS, Phoneme

VOICE = "voice"  # the name of the singer among the players
LOWEST, HIGHEST, CENTRE = 46, 70, 58  # MIDI numbers: a tenor
SYLLABLE = 0.24  # seconds, at least, from one syllable to the next
REST = 0.09  # a longer gap between notes parts two phrases
BREATHS = ((2.0, 0.45), (4.0, 0.2))  # after so many seconds, at the end of a note so long
BREATH, SHARE = 0.22, 0.35  # seconds of a breath, and the most that a note gives for it
SHORTEST = 0.14  # seconds: a phrase that the clip's end leaves shorter is not sung
CODAS = ("m", "n", "l", "s")
CODA_SHARE = 0.25
WORD = (0.25, 0.5, 0.25)  # shares of words with one, two and three syllables
LENGTHS = {
    "m": 0.075, "n": 0.075, "l": 0.07, "r": 0.07, "f": 0.095, "s": 0.105, "sh": 0.105,
    "b": 0.065, "d": 0.06, "t": 0.085, "k": 0.09,
}  # fmt: skip
AVOIDED = ("shit", "fuk", "fak", "tit", "dik", "kok", "kak", "nus", "slut", "bum")  # in a class
MOST = 0.45  # share of the time between two syllables that consonants may take


@dataclass(frozen=True)
class Lyrics:
    """What is sung: the notes as sung, the words, and every phoneme with its times.

    `phonemes` are (start, end, symbol) in seconds, in order, without overlap; `text` spells them.
    """

    notes: tuple[Event, ...]
    text: str
    phonemes: tuple[Phoneme, ...]


def write_lyrics(melody: tuple[Event, ...], rng: np.random.Generator) -> Lyrics:
    """Words to a melody without overlapping notes, moved by octaves into the singer's range."""
    phrases = [p for p in _phrases(in_range(melody)) if _end(p) - p[0].onset >= SHORTEST]
    texts, phonemes = [], []
    free = 0.0  # until then the singer is busy
    for phrase in phrases:
        starts = _syllable_starts(phrase)
        syllables = _syllables(len(starts), rng)
        phonemes += _timed(syllables, starts, _end(phrase), free)
        texts.append(_words(syllables, rng))
        free = _end(phrase)
    notes = tuple(note for phrase in phrases for note in phrase)
    return Lyrics(notes, ", ".join(texts), tuple(phonemes))


def in_range(melody: tuple[Event, ...]) -> tuple[Event, ...]:
    """The melody in the octave of the tenor; what a wide tune leaves outside moves by itself."""
    if not melody:
        return ()
    pitches = np.array([note.pitch for note in melody])

    def cost(octave: int) -> float:
        moved = pitches + 12 * octave
        outside = np.mean((moved < LOWEST) | (moved > HIGHEST))
        return 100 * outside + abs(moved.mean() - CENTRE)

    pitches = pitches + 12 * min(range(-5, 6), key=cost)
    pitches = np.where(pitches < LOWEST, pitches + 12 * np.ceil((LOWEST - pitches) / 12), pitches)
    pitches = np.where(pitches > HIGHEST, pitches - 12 * np.ceil((pitches - HIGHEST) / 12), pitches)
    return tuple(
        Event(note.onset, note.duration, int(pitch), note.velocity)
        for note, pitch in zip(melody, pitches, strict=True)
    )


def _end(phrase: list[Event]) -> float:
    return phrase[-1].onset + phrase[-1].duration


def _phrases(notes: tuple[Event, ...]) -> list[list[Event]]:
    """The notes sung in one breath; the last of them gives up some time for the next breath."""
    phrases: list[list[Event]] = []
    for i, note in enumerate(notes):
        if i == 0 or note.onset - _end(phrases[-1]) > REST:
            phrases.append([note])
            continue
        last = phrases[-1][-1]
        sung = _end(phrases[-1]) - phrases[-1][0].onset
        if any(sung >= after and last.duration >= long for after, long in BREATHS):
            shorter = last.duration - min(BREATH, SHARE * last.duration)
            phrases[-1][-1] = Event(last.onset, shorter, last.pitch, last.velocity)
            phrases.append([note])
        else:
            phrases[-1].append(note)
    return phrases


def _syllable_starts(phrase: list[Event]) -> list[float]:
    """The onsets on which a syllable begins: each note's that has time for one."""
    starts = [phrase[0].onset]
    for note in phrase[1:]:
        if note.onset - starts[-1] >= SYLLABLE and _end(phrase) - note.onset >= SHORTEST:
            starts.append(note.onset)
    return starts


def _syllables(count: int, rng: np.random.Generator) -> list[list[str]]:
    """So many syllables, drawn again where they would spell a word of AVOIDED."""
    while True:
        syllables = [[_pick(CONSONANTS, rng), _pick(VOWELS, rng)] for _ in range(count)]
        if rng.random() < CODA_SHARE:
            syllables[-1].append(_pick(CODAS, rng))
        spelt = "".join(map("".join, syllables))
        if not any(word in spelt for word in AVOIDED):
            return syllables


def _timed(
    syllables: list[list[str]], starts: list[float], end: float, free: float
) -> list[Phoneme]:
    """Consonants before their note, vowels from the note to the next consonant."""
    edges = [*starts, end]
    lengths = []
    for k, (consonant, *_) in enumerate(syllables):
        before = starts[k] - (starts[k - 1] if k else free)
        lengths.append(min(LENGTHS[consonant], MOST * before))
    timed = []
    for k, (consonant, vowel, *coda) in enumerate(syllables):
        begin, vowel_start = starts[k] - lengths[k], starts[k]
        if lengths[k] < 0.6 * LENGTHS[consonant]:  # no time before the note: the vowel waits
            begin = max(free, starts[k] - lengths[k])
            vowel_start = begin + min(LENGTHS[consonant], MOST * (edges[k + 1] - begin))
        stop = edges[k + 1] - (lengths[k + 1] if k + 1 < len(lengths) else 0.0)
        timed.append((begin, vowel_start, consonant))
        if coda:
            close = stop - min(LENGTHS[coda[0]], MOST / 2 * (stop - vowel_start))
            timed += [(vowel_start, close, vowel), (close, stop, coda[0])]
        else:
            timed.append((vowel_start, stop, vowel))
    return timed


def _words(syllables: list[list[str]], rng: np.random.Generator) -> str:
    """The syllables joined to words of one to three."""
    spelt = ["".join(syllable) for syllable in syllables]
    words = []
    while spelt:
        count = 1 + int(rng.choice(3, p=WORD))
        words.append("".join(spelt[:count]))
        spelt = spelt[count:]
    return " ".join(words)


def _pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]
