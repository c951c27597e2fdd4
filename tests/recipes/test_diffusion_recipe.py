"""The recipe of latent diffusion, on tiny parts and clips of noise."""

import pytest
import torch
from tiny_diffusion import tiny_autoencoder, tiny_clap, tiny_text, tiny_unet

from course_lib import checkpoints, paths, recipes
from course_lib.models import LatentDenoiser, LatentDenoiserConfig, LatentDiffusion
from course_lib.recipes import diffusion
from course_lib.songbook import rendering
from course_lib.training import Draws

K = 6
WORDS = ("a", "drums", "flute", "no", "waltz")
CONFIG = LatentDenoiserConfig(K, context=60, net=tiny_unet(K))


class Clips:
    """Clips of 2 s of noise."""

    def __len__(self):
        return 20

    def batch(self, indices):
        seeds = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([0.1 * torch.randn(1, 32000, generator=seed) for seed in seeds])

    def captions(self, index, drafts=1):
        texts = {m: f"a waltz {m}" for m in ("tags", "sentence", "description", "playlist")}
        return tuple(texts | {"tags": f"flute {'no ' * draft}drums"} for draft in range(drafts))


@pytest.fixture(scope="module")
def parents() -> dict:
    return {"autoencoder": tiny_autoencoder(K), "clap": tiny_clap(WORDS)}


@pytest.fixture(scope="module")
def clips(parents) -> diffusion.EncodedClips:
    return diffusion.EncodedClips(Clips(), parents, shifts=2, drafts=2)


def draws(step: int = 0, items: int = 12) -> Draws:
    return Draws(0, step, range(items), torch.device("cpu"))


def reader(parents) -> diffusion.Reader:
    torch.manual_seed(0)
    made = diffusion.Reader(LatentDenoiser(CONFIG), parents["clap"])
    for parameter in made.denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made


def test_clips_are_encoded_from_two_places_with_their_captions(clips, parents):
    pieces = clips.batch(torch.tensor([3, 4]))
    audio = Clips().batch([3, 4])
    later = torch.nn.functional.pad(audio[..., 160:], (0, 160))
    for shift, sound in enumerate((audio, later)):
        wanted = parents["autoencoder"].encode(sound)
        torch.testing.assert_close(pieces.latents[:, shift].float(), wanted, atol=2e-3, rtol=2e-3)
    assert pieces.latents.dtype == torch.float16 and pieces.ids.shape[:2] == (2, 8)


def test_what_is_read_is_what_the_system_reads(parents):
    system = LatentDiffusion(*parents.values(), LatentDenoiser(CONFIG))
    ids = tiny_text(WORDS).tokenizer.encode(["a waltz", "flute no drums"], 6)[0]
    for one, other in zip(
        diffusion.read(parents["clap"], ids),
        system.read(["a waltz", "flute no drums"]),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_holes_lie_anywhere_and_endings_at_the_end():
    for step in range(5):
        hole, ending = (
            diffusion.hole(draws(step, 400), 100),
            diffusion.ending(draws(step, 400), 100),
        )
        for made in (hole, ending):
            share = made.float().mean(1)
            assert share.min() >= 0.19 and share.max() <= 0.81 and 0.45 < share.mean() < 0.55
            assert (made.int().diff(dim=1) == 1).sum(1).max() <= 1  # one hole each
        assert ending[:, -1].all() and not ending[:, 0].any() and not hole[:, -1].all()


def test_a_batch_is_half_both_ways_and_half_causal_with_all_four_tasks(clips, parents, monkeypatch):
    """Holes both ways, endings causally, and in either half some of which nothing is known."""
    model, seen = reader(parents), []

    def loss(latents, condition, known, noise, t, causal=False):
        seen.append((causal, known.frames, condition, latents, t))
        return latents.new_zeros(())

    monkeypatch.setattr(model.denoiser, "loss", loss)
    for step in range(6):
        diffusion.loss(model, clips.batch(torch.arange(12)), draws(step))
    for way in (False, True):
        frames = torch.cat([known for causal, known, *_ in seen if causal == way])
        assert len(frames) == 36 and 0.2 < (~frames.any(1)).float().mean() < 0.8
        some = frames[frames.any(1)]
        assert not some.all(1).any()
        assert some[:, -1].any() != way and (some[:, 0].all() or not way)  # causally, a beginning
    valid = torch.cat([condition.valid.any(1) for _, _, condition, *_ in seen])
    vectors = torch.cat([condition.vector.abs().sum(1) > 0 for _, _, condition, *_ in seen])
    assert torch.equal(valid, vectors) and 0.7 < valid.float().mean() < 1
    assert torch.cat([t for *_, t in seen]).float().std() > 200
    assert seen[0][3].shape == (6, K, 60)


def test_only_the_denoiser_learns(clips, parents):
    model = reader(parents)
    before = {name: x.clone() for name, x in model.state_dict().items()}
    optimizer = diffusion.optimizers(model)["model"]
    diffusion.loss(model, clips.batch(torch.arange(12)), draws())["loss"].backward()
    optimizer.step()
    moved = {n for n, x in model.state_dict().items() if not torch.equal(x, before[n])}
    assert moved and all(name.startswith("denoiser.") for name in moved)


def test_the_same_step_has_the_same_loss(clips, parents):
    model, batch = reader(parents), clips.batch(torch.arange(12))
    one, two, other = (diffusion.loss(model, batch, draws(s))["loss"].item() for s in (1, 1, 2))
    assert one == two != other


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_from_parents_to_an_artefact(parents, monkeypatch, tmp_path):
    monkeypatch.setattr(diffusion, "CONFIG", CONFIG)
    monkeypatch.setattr(diffusion, "load", lambda split, size: Clips())
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(rendering, "scores_digest", lambda: "of no scores")
    monkeypatch.setattr(paths, "data", lambda *parts: tmp_path.joinpath("data", *parts))
    folder = tmp_path / "data" / "checkpoints"
    folder.mkdir(parents=True)
    for name, model in parents.items():
        checkpoints.save(folder, name, model, {})
    recipes.train("diffusion", steps=3, progress=False)
    card, model = checkpoints.card("diffusion"), checkpoints.load("diffusion")
    assert card["model"] == "LatentDenoiser" and model.config == CONFIG
    assert set(card["parents"]) == {"autoencoder", "clap"}
    names = {"", "_unread", "_other_caption", "_causal", "_continuing", "_inpainting"}
    assert card["metrics"].keys() == {f"error{name}" for name in names}
    assert not any("clap" in name for name in model.state_dict())
    made = LatentDiffusion(*parents.values(), model).generate(["a waltz"], 0.5, steps=2, seed=1)
    assert made.shape == (1, 1, 8000) and made.isfinite().all()
