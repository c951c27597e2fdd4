"""The recipe of MusicGen, on a small model, a small codec and clips of noise and tones."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from course_lib import recipes
from course_lib.models import CodecConfig, MusicGenLM, MusicGenLMConfig, TextTowerConfig
from course_lib.models.codec import Codec
from course_lib.nets import SEANetConfig
from course_lib.nets.interleaving import delay
from course_lib.recipes import musicgen
from course_lib.training import Draws, fit

CPU = torch.device("cpu")
WORDS = ("a", "drums", "flute", "no", "waltz")
TEXT = TextTowerConfig(words=WORDS, width=8, layers=1, heads=2, longest=6)
CONFIG = MusicGenLMConfig(
    text=TEXT, entries=16, pattern=delay(2), context=60, width=16, layers=1, heads=2
)


class Clips:
    """Clips of 2 s: noise, whose lead is a note (A in even clips, C in odd ones)."""

    def __init__(self, clips: int = 6):
        self.clips = clips

    def __len__(self):
        return self.clips

    def batch(self, indices):
        seeds = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 32000, generator=seed) for seed in seeds])

    def solo(self, index):
        hertz = 440.0 if index % 2 == 0 else 261.63
        return 0.3 * torch.sin(2 * torch.pi * hertz * torch.arange(32000) / 16000)[None]

    def captions(self, index, drafts=1):
        texts = {m: f"a waltz {m}" for m in ("tags", "sentence", "description", "playlist")}
        return tuple(texts | {"tags": f"flute {'no ' * draft}drums"} for draft in range(drafts))


def codec() -> Codec:
    torch.manual_seed(0)
    stack = SEANetConfig(widths=(4, 8, 8), strides=(16, 20), units=1, padding="constant", lstm=0)
    made = Codec(CodecConfig(stack=stack, dim=8, entries=16, n_codebooks=4, levels=(4,))).eval()
    for stage in made.quantizer.stages:
        torch.nn.init.normal_(stage.codebook, std=0.2)
    return made


def model(**options) -> MusicGenLM:
    torch.manual_seed(0)
    return MusicGenLM(replace(CONFIG, **options))


@pytest.fixture(scope="module")
def clips() -> musicgen.CodedClips:
    return musicgen.CodedClips(Clips(), codec(), CONFIG, shifts=2, drafts=2)


def test_clips_are_coded_from_two_places_with_melodies_and_captions(clips):
    pieces = clips.batch(torch.tensor([3, 4]))
    audio = Clips().batch([3, 4])
    assert torch.equal(pieces.codes[:, 0].long(), codec().encode(audio, 2).codes)
    later = codec().encode(torch.nn.functional.pad(audio[..., 160:], (0, 160)), 2).codes
    assert torch.equal(pieces.codes[:, 1].long(), later)
    assert pieces.melodies[0, 0].unique().tolist() == [0]  # C
    assert pieces.melodies[1, 0].unique().tolist() == [9]  # A
    assert pieces.melodies[0, 1].unique().numel() > 3  # noise
    first = TEXT.tokenizer.encode(["flute drums"], 6)[0][0]
    assert pieces.ids.shape == (2, 8, 4) and pieces.ids[0, 0, :3].tolist() == first.tolist()
    assert pieces.ids[0, 4].tolist() == TEXT.tokenizer.encode(["flute no drums"])[0][0].tolist()


def test_silence_is_no_pitch_class(clips):
    hot = musicgen.one_hot(torch.tensor([[0, 11, 12]], dtype=torch.int8))
    assert hot.shape == (1, 12, 3)
    assert hot.sum(1).tolist() == [[1, 1, 0]] and hot[0, 11, 1] == 1


def record(monkeypatch, clips, steps: int = 40) -> list[tuple]:
    """(codes, reading, melody) that the model was given in some steps."""
    lm, found = model(), []

    def spy(codes, reading, melody):
        found.append((codes, reading, melody))
        return codes.new_zeros(())

    monkeypatch.setattr(lm, "loss", spy)
    for step in range(steps):
        draws = Draws(0, step, range(6), CPU)
        musicgen.loss(lm, clips.batch(torch.arange(6)), draws)
    return found


def test_parts_texts_and_melodies_are_drawn_and_left_out(monkeypatch, clips):
    given = record(monkeypatch, clips)
    reads = torch.cat([reading.valid.any(1) for _, reading, _ in given])
    hears = torch.cat([melody.any(2).any(1) for *_, melody in given])
    assert abs(1 - reads.float().mean() - musicgen.UNREAD) < 0.08
    assert not (hears & ~reads).any()  # what asks for nothing hears nothing
    assert abs(hears[reads].float().mean() - musicgen.UNHEARD) < 0.1
    whole = clips.pieces.codes.long()  # [6, 2, K, 100]
    shifts, starts = set(), set()
    for codes, _, melody in given:
        for item in range(6):
            places = [
                (shift, start)
                for shift in range(2)
                for start in range(41)
                if torch.equal(whole[item, shift, :, start : start + 60], codes[item])
            ]
            assert len(places) == 1
            shifts.add(places[0][0])
            starts.add(places[0][1])
            heard = melody[item].argmax(0)
            own = clips.pieces.melodies[item, :, places[0][1] : places[0][1] + 60]
            assert not melody[item].any() or (heard == own).all(1).any()
    assert shifts == {0, 1} and len(starts) > 30


def test_training_begins_with_the_codebooks_and_claps_tower():
    lm, of_codec = model(), codec()
    tower = model().text
    torch.nn.init.normal_(tower.embedding.weight)
    clap = SimpleNamespace(text=tower, config=SimpleNamespace(text=TEXT))
    parents = {"codec": of_codec, "clap": clap}
    musicgen.training(lm, parents)
    assert torch.equal(lm.text.embedding.weight, tower.embedding.weight)
    rows = lm.lm.embedding.weight.unflatten(0, (2, 17))[1, :16]
    of_stage = of_codec.quantizer.stages[1].codebook
    torch.testing.assert_close(
        torch.nn.functional.cosine_similarity(rows[:1], rows[1:]),
        torch.nn.functional.cosine_similarity(of_stage[:1], of_stage[1:]),
    )
    clap.config.text = replace(TEXT, longest=7)
    with pytest.raises(ValueError, match="another than MusicGen's"):
        musicgen.training(lm, parents)


def test_training_learns_and_the_card_says_what_the_text_is_worth(monkeypatch, clips):
    monkeypatch.setattr(musicgen, "BATCH", 4)
    lm = model()
    before = musicgen.test(lm.eval(), clips)
    assert set(before) == {
        "nats", "nats_unread", "nats_other_caption", "nats_melody", "nats_1", "nats_2"
    }  # fmt: skip
    assert abs(before["nats"] - (before["nats_1"] + before["nats_2"]) / 2) < 1e-3
    fit(
        lm, clips, musicgen.loss, steps=40, batch_size=6, warmup=5, device="cpu", progress=False,
        optimizers={"model": torch.optim.AdamW(lm.parameters(), lr=1e-2)},
    )  # fmt: skip
    after = musicgen.test(lm.eval(), clips)
    assert after["nats"] < before["nats"] - 0.1


def test_the_recipe_fits_its_parents_and_its_size():
    recipe = recipes.find("musicgen")
    assert recipe.parents == ("codec", "clap")
    made = recipe.model()
    assert sum(p.numel() for p in made.parameters()) < 5.9e6
    assert made.config.text == recipes.find("clap").model().config.text
    (optimizer,) = recipe.optimizers(made).values()
    assert optimizer.param_groups[0]["weight_decay"] == 0.1
