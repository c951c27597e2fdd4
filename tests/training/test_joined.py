"""Two data sets as one."""

import pytest
import torch

from course_lib.training import Joined, Tensors


def test_items_come_from_their_own_part_in_the_order_asked():
    joined = Joined(Tensors(torch.arange(3.0)), Tensors(torch.arange(10.0, 12)))
    assert len(joined) == 5
    assert joined.batch(torch.tensor([4, 0, 3, 2])).tolist() == [11, 0, 10, 2]
    assert joined.batch([1]).tolist() == [1]


def test_what_does_not_exist_is_refused():
    joined = Joined(Tensors(torch.arange(3.0)))
    for wrong in (3, -1):
        with pytest.raises(IndexError, match="3"):
            joined.batch(torch.tensor([wrong]))
    with pytest.raises(ValueError, match="nothing to join"):
        Joined()
