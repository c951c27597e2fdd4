"""Two processes with half a batch each do what one does with the whole batch."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file

from course_lib.quantize import KMeans, ResidualVQ, VectorQuantizer, kmeans, vector_quantizer
from course_lib.quantize.processes import draws

STEPS = 8


KINDS = ("ema", "gradient", "residual with dropout")


def make(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    if kind in ("ema", "gradient"):
        return VectorQuantizer(6, 24, codebook=kind, dead=0.4, decay=0.8).double()
    return ResidualVQ(6, 24, 3, dead=0.4, decay=0.8).double()


def run(quantizer: torch.nn.Module, batch: torch.Tensor, step: int, items: slice) -> torch.Tensor:
    """Codes of this process's items of a batch, or of all of them."""
    if isinstance(quantizer, VectorQuantizer):
        return quantizer(batch[items]).codes
    kept = torch.tensor([1, 3, 2, 1, 3]).roll(step)
    if step == 3:
        kept = kept.clamp(max=2)  # nobody uses the last stage
    return quantizer(batch[items], kept=kept[items]).codes


def entries(quantizer: torch.nn.Module) -> torch.Tensor:
    stages = [quantizer] if isinstance(quantizer, VectorQuantizer) else quantizer.stages
    return torch.cat([stage.codebook.detach() for stage in stages])


def batches() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(STEPS, 5, 6, 15, generator=generator, dtype=torch.float64)
    return data * torch.linspace(1, 4, STEPS, dtype=torch.float64)[:, None, None, None]


def moved(*args, **options) -> KMeans:
    found = kmeans(*args, **options)
    return KMeans(found.centroids + 1e-6, found.distortions)


def worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", 2)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
    if rank == 1:  # a GPU adds up in any order, so that k-means ends a little elsewhere
        vector_quantizer.kmeans = moved
    items = slice(0, 3) if rank == 0 else slice(3, 5)  # uneven on purpose
    for kind in KINDS:
        vq = make(kind)
        codes = [run(vq, batch, step, items) for step, batch in enumerate(batches())]
        save_file(
            {"codes": torch.stack(codes), **vq.state_dict()},
            f"{folder}/{kind}{rank}.safetensors",
        )
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    mp.start_processes(worker, (str(folder),), nprocs=2, start_method="spawn")
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_equal_one(two, kind):
    alone = make(kind)
    revived = 0
    codes = []
    for step, batch in enumerate(batches()):
        before = entries(alone).clone()
        codes.append(run(alone, batch, step, slice(None)))
        revived += int(((entries(alone) - before).norm(dim=1) > 1).sum())
    assert revived > STEPS  # draws were made
    halves = [load_file(two / f"{kind}{rank}.safetensors") for rank in (0, 1)]
    assert torch.equal(torch.cat([half["codes"] for half in halves], 1), torch.stack(codes))
    for name, value in alone.state_dict().items():
        for half in halves:
            torch.testing.assert_close(half[name], value, rtol=0, atol=1e-9, msg=name)
        assert torch.equal(halves[0][name], halves[1][name]), name


def test_draws_are_uniform_and_differ_by_seed_step_and_place():
    first = draws(0, torch.tensor(5), 100_000)
    assert first.min() >= 0 and first.max() < 2**32
    shares = torch.bincount(first % 10, minlength=10) / 100_000
    assert (shares - 0.1).abs().max() < 0.005
    assert first.unique().numel() > 99_900
    assert torch.equal(first[:10], draws(0, torch.tensor(5), 10))
    for other in (draws(1, torch.tensor(5), 100_000), draws(0, torch.tensor(6), 100_000)):
        assert (first == other).float().mean() < 0.001
        together = torch.corrcoef(torch.stack([first, other]).double())[0, 1]
        assert abs(together) < 0.02
