"""What the notebooks use to play, show, measure, check and go on. One import line:

    from course_lib.notebook import check, keep, players, profile, show_spectrogram

Hear
    player(audio, sample_rate=16000, label=None, reference=None, quieter_db=0, seconds=4.0)
    players({label: audio, ...}, sample_rate=16000, reference=None, quieter_db=0, seconds=4.0, broken=())
        A table of small mono players at one loudness; each row says in words what was measured.
        `audio` is [T], [C, T] or [1, C, T] (tensor or array), or a Clip. `reference`: the sound the
        others are measured against (its label, or audio). `broken`: labels played 12 dB lower;
        `quieter_db` lowers the whole table.
    describe(audio, sample_rate=16000, reference=None) -> Description   (print it, or read its fields)
    keep(name, audio, sample_rate=16000) -> Path       saves a sound of yours; `course album` shows all

See (each returns a Picture: last line of the cell, or display(...); alternative text is written for
you, `alt=` adds to it; `title=` names the panel)
    show_waveform(audio, sample_rate=16000)            show_spectrogram(audio, sample_rate=16000)
    show_mel(log_mel, sample_rate=16000, hop=256)      log_mel [n_mels, F] or [1, n_mels, F]
    show_piano_roll(notes, beats=None)                 {stem: events} as in Clip.notes
    show_curves({label: values or (x, y)}, x="step", y="loss", log=False)
    show_bars({label: value}, y="share")               show_matrix(values, x="", y="")
    side_by_side(picture, picture, ...)                several pictures in one row
    picture(figure, alt)                               your own matplotlib figure; `alt` is required
    COLOURS                                            the colour-blind-safe palette (Okabe and Ito)

Run
    profile() -> Profile(name, device, size)           .choose(quick=..., full=...)   COURSE_PROFILE
        .size goes to songbook.load(size=...), .device to models; .time(60, full=900) says how long.
    Live(title, sound=None, every=None, sample_rate=16000)   a callback of `fit`: progress, curves and a
        sound at intervals, in one output that stays clean when the notebook is committed.

Exercises
    check("01.nearest_entry", nearest_entry)           prints correct, not done yet, or the likely mistake
    blind_test(name, a, b, kind="abx", trials=12, question=None, sample_rate=16000, names=("A", "B"))
        ABX or preference test; "run all" never waits for it.
"""

import importlib

_HOMES = {
    "Live": "live",
    "COLOURS": "plots",
    "Description": "description",
    "Picture": "plots",
    "Profile": "profiles",
    "blind_test": "blind_tests",
    "check": "checking",
    "describe": "description",
    "keep": "album",
    "picture": "plots",
    "player": "listening",
    "players": "listening",
    "profile": "profiles",
    "show_bars": "plots",
    "show_curves": "plots",
    "show_matrix": "plots",
    "show_mel": "plots",
    "show_piano_roll": "plots",
    "show_spectrogram": "plots",
    "show_waveform": "plots",
    "side_by_side": "plots",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"course_lib.notebook has no '{name}'; it has {', '.join(__all__)}.")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # so that a submodule of the same name never hides it
    return value
