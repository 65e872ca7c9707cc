"""One rank of torchrun: a phase, and one step by rank zero."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import time

import torch.distributed as dist

import aipower

dist.init_process_group("gloo")
with aipower.phase("train"):
    dist.barrier()
    time.sleep(0.3)
    if dist.get_rank() == 0:
        aipower.step(10)
    aipower.log(samples=32)
dist.destroy_process_group()
