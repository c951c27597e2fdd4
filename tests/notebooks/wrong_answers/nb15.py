"""Likely wrong answers to the exercises of notebook 15."""

import torch


def guide__away_from_the_words(logits, guidance):
    nothing, told = logits.chunk(2)
    return nothing + guidance * (told - nothing)


def guide__from_the_words(logits, guidance):
    told, nothing = logits.chunk(2)
    return told + guidance * (told - nothing)


def guide__probabilities(logits, guidance):
    told, nothing = logits.softmax(-1).chunk(2)
    return nothing + guidance * (told - nothing)


def guide__every_second_row(logits, guidance):
    told, nothing = logits[::2], logits[1::2]
    return nothing + guidance * (told - nothing)


def guide__the_step_alone(logits, guidance):
    told, nothing = logits.chunk(2)
    return guidance * (told - nothing)


def guide__normalised_first(logits, guidance):
    told, nothing = logits.log_softmax(-1).chunk(2)
    return nothing + guidance * (told - nothing)


def undelay__end_cut_off(sequence):
    return sequence[..., : sequence.shape[2] - sequence.shape[1] + 1]


def undelay__beginning_cut_off(sequence):
    return sequence[..., sequence.shape[1] - 1 :]


def undelay__once_more(sequence):
    frames = sequence.shape[2] - sequence.shape[1] + 1
    rolled = [sequence[:, k].roll(k, -1)[:, :frames] for k in range(sequence.shape[1])]
    return torch.stack(rolled, 1)


def undelay__as_long_as_before(sequence):
    return torch.stack([sequence[:, k].roll(-k, -1) for k in range(sequence.shape[1])], 1)


def in_pairs__flattened(frames, codebooks):
    return codebooks * torch.arange(frames) + torch.arange(codebooks)[:, None]


def in_pairs__delayed(frames, codebooks):
    return torch.arange(frames) + torch.arange(codebooks)[:, None] // 2


def in_pairs__odd_numbers_rounded_down(frames, codebooks):
    return codebooks // 2 * torch.arange(frames) + torch.arange(codebooks)[:, None] // 2


def in_pairs__turned(frames, codebooks):
    pairs = (codebooks + 1) // 2
    return pairs * torch.arange(frames)[:, None] + torch.arange(codebooks) // 2


def in_pairs__even_and_odd(frames, codebooks):
    pairs = (codebooks + 1) // 2
    return pairs * torch.arange(frames) + torch.arange(codebooks)[:, None] % 2


def reading_weights__padding_read(scores, valid):
    return scores.softmax(-1)


def reading_weights__masked_afterwards(scores, valid):
    return scores.softmax(-1) * valid[:, None]


def reading_weights__scores_of_zero(scores, valid):
    return (scores * valid[:, None]).softmax(-1)


def reading_weights__nothing_valid(scores, valid):
    return scores.masked_fill(~valid[:, None], -torch.inf).softmax(-1)


def reading_weights__mask_turned_round(scores, valid):
    return scores.masked_fill(valid[:, None], -torch.inf).softmax(-1)


def reading_weights__nothing_is_read_by_none(scores, valid):
    return scores.masked_fill(~valid[:, None], -torch.inf).softmax(-1).nan_to_num(0.0)


def adherence__no_floor(generated, real, shuffled):
    return generated / real


def adherence__no_ceiling(generated, real, shuffled):
    return generated - shuffled


def adherence__clipped(generated, real, shuffled):
    return min(1.0, max(0.0, (generated - shuffled) / (real - shuffled)))


def adherence__always_a_number(generated, real, shuffled):
    return (generated - shuffled) / (real - shuffled) if real > shuffled else 0.0


def adherence__nothing_returned(generated, real, shuffled):
    if real > shuffled:
        return (generated - shuffled) / (real - shuffled)
