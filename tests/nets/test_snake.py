import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.nets.snake import Snake


def test_gradients_are_those_of_the_formula():
    torch.manual_seed(0)
    snake = Snake(5).double()
    torch.nn.init.uniform_(snake.alpha, 0.1, 4.0)
    x = torch.randn(2, 5, 7, dtype=torch.float64, requires_grad=True)
    alpha = snake.alpha.detach().clone().requires_grad_()
    weights = torch.randn(2, 5, 7, dtype=torch.float64)
    plain = x + torch.sin(alpha * x) ** 2 / alpha
    wanted = torch.autograd.grad((plain * weights).sum(), (x, alpha))
    ours = torch.autograd.grad((snake(x) * weights).sum(), (x, snake.alpha))
    torch.testing.assert_close(snake(x), plain)
    torch.testing.assert_close(ours, wanted)
    with torch.no_grad():
        assert torch.equal(snake(x), snake(x.detach()))


def test_a_frozen_snake_passes_the_gradient_on():
    snake = Snake(3).requires_grad_(False)
    x = torch.randn(1, 3, 9, requires_grad=True)
    snake(x).sum().backward()
    torch.testing.assert_close(x.grad, 1 + torch.sin(2 * x.detach()))
    assert snake.alpha.grad is None


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 20), st.floats(-8, 8))
def test_it_ripples_with_its_period_and_never_falls(frequency, start):
    snake = Snake(1).double()
    torch.nn.init.constant_(snake.alpha, frequency)
    x = torch.linspace(start, start + 3, 50, dtype=torch.float64).view(1, 1, -1)
    y = snake(x)
    assert (y.diff() >= -1e-12).all()
    period = math.pi / frequency
    torch.testing.assert_close(snake(x + period), y + period)
    assert (y >= x - 1e-12).all() and (y <= x + 1 / frequency + 1e-9).all()


def test_a_frequency_of_zero_is_the_identity():
    snake = Snake(2)
    torch.nn.init.zeros_(snake.alpha)
    x = torch.randn(1, 2, 30, requires_grad=True)
    assert torch.equal(snake(x), x)
    snake(x).sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x)) and snake.alpha.grad.isfinite().all()
