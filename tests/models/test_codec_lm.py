import math

import pytest
import torch

from course_lib.models import CodecLM, CodecLMConfig, FrameByFrame
from course_lib.models.codec_lm import one_thread


def make(**options) -> CodecLM:
    torch.manual_seed(0)
    settings = {"entries": 16, "codebooks": 4, "frames": 30, "width": 16, "layers": 2, "heads": 2}
    model = CodecLM(CodecLMConfig(**settings | options)).eval()
    torch.nn.init.normal_(model.embedding, std=0.5)
    torch.nn.init.normal_(model.bias)
    return model


def codes_of(model: CodecLM, frames: int = 30, batch: int = 3) -> torch.Tensor:
    return torch.randint(model.nothing, (batch, model.config.codebooks, frames))


def test_logits_are_those_of_sums_of_embeddings_and_of_frames_before():
    model = make()
    codes = codes_of(model)
    with torch.no_grad():
        logits = model(codes)  # [3, 4, 30, 16]
        start = model.embedding[:, model.nothing].sum(0).expand(3, 1, -1)
        sums = sum(model.embedding[k][codes[:, k]] for k in range(4))  # [3, 30, D]
        x = model.transformer(torch.cat([start, sums[:, :-1]], 1))
        for k in range(4):
            want = x @ model.embedding[k, :16].T + model.bias[k]
            torch.testing.assert_close(logits[:, k], want)
        other = codes.clone()
        other[:, 2, 10] = (other[:, 2, 10] + 1) % 16
        changed = (model(other) - logits).abs().amax((0, 1, 3)) > 0  # [30]
    assert not changed[:11].any() and changed[11]


def test_it_starts_from_the_distances_between_entries_of_the_codec():
    model = make()
    codebooks = 5 * torch.randn(4, 16, 12)
    model.start_from(codebooks)
    rows = model.embedding[:, :16]
    scale = codebooks[0].norm(dim=1).mean()
    torch.testing.assert_close(torch.cdist(rows, rows), torch.cdist(codebooks, codebooks) / scale)
    assert rows[0].norm(dim=1).mean().item() == pytest.approx(1)
    assert (model.embedding[:, 16] == 0).all()
    again = make()
    again.start_from(codebooks)
    assert torch.equal(again.embedding, model.embedding)
    for wrong in (codebooks[:3], codebooks[:, :15], torch.randn(4, 16, 17)):
        with pytest.raises(ValueError, match="expected .4, 16, D. with D up to the width of 16"):
            model.start_from(wrong)


def test_untrained_it_knows_nothing():
    torch.manual_seed(0)
    model = CodecLM()
    codes = torch.randint(1024, (1, 8, 20))
    assert abs(model.loss(codes).item() - math.log(1024)) < 0.1


@pytest.mark.parametrize("n", [1, 2, 4])
def test_frame_by_frame_is_the_whole_of_a_stream_with_fewer_codebooks(n):
    model = make()
    codes = codes_of(model, batch=1)
    codes[:, n:] = model.nothing
    with torch.no_grad():
        want = model.double()(codes)[0, :n]  # [n, 30, 16]
    steps = FrameByFrame(model.float())
    for _ in range(2):  # nothing is left of the first time
        steps.restart(n)
        with one_thread():
            last, logits = None, []
            for f in range(30):
                logits.append(steps.step(last))
                last = codes[0, :n, f]
        torch.testing.assert_close(torch.stack(logits, 1), want, atol=1e-12, rtol=0)
    with pytest.raises(ValueError, match="30 positions"):
        steps.step(last)
    with pytest.raises(ValueError, match="n_codebooks=5"):
        steps.restart(5)


def test_missing_codebooks_cost_nothing_and_teach_nothing():
    model = make().train()
    codes = codes_of(model)
    few = codes.clone()
    few[:, 1:] = model.nothing
    loss = model.loss(few)
    logits = model(few)[:, 0]
    want = torch.nn.functional.cross_entropy(logits.transpose(1, 2), few[:, 0])
    torch.testing.assert_close(loss, want)
    loss.backward()
    assert model.bias.grad[0].abs().max() > 0 and model.bias.grad[1:].abs().max() == 0


def test_it_learns_what_follows_what():
    model = make().train()
    codes = (torch.arange(30) + torch.arange(8)[:, None, None]) % 16  # [8, 1, 30]
    codes = codes.repeat(1, 4, 1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(codes)
        loss.backward()
        optimizer.step()
    assert loss < 0.3 < math.log(16)


def test_what_does_not_fit_is_said():
    model = make()
    with pytest.raises(TypeError, match="int64"):
        model(codes_of(model).int())
    with pytest.raises(ValueError, match=r"\[B, 4, F\]"):
        model(codes_of(model)[:, :3])
    with pytest.raises(ValueError, match="frames=0"):
        CodecLMConfig(frames=0)


def test_one_thread_gives_the_threads_back():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(KeyError), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_loss_reads_nothing_from_the_device(host_reads):
    model = make().train()
    codes = codes_of(model)
    with host_reads() as counter:
        model.loss(codes).backward()
    assert counter.reads == []
