"""MusicGen: patterns in training and generation, guidance, melody, windows, streams, bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_codecs import REFLECT, TINY, make

from course_lib.models import MusicGen, MusicGenLM, MusicGenLMConfig, TextTowerConfig
from course_lib.models.musicgen_lm import Reading
from course_lib.nets.interleaving import (
    coarse_first,
    delay,
    flattening,
    parallel,
    partial_delay,
    partial_flattening,
    stereo_delay,
)

PATTERNS = (parallel, delay, partial_delay, coarse_first, partial_flattening, flattening)
WORDS = ("a", "flute", "slow", "waltz")
TEXT = TextTowerConfig(words=WORDS, width=8, layers=1, heads=2, longest=8)
# TINY codes 16 kHz audio in 4 codebooks of 16 entries at 1,600 frames a second.
CONFIG = MusicGenLMConfig(
    text=TEXT, entries=16, context=30, frame_rate=1600.0, width=16, layers=2, heads=2
)
SHORT = 20 / 1600  # seconds of 20 frames


def make_lm(**options) -> MusicGenLM:
    torch.manual_seed(0)
    lm = MusicGenLM(replace(CONFIG, **options)).eval()
    for name, parameter in lm.named_parameters():
        if "norm" not in name:  # fresh weights hardly prefer one code to another
            torch.nn.init.normal_(parameter, std=0.4)
    return lm


def make_musicgen(**options) -> MusicGen:
    return MusicGen(make(), make_lm(**options)).eval()


@pytest.fixture(scope="module")
def musicgen() -> MusicGen:
    return make_musicgen()


def some_codes(frames: int = 12, batch: int = 2) -> torch.Tensor:
    return torch.randint(16, (batch, 4, frames), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_code_is_made_of_what_is_written_before_it(pattern):
    lm = make_lm(pattern=pattern(4))
    codes, reading = some_codes(), lm.read(["a slow waltz", "flute"])
    steps = lm.config.pattern.steps(12)
    before = lm(codes, reading)
    for k, f in ((0, 5), (2, 5), (3, 0)):
        other = codes.clone()
        other[:, k, f] = (other[:, k, f] + 1) % 16
        changed = (lm(other, reading) - before).abs().amax((0, 3)) > 1e-6  # [K, F]
        assert not changed[steps <= steps[k, f]].any()
        later = steps > steps[k, f]
        assert changed[later].float().mean() > 0.9 if later.any() else True


@torch.no_grad()
@pytest.mark.parametrize("pattern", PATTERNS)
def test_training_and_generation_are_the_same_model(pattern):
    """Greedy codes are the likeliest by the teacher-forced logits of themselves."""
    lm = make_lm(pattern=pattern(4))
    reading, melody = lm.read(["a slow waltz", "flute"]), torch.rand(2, 12, 12)
    codes = lm.sample(12, reading, melody, guidance=1, temperature=0)
    assert torch.equal(lm(codes, reading, melody).argmax(-1), codes)
    guided = lm.sample(12, reading, melody, guidance=3, temperature=0)
    read, nothing = lm(guided, reading, melody), lm(guided, lm.nothing(2), None)
    assert torch.equal((nothing + 3 * (read - nothing)).argmax(-1), guided)
    assert not torch.equal(guided, codes)


def test_the_loss_is_of_every_code_and_of_nothing_else():
    lm = make_lm()
    codes, reading = some_codes(), lm.read(["a", "waltz"])
    torch.testing.assert_close(lm.loss(codes, reading), lm.nats(codes, reading).mean())
    assert lm.nats(codes, reading).shape == (2, 4)


@torch.no_grad()
def test_nothing_to_read_adds_nothing():
    lm = make_lm()
    codes = some_codes(batch=3)
    reading = lm.read(["", None, " \n"])
    assert not reading.memory.any() and not reading.valid.any()
    torch.testing.assert_close(lm(codes, reading), lm(codes, lm.nothing(3)))
    for block in lm.lm.transformer.blocks:  # whatever its cross-attention does
        torch.nn.init.normal_(block.cross.kv.weight, std=9.0)
    torch.testing.assert_close(lm(codes, reading), lm(codes, lm.nothing(3)))
    asked = lm.read(["a waltz"] * 3)
    assert (lm(codes, asked) - lm(codes, reading)).abs().max() > 0.1
    kept = asked.where(torch.tensor([True, False, True]))
    both = lm(codes, kept)
    torch.testing.assert_close(both[::2], lm(codes, asked)[::2])
    torch.testing.assert_close(both[1], lm(codes, reading)[1])


@torch.no_grad()
def test_padding_is_not_read():
    lm = make_lm()
    codes = some_codes()
    alone = lm(codes[:1], lm.read(["a waltz"]))
    together = lm(codes, lm.read(["a waltz", "a slow waltz a flute a flute"]))
    torch.testing.assert_close(together[:1], alone, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_melody_is_heard_when_it_sounds():
    lm = make_lm()
    codes, reading = some_codes(), lm.read(["a", "a"])
    silence, note = torch.zeros(2, 12, 12), torch.zeros(2, 12, 12)
    note[:, 3, 7:] = 1
    torch.testing.assert_close(lm(codes, reading, silence), lm(codes, reading))
    changed = (lm(codes, reading, note) - lm(codes, reading)).abs().amax((0, 3)) > 1e-6
    # Frame 7 of the first codebook stands in step 7, of the fourth in step 10.
    assert torch.equal(changed, lm.config.pattern.steps(12) >= 7)


@torch.no_grad()
@pytest.mark.parametrize("pattern", PATTERNS)
def test_known_codes_stay_and_are_gone_on_from(pattern):
    lm = make_lm(pattern=pattern(4))
    reading = lm.read(["a waltz", "flute"])
    melody = torch.rand(2, 12, 12, generator=torch.Generator().manual_seed(2))
    whole = lm.sample(12, reading, melody, guidance=2, temperature=0)
    heard = []
    again = lm.sample(
        12, reading, melody, whole[..., :5], guidance=2, temperature=0, heard=heard.append
    )
    assert torch.equal(again, whole)
    assert torch.equal(torch.cat(heard, 2), whole[..., 5:])
    other = lm.sample(12, reading, known=some_codes(5), guidance=2, temperature=0)
    assert torch.equal(other[..., :5], some_codes(5)) and not torch.equal(other, whole)


@torch.no_grad()
def test_nothing_is_read_back_from_the_device(host_reads):
    lm = make_lm()
    reading, melody = lm.read(["a waltz", "flute"]), torch.rand(2, 12, 12)
    with host_reads() as counter:
        few = lm.sample(4, reading, melody[..., :4], known=None)
        count = len(counter.reads)
        lm.sample(12, reading, melody)
    assert few.shape == (2, 4, 4) and len(counter.reads) == 2 * count


@torch.no_grad()
def test_the_same_seed_gives_the_same_audio(musicgen):
    prompts = ["a slow waltz", None]
    one, again, other = (musicgen.generate(prompts, SHORT, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (2, 1, 200)
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert not torch.equal(*(musicgen.generate(prompts, SHORT) for _ in range(2)))
    assert musicgen.generate(["a"], 0.00001).shape == (1, 1, 10)  # one frame
    assert [musicgen.frames(samples / 16000) for samples in (200, 201, 209)] == [20, 21, 21]


@torch.no_grad()
def test_a_model_in_training_writes_as_in_evaluation():
    musicgen = make_musicgen(text=replace(TEXT, dropout=0.5), dropout=0.5)
    want = musicgen.generate(["a slow waltz"], SHORT, seed=0)
    musicgen.train()
    assert torch.equal(musicgen.generate(["a slow waltz"], SHORT, seed=0), want)
    assert musicgen.training and musicgen.lm.training and musicgen.lm.text.training
    musicgen.codec.eval()  # a part that is in evaluation mode stays there
    musicgen.generate(["a"], SHORT)
    assert musicgen.lm.training and not musicgen.codec.training


@torch.no_grad()
def test_a_callback_hears_the_audio_as_it_is_written(musicgen, monkeypatch):
    monkeypatch.setattr("course_lib.models.musicgen.PIECE", 7 / 1600)
    pieces = []
    settings = {"seconds": 70 / 1600, "seed": 3}  # three windows of 30 frames
    audio = musicgen.generate(["a waltz", ""], callback=pieces.append, **settings)
    lengths = [piece.shape[-1] for piece in pieces]
    assert len(pieces) == 10 and max(lengths) == 70 and sum(lengths) == 700
    assert torch.equal(torch.cat(pieces, 2), audio)
    whole = musicgen.generate(["a waltz", ""], **settings)
    torch.testing.assert_close(audio, whole, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("piece", [1, 2, 3])
@pytest.mark.parametrize("frames", [1, 2, 20])
def test_a_codec_that_waits_at_its_edges_loses_no_audio(monkeypatch, piece, frames):
    """One that reflects its edges gives nothing for its first frames until more have come."""
    monkeypatch.setattr("course_lib.models.musicgen.PIECE", piece / 1600)
    musicgen = MusicGen(make(REFLECT, channels=1), make_lm()).eval()
    settings, pieces = {"seconds": frames / 1600, "seed": 3}, []
    audio = musicgen.generate(["a waltz"], callback=pieces.append, **settings)
    assert audio.shape == (1, 1, 10 * frames) and torch.equal(torch.cat(pieces, 2), audio)
    assert all(piece.shape[-1] for piece in pieces)
    torch.testing.assert_close(audio, musicgen.generate(["a waltz"], **settings))


@torch.no_grad()
def test_what_is_given_may_have_another_precision(musicgen):
    wave = 0.3 * torch.sin(torch.arange(1600) * 0.2)[None, None]
    settings = {"prompts": ["a"], "seconds": SHORT, "seed": 0}
    for name, sound in (("melody", wave), ("continuation", wave[..., :100])):
        want = musicgen.generate(**settings, **{name: sound})
        assert torch.equal(musicgen.generate(**settings, **{name: sound.double()}), want)
    half = MusicGen(make(), make_lm().bfloat16())
    assert half.generate(**settings, melody=wave, continuation=wave[..., :100]).isfinite().all()


@torch.no_grad()
def test_numbers_and_lists_of_other_kinds_will_do(musicgen):
    want = musicgen.generate(["a", "waltz"], SHORT, seed=3)
    prompts, seconds, seed = (p for p in ("a", "waltz")), np.float64(SHORT), np.int64(3)
    assert torch.equal(musicgen.generate(prompts, seconds, seed=seed), want)
    assert musicgen.frames(np.float32(1)) == musicgen.frames(np.int64(1)) == 1600


@torch.no_grad()
def test_a_piece_can_be_stopped_from_its_callback(musicgen, monkeypatch):
    monkeypatch.setattr("course_lib.models.musicgen.PIECE", 7 / 1600)

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        musicgen.generate(["a"], 70 / 1600, callback=stop)
    assert not musicgen.lm.training and musicgen.generate(["a"], SHORT).shape == (1, 1, 200)


@torch.no_grad()
def test_longer_pieces_go_on_window_by_window(musicgen):
    lm = musicgen.lm
    reading = lm.read(["a waltz"])
    melody = torch.rand(1, 12, 70)
    greedy = {"guidance": 2.0, "temperature": 0}
    codes = musicgen.write(70, reading, melody, **greedy)
    first = lm.sample(30, reading, melody[..., :30], **greedy)
    assert torch.equal(codes[..., :30], first)
    second = lm.sample(30, reading, melody[..., 18:48], known=first[..., 18:], **greedy)
    assert torch.equal(codes[..., 18:48], second)
    assert codes.shape == (1, 4, 70)


@torch.no_grad()
def test_a_continuation_begins_with_what_is_given(musicgen):
    given = 0.3 * torch.randn(1, 1, 105, generator=torch.Generator().manual_seed(0))
    audio = musicgen.generate(["a", "waltz"], SHORT, continuation=given, seed=0)
    known = musicgen.encode(given[..., :100])  # ten whole frames
    coded = musicgen.decode(known)
    assert audio.shape == (2, 1, 200)
    exact = musicgen.generate(["a", "waltz"], SHORT, continuation=given[..., :100], seed=0)
    assert torch.equal(audio, exact)
    torch.testing.assert_close(audio[..., :100], coded.expand(2, -1, -1), rtol=0, atol=1e-5)
    pieces = []
    heard = musicgen.generate(
        ["a", "waltz"], SHORT, continuation=given, seed=0, callback=pieces.append
    )
    torch.testing.assert_close(heard, audio, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_melody_of_another_rate_is_resampled_and_silence_says_nothing(musicgen):
    note = 0.3 * torch.sin(2 * torch.pi * 440 * torch.arange(1600) / 16000)[None, None]
    settings = {"seconds": SHORT, "seed": 0}
    plain = musicgen.generate(["a"], **settings)
    with_note = musicgen.generate(["a"], melody=note, **settings)
    # Taken for 16 kHz, 12 kHz would be a fifth higher; 8 kHz, an octave, would be the same class.
    slower = 0.3 * torch.sin(2 * torch.pi * 440 * torch.arange(1200) / 12000)[None, None]
    assert not torch.equal(plain, with_note)
    again = musicgen.generate(["a"], melody=slower, sample_rate=12000, **settings)
    torch.testing.assert_close(again, with_note, rtol=0, atol=1e-5)
    silence = musicgen.generate(["a"], melody=torch.zeros(1, 1, 1600), **settings)
    torch.testing.assert_close(silence, plain, rtol=0, atol=1e-5)


@torch.no_grad()
def test_prompts_that_say_little_or_too_much(musicgen):
    settings = {"seconds": SHORT, "seed": 0}
    nothing = musicgen.generate([None], **settings)
    torch.testing.assert_close(musicgen.generate([""], **settings), nothing)
    # What is longer than the tower reads is cut there.
    long = "a slow waltz " * 154  # 2,002 characters
    cut = musicgen.generate(["a slow waltz a slow waltz a"], **settings)
    torch.testing.assert_close(musicgen.generate([long], **settings), cut)
    for prompt in ("вальс с флейтой", "ワルツ", "🎻🎶", "bagpipes!"):
        audio = musicgen.generate([prompt], **settings)
        assert audio.isfinite().all() and audio.shape == (1, 1, 200)


@torch.no_grad()
def test_stereo_is_two_channels_of_codes():
    musicgen = make_musicgen(pattern=stereo_delay(4), channels=2)
    audio = musicgen.generate(["a"], SHORT, seed=0)
    assert audio.shape == (1, 2, 200)
    codes = musicgen.write(20, musicgen.lm.read(["a"]), temperature=0)
    left = musicgen.codec.decode_codes(codes[:, 0::2])
    assert torch.equal(musicgen.decode(codes)[:, :1], left)
    assert torch.equal(
        musicgen.encode(audio)[:, 1::2], musicgen.codec.encode(audio[:, 1:], 2).codes
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"seconds": 0}, ValueError, "seconds=0 must be above 0"),
        ({"seconds": -1.0}, ValueError, "seconds=-1.0"),
        ({"seconds": float("nan")}, ValueError, "seconds=nan"),
        ({"seconds": 1e9}, ValueError, "at most 600"),
        ({"seconds": "4"}, TypeError, "seconds='4'"),
        ({"prompts": "a waltz"}, TypeError, "come as a list"),
        ({"prompts": []}, ValueError, "no texts"),
        ({"prompts": [3]}, TypeError, "list"),
        ({"prompts": None}, TypeError, "come as a list of texts, not as None"),
        ({"seed": "a"}, ValueError, "seed='a' must be a whole number"),
        ({"seed": 1.5}, ValueError, "seed=1.5"),
        ({"seed": 2**70}, ValueError, "of 64 bits"),
        ({"temperature": -1.0}, ValueError, "temperature=-1.0"),
        ({"temperature": float("nan")}, ValueError, "temperature=nan"),
        ({"top_k": 0}, ValueError, "top_k=0"),
        ({"top_p": 2.0}, ValueError, "top_p=2.0"),
        ({"guidance": float("nan")}, ValueError, "guidance=nan"),
        ({"guidance": "3"}, TypeError, "guidance='3' must be a number"),
        ({"top_k": 2.5}, ValueError, "top_k=2.5 must be a whole number"),
        ({"melody": "song.wav"}, TypeError, "melody is of type str"),
        ({"melody": torch.zeros(1, 100)}, ValueError, "melody has shape"),
        ({"melody": torch.zeros(2, 1, 100)}, ValueError, "melody is of 2 pieces"),
        ({"melody": torch.full((1, 1, 100), torch.nan)}, ValueError, "melody has 100 .* NaN"),
        ({"melody": "tune.wav"}, TypeError, "melody is of type str"),
        ({"continuation": [0.1]}, TypeError, "continuation is of type list"),
        ({"melody": torch.ones(1, 1, 100), "sample_rate": 0}, ValueError, "from_rate"),
        ({"continuation": torch.ones(1, 2, 100)}, ValueError, "continuation has shape"),
        ({"continuation": torch.ones(1, 1, 9)}, ValueError, "0 whole frames"),
        ({"continuation": torch.ones(1, 1, 200)}, ValueError, "20 whole frames"),
    ],
)
def test_what_cannot_be_done_is_said(musicgen, arguments, error, words):
    arguments = {"prompts": ["a"], "seconds": SHORT} | arguments
    with pytest.raises(error, match=words):
        musicgen.generate(**arguments)


def test_a_codec_that_does_not_fit_is_named():
    for options in ({"entries": 8}, {"frame_rate": 50.0}, {"pattern": delay(5)}):
        with pytest.raises(ValueError, match="trained together"):
            MusicGen(make(), make_lm(**options))
    for codec in (replace(TINY, normalise=True), replace(TINY, channels=2)):
        with pytest.raises(ValueError, match="takes a mono codec"):
            MusicGen(make(codec), make_lm())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"text": None}, "give one of them"),
        ({"text_width": 8}, "give one of them"),
        ({"context": 0}, "context=0"),
        ({"channels": 3}, "channels=3"),
        ({"channels": 2, "pattern": delay(3)}, "divide 3 codebooks"),
    ],
)
def test_configurations_that_make_no_sense(options, words):
    with pytest.raises(ValueError, match=words):
        replace(CONFIG, **options)


def test_melodies_and_known_codes_that_do_not_fit():
    lm = make_lm()
    reading = lm.read(["a"])
    for arguments, words in (
        ({"melody": torch.zeros(1, 12, 5)}, "melody has shape"),
        ({"known": torch.zeros(2, 4, 3, dtype=torch.int64)}, "of 2 items"),
        ({"known": torch.full((1, 4, 3), 16)}, "run from 16"),
        ({"known": some_codes(12, 1)}, "leave nothing to write"),
    ):
        with pytest.raises(ValueError, match=words):
            lm.sample(12, reading, **arguments)
    with pytest.raises(ValueError, match="without a melody"):
        make_lm(melody=False).sample(12, reading, torch.zeros(1, 12, 12))
    without = MusicGenLM(replace(CONFIG, text=None, text_width=16))
    with pytest.raises(ValueError, match="no text encoder"):
        without.read(["a"])
    states = torch.randn(1, 3, 16)
    given = without.reading(states, torch.tensor([[True, True, False]]))
    assert isinstance(given, Reading)
    assert torch.equal(given.memory[:, :2], states[:, :2]) and not given.memory[:, 2].any()
