"""Likely wrong answers to the exercises of notebook 16."""

import torch
import torch.nn.functional as F


def signal_from_velocity__the_noise(z, v, alpha, sigma):
    return sigma * z + alpha * v


def signal_from_velocity__sign(z, v, alpha, sigma):
    return alpha * z + sigma * v


def signal_from_velocity__as_if_noise(z, v, alpha, sigma):
    return (z - sigma * v) / alpha


def signal_from_velocity__as_if_flow(z, v, alpha, sigma):
    return z - v


def signal_from_velocity__turned_round(z, v, alpha, sigma):
    return sigma * v - alpha * z


def ddim_step__exchanged(z, x, now, then):
    sigma, alpha = then
    return alpha * x + sigma * (z - now[0] * x) / now[1]


def ddim_step__all_the_way(z, x, now, then):
    return x


def ddim_step__noise_lost(z, x, now, then):
    return then[0] * x


def ddim_step__z_again(z, x, now, then):
    return then[0] * x + then[1] * z


def ddim_step__undivided(z, x, now, then):
    return then[0] * x + then[1] * (z - now[0] * x)


def ddim_step__wrong_weights(z, x, now, then):
    return then[0] * x + then[1] * (z - then[0] * x) / then[1]


def ddim_step__fresh_noise(z, x, now, then):
    return then[0] * x + then[1] * torch.randn_like(z)


def ddim_step__weights_mixed(z, x, now, then):
    return then[0] * x + then[1] * (z - then[0] * x) / now[1]


def whiten__not_centred(frames, kept):
    variance, axes = torch.linalg.eigh(torch.cov(frames.T))
    return (frames @ axes / variance.sqrt()).flip(1)[:, :kept]


def whiten__not_turned(frames, kept):
    return ((frames - frames.mean(0)) / frames.std(0))[:, :kept]


def whiten__least_first(frames, kept):
    variance, axes = torch.linalg.eigh(torch.cov(frames.T))
    return ((frames - frames.mean(0)) @ axes / variance.sqrt())[:, :kept]


def whiten__rows_for_columns(frames, kept):
    variance, axes = torch.linalg.eigh(torch.cov(frames.T))
    return ((frames - frames.mean(0)) @ axes.T / variance.sqrt()).flip(1)[:, :kept]


def whiten__not_divided(frames, kept):
    _, axes = torch.linalg.eigh(torch.cov(frames.T))
    return ((frames - frames.mean(0)) @ axes).flip(1)[:, :kept]


def whiten__by_the_variance(frames, kept):
    variance, axes = torch.linalg.eigh(torch.cov(frames.T))
    return ((frames - frames.mean(0)) @ axes / variance).flip(1)[:, :kept]


def whiten__wrong_order(frames, kept):
    variance, axes = torch.linalg.eigh(torch.cov(frames.T))
    return ((frames - frames.mean(0)) @ axes / variance.sqrt())[:, -kept:]


def whiten__all_axes(frames, kept):
    variance, axes = torch.linalg.eigh(torch.cov(frames.T))
    return ((frames - frames.mean(0)) @ axes / variance.sqrt()).flip(1)


def whiten__turned_back(frames, kept):
    variance, axes = torch.linalg.eigh(torch.cov(frames.T))
    return ((frames - frames.mean(0)) @ axes / variance.sqrt() @ axes.T)[:, :kept]


def whiten__by_cholesky(frames, kept):
    root = torch.linalg.cholesky(torch.cov(frames.T))
    centred = (frames - frames.mean(0)).T
    return torch.linalg.solve_triangular(root, centred, upper=False).T[:, :kept]


def whiten__of_correlations(frames, kept):
    even = (frames - frames.mean(0)) / frames.std(0)
    variance, axes = torch.linalg.eigh(torch.cov(even.T))
    return (even @ axes / variance.sqrt()).flip(1)[:, :kept]


def rescaled__all_of_it(told, guided, amount):
    return guided * told.std((1, 2), keepdim=True) / guided.std((1, 2), keepdim=True)


def rescaled__one_for_the_batch(told, guided, amount):
    return guided * (amount * told.std() / guided.std() + 1 - amount)


def rescaled__upside_down(told, guided, amount):
    factor = guided.std((1, 2), keepdim=True) / told.std((1, 2), keepdim=True)
    return guided * (amount * factor + 1 - amount)


def rescaled__mixed(told, guided, amount):
    return amount * told + (1 - amount) * guided


def rescaled__shares_exchanged(told, guided, amount):
    factor = told.std((1, 2), keepdim=True) / guided.std((1, 2), keepdim=True)
    return guided * ((1 - amount) * factor + amount)


def rescaled__one_share_only(told, guided, amount):
    return amount * guided * told.std((1, 2), keepdim=True) / guided.std((1, 2), keepdim=True)


def rescaled__shared_with_told(told, guided, amount):
    factor = told.std((1, 2), keepdim=True) / guided.std((1, 2), keepdim=True)
    return amount * factor * guided + (1 - amount) * told


def rescaled__told_made_larger(told, guided, amount):
    factor = guided.std((1, 2), keepdim=True) / told.std((1, 2), keepdim=True)
    return amount * factor * told + (1 - amount) * guided


def rescaled__over_channels(told, guided, amount):
    factor = told.std(1, keepdim=True) / guided.std(1, keepdim=True)
    return guided * (amount * factor + 1 - amount)


def causal_convolution__centred(x, weight):
    return F.conv1d(x, weight, padding=weight.shape[-1] // 2)


def causal_convolution__zeros_behind(x, weight):
    return F.conv1d(F.pad(x, (0, weight.shape[-1] - 1)), weight)


def causal_convolution__unpadded(x, weight):
    return F.conv1d(x, weight)


def causal_convolution__both_sides(x, weight):
    return F.conv1d(x, weight, padding=weight.shape[-1] - 1)


def causal_convolution__not_itself(x, weight):
    return F.conv1d(F.pad(x, (weight.shape[-1], 0)), weight)[..., :-1]


def causal_convolution__always_two(x, weight):
    return F.conv1d(F.pad(x, (2, 0)), weight)
