"""Likely wrong answers to the exercises of notebook 13."""

import torch
import torch.nn.functional as F


def cosines__products(a, b):
    return a @ b.T


def cosines__of_clips_alone(a, b):
    return (a / a.norm(dim=1, keepdim=True)) @ b.T


def cosines__whole_norm(a, b):
    return (a / a.norm()) @ (b / b.norm()).T


def cosines__of_captions_alone(a, b):
    return a @ (b / b.norm(dim=1, keepdim=True)).T


def cosines__columns(a, b):
    return (a / a.norm(dim=0)) @ (b / b.norm(dim=0)).T


def contrastive__rows(logits):
    return F.cross_entropy(logits, torch.arange(len(logits)))


def contrastive__columns(logits):
    return F.cross_entropy(logits.T, torch.arange(len(logits)))


def contrastive__sum(logits):
    return contrastive__rows(logits) + contrastive__columns(logits)


def contrastive__sum_over_pairs(logits):
    return -(logits.log_softmax(0) + logits.log_softmax(1)).diagonal().sum() / 2


def contrastive__without_logarithm(logits):
    return -(logits.softmax(0) + logits.softmax(1)).diagonal().mean() / 2


def contrastive__softmax_twice(logits):
    right = torch.arange(len(logits))
    rows, columns = logits.softmax(1), logits.T.softmax(1)
    return (F.cross_entropy(rows, right) + F.cross_entropy(columns, right)) / 2


def average_precision__uncut(likeness):
    return (1 / (likeness >= likeness.diagonal()[:, None]).sum(1)).mean()


def average_precision__first_place(likeness):
    return (likeness.argmax(1) == torch.arange(len(likeness))).float().mean()


def average_precision__ties_for_free(likeness):
    rank = 1 + (likeness > likeness.diagonal()[:, None]).sum(1)
    return torch.where(rank <= 10, 1 / rank, 0.0).mean()


def average_precision__farthest_first(likeness):
    rank = (likeness <= likeness.diagonal()[:, None]).sum(1)
    return torch.where(rank <= 10, 1 / rank, 0.0).mean()


def average_precision__first_place_is_0(likeness):
    return _mean((likeness > likeness.diagonal()[:, None]).sum(1))


def average_precision__exchanged(likeness):
    return _mean((likeness >= likeness.diagonal()).sum(0))


def average_precision__others_right_item(likeness):
    return _mean((likeness >= likeness.diagonal()).sum(1))


def average_precision__of_those_found(likeness):
    rank = (likeness >= likeness.diagonal()[:, None]).sum(1)
    return (1 / rank[rank <= 10]).mean()


def average_precision__below_ten(likeness):
    rank = (likeness >= likeness.diagonal()[:, None]).sum(1)
    return torch.where(rank < 10, 1 / rank, 0.0).mean()


def _mean(rank):
    return torch.where(rank <= 10, 1 / rank, 0.0).mean()


def name_it__first_prompt(sounds, prompts):
    return (sounds @ prompts[:, 0].T).argmax(1)


def name_it__farthest(sounds, prompts):
    return (sounds @ F.normalize(prompts.mean(1), dim=1).T).argmin(1)


def name_it__best_prompt(sounds, prompts):
    return torch.einsum("ne,cpe->ncp", sounds, prompts).amax(2).argmax(1)


def name_it__long_means(sounds, prompts):
    return (sounds @ prompts.mean(1).T).argmax(1)


def name_it__along_classes(sounds, prompts):
    return (sounds @ F.normalize(prompts.mean(1), dim=0).T).argmax(1)
