import torch

from course_lib import recipes
from course_lib.audio import LogMel
from course_lib.models import VQVAE, VQVAEConfig
from course_lib.recipes import vqvae
from course_lib.training import Draws


class Clips:
    """Chords of decaying tones, 3 s."""

    def __len__(self):
        return 20

    def batch(self, indices):
        t = torch.arange(48_000) / 16_000
        pitch = 220 * 2 ** (indices[:, None, None] / 12)
        return 0.3 * torch.sin(2 * torch.pi * pitch * t) * torch.exp(-2 * (t % 0.5))


def small() -> VQVAE:
    torch.manual_seed(0)
    return VQVAE(VQVAEConfig(width=16, dim=8, entries=32, units=1))


def test_the_loss_hears_another_part_in_each_step():
    model = small().eval()
    audio = Clips().batch(torch.arange(4))
    cpu = torch.device("cpu")
    values = [vqvae.loss(model, audio, Draws(0, step, range(4), cpu)) for step in (1, 1, 2)]
    assert values[0]["loss"] == values[1]["loss"] != values[2]["loss"]
    frames = []
    model.encoder.register_forward_pre_hook(lambda _, args: frames.append(args[0].shape[-1]))
    vqvae.loss(model, audio, Draws(0, 0, range(4), cpu))
    assert frames == [vqvae.FRAMES]


def test_the_metrics_are_those_of_whole_clips():
    model, clips = small(), Clips()
    x = LogMel()(clips.batch(torch.arange(20)))
    model(x)
    model.eval()
    with torch.no_grad():
        metrics = vqvae.test(model, clips)
        out = model(x)
    error = out.reconstruction - x
    assert abs(metrics["log_mel_mse"] - error.square().mean().item()) < 1e-4
    assert abs(metrics["log_mel_l1"] - error.abs().mean().item()) < 1e-4
    assert metrics["usage"] == out.codes.unique().numel() / 32
    assert 1 < metrics["perplexity"] <= 32
    expected = 15.625 * torch.log2(torch.tensor(metrics["perplexity"])).item()
    assert abs(metrics["entropy_bits_per_second"] - expected) < 1e-4


def test_the_recipe_is_the_default_model():
    recipe = recipes.find("vqvae")
    assert recipe is vqvae.RECIPE and recipe.model().config == VQVAEConfig()
