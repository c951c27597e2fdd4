"""What the notebooks use to play, show, measure, check and go on. One import line:

    from course_lib.notebook import check, keep, players, profile, show_spectrogram

Hear
    player(sound, sample_rate=16000, label=None, **options of players)
    players({label: sound, ...}, sample_rate=16000, reference=None, quieter_db=0, seconds=4.0,
            broken=())
        A table of small mono players at one loudness; each row says in words what was measured.
        A sound is [T], [C, T] or [1, C, T] (tensor or array), or a Clip. `reference`: what the
        others are measured against (a label of the table, or a sound). `broken`: labels played
        12 dB lower; `quieter_db` lowers the whole table.
    slide({label: sound, ...}, title="", reference=None)
        A slider over the same sounds: moving it plays. A committed notebook keeps no widget, so a
        table of players goes with it.
    choose({label: sound, ...}) -> Choice
        The same table with a button for each; `.kept` and `.index` say which one the listener
        keeps, the first until then: "run all" never waits.
    prompt(musicgen, judge=None, first="A slow waltz …", seconds=4.0)
        A box to type a sentence into, a progress bar and a player; unknown words are struck out in
        grey. The first sentence is played at once, so that "run all" never waits.
    search(clap, clips, vectors=None, first="a slow waltz with strings", count=3)
        A box to type words into; the clips nearest to them are played. The first words are
        searched for at once, so that "run all" never waits.
    steer(diffusion, prompt="Driving, fast house …", places=((1, 3.0), (20, 3.0), …), seconds=3.0)
        What a prompt becomes at some (steps, guidance), and sliders for all others: moving one
        makes the sound anew, from the same noise, and plays it.
    inpaint(diffusion, {label: sound, ...}, first=(1.0, 2.0), prompt="", seconds=4.0)
        A hole drawn into a waveform, from a time to another, and filled; the first one is filled at
        once, so that "run all" never waits.
    ladder_clips() -> {label: Clip}    the two held-out clips of the whole course, then "mine" (4 s)
    describe(sound, sample_rate=16000, reference=None) -> Description
        Print it, or read .loudness .brightness .above_4khz .attack .pitch_error .peak .seconds
    keep(name, sound, sample_rate=16000) -> Path     saves a sound of yours (`course album`)

See: each returns a Picture (last line of a cell, or display(...)); its alternative text is written
for you, `alt=` adds a sentence on what one should notice; `title=` names the panel
    show_waveform(sound, sample_rate=16000)          show_spectrogram(sound, sample_rate=16000)
    show_mel(log_mel, sample_rate=16000, hop=256)    log_mel [n_mels, F] or [1, n_mels, F]
    show_piano_roll(notes, beats=None)               {stem: events} as in Clip.notes
    show_curves({label: values or (xs, values)}, x="step", y="loss", log=False)
    show_bars({label: value}, y="share")             show_matrix(values, x="", y="", upwards=False)
    side_by_side(picture, picture, ...)              several pictures in one row
    picture(figure, alt)                             your own matplotlib figure; `alt` is required
    COLOURS                                          the colour-blind-safe palette (Okabe, Ito)

Run
    profile() -> Profile(name, device, size)         from COURSE_PROFILE=quick|full
        .choose(quick=..., full=...) picks steps, batch, clips; .size goes to songbook.load(size=),
        .device to models; .time(60, full=900) says in words how long it takes.
    Live(steps, title="Training", model=None, sound=None, every=None, sample_rate=16000, keys=None)
        A callback of `fit` (pass progress=False beside it): progress, curves and sound(model) at
        intervals, in one output that stays clean when the notebook is committed.

Exercises
    check("01.nearest_entry", nearest_entry)         correct, not done yet, or the likely mistake
        Its check is a function in exercises/nb01.py; how to write one is in expecting.py.
    blind_test(name, a, b, kind="abx", trials=12, question=None, sample_rate=16000,
               names=("A", "B"))                     a and b: lists of sounds; "run all" never waits
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
    "choose": "choosing",
    "describe": "description",
    "inpaint": "inpainting",
    "keep": "album",
    "ladder_clips": "ladder",
    "picture": "plots",
    "player": "listening",
    "players": "listening",
    "profile": "profiles",
    "prompt": "prompting",
    "search": "searching",
    "show_bars": "plots",
    "show_curves": "plots",
    "show_matrix": "plots",
    "show_mel": "plots",
    "show_piano_roll": "plots",
    "show_spectrogram": "plots",
    "show_waveform": "plots",
    "side_by_side": "plots",
    "slide": "sliding",
    "steer": "steering",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"course_lib.notebook has no '{name}'; it has {', '.join(__all__)}.")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # so that a submodule of the same name never hides it
    return value
