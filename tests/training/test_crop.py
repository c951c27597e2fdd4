import pytest
import torch

from course_lib.training.crop import crop
from course_lib.training.draws import Draws


def test_a_crop_is_consecutive_and_drawn_for_each_item():
    x = torch.arange(1000).expand(40, 2, 1000)
    parts = crop(x, Draws(0, 3, range(40), torch.device("cpu")), 30)
    assert parts.shape == (40, 2, 30) and (parts.diff(dim=-1) == 1).all()
    assert torch.equal(parts[:, 0], parts[:, 1])
    starts = parts[:, 0, 0]
    assert starts.unique().numel() > 30 and starts.min() < 150 and starts.max() > 800
    halves = [crop(x[:20], Draws(0, 3, range(k, k + 20), torch.device("cpu")), 30) for k in (0, 20)]
    assert torch.equal(torch.cat(halves), parts)  # two processes draw what one draws


def test_short_items_stay_whole():
    x = torch.randn(3, 1, 30)
    draws = Draws(0, 0, range(3), torch.device("cpu"))
    assert crop(x, draws, 30) is x and crop(x, draws, 31) is x
    with pytest.raises(ValueError, match="length=0"):
        crop(x, draws, 0)
