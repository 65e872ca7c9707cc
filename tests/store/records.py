"""Made-up runs, and folders full of them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aipower.runrecord import (
    CarbonRecord,
    CostRecord,
    DeviceRecord,
    Energies,
    FaultLine,
    GroupRecord,
    Intervals,
    Missing,
    NodeRecord,
    PhasePart,
    PhaseRecord,
    PowerSeries,
    ProcessRecord,
    RunRecord,
    SeriesRecord,
)
from aipower.store.folder import RunStore

STARTED_UNIX_S = 1_795_000_000.0
GPU = DeviceRecord(
    device="GPU-1",
    kind="gpu",
    index="0",
    name="NVIDIA H100",
    method="counter",
    energy_j=1000.0,
    interval_j=(950.0, 1050.0),
    mean_w=100.0,
    peak_w=140.0,
    run_energy_j=800.0,
    run_interval_j=(750.0, 850.0),
    idle_j=150.0,
    other_j=30.0,
    unattributed_j=20.0,
    covered_s=10.0,
    repeatable_interval_j=(999.0, 1001.0),
    repeatable_run_interval_j=(780.0, 804.0),
)
PROCESS = ProcessRecord(
    4711, "python train.py", 800.0, (750.0, 850.0), (780.0, 804.0), identifiable=True, cpu_time_s=4.0
)
BASE = RunRecord(
    run_id="20261118T100640Z-00000001",
    name="",
    command=["python", "train.py"],
    exit_code=0,
    started_unix_s=STARTED_UNIX_S,
    wall_s=10.0,
    host="node",
    energy_j=Energies(800.0, 800.0),
    interval_j=Intervals((750.0, 850.0), (750.0, 850.0)),
    repeatable_interval_j=Intervals((780.0, 804.0), (780.0, 804.0)),
    estimated_j=Energies(),
    estimated_interval_j=Intervals(),
    devices=[GPU],
    processes=[PROCESS],
    faults=[],
    not_measured=[],
    cpu_time_s=4.0,
    max_rss_bytes=1 << 20,
    surviving_processes=0,
    complete=True,
    simulated=False,
    version="0",
)
"""A run of ten seconds on one GPU."""
CARBON = CarbonRecord(0.11, (0.10, 0.12), 473.0, "DEU", 2025, "Ember", 1.0)
COST = CostRecord(0.00007, (0.00006, 0.00008), "EUR", 0.30, 1.0)
COMMANDS = (
    ["python", "train.py", "--epochs", "3", "--lr", "3e-4", "--out", "/scratch/someone/runs/2026/resnet50-baseline"],
    ["torchrun", "--nproc-per-node=8", "pretrain.py", "--config", "configs/7b.yaml"],
    ["./bench", "-n", "1000000"],
    ["bash", "-c", "for n in 1 2 3; do python eval.py --shard $n; done"],
    ["python", "-m", "vllm.entrypoints.openai.api_server", "--model", "mistral"],
    ["sleep", "1"],
)
NAMES = ("", "", "baseline", "bf16", "a rather long name that somebody typed", "基线 实验")


def run_id(started_unix_s: float, number: int) -> str:
    """An id as aipower-run makes them, with `number` in place of chance."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(started_unix_s))}-{number:08x}"


def record(number: int = 1, started_unix_s: float = STARTED_UNIX_S, **changes: Any) -> RunRecord:
    """The base run with another id, start and whatever `changes` names."""
    base = replace(BASE, run_id=run_id(started_unix_s, number), started_unix_s=started_unix_s)
    return replace(base, **changes)


def used(number: int, energy_j: float, relative: float = 0.05, **changes: Any) -> RunRecord:
    """A run that used so many joules."""
    interval_j = (energy_j * (1 - relative), energy_j * (1 + relative))
    total, within = Energies(energy_j, energy_j), Intervals(interval_j, interval_j)
    return record(number, energy_j=total, interval_j=within, repeatable_interval_j=within, **changes)


def with_everything() -> RunRecord:
    """A run with phases, power, figures of merit, carbon and cost."""
    train = PhaseRecord(
        ["train"], 1, 6.0, Energies(600.0, 600.0), Intervals((550.0, 650.0), (550.0, 650.0)),
        Intervals((590.0, 610.0), (590.0, 610.0)), work={"tokens": 1000.0}, spans=[(1.0, 7.0)],
        devices=[PhasePart("GPU-1", 700.0, 600.0, (550.0, 650.0))],
    )  # fmt: skip
    outside = replace(train, path=[], wall_s=4.0, energy_j=Energies(200.0, 200.0), work={}, spans=[], devices=[])
    power = PowerSeries("GPU-1", 2.5, [90.0, 110.0, None, 100.0], [80.0, 100.0, None, 60.0])
    return record(
        name="everything", phases=[train, outside], power=[power], metrics={"accuracy": 0.91}, work={"tokens": 1000.0},
        carbon=CARBON, cost=COST, series=SeriesRecord("20261118T100640Z-0000000a", 2, 5),
        indistinct=[GroupRecord("GPU-1", [4711, 4712], 800.0, (750.0, 850.0), (780.0, 804.0))],
        faults=[FaultLine("GPU-1", "slow", 1.0, 2.0, 3, "answers late")],
        not_measured=[Missing("DRAM (RAPL)", "dram", "no permission", "run as root")],
        nodes=[NodeRecord("node", ["20261118T110640Z-00000001"], [0], BASE.energy_j, BASE.interval_j)],
    )  # fmt: skip


def fifty(now_unix_s: float, count: int = 50, seed: int = 1) -> Sequence[RunRecord]:
    """Runs of the last weeks as a group of people might have left them."""
    chance = random.Random(seed)
    return [_chance_run(chance, number, now_unix_s - 40_000.0 * (count - number)) for number in range(count)]


def _chance_run(chance: random.Random, number: int, started_unix_s: float) -> RunRecord:
    wall_s, power_w = 10 ** chance.uniform(-1.5, 5), 10 ** chance.uniform(0.5, 3.4)
    run = used(
        chance.getrandbits(32), wall_s * power_w, chance.choice((0.05, 0.11, 0.6)), command=chance.choice(COMMANDS),
        name=chance.choice(NAMES), wall_s=wall_s, exit_code=chance.choice((0, 0, 0, 0, 1, 137)),
        host=chance.choice(("node-a", "node-b")), started_unix_s=started_unix_s,
    )  # fmt: skip
    run = replace(run, run_id=f"{run_id(started_unix_s, 0)[:-8]}{run.run_id[-8:]}")
    if number % 7 == 3:
        return replace(run, energy_j=Energies(), interval_j=Intervals(), estimated_j=Energies(9.0, cpu=9.0))
    if number % 5 == 0:
        grams = wall_s * power_w / 3.6e6 * 473.0
        run = replace(run, carbon=replace(CARBON, co2e_g=grams, interval_g=(0.9 * grams, 1.1 * grams)))
    return (
        replace(run, series=SeriesRecord("20261118T100640Z-0000000a", number % 5, 4)) if number >= SERIES_FROM else run
    )


SERIES_FROM = 45
"""The last ones are a series."""


def store_of(folder: Path, records: Sequence[RunRecord]) -> RunStore:
    """A store that holds `records`."""
    store = RunStore(folder)
    for one in records:
        store.put(one)
    return store
