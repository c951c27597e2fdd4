"""Likely wrong answers to the exercises of notebook 16b."""

import torch.nn.functional as F


def adaptive__no_gate(x, layer, scale, shift, gate):
    return x + layer(F.layer_norm(x, x.shape[-1:]) * (1 + scale[:, None]) + shift[:, None])


def adaptive__scale_from_zero(x, layer, scale, shift, gate):
    seen = F.layer_norm(x, x.shape[-1:]) * scale[:, None] + shift[:, None]
    return x + gate[:, None] * layer(seen)


def adaptive__not_normalised(x, layer, scale, shift, gate):
    return x + gate[:, None] * layer(x * (1 + scale[:, None]) + shift[:, None])


def adaptive__no_skip(x, layer, scale, shift, gate):
    seen = F.layer_norm(x, x.shape[-1:]) * (1 + scale[:, None]) + shift[:, None]
    return gate[:, None] * layer(seen)


def adaptive__shapes(x, layer, scale, shift, gate):
    return x + gate * layer(F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift)


def adaptive__swapped(x, layer, scale, shift, gate):
    seen = F.layer_norm(x, x.shape[-1:]) * (1 + shift[:, None]) + scale[:, None]
    return x + gate[:, None] * layer(seen)


def adaptive__shift_scaled_too(x, layer, scale, shift, gate):
    seen = (F.layer_norm(x, x.shape[-1:]) + shift[:, None]) * (1 + scale[:, None])
    return x + gate[:, None] * layer(seen)


def adaptive__after_the_layer(x, layer, scale, shift, gate):
    said = layer(F.layer_norm(x, x.shape[-1:]))
    return x + gate[:, None] * (said * (1 + scale[:, None]) + shift[:, None])


def adaptive__no_layer(x, layer, scale, shift, gate):
    seen = F.layer_norm(x, x.shape[-1:]) * (1 + scale[:, None]) + shift[:, None]
    return x + gate[:, None] * seen


def adaptive__normalised_over_frames(x, layer, scale, shift, gate):
    seen = F.layer_norm(x, x.shape[1:]) * (1 + scale[:, None]) + shift[:, None]
    return x + gate[:, None] * layer(seen)


def adaptive__spread_of_a_sample(x, layer, scale, shift, gate):
    normed = (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)
    return x + gate[:, None] * layer(normed * (1 + scale[:, None]) + shift[:, None])


def _level(x):
    return 20 * x.square().mean().sqrt().log10()


def equal_pressure__mean(a, b):
    return (a + b) / 2


def equal_pressure__louder_gets_more(a, b):
    p = 1 / (1 + 10 ** ((_level(b) - _level(a)) / 20))
    return (p * a + (1 - p) * b) / (p**2 + (1 - p) ** 2).sqrt()


def equal_pressure__not_brought_up(a, b):
    p = 1 / (1 + 10 ** ((_level(a) - _level(b)) / 20))
    return p * a + (1 - p) * b


def equal_pressure__as_powers(a, b):
    p = 1 / (1 + 10 ** ((_level(a) - _level(b)) / 10))
    return (p * a + (1 - p) * b) / (p**2 + (1 - p) ** 2).sqrt()


def equal_pressure__peaks(a, b):
    p = 1 / (1 + a.abs().max() / b.abs().max())
    return (p * a + (1 - p) * b) / (p**2 + (1 - p) ** 2).sqrt()


def equal_pressure__natural_logarithm(a, b):
    apart = 20 * (a.square().mean().sqrt() / b.square().mean().sqrt()).log()
    p = 1 / (1 + 10 ** (apart / 20))
    return (p * a + (1 - p) * b) / (p**2 + (1 - p) ** 2).sqrt()


def equal_pressure__mean_of_magnitudes(a, b):
    p = 1 / (1 + a.abs().mean() / b.abs().mean())
    return (p * a + (1 - p) * b) / (p**2 + (1 - p) ** 2).sqrt()


def equal_pressure__both_brought_to_one(a, b):
    return sum(x / x.square().mean().sqrt() for x in (a, b))


def equal_pressure__two_sounds(a, b):
    p = 1 / (1 + 10 ** ((_level(a) - _level(b)) / 20))
    return p * a, (1 - p) * b


def wait__first_beats(a, b):
    return a[0] - b[0]


def wait__when(a, b):
    return a[a >= b[0]][0]


def wait__all_that_follow(a, b):
    return a[a >= b[0]] - b[0]


def wait__not_at_once(a, b):
    return a[a > b[0]][0] - b[0]


def wait__nearest_before_or_after(a, b):
    return (a - b[0]).abs().min()


def wait__any_two_beats(a, b):
    apart = a[:, None] - b
    return apart[apart >= 0].min()


def wait__one_tempo(a, b):
    return (a[0] - b[0]) % (a[1] - a[0])


def wait__list(a, b):
    return [beat - b[0] for beat in a if beat >= b[0]]


def wait__at_once(a, b):
    return (a - b[0]).clamp(min=0).min()
