"""How the singer's mouth shapes each phoneme: formants, levels, noises. Taught in notebook 10.

Formants of vowels are those of a singing tenor, F3 to F5 close together as the singer's formant
(Sundberg 1987, chapter 5; Peterson and Barney 1952). Places, noises and levels of consonants are
after Klatt, "Software for a cascade/parallel formant synthesizer" (JASA 67, 1980), table III.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A phoneme in the mouth. Frequencies and bandwidths in Hz, levels in dB.

    `formants` are F1 to F3, `widths` their bandwidths; `yields` says how far F2 and F3 give way to
    the vowel beside a consonant (0 to 1); `zero` is a nasal's antiformant; `voiced` the level of
    the vocal folds; `noise` names a band of NOISES and `level` its strength against a vowel. A stop
    is closed until `release` seconds before its end, when it bursts, its breath (`breath` dB)
    lasting until the vowel.
    """

    formants: tuple[float, float, float]
    widths: tuple[float, float, float] = (70.0, 90.0, 130.0)
    yields: float = 0.0
    zero: float | None = None
    voiced: float | None = 0.0
    noise: str | None = None
    level: float = 0.0
    release: float = 0.0
    breath: float | None = None


HIGHER = ((2950.0, 150.0), (3450.0, 190.0), (4500.0, 350.0), (5500.0, 450.0), (6500.0, 550.0),
          (7500.0, 650.0))  # fmt: skip
NOISES = {  # from, to in Hz
    "f": (1500.0, 7000.0),
    "s": (5000.0, 7500.0),
    "sh": (2300.0, 4600.0),
    "b": (400.0, 1200.0),
    "d": (3000.0, 5000.0),
    "t": (3600.0, 7000.0),
    "k": (1500.0, 2600.0),
}
_NASAL, _CLOSED = (60.0, 160.0, 220.0), (110.0, 150.0, 200.0)

SHAPES = {
    "a": Shape((720.0, 1180.0, 2550.0)),
    "e": Shape((470.0, 1850.0, 2550.0)),
    "i": Shape((290.0, 2180.0, 2800.0), (60.0, 100.0, 150.0)),
    "o": Shape((460.0, 830.0, 2500.0)),
    "u": Shape((320.0, 680.0, 2350.0), (60.0, 80.0, 130.0)),
    "m": Shape((260.0, 1000.0, 2150.0), _NASAL, 0.2, zero=750.0, voiced=-6.0),
    "n": Shape((260.0, 1550.0, 2550.0), _NASAL, 0.2, zero=1100.0, voiced=-6.0),
    "l": Shape((350.0, 1050.0, 2750.0), (70.0, 120.0, 160.0), 0.3, voiced=-2.0),
    "r": Shape((340.0, 1150.0, 1620.0), (80.0, 120.0, 130.0), 0.2, voiced=-1.0),
    "f": Shape((320.0, 1050.0, 2150.0), _CLOSED, 0.4, voiced=None, noise="f", level=-31.0),
    "s": Shape((320.0, 1700.0, 2600.0), _CLOSED, 0.3, voiced=None, noise="s", level=-21.0),
    "sh": Shape((320.0, 1850.0, 2450.0), _CLOSED, 0.3, voiced=None, noise="sh", level=-23.0),
    "b": Shape((200.0, 850.0, 2200.0), _CLOSED, 0.4, voiced=-16.0, noise="b", level=-21.0,
               release=0.012),
    "d": Shape((200.0, 1700.0, 2650.0), _CLOSED, 0.3, voiced=-16.0, noise="d", level=-18.0,
               release=0.014),
    "t": Shape((300.0, 1750.0, 2650.0), _CLOSED, 0.3, voiced=None, noise="t", level=-16.0,
               release=0.04, breath=-20.0),
    "k": Shape((300.0, 1850.0, 2400.0), _CLOSED, 0.5, voiced=None, noise="k", level=-15.0,
               release=0.045, breath=-20.0),
}  # fmt: skip
