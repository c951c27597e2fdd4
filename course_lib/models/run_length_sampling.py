"""Writing events with a RunLengthTransformer, from nothing or from where a clip stops."""

import torch
from torch import Tensor

from course_lib.models.run_length_transformer import RunLengthTransformer, Standing
from course_lib.nets import sample
from course_lib.quantize import run_length_decode
from course_lib.quantize.checks import check_codes

LOOK = 32  # events between two looks at whether all channels are filled


@torch.no_grad()
def write_events(
    model: RunLengthTransformer,
    frames: int,
    batch: int = 1,
    prompt: Tensor | None = None,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Codes int64 [B, C, frames] that the model writes event by event, the prompt first.

    Of a prompt [B, C, P] all runs that end within it are taken as they are; those that last to its
    end keep their value and are drawn to be at least as long. The device is read once every 32
    events, to see whether all channels are filled. Raises TypeError where the prompt is not int64,
    ValueError where it is not [B, C, P], runs out of [0, levels), or leaves nothing to write.
    Taught in notebook 05b.
    """
    c = model.config
    if prompt is not None:
        check_codes(prompt, c.levels, (c.channels,))
        batch = len(prompt)
    given = 0 if prompt is None else prompt.shape[-1]
    if given >= frames:
        raise ValueError(f"frames={frames} leaves nothing to write after {given} of prompt.")
    device = model.channel.weight.device
    prompt = torch.zeros(batch, c.channels, 1).long() if prompt is None else prompt
    prompt = prompt.to(device)
    remaining = _runs_from(prompt)
    training = model.training
    model.eval()
    try:
        written = _write(model, frames, given, prompt, remaining, temperature, generator)
    finally:  # the stop button comes in here
        model.train(training)
    values, lengths = written  # [B, N] each
    return torch.stack(
        [
            run_length_decode(value, length, c.channels, frames)
            for value, length in zip(values, lengths, strict=True)
        ]
    )


def _write(model, frames, given, prompt, remaining, temperature, generator):
    c, batch, device = model.config, len(prompt), prompt.device
    filled = torch.zeros(batch, c.channels, dtype=torch.int64, device=device)
    held, run = torch.zeros_like(filled), torch.zeros_like(filled)
    value = torch.full((batch,), c.levels, device=device)
    length = start = torch.zeros_like(value)
    order = torch.arange(c.channels, device=device)
    every = torch.arange(1, c.longest + 1, device=device)
    cache = model.cache(batch, c.channels * frames)  # no run is shorter than a frame
    values, lengths = [], []
    for count in range(c.channels * frames):
        if count % LOOK == 0 and count and bool((filled >= frames).all()):
            break
        owner = (filled * c.channels + order).argmin(1, keepdim=True)  # [B, 1]
        now = filled.gather(1, owner)[:, 0]
        standing = Standing(owner[:, 0], held, run, filled - now[:, None], now - start)
        features, logits = model.step(value, length, standing, cache)
        # Within the prompt its value is taken, and a length that its frames allow.
        inside = now < given
        place = now.clamp(max=prompt.shape[-1] - 1)[:, None, None].expand(-1, c.channels, -1)
        said = prompt.gather(2, place)[..., 0].gather(1, owner)[:, 0]
        known = remaining.gather(2, place)[..., 0].gather(1, owner)[:, 0]
        value = torch.where(inside, said, sample(logits, temperature, generator=generator))
        logits = model.length_given(features, value)
        open_ = now + known >= given  # the run lasts to the end of the prompt
        low = known.clamp(max=c.longest)[:, None]
        wrong = (every < low) | ((every > low) & ~open_[:, None])
        logits = logits.masked_fill(inside[:, None] & wrong, -torch.inf)
        length = sample(logits, temperature, generator=generator) + 1
        values.append(value)
        lengths.append(length)
        filled = filled.scatter_add(1, owner, length[:, None])
        held, run = held.scatter(1, owner, value[:, None]), run.scatter(1, owner, length[:, None])
        start = now
    return torch.stack(values, 1), torch.stack(lengths, 1)


def _runs_from(codes: Tensor) -> Tensor:
    """How many frames, from each on, codes int64 [B, C, F] keep their value: [B, C, F]."""
    frames = codes.shape[-1]
    place = torch.arange(frames, device=codes.device)
    last = torch.ones_like(codes, dtype=torch.bool)
    last[..., :-1] = codes[..., 1:] != codes[..., :-1]
    ends = torch.where(last, place, frames).flip(-1).cummin(-1).values.flip(-1)
    return ends - place + 1
