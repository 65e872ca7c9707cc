"""Records of runs, as a comparison reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aipower.errors import UsageError
from aipower.runrecord import DeviceRecord, Energies, Interval, Intervals, RunRecord, SeriesRecord

GAIN = 0.05
CARD = "GPU-01234567-89ab-cdef-0123-456789abcdef"


def around(energy_j: float, relative: float) -> Interval:
    """95 %: `relative` to either side."""
    return energy_j * (1 - relative), energy_j * (1 + relative)


def device(
    kind: str,
    energy_j: float | None,
    *,
    id_: str = "",
    own: float = 0.002,
    idle_j: float = 50.0,
    other_j: float = 0.0,
    calibration: str = "",
    gain: float = GAIN,
    method: str = "counter",
    power_limit_w: float | None = None,
    core_clock_hz: float | None = None,
) -> DeviceRecord:
    """A device whose errors are `own` and `gain`, 95 % and relative."""
    whole_j = (energy_j or 0.0) + idle_j + other_j
    both = (own**2 + gain**2) ** 0.5
    return DeviceRecord(
        device=id_ or {"gpu": CARD, "cpu": "cpu-0", "dram": "dram-0"}[kind],
        kind=kind,
        index="0",
        name=f"A {kind}",
        method=method,
        energy_j=whole_j,
        interval_j=around(whole_j, both),
        mean_w=100.0,
        peak_w=None,
        run_energy_j=energy_j,
        run_interval_j=None if energy_j is None else around(energy_j, both),
        idle_j=idle_j,
        other_j=other_j,
        unattributed_j=0.0,
        covered_s=10.0,
        run_unknown="this driver does not say who works" if energy_j is None else "",
        power_limit_w=power_limit_w,
        core_clock_hz=core_clock_hz,
        calibration=calibration,
        repeatable_interval_j=around(whole_j, own),
        repeatable_run_interval_j=None if energy_j is None else around(energy_j, own),
    )


def record(
    devices: Sequence[DeviceRecord],
    *,
    run_id: str,
    name: str = "",
    start_s: float = 0.0,
    wall_s: float = 10.0,
    host: str = "node1",
    exit_code: int = 0,
    complete: bool = True,
    simulated: bool = False,
    metrics: Mapping[str, float] | None = None,
    work: Mapping[str, float] | None = None,
    series: SeriesRecord | None = None,
    command: Sequence[str] = ("train",),
) -> RunRecord:
    """A run on `devices`; its sums have the errors of its devices in squares."""
    sums: dict[str, float] = {}
    squares: dict[str, float] = {}
    for each in devices:
        if each.run_energy_j is not None and each.repeatable_run_interval_j is not None:
            half_j = each.repeatable_run_interval_j[1] - each.run_energy_j
            for kind in (each.kind, "total"):
                sums[kind] = sums.get(kind, 0.0) + each.run_energy_j
                squares[kind] = squares.get(kind, 0.0) + half_j**2
    own = {kind: (energy_j - squares[kind] ** 0.5, energy_j + squares[kind] ** 0.5) for kind, energy_j in sums.items()}
    return RunRecord(
        run_id=run_id,
        name=name,
        command=list(command),
        exit_code=exit_code,
        started_unix_s=start_s,
        wall_s=wall_s,
        host=host,
        energy_j=Energies(**sums),
        interval_j=Intervals(**{kind: around(energy_j, GAIN) for kind, energy_j in sums.items()}),
        repeatable_interval_j=Intervals(**own),
        estimated_j=Energies(),
        estimated_interval_j=Intervals(),
        devices=list(devices),
        processes=[],
        faults=[],
        not_measured=[],
        cpu_time_s=1.0,
        max_rss_bytes=0,
        surviving_processes=0,
        complete=complete,
        simulated=simulated,
        version="1",
        metrics=dict(metrics or {}),
        work=dict(work or {}),
        series=series,
    )


def gpu_runs(name: str, energies_j: Sequence[float], *, start_s: float = 0.0, own: float = 0.002) -> list[RunRecord]:
    """Runs on one GPU, one after the other."""
    return [
        record([device("gpu", energy_j, own=own)], run_id=f"{name}-{n}", name=name, start_s=start_s + 20 * n)
        for n, energy_j in enumerate(energies_j)
    ]


class Kept:
    """A store in memory: a word is a name or an id."""

    def __init__(self, *records: RunRecord) -> None:
        self.records = records

    def find_all(self, word: str) -> list[RunRecord]:
        found = [record_ for record_ in self.records if word in {record_.name, record_.run_id}]
        if not found:
            raise UsageError(f"no run {word!r} is kept")
        return found
