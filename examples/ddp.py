"""Data-parallel training with PyTorch on CPUs: each rank learns from its own part, gradients are averaged (gloo).

    aipower-run torchrun --nproc-per-node 2 examples/ddp.py

The data are drawn by the script itself, so nothing is downloaded. Where `import aipower` works its training and its
test are phases of the run, and the samples that it learns from are the work that its energy is divided by.
"""

from __future__ import annotations

import argparse
import contextlib
import time

import torch  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel  # type: ignore[import-not-found, unused-ignore]

try:
    import aipower
except ImportError:
    aipower = None  # type: ignore[assignment]

INPUTS, HIDDEN, CLASSES = 32, 256, 8
BATCH = 128


def draw(count: int, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Points around the centres of their classes, and the classes."""
    classes = torch.randint(CLASSES, (count,))
    return centres[classes] + torch.randn(count, INPUTS), classes


def phase(name: str) -> contextlib.AbstractContextManager[object]:
    """A phase of the run that measures us, if one does."""
    return aipower.phase(name) if aipower is not None else contextlib.nullcontext()


def train(model: nn.Module, centres: Tensor, seconds: float) -> int:
    """Train until the first rank says that `seconds` are over; the number of steps."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    lossy = nn.CrossEntropyLoss()
    deadline_s = time.monotonic() + seconds
    going, steps = torch.ones(1), 0
    while going.item():
        inputs, classes = draw(BATCH, centres)
        optimizer.zero_grad()
        lossy(model(inputs), classes).backward()
        optimizer.step()
        steps += 1
        if aipower is not None:
            aipower.log(samples=BATCH)
        going.fill_(float(time.monotonic() < deadline_s))
        distributed.broadcast(going, 0)
    return steps


def accuracy(model: nn.Module, centres: Tensor) -> float:
    """Share of new points whose class is found."""
    inputs, classes = draw(2000, centres)
    with torch.no_grad():
        return float((model(inputs).argmax(dim=1) == classes).float().mean())


def main() -> None:
    """Join the other ranks, train, and tell how good it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    centres = torch.randn(CLASSES, INPUTS, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(rank)
    layers = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
    model = DistributedDataParallel(layers)
    with phase("train"):
        steps = train(model, centres, options.seconds)
    with phase("test"):
        score = accuracy(model, centres)
    if rank == 0:
        print(f"trained {steps} steps on {distributed.get_world_size()} ranks: accuracy {score:.2f}", flush=True)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
