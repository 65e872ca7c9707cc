"""The figures of a record as plain numbers with names, for tools that draw them."""

from __future__ import annotations

from collections.abc import Iterator

from aipower.measuring import Measure
from aipower.runrecord import Interval, RunRecord


def record_of(measured: RunRecord | Measure) -> RunRecord:
    """The record of a measurement, or the record itself."""
    return measured.record if isinstance(measured, Measure) else measured


def scalars_of(record: RunRecord) -> dict[str, float]:
    """Name and number of all that was measured; what was not is left out, as it is no zero."""
    return {name: value for name, value in _all(record) if value is not None}


def _all(record: RunRecord) -> Iterator[tuple[str, float | None]]:
    yield "wall_s", record.wall_s
    yield from _with_interval("energy_j", record.energy_j.total, record.interval_j.total)
    for kind in ("gpu", "cpu", "dram"):
        yield from _with_interval(f"{kind}_j", getattr(record.energy_j, kind), getattr(record.interval_j, kind))
    yield from _with_interval("estimated_cpu_j", record.estimated_j.cpu, record.estimated_interval_j.cpu)
    for unit in record.per:
        yield f"work/{unit.unit}", unit.amount
        yield from _with_interval(f"j_per/{unit.unit}", unit.energy_j, unit.interval_j)
    for phase in record.phases:
        name = "phase/" + ("/".join(phase.path) or "(outside)")
        yield f"{name}/wall_s", phase.wall_s
        yield from _with_interval(f"{name}/energy_j", phase.energy_j.total, phase.interval_j.total)
    if record.carbon is not None:
        yield "co2e_g", record.carbon.co2e_g
    if record.cost is not None:
        yield f"cost/{record.cost.currency}", record.cost.amount


def _with_interval(name: str, value: float | None, interval: Interval | None) -> Iterator[tuple[str, float | None]]:
    yield name, value
    if value is not None and interval is not None:
        yield f"{name}_low", interval[0]
        yield f"{name}_high", interval[1]
