"""Who did what on the simulated nodes: one story of 26 hours, from which sensors, pages and the truth come."""

from __future__ import annotations

from dataclasses import replace

from aipower.model import JobFacts, Owner, Place
from fleet.plan import BOXES, CPU, DRAM, Box, Load, Work

FOREVER_H = 1000.0
VLLM_POD = "5f0c6f3e-8a0e-4b7c-9d0e-2f7a51a3c001"
SGLANG_POD = "5f0c6f3e-8a0e-4b7c-9d0e-2f7a51a3c002"
VLLM_CONTAINER, SGLANG_CONTAINER = "1f" * 32, "2e" * 32
RUN = "bench-20260115-111200-4242"
A, B, C = BOXES
SESSION = Place(Owner(), unit="session-3.scope", slice="user-1003.slice")


def slurm(job: str, name: str, team: str, gpus: str, partition: str = "gpu", step: str = "0") -> Place:
    """A place in a Slurm job that was given `gpus`, one digit each."""
    return Place(Owner("slurm", job, step), facts=JobFacts(name, team, f"acct-{team}", partition, gpus=tuple(gpus)))


def pod(uid: str, name: str, container: str) -> Place:
    """A place in a pod of the team `serving`."""
    facts = JobFacts(name, "serving", namespace="serving", pod=name)
    return Place(Owner("kubernetes", uid, container), container, slice="kubepods-burstable.slice", facts=facts)


def service(unit: str) -> Place:
    """A place in a service of the system."""
    return Place(Owner("systemd", unit), unit=unit, slice="system.slice")


def on(box: Box, gpu: int, watts: float, cpu_w: float, memory_w: float = 0.0, busy: float = 0.9) -> tuple[Load, ...]:
    """Work on a GPU of `box`, with what it draws from the processor and the memory."""
    return Load(box.gpu(gpu), watts, busy, 40.0), *on_cpu(cpu_w, memory_w)


def on_cpu(watts: float, memory_w: float = 0.0) -> tuple[Load, ...]:
    """Work on the processor, eight watts for each core, and what it draws from the memory."""
    busy = watts / 8
    return Load(CPU, watts, busy), *((Load(DRAM, memory_w, busy),) if memory_w else ())


def story() -> tuple[Work, ...]:
    """All processes."""
    return (*_slurm_jobs(), *_pretrain(), *_finetunes(), *_services(), *_without_a_job())


def _slurm_jobs() -> tuple[Work, ...]:
    sweep = slurm("1004", "sweep", "vision", "2")
    notebook = slurm("1005", "notebook", "vision", "3", "interactive")
    evaluate = slurm("1006", "eval", "nlp", "0")
    detect = slurm("1007", "detect", "vision", "0", step="batch")
    return (
        Work("node-b", "python", "bob", sweep, 2, 6, on(B, 2, 580, 12, 3, 0.97)),
        # It holds a GPU and does nothing with it.
        Work("node-b", "jupyter", "bob", notebook, 20, FOREVER_H, on(B, 3, 0, 0.4, busy=0)),
        Work("node-a", "python", "alice", evaluate, 24.5, FOREVER_H, on(A, 0, 420, 16, 3)),
        Work("node-b", "python", "bob", detect, 24.75, 25.6, on(B, 0, 350, 10, 2)),
    )


def _pretrain() -> tuple[Work, ...]:
    """One job on two nodes, with two GPUs on each."""
    place = slurm("1001", "pretrain", "nlp", "01")
    return tuple(
        Work(box.name, "python", "alice", place, 1, 9, (*on(box, 0, 540, 15, 3), *on(box, 1, 540, 15, 3)))
        for box in (A, B)
    )


def _finetunes() -> tuple[Work, Work]:
    """The same work before and after somebody made it use a fifth less."""
    before = Work("node-a", "python", "alice", slurm("1002", "finetune", "nlp", "2"), 10, 12, on(A, 2, 460, 20, 4))
    less = tuple(
        replace(load, watts=0.8 * load.watts, busy=0.8 * load.busy, context_w=0.8 * load.context_w)
        for load in before.loads
    )
    return before, replace(before, place=slurm("1003", "finetune", "nlp", "2"), begin_h=13, end_h=15, loads=less)


def _services() -> tuple[Work, ...]:
    vllm = pod(VLLM_POD, "vllm-llama-0", VLLM_CONTAINER)
    sglang = pod(SGLANG_POD, "sglang-qwen-0", SGLANG_CONTAINER)
    return (
        Work("node-a", "journald", "root", service("systemd-journald.service"), 0.1, FOREVER_H, on_cpu(0.4)),
        Work("node-a", "embedder", "svc", service("embedder.service"), 3, FOREVER_H, on(A, 3, 120, 6, 1, 0.4)),
        Work("node-c", "vllm", "serve", vllm, 0.5, FOREVER_H, on(C, 0, 380, 18)),
        Work("node-c", "sglang", "serve", sglang, 17, FOREVER_H, on(C, 1, 300, 14)),
    )


def _without_a_job() -> tuple[Work, ...]:
    return (
        Work("node-b", "python", "carol", SESSION, 22, 24, on(B, 2, 210, 9, 2, 0.6)),
        Work("node-a", "bench", "alice", SESSION, 25.2, 25.5, on(A, 1, 300, 8, 1, 0.8), RUN, "bench"),
    )
