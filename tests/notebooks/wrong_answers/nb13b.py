"""Likely wrong answers to the exercises of notebook 13b."""

import torch


def distinct__words(texts):
    words = [word for text in texts for word in text]
    return len(set(words)) / len(words)


def distinct__mean_over_texts(texts):
    pairs = [list(zip(text, text[1:], strict=False)) for text in texts]
    return sum(len(set(p)) / len(p) for p in pairs if p) / len(texts)


def distinct__count(texts):
    return len({pair for text in texts for pair in zip(text, text[1:], strict=False)})


def distinct__across_texts(texts):
    words = [word for text in texts for word in text]
    pairs = list(zip(words, words[1:], strict=False))
    return len(set(pairs)) / len(pairs)


def distinct__joined(texts):
    pairs = [a + b for text in texts for a, b in zip(text, text[1:], strict=False)]
    return len(set(pairs)) / len(pairs)


def invented__clips(said, true):
    return sum(bool(s - t) for s, t in zip(said, true, strict=True)) / len(said)


def invented__all_clips_at_once(said, true):
    said, true = set().union(*said), set().union(*true)
    return len(said - true) / len(said)


def invented__for_each_clip(said, true):
    return sum(len(s - t) for s, t in zip(said, true, strict=True)) / len(said)


def invented__true_share(said, true):
    return sum(len(s & t) for s, t in zip(said, true, strict=True)) / sum(map(len, said))


def invented__left_out(said, true):
    return sum(len(t - s) for s, t in zip(said, true, strict=True)) / sum(map(len, true))


def invented__mean_over_texts(said, true):
    rows = [len(s - t) / len(s) for s, t in zip(said, true, strict=True) if s]
    return sum(rows) / len(rows)


def residual_codes__whole_vector(x, stages):
    return torch.stack([torch.cdist(x, stage).argmin(1) for stage in stages], 1)


def residual_codes__largest_product(x, stages):
    codes = []
    for stage in stages:
        codes.append((x @ stage.T).argmax(1))
        x = x - stage[codes[-1]]
    return torch.stack(codes, 1)


def residual_codes__centroid_handed_on(x, stages):
    codes = []
    for stage in stages:
        codes.append(torch.cdist(x, stage).argmin(1))
        x = stage[codes[-1]]
    return torch.stack(codes, 1)


def residual_codes__exchanged(x, stages):
    codes = []
    for stage in stages:
        codes.append(torch.cdist(x, stage).argmin(1))
        x = x - stage[codes[-1]]
    return torch.stack(codes)


def residual_codes__floats(x, stages):
    codes = []
    for stage in stages:
        codes.append(torch.cdist(x, stage).argmin(1).float())
        x = x - stage[codes[-1].long()]
    return torch.stack(codes, 1)


def smoothed__not(logits, words, epsilon):
    return torch.nn.functional.cross_entropy(logits, words)


def smoothed__exchanged(logits, words, epsilon):
    logs = logits.log_softmax(1)
    right = logs.gather(1, words[:, None])[:, 0]
    return -(epsilon * right + (1 - epsilon) * logs.mean(1)).mean()


def smoothed__sum(logits, words, epsilon):
    logs = logits.log_softmax(1)
    right = logs.gather(1, words[:, None])[:, 0]
    return -((1 - epsilon) * right + epsilon * logs.mean(1)).sum()


def smoothed__epsilon_each(logits, words, epsilon):
    logs = logits.log_softmax(1)
    right = logs.gather(1, words[:, None])[:, 0]
    return -((1 - epsilon) * right + epsilon * logs.sum(1)).mean()


def smoothed__others_alone(logits, words, epsilon):
    aims = torch.full_like(logits, epsilon / (logits.shape[1] - 1))
    aims[range(len(words)), words] = 1 - epsilon
    return -(aims * logits.log_softmax(1)).sum(1).mean()


def smoothed__aims_short_of_one(logits, words, epsilon):
    aims = torch.full_like(logits, epsilon / logits.shape[1])
    aims[range(len(words)), words] = 1 - epsilon
    return -(aims * logits.log_softmax(1)).sum(1).mean()


def smoothed__constant(logits, words, epsilon):
    return torch.nn.functional.cross_entropy(logits, words, label_smoothing=0.1)
