import math

import pytest
import torch

from course_lib import recipes
from course_lib.models import Codec, CodecConfig, CodecLM, CodecLMConfig
from course_lib.nets.seanet import SEANetConfig
from course_lib.recipes import codec_lm
from course_lib.training import Draws


class Clips:
    """Noise of 6,000 samples: 19 frames."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 20

    def batch(self, indices):
        self.asked += indices.tolist()
        seeds = [torch.Generator().manual_seed(int(i)) for i in indices]
        return torch.stack([torch.randn(1, 6000, generator=seed) for seed in seeds])


@pytest.fixture(scope="module")
def codec() -> Codec:
    torch.manual_seed(0)
    stack = SEANetConfig((4, 4, 4, 8, 8), padding="constant", norm=None, lstm=0)
    codec = Codec(CodecConfig(stack=stack, dim=8, entries=30))
    codec(Clips().batch(torch.arange(20)))  # places the codebooks
    return codec.eval()


def small_lm(frames: int = 10) -> CodecLM:
    torch.manual_seed(0)
    return CodecLM(CodecLMConfig(30, 8, frames, width=16, layers=1, heads=2)).eval()


def test_clips_are_coded_once(codec):
    clips = Clips()
    data = codec_lm.CodedClips(codec, clips)
    assert len(data) == 20 and clips.asked == list(range(20))
    some = torch.tensor([3, 19])
    want = codec.encode(Clips().batch(some)).codes
    for _ in range(2):
        assert torch.equal(data.batch(some), want) and data.batch(some).dtype == torch.int64
    assert clips.asked == list(range(20))  # nothing was coded again


def test_each_item_keeps_its_own_number_of_codebooks():
    codes = torch.randint(30, (4, 8, 19), generator=torch.Generator().manual_seed(0))
    model, inputs = small_lm(), []
    model.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    cpu = torch.device("cpu")
    for step in range(30):
        codec_lm.loss(model, codes, Draws(0, step, range(4), cpu))
    seen = torch.cat(inputs)  # [120, 8, 10]
    assert seen.shape[2] == model.config.frames
    n = (seen[:, :, 0] != model.nothing).sum(1)
    assert set(n.tolist()) == {1, 2, 4, 8}
    for item, count in zip(seen, n, strict=True):
        assert (item[:count] < 30).all() and (item[count:] == model.nothing).all()
    both = [codec_lm.loss(model, codes, Draws(0, step, range(4), cpu)) for step in (1, 1, 2)]
    assert both[0] == both[1] != both[2]


def test_the_card_says_what_is_saved(codec):
    data = codec_lm.CodedClips(codec, Clips())
    model = small_lm(frames=250)
    with torch.no_grad():
        # Knowing how often each code comes in the first codebook, and nothing else.
        counts = torch.bincount(data.codes[:, 0].long().flatten(), minlength=30).float()
        model.embedding.zero_()
        model.bias.zero_()
        model.bias[0] = (counts / counts.sum()).clamp(min=1e-6).log()
        found = codec_lm.test(model, data)
    p = counts[counts > 0] / counts.sum()
    entropy = -(p * p.log2()).sum().item()
    assert found["bits_1"] == pytest.approx(entropy, abs=1e-3) and entropy < 4.8
    assert found["saved_1"] == pytest.approx(1 - entropy / 5, abs=1e-3)
    for n in (2, 4, 8):
        want = (entropy + (n - 1) * math.log2(30)) / n
        assert found[f"bits_{n}"] == pytest.approx(want, abs=1e-3)
    # 2 clips of 19 codes each: checksum and the coder's last word weigh more than in a real block.
    assert found["file_saved_1"] <= found["saved_1"]
    assert set(found) == {f"{name}_{n}" for name in ("bits", "saved") for n in (1, 2, 4, 8)} | {
        "file_saved_1",
        "file_saved_8",
    }


def test_the_range_coder_keeps_what_the_probabilities_promise(codec):
    class Long(Clips):
        def batch(self, indices):
            return super().batch(indices).repeat(1, 1, 14)  # 263 frames: two blocks

    data = codec_lm.CodedClips(codec, Long())
    model = small_lm(frames=250)
    with torch.no_grad():
        model.bias[:, :3] += 3
        data.codes %= 3
    found = codec_lm.test(model, data)
    assert found["saved_8"] > 0.5
    assert found["saved_8"] - 0.1 < found["file_saved_8"] < found["saved_8"] + 0.02


def test_training_starts_from_the_codebooks_of_the_codec(codec):
    model = codec_lm.training(small_lm(), {"codec_plain": codec})
    first = codec.quantizer.stages[3].codebook[:2]
    ratio = (model.embedding[3, 0] - model.embedding[3, 1]).norm() / (first[0] - first[1]).norm()
    scale = codec.quantizer.stages[0].codebook.norm(dim=1).mean()
    assert ratio.item() == pytest.approx(1 / scale.item(), rel=1e-4)


def test_the_recipe_is_the_default_model_on_the_codec():
    recipe = recipes.find("codec_lm")
    assert recipe.model().config == CodecLMConfig() and recipe.parents == ("codec_plain",)
    assert sum(p.numel() for p in recipe.model().parameters()) < 1_450_000  # int8: 1.5 MB
