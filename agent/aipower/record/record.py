"""The record of a run, schema `aipower.run/1`: what `--json` writes. Fields may be added; none changes its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEMA = "aipower.run/1"

COVERED = 0.95
"""A device that was watched for less of the run than this has a partial energy."""
CRUMB = 0.01
"""Less than this of a device's energy is the noise of its edges, no sign of work."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Energies:
    """Joules by kind; None where nothing of the kind was measured."""

    total: float | None = None
    gpu: float | None = None
    cpu: float | None = None
    dram: float | None = None


@dataclass(frozen=True, slots=True)
class Intervals:
    """95 % intervals in joules, [low, high]; None where nothing of the kind was measured."""

    total: Interval | None = None
    gpu: Interval | None = None
    cpu: Interval | None = None
    dram: Interval | None = None


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """One device during the run."""

    device: str
    kind: str
    index: str
    name: str
    method: str
    energy_j: float | None
    """Of the whole device, whoever used it; None where no energy was to be had."""
    interval_j: Interval | None
    mean_w: float | None
    peak_w: float | None
    """The highest power read; None where there were too few readings."""
    run_energy_j: float | None
    """The run's own part; None where nobody can say what it is, see `run_unknown`."""
    run_interval_j: Interval | None
    idle_j: float | None
    other_j: float | None
    """Other processes' part."""
    unattributed_j: float | None
    """What cannot be assigned. Run, idle, other and unattributed sum to the energy."""
    covered_s: float
    """For how long of the run the energy is known; `mean_w` is over this time."""
    run_unknown: str = ""
    """Why `run_energy_j` is None although the device's energy is known."""
    power_limit_w: float | None = None
    """The lowest power limit seen."""
    performance_state: int | None = None
    """The slowest P-state seen; 0 is the fastest."""
    core_clock_hz: float | None = None
    """The mean of what was seen once a second, as is `memory_clock_hz`."""
    memory_clock_hz: float | None = None
    calibration: str = ""
    """The meter, day and file of the calibration that was applied; empty for a sensor that has none."""
    repeatable_interval_j: Interval | None = None
    """`interval_j` without the sensor's scale: in it, energies of this device compare with each other."""
    repeatable_run_interval_j: Interval | None = None
    """`run_interval_j` without the sensor's scale."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process of the run."""

    pid: int
    command: str
    energy_j: float
    interval_j: Interval
    repeatable_interval_j: Interval
    """Without the scale of the sensors."""
    identifiable: bool
    """False where it shared its devices with others, so that its part rests on busy time alone."""
    cpu_time_s: float


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """Processes of the run that worked on a device together and that nothing tells apart: their sum is known well."""

    device: str
    pids: list[int]
    energy_j: float
    interval_j: Interval
    repeatable_interval_j: Interval


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A kind of fault of one device during the run."""

    device: str | None
    reason: str
    first_s: float
    """Seconds after the start of the run."""
    last_s: float
    count: int
    detail: str


@dataclass(frozen=True, slots=True)
class Missing:
    """What was not measured, why, and what can be done."""

    source: str
    kind: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run."""

    run_id: str
    name: str
    command: list[str]
    exit_code: int
    started_unix_s: float
    wall_s: float
    host: str
    energy_j: Energies
    """What the run's own processes used; measured only."""
    interval_j: Intervals
    repeatable_interval_j: Intervals
    """Without the scale of the sensors: in it, runs on the same devices compare with each other."""
    estimated_j: Energies
    """By a model, for what was not measured; no part of `energy_j`."""
    estimated_interval_j: Intervals
    devices: list[DeviceRecord]
    processes: list[ProcessRecord]
    faults: list[FaultLine]
    not_measured: list[Missing]
    cpu_time_s: float
    """User and system seconds of all processes of the run."""
    max_rss_bytes: int
    surviving_processes: int
    """Descendants that still ran when the command ended: they are counted up to then."""
    complete: bool
    """False where a sensor hung or left, so that figures do not cover the whole run."""
    simulated: bool
    """True for `--sensors fake`: the figures are no measurement."""
    version: str
    schema: str = SCHEMA
    measured_by: str = "aipower-run"
    """`agent` where an agent that runs on the machine has measured, `aipower-run` where the wrapper did so itself."""
    indistinct: list[GroupRecord] = field(default_factory=list)
    phases: list[dict[str, Any]] = field(default_factory=list)
    carbon: dict[str, Any] | None = None
    cost: dict[str, Any] | None = None
    equivalents: list[dict[str, Any]] = field(default_factory=list)


def is_covered(row: DeviceRecord, wall_s: float) -> bool:
    """True where the row's energy is that of (nearly) the whole run."""
    return row.covered_s >= COVERED * wall_s


def to_json(record: RunRecord) -> bytes:
    """The record as indented JSON, the schema first."""
    import msgspec  # noqa: PLC0415 - 15 ms that a run without --json need not spend

    fields = msgspec.to_builtins(record)
    ordered = {"schema": fields.pop("schema"), **fields}
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n"
