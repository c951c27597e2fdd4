"""Likely wrong answers to the exercises of notebook 15b."""

import torch


def classes_of__silence_is_c(chroma):
    return chroma.argmax(1)


def classes_of__strongest_frames(chroma):
    return chroma.argmax(2)


def classes_of__counted_from_one(chroma):
    return torch.where(chroma.amax(1) > 0, chroma.argmax(1) + 1, 0)


def classes_of__quiet_is_silent(chroma):
    return torch.where(chroma.amax(1) > 1e-3, chroma.argmax(1), 12)


def classes_of__any_silent(chroma):
    return torch.where(chroma.amin(1) > 0, chroma.argmax(1), 12)


def stretch__rounded_down(slow, rate, frames, fast_rate):
    place = (torch.arange(frames) / fast_rate * rate).long()
    return slow[:, place.clamp(max=slow.shape[1] - 1)]


def stretch__rates_turned_round(slow, rate, frames, fast_rate):
    place = (torch.arange(frames) * fast_rate / rate).round().long()
    return slow[:, place.clamp(max=slow.shape[1] - 1)]


def stretch__begins_anew(slow, rate, frames, fast_rate):
    place = (torch.arange(frames) / fast_rate * rate).round().long()
    return slow[:, place % slow.shape[1]]


def stretch__spread(slow, rate, frames, fast_rate):
    return slow[:, torch.arange(frames) * slow.shape[1] // frames]


def stretch__silent_at_the_end(slow, rate, frames, fast_rate):
    place = (torch.arange(frames) / fast_rate * rate).round().long()
    return slow[:, place.clamp(max=slow.shape[1] - 1)] * (place < slow.shape[1])


def stretch__beyond_the_end(slow, rate, frames, fast_rate):
    return slow[:, (torch.arange(frames) / fast_rate * rate).round().long()]


def melody_accuracy__silent_in_both_alone(given, heard):
    sounding = (given < 12) | (heard < 12)
    return (given == heard)[sounding].float().mean()


def melody_accuracy__silence_counts(given, heard):
    return (given == heard).float().mean()


def melody_accuracy__of_all_frames(given, heard):
    return ((given == heard) & (given < 12)).float().mean()


def melody_accuracy__where_the_melody_sounds(given, heard):
    return (given == heard)[given < 12].float().mean()


def steps_written__no_delay(written, codebooks):
    return sum(written)


def steps_written__one_delay(written, codebooks):
    return sum(written) + codebooks - 1


def steps_written__flattened(written, codebooks):
    return sum(written) * codebooks


def steps_written__a_step_too_many(written, codebooks):
    return sum(frames + codebooks for frames in written)
