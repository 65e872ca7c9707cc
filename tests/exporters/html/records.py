"""Made-up records of runs, small and large, for the pages of the tests."""

from __future__ import annotations

import math

from msgspec.structs import replace

from aipower.runrecord import (
    CarbonRecord,
    CostRecord,
    DeviceRecord,
    Energies,
    EquivalentRecord,
    FaultLine,
    GroupRecord,
    Interval,
    Intervals,
    JobRecord,
    Missing,
    NodeRecord,
    PerUnit,
    PhasePart,
    PhaseRecord,
    PowerSeries,
    ProcessRecord,
    RunRecord,
    SeriesRecord,
)

WALL_S = 60.0
NOTHING, UNSURE = Energies(), Intervals()


def around(energy_j: float, part: float = 0.05) -> Interval:
    return (energy_j * (1 - part), energy_j * (1 + part))


def device(index: int, kind: str = "gpu", energy_j: float = 14_000.0) -> DeviceRecord:
    run_j = energy_j * 0.7
    return DeviceRecord(
        device=f"{kind.upper()}-{index:04d}",
        kind=kind,
        index=str(index),
        name={"gpu": "NVIDIA H100 80GB HBM3", "cpu": "package-0 (AMD EPYC 9654)"}.get(kind, "dram of package-0"),
        method="counter" if kind != "dram" else "integrated",
        energy_j=energy_j,
        interval_j=around(energy_j, 0.07),
        mean_w=energy_j / WALL_S,
        peak_w=1.6 * energy_j / WALL_S,
        run_energy_j=run_j,
        run_interval_j=around(run_j, 0.11),
        idle_j=energy_j * 0.22,
        other_j=energy_j * 0.05,
        unattributed_j=energy_j * 0.03,
        covered_s=WALL_S,
        power_limit_w=700.0 if kind == "gpu" else None,
        performance_state=0 if kind == "gpu" else None,
        core_clock_hz=1.98e9 if kind == "gpu" else None,
        memory_clock_hz=2.619e9 if kind == "gpu" else None,
        repeatable_interval_j=around(energy_j, 0.004),
        repeatable_run_interval_j=around(run_j, 0.02),
    )


def process(pid: int, command: str, energy_j: float, *, identifiable: bool = True) -> ProcessRecord:
    interval_j = around(energy_j, 0.1 if identifiable else 0.4)
    return ProcessRecord(pid, command, energy_j, interval_j, around(energy_j, 0.02), identifiable, 41.5)


def power_of(row: DeviceRecord, steps: int = 600) -> PowerSeries:
    """A training: epochs, a dip for each validation, a slow rise as the device warms up."""
    step_s = WALL_S / steps
    mean_w = (row.energy_j or 6000.0) / WALL_S
    shift = int(row.index) * 0.7 if row.index.isdigit() else 0.0
    powers: list[float | None] = []
    for step in range(steps):
        time_s = step * step_s
        busy = 4 < time_s < 56 and time_s % 13 > 2.5
        ripple = 0.06 * math.sin(5 * time_s + shift) + 0.03 * math.sin(31 * time_s + 2 * shift)
        powers.append(mean_w * ((1.25 if busy else 0.42) + ripple + 0.001 * time_s))
    powers[steps // 2 : steps // 2 + 3] = [None] * 3
    own = [None if power_w is None else max(0.0, power_w - 0.25 * mean_w) for power_w in powers]
    return PowerSeries(row.device, step_s, powers, own)


def phase(path: list[str], energy_j: float, spans: list[Interval], **more: object) -> PhaseRecord:
    found = PhaseRecord(
        path=path,
        count=max(1, len(spans)),
        wall_s=sum(end_s - start_s for start_s, end_s in spans),
        energy_j=Energies(total=energy_j, gpu=energy_j * 0.9, cpu=energy_j * 0.1),
        interval_j=Intervals(total=around(energy_j), gpu=around(energy_j * 0.9), cpu=around(energy_j * 0.1)),
        repeatable_interval_j=Intervals(total=around(energy_j, 0.01)),
        spans=spans,
        devices=[PhasePart("GPU-0000", energy_j * 1.3, energy_j * 0.9, around(energy_j * 0.9))],
    )
    return replace(found, **more)


def training_phases() -> list[PhaseRecord]:
    epochs: list[Interval] = [(4.0 + 13 * index, 15.5 + 13 * index) for index in range(4)]
    batches: list[Interval] = [(start + 1.1 * i, start + 1.1 * i + 0.9) for start, _ in epochs for i in range(10)]
    checks: list[Interval] = [(end, end + 1.5) for _, end in epochs]
    return [
        phase(["load data"], 900.0, [(0.3, 4.0)]),
        phase(["train"], 17_000.0, epochs, work={"tokens": 1.2e6, "step": 400.0}),
        phase(["train", "batch"], 15_500.0, batches),
        phase(["train", "batch", "optimizer"], 2_100.0, [(b + 0.7, e) for b, e in batches], resolved=False),
        phase(["validate"], 1_600.0, checks, work={"samples": 5000.0}),
        phase([], 500.0, [], count=1),
    ]


def bare() -> RunRecord:
    """A run of which nothing is known but that it was."""
    return RunRecord(
        run_id="20261128T133214Z-1a2b3c4d",
        name="",
        command=["true"],
        exit_code=0,
        started_unix_s=1_795_872_734.0,
        wall_s=0.01,
        host="node1",
        energy_j=NOTHING,
        interval_j=UNSURE,
        repeatable_interval_j=UNSURE,
        estimated_j=NOTHING,
        estimated_interval_j=UNSURE,
        devices=[],
        processes=[],
        faults=[],
        not_measured=[],
        cpu_time_s=0.0,
        max_rss_bytes=0,
        surviving_processes=0,
        complete=True,
        simulated=False,
        version="0.5.0",
    )


def unknown() -> RunRecord:
    """Devices of which everything that may be None is."""
    nothing = DeviceRecord(
        device="GPU-x",
        kind="gpu",
        index="0",
        name="Some GPU",
        method="counter",
        energy_j=None,
        interval_j=None,
        mean_w=None,
        peak_w=None,
        run_energy_j=None,
        run_interval_j=None,
        idle_j=None,
        other_j=None,
        unattributed_j=None,
        covered_s=0.0,
    )
    undivided = replace(
        device(1),
        run_energy_j=None,
        run_interval_j=None,
        idle_j=None,
        other_j=None,
        unattributed_j=None,
        run_unknown="the driver does not say who works",
    )
    blank = PhaseRecord(["blank"], 0, 0.0, NOTHING, UNSURE, UNSURE)
    series = PowerSeries("GPU-x", 0.1, [None] * 5, [None] * 5)
    return replace(bare(), wall_s=WALL_S, devices=[nothing, undivided], phases=[blank], power=[series], complete=False)


def full(gpus: int = 2) -> RunRecord:
    """Everything that a record can hold."""
    devices = [device(i, energy_j=14_000.0 - 900 * (i % 4)) for i in range(gpus)]
    devices += [device(0, "cpu", 5200.0), device(0, "dram", 900.0)]
    run_j = sum(row.run_energy_j or 0.0 for row in devices)
    return replace(
        bare(),
        name="bert-base baseline",
        command=["python", "train.py", "--model", "bert-base", "--lr", "3e-4"],
        wall_s=WALL_S,
        energy_j=Energies(total=run_j, gpu=run_j * 0.82, cpu=run_j * 0.15, dram=run_j * 0.03),
        interval_j=Intervals(
            around(run_j, 0.08), around(run_j * 0.82), around(run_j * 0.15, 0.3), around(run_j * 0.03, 0.6)
        ),
        repeatable_interval_j=Intervals(total=around(run_j, 0.012)),
        devices=devices,
        processes=[
            process(4711, "python train.py --model bert-base --lr 3e-4", run_j * 0.8),
            process(4720, "python train.py worker 1", run_j * 0.12, identifiable=False),
            process(4721, "python train.py worker 2", run_j * 0.08, identifiable=False),
        ],
        indistinct=[
            GroupRecord("CPU-0000", [4720, 4721], run_j * 0.2, around(run_j * 0.2), around(run_j * 0.2, 0.01))
        ],
        faults=[FaultLine("GPU-0001", "stuck", 12.0, 14.5, 3, "the counter stood still; integrated power meanwhile")],
        not_measured=[
            Missing("NVSwitch", "gpu", "it has no sensor", "measure at the wall"),
            Missing("disk", "node", "no sensor", ""),
        ],
        cpu_time_s=182.4,
        max_rss_bytes=3_400_000_000,
        surviving_processes=1,
        phases=training_phases(),
        carbon=CarbonRecord(3.1, (2.8, 3.4), 381.2, "DEU", 2024, "Ember, CC BY 4.0", 1.2),
        cost=CostRecord(0.00312, (0.0028, 0.0034), "EUR", 0.31, 1.2),
        equivalents=[EquivalentRecord(0.0123, "km by electric car", "US EPA", 2024)],
        power=[power_of(row) for row in devices],
        metrics={"accuracy": 0.9134, "loss": 0.2871},
        work={"tokens": 1_200_000.0, "images": 7.0},
        per=[PerUnit("tokens", 1_200_000.0, run_j / 1.2e6, around(run_j / 1.2e6, 0.08), around(run_j / 1.2e6, 0.012))],
        job=JobRecord("slurm", "8812", "node1", "0", 0, 0, 2, variables={"SLURM_JOB_ID": "8812", "RANK": "0"}),
        series=SeriesRecord("20261128T133000Z-77aa", 2, 5),
    )


def merged() -> RunRecord:
    """One run of two nodes."""
    nodes = [
        NodeRecord(
            f"node{i}", [f"id-{i}"], [2 * i, 2 * i + 1], Energies(total=9e3, gpu=8e3), Intervals(total=around(9e3))
        )
        for i in (1, 2)
    ]
    return replace(full(4), nodes=nodes, merged_from=["id-1", "id-2"], simulated=True, exit_code=137, series=None)


def many_processes(count: int = 1000) -> RunRecord:
    rows = [process(1000 + i, f"python worker.py {i}", 50.0 / (1 + i)) for i in range(count)]
    return replace(full(), processes=rows)


def hostile(text: str) -> RunRecord:
    """`text` wherever somebody else's text can be."""
    odd = replace(
        device(0), device=text, name=text, index=text, kind=text, method=text, calibration=text, run_unknown=text
    )
    return replace(
        merged(),
        run_id=text,
        name=text,
        command=[text, text],
        host=text,
        version=text,
        measured_by=text,
        devices=[odd, device(1), replace(odd, device=text + "2")],
        processes=[process(1, text, 5.0)],
        indistinct=[GroupRecord(text, [1], 5.0, (4.0, 6.0), (4.0, 6.0))],
        faults=[FaultLine(text, text, 0.0, 1.0, 1, text)],
        not_measured=[Missing(text, text, text, text)],
        phases=[phase([text], 5.0, [(0.0, 30.0)], work={text: 2.0}), phase([text, text], 5.0, [(1.0, 20.0)])],
        carbon=CarbonRecord(1.0, (0.5, 1.5), 100.0, text, 2024, text, 1.0),
        cost=CostRecord(1.0, (0.5, 1.5), text, 0.3, 1.0),
        equivalents=[EquivalentRecord(1.0, text, text, 2024)],
        power=[power_of(replace(device(0), device=text), 20), power_of(device(1), 20)],
        metrics={text: 1.0},
        work={text: 1.0},
        per=[PerUnit(text, 1.0, 1.0, (0.5, 1.5), (0.9, 1.1))],
        job=JobRecord(text, text, text, text, 0, 0, 1, variables={text: text}),
        series=SeriesRecord(text, 1, 2),
        nodes=[NodeRecord(text, [text], [0], Energies(total=5.0), Intervals(total=(4.0, 6.0)))],
        merged_from=[text],
    )
