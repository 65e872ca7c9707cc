"""The machines that the page must show well."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.footprint.settings import Footprint
from aipower.model import JobFacts, Owner, Place, SinkState, Unavailable
from live.plan import Plan, Worker

XSS = "<img src=x onerror=alert(1)>"
BREAKOUT = '"><script>alert(2)</script>'
RTL = "\u202egnp.exe \u05e9\u05dc\u05d5\u05dd"
EMOJI = "\U0001f469\u200d\U0001f680 train \U0001f525"
LONG = "n" * 200
UGLY = (XSS, BREAKOUT, RTL, EMOJI, LONG)
TRAIN_RUN, SERVE_RUN = "20261128T100000-aaaa1111", "20261128T110000-bbbb2222"

POD = "0f1a2b3c-4d5e-4f60-8172-93a4b5c6d7e8"
CONTAINER = "5ca1ab1e" * 8


def slurm(job: str, name: str, step: str = "0") -> Place:
    return Place(Owner("slurm", job, step), facts=JobFacts(name, "vision", "research", "gpu"))


def pod(name: str, namespace: str) -> Place:
    facts = JobFacts(team="language", namespace=namespace, pod=name)
    return Place(Owner("kubernetes", POD, CONTAINER), CONTAINER, f"cri-containerd-{CONTAINER}.scope", "", facts)


def unit(name: str) -> Place:
    return Place(Owner("systemd", name), unit=name, slice="system.slice")


GPU_MISSING = Unavailable(
    "GPU (NVML)", "gpu", "the NVIDIA driver is not loaded", "load it with `modprobe nvidia`, or install it"
)
CPU_MISSING = Unavailable(
    "CPU (RAPL)", "cpu", "energy_uj can only be read by root", "chmod g+r, see `aipower doctor` for the rule"
)
SINKS = (
    SinkState("otlp", up=True, pushes=240),
    SinkState("jsonl", up=False, pushes=12, faults={"full": 3}),
)
EURO = Footprint(price_per_kwh=0.31, currency="EUR", pue=1.2, zone="DEU")

TRAINING = Worker("train.py", "ada", slurm("4711", "resnet50"), (0, 1), 3.0, 2.0, TRAIN_RUN, "resnet50 lr=0.1")
EVALUATION = Worker("eval.py", "ada", slurm("4711", "resnet50", "1"), (1,), 1.0)
SERVING = Worker("vllm", "svc-llm", pod("vllm-0", "serving"), (2,), 2.0, run=SERVE_RUN, run_name="serve-7b")
NOTEBOOK = Worker("jupyter", "grace", unit("jupyter.service"), (3,), 0.5)
DATABASE = Worker("postgres", "postgres", unit("postgresql.service"), (), 6.0)
USUAL = (TRAINING, EVALUATION, SERVING, NOTEBOOK, DATABASE)


def _crowd(count: int, gpus: int, on_gpus: int) -> tuple[Worker, ...]:
    """The first `on_gpus` of them on GPUs; with different weights, so that there is an order."""
    return tuple(
        Worker(
            f"worker-{number:03d}",
            f"user{number % 17:02d}",
            slurm(str(5000 + number // 8), f"sweep-{number // 8}"),
            (number % gpus,) if number < on_gpus else (),
            0.05 + 0.01 * (number % 5),
            1.0 + number % 13,
        )
        for number in range(count)
    )


def _hostile(text: str, gpu: int) -> Worker:
    place = Place(Owner("slurm", str(7000 + gpu), "0"), facts=JobFacts(text, text, text, text, text, text))
    return Worker(text, text, place, (gpu,), 1.0, 1.0, f"20261128T120000-cccc000{gpu}", text)


PLANS: Mapping[str, Plan] = {
    "empty": Plan(missing=(GPU_MISSING, CPU_MISSING), past_s=600.0),
    "one": Plan(1, 1, (Worker("train.py", "ada", Place(), (0,), 2.0),)),
    "usual": Plan(4, 1, USUAL, sinks=SINKS, footprint=EURO, fine_s=310.0),
    "sixteen": Plan(
        16, 2, tuple(Worker(f"rank{n}", "ada", slurm("99", "llm-70b"), (n,), 1.5) for n in range(16)), past_s=900.0
    ),
    "sixty": Plan(56, 2, _crowd(56, 56, 56), interval_s=0.1, fine_s=6.0, past_s=150.0),
    "crowd": Plan(8, 1, _crowd(500, 8, 64), max_processes=600, fine_s=10.0, past_s=60.0),
    "hostile": Plan(
        5,
        1,
        tuple(_hostile(text, gpu) for gpu, text in enumerate(UGLY)),
        gpu_name=XSS,
        missing=(Unavailable(BREAKOUT, "dram", XSS, BREAKOUT),),
        sinks=(SinkState(XSS, up=False, faults={BREAKOUT: 1}),),
        past_s=900.0,
    ),
}
