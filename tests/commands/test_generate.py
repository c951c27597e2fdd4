"""`course generate`: what it writes, what it says, what it refuses, what it leaves behind."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_diffusion import tiny_autoencoder, tiny_clap, tiny_denoiser, tiny_unet

from course_lib import checkpoints, cli
from course_lib.models import MusicGen, MusicGenLM, MusicGenLMConfig, TextTowerConfig
from course_lib.notebook import prompting

sys.path.insert(0, str(Path(__file__).parents[1] / "codec_file"))
from small_codec import small_codec  # noqa: E402

TEXT = TextTowerConfig(words=("a", "flute", "slow", "waltz"), width=8, layers=1, heads=2)


def small_lm(entries: int = 30) -> MusicGenLM:
    torch.manual_seed(0)
    config = MusicGenLMConfig(TEXT, entries=entries, width=16, layers=1, heads=2)
    return MusicGenLM(config).eval()


class Course:
    """`course generate` in this process, with small models."""

    def __init__(self, capsys, folder: Path):
        self.capsys, self.folder = capsys, folder

    def __call__(self, *arguments) -> tuple[int, list[str], list[str]]:
        status = cli.main(["generate", *map(str, arguments)])
        said = self.capsys.readouterr()
        return status, said.out.splitlines(), said.err.splitlines()

    def refused(self, *arguments) -> str:
        """The one line of an error, after which nothing new lies in the folder."""
        before = sorted(self.folder.iterdir())
        status, _, lines = self(*arguments)
        assert status == 2 and len(lines) == 1, lines
        assert sorted(self.folder.iterdir()) == before
        return lines[0]


@pytest.fixture
def course(capsys, monkeypatch, tmp_path) -> Course:
    models = {"codec": small_codec(), "musicgen": small_lm()}
    monkeypatch.setattr(checkpoints, "load", lambda name, mine=False: models[name])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    return Course(capsys, tmp_path)


@pytest.fixture
def diffusing(course, monkeypatch) -> Course:
    """The same with small parts of latent diffusion."""
    models = {
        "autoencoder": tiny_autoencoder(6),
        "clap": tiny_clap(("a", "flute", "slow", "waltz")),
        "diffusion": tiny_denoiser(tiny_unet(6)),
    }
    monkeypatch.setattr(checkpoints, "load", lambda name, mine=False: models[name])
    return course


def test_diffusion_makes_a_file_too(diffusing, tmp_path):
    arguments = ("a slow waltz", "--model", "diffusion", "--seconds", "1.5", "--seed", "3")
    status, said, errors = diffusing(*arguments, "-o", tmp_path / "one.wav")
    assert status == 0 and not errors
    assert said == [f"{tmp_path / 'one.wav'}: 1.5 s at 16000 Hz"]
    audio, rate = soundfile.read(tmp_path / "one.wav")
    assert rate == 16000 and audio.shape == (24000,) and np.abs(audio).max() <= 1
    diffusing(*arguments, "-o", tmp_path / "two.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_diffusion_follows_no_melody(diffusing, tmp_path):
    melody = tmp_path / "tune.wav"
    soundfile.write(melody, np.zeros(16000), 16000)
    said = diffusing.refused("a waltz", "--model", "diffusion", "--melody", melody)
    assert "follows no melody" in said
    assert "600" in diffusing.refused("a waltz", "--model", "diffusion", "--seconds", "1e6")


def test_a_sentence_becomes_a_file(course, tmp_path):
    target = tmp_path / "waltz.wav"
    status, said, errors = course("a slow waltz", "-o", target, "--seconds", "1.5", "--seed", "3")
    assert status == 0 and not errors
    assert said == [f"{target}: 1.5 s at 16000 Hz"]
    told = soundfile.info(target)
    assert (told.samplerate, told.channels, told.frames) == (16000, 1, 24000)
    once = soundfile.read(target)[0]
    assert np.abs(once).max() > 0
    assert course("a slow waltz", "-o", target, "--seconds", "1.5", "--seed", "3", "-f")[0] == 0
    assert np.array_equal(once, soundfile.read(target)[0])
    course("a slow waltz", "-o", target, "--seconds", "1.5", "--seed", "4", "-f")
    assert not np.array_equal(once, soundfile.read(target)[0])
    assert [path.name for path in tmp_path.iterdir()] == ["waltz.wav"]


def test_what_is_not_understood_is_said_and_it_plays_on(course, tmp_path):
    for prompt, line in (
        ("a slow walz", "Words never seen in training: 'walz' (near: waltz)."),
        ("", "Nothing in the prompt is known: it asks for nothing in particular."),
        ("🎺 вальс", "Nothing in the prompt is known: it asks for nothing in particular."),
    ):
        status, said, _ = course(prompt, "--seconds", "0.5", "-f")
        assert status == 0 and said[0] == line, said
    status, said, _ = course("waltz " * 400, "--seconds", "0.5", "-f")
    assert status == 0 and said[0].endswith("its end is left out.")
    assert [path.name for path in tmp_path.iterdir()] == ["music.wav"]


def test_a_melody_of_any_rate_is_followed(course, tmp_path):
    wave = 0.3 * np.sin(np.arange(44100) * 0.06)
    soundfile.write(tmp_path / "tune.wav", np.stack([wave, wave], 1), 44100)
    options = ("--seconds", "1", "--seed", "0")
    assert course("a waltz", *options, "-o", "with.wav", "--melody", "tune.wav")[0] == 0
    assert course("a waltz", *options, "-o", "without.wav")[0] == 0
    with_, without = (soundfile.read(f"{name}.wav")[0] for name in ("with", "without"))
    assert not np.array_equal(with_, without)


def test_of_a_long_melody_no_more_is_read_than_is_followed(course, tmp_path, monkeypatch):
    rate, seconds = 16000, 40
    wave = 0.3 * np.sin(np.arange(rate * seconds) * 2 * np.pi * 440 / rate)
    soundfile.write(tmp_path / "long.wav", wave, rate)
    given = []
    play = prompting.play

    def spy(*arguments, melody, **options):
        given.append(melody)
        return play(*arguments, melody=melody, **options)

    monkeypatch.setattr(prompting, "play", spy)
    options = ("a waltz", "--seconds", "1", "--seed", "0", "--melody", "long.wav")
    assert course(*options, "-o", "part.wav")[0] == 0
    assert given[0].shape == (1, 1, 2 * rate)
    whole = torch.from_numpy(soundfile.read("long.wav", dtype="float32")[0])[None, None]
    models = checkpoints.load("codec"), checkpoints.load("musicgen")
    want = MusicGen(*models).generate(["a waltz"], 1.0, melody=whole, seed=0)[0, 0]
    want = want / want.abs().max().clamp(min=1)
    np.testing.assert_allclose(soundfile.read("part.wav")[0], want, atol=1e-4)


def test_what_is_told_is_what_was_written(course, tmp_path):
    assert course("a waltz", "--seconds", "0.001")[1] == ["music.wav: 0.02 s at 16000 Hz"]
    assert soundfile.info("music.wav").duration == 0.02


def test_a_terminal_that_has_not_the_letters_stops_nothing(course, tmp_path, monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    assert cli.main(["generate", "slow вальс", "--seconds", "0.5", "-o", "вальс.wav"]) == 0
    sys.stdout.flush()
    assert b"Words never seen in training: '\\u0432" in shown.getvalue()
    assert (tmp_path / "вальс.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "x.txt"), "'.txt'; expected one of .wav, .flac"),
        (("-o", "nowhere/x.wav"), "There is no folder nowhere"),
        (("-o", "."), "is a folder; give the name of a file to write"),
        (("-o", "there.wav"), "there.wav is there already: -f overwrites it."),
        (("-o", "there.wav", "-f", "--melody", "there.wav"), "can't be read and written at once"),
        (("--melody", "missing.wav"), "missing.wav does not exist: check its name and folder."),
        (("--melody", "text.wav"), "is not a sound file that can be read"),
        (("--seconds", "100000"), "must be above 0 and at most 600"),
    ],
)
def test_what_can_not_be_done_is_a_sentence(course, tmp_path, arguments, said):
    soundfile.write(tmp_path / "there.wav", np.zeros(1600), 16000)
    (tmp_path / "text.wav").write_text("no sound at all, but words", encoding="utf-8")
    assert said in course.refused("a waltz", *arguments)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "x"])
def test_seconds_that_are_none_are_misused_options(capsys, seconds):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["generate", "a waltz", f"--seconds={seconds}"])
    assert stopped.value.code == 2
    assert "is not a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", str(2**63)])
def test_seeds_that_are_none_are_misused_options(capsys, seed):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["generate", "a waltz", f"--seed={seed}"])
    assert stopped.value.code == 2
    assert "is not a whole number from 0 to 2^63 - 1" in capsys.readouterr().err


def test_a_codec_that_does_not_fit_is_a_sentence(course, monkeypatch):
    models = {"codec": small_codec(), "musicgen": small_lm(entries=64)}
    monkeypatch.setattr(checkpoints, "load", lambda name, mine=False: models[name])
    assert "load those that were trained together" in course.refused("a waltz")


def test_stopped_it_leaves_nothing(course, tmp_path, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("course_lib.notebook.prompting.play", stop)
    status, _, errors = course("a waltz")
    assert status == 130 and errors[-1] == "Stopped. Nothing was written."
    assert list(tmp_path.iterdir()) == []
