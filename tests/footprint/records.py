"""A record of a run that measured 1.5 MJ, and footprints to apply to it."""

from __future__ import annotations

from msgspec.structs import replace

from aipower.footprint.settings import Footprint
from aipower.runrecord import Energies, Interval, Intervals, RunRecord

ENERGY_J = 1.5e6
INTERVAL_J = (1.2e6, 1.8e6)

RECORD = RunRecord(
    run_id="20261128T133214Z-1a2b3c4d",
    name="",
    command=["true"],
    exit_code=0,
    started_unix_s=1.8e9,
    wall_s=10.0,
    host="node",
    energy_j=Energies(total=ENERGY_J, gpu=ENERGY_J),
    interval_j=Intervals(total=INTERVAL_J, gpu=INTERVAL_J),
    repeatable_interval_j=Intervals(total=INTERVAL_J, gpu=INTERVAL_J),
    estimated_j=Energies(cpu=7.0),
    estimated_interval_j=Intervals(cpu=(1.0, 20.0)),
    devices=[],
    processes=[],
    faults=[],
    not_measured=[],
    cpu_time_s=1.0,
    max_rss_bytes=1,
    surviving_processes=0,
    complete=True,
    simulated=False,
    version="0",
)
FIXED = Footprint(intensity_g_per_kwh=360.0)
EUROS = Footprint(price_per_kwh=0.3, currency="EUR")


def record_of(energy_j: float | None, interval_j: Interval | None) -> RunRecord:
    return replace(RECORD, energy_j=Energies(total=energy_j), interval_j=Intervals(total=interval_j))
