"""Records of runs as a series sees them."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.run.repeat.play import Play
from aipower.runrecord import DeviceRecord, Energies, Intervals, PerUnit, RunRecord

SCALE = 0.05
"""Half-width of the absolute interval that `record` gives, as a part of the energy."""


def device(name: str, energy_j: float | None, *, whole_j: float = 1000.0) -> DeviceRecord:
    return DeviceRecord(
        name, "gpu", "0", "H100", "counter", whole_j, (900.0, 1100.0), 100.0, 200.0,
        energy_j, None, 0.0, 0.0, 0.0, 10.0,
    )  # fmt: skip


def record(
    total_j: float | None,
    wall_s: float = 10.0,
    *,
    exit_code: int = 0,
    devices: Mapping[str, float | None] | None = None,
    complete: bool = True,
    simulated: bool = False,
    metrics: Mapping[str, float] | None = None,
    per: Mapping[str, float] | None = None,
    estimated_j: float | None = None,
) -> RunRecord:
    """A run of one GPU, unless `devices` says otherwise, whose scale may be off by `SCALE`."""
    interval_j = None if total_j is None else (total_j * (1 - SCALE), total_j * (1 + SCALE))
    rows = {"GPU-0": total_j} if devices is None else devices
    return RunRecord(
        run_id="20261128T133214Z-1a2b3c4d",
        name="",
        command=["true"],
        exit_code=exit_code,
        started_unix_s=1_800_000_000.0,
        wall_s=wall_s,
        host="node",
        energy_j=Energies(total_j, gpu=total_j),
        interval_j=Intervals(interval_j, gpu=interval_j),
        repeatable_interval_j=Intervals(),
        estimated_j=Energies(estimated_j, cpu=estimated_j),
        estimated_interval_j=Intervals(),
        devices=[device(name, energy_j) for name, energy_j in rows.items()],
        processes=[],
        faults=[],
        not_measured=[],
        cpu_time_s=1.0,
        max_rss_bytes=1,
        surviving_processes=0,
        complete=complete,
        simulated=simulated,
        version="0",
        metrics=dict(metrics or {}),
        per=[PerUnit(unit, 100.0, j, (j, j), (j, j)) for unit, j in (per or {}).items()],
    )


def plays(*totals_j: float | None, walls_s: list[float] | None = None) -> list[Play]:
    """Successful repetitions with these energies."""
    walls = walls_s or [10.0] * len(totals_j)
    return [
        Play(index, 0, record(total_j, wall_s))
        for index, (total_j, wall_s) in enumerate(zip(totals_j, walls, strict=True), 1)
    ]
