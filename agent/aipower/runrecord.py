"""The record of a run, schema `aipower.run/1`: what is kept, printed, compared and merged.

Fields may be added; none changes its meaning. All are described in docs/record.md.
"""

from __future__ import annotations

from msgspec import DecodeError, Struct, field
from msgspec.json import decode, encode
from msgspec.json import format as formatted
from msgspec.structs import asdict

from aipower.errors import AipowerError

SCHEMA = "aipower.run/1"

COVERED = 0.95
"""A device that was watched for less of the run than this has a partial energy."""
CRUMB = 0.01
"""Less than this of a device's energy is the noise of its edges, no sign of work."""

Interval = tuple[float, float]


class Energies(Struct, frozen=True):
    """Joules by kind; None where nothing of the kind was measured."""

    total: float | None = None
    gpu: float | None = None
    cpu: float | None = None
    dram: float | None = None


class Intervals(Struct, frozen=True):
    """95 % intervals in joules, [low, high]; None where nothing of the kind was measured."""

    total: Interval | None = None
    gpu: Interval | None = None
    cpu: Interval | None = None
    dram: Interval | None = None


class DeviceRecord(Struct, frozen=True):
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


class ProcessRecord(Struct, frozen=True):
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
    host: str = ""
    """The node where it ran, in a merged run; empty in others."""


class GroupRecord(Struct, frozen=True):
    """Processes of the run that worked on a device together and that nothing tells apart: their sum is known well."""

    device: str
    pids: list[int]
    energy_j: float
    interval_j: Interval
    repeatable_interval_j: Interval


class FaultLine(Struct, frozen=True):
    """A kind of fault of one device during the run."""

    device: str | None
    reason: str
    first_s: float
    """Seconds after the start of the run."""
    last_s: float
    count: int
    detail: str


class Missing(Struct, frozen=True):
    """What was not measured, why, and what can be done."""

    source: str
    kind: str
    reason: str
    remedy: str


class PowerSeries(Struct, frozen=True):
    """Mean power of one device over equal steps of the run."""

    device: str
    step_s: float
    """Length of a step; the first begins with the run, the last ends with it or later."""
    power_w: list[float | None]
    """Of the whole device in each step; None where it is not known."""
    run_power_w: list[float | None]
    """The run's own part of it."""


class PhasePart(Struct, frozen=True):
    """What one device drew while a phase lasted."""

    device: str
    energy_j: float
    """Of the whole device, whoever used it."""
    run_energy_j: float | None
    """What those of the run's processes used that were in the phase; None where nobody can say."""
    run_interval_j: Interval | None


class PhaseRecord(Struct, frozen=True):
    """A part of the run that the program itself has named, all its repetitions together.

    The phases with one word in `path`, and the one with none, sum to the run; a phase includes those within it.
    """

    path: list[str]
    """Its name after those of the phases around it; empty for the time outside of all phases."""
    count: int
    """How often it was entered."""
    wall_s: float
    """Seconds spent in it, summed over the processes that were."""
    energy_j: Energies
    """What the processes of the run used that were in it."""
    interval_j: Intervals
    repeatable_interval_j: Intervals
    resolved: bool = True
    """False where it changes with others faster than the sensors look: its energy then rests on time alone."""
    work: dict[str, float] = field(default_factory=dict)
    """Amounts of work that were logged in it, by unit: tokens, samples, steps."""
    spans: list[Interval] = field(default_factory=list)
    """When it lasted, in seconds after the start; near ones are joined where there are many."""
    devices: list[PhasePart] = field(default_factory=list)


class PerUnit(Struct, frozen=True):
    """Energy per unit of work, as in J/token."""

    unit: str
    amount: float
    energy_j: float
    """Joules per unit, of all measured devices."""
    interval_j: Interval
    repeatable_interval_j: Interval


class JobRecord(Struct, frozen=True):
    """Which part of which job on which node the run was."""

    system: str
    """`slurm`, `torchrun`, `mpi` or empty."""
    id: str
    """The job's id; what runs of one job have in common."""
    node: str
    """The host's name, as the job's other nodes know it."""
    step: str = ""
    rank: int | None = None
    local_rank: int | None = None
    ranks: int | None = None
    """How many there are in all (world size)."""
    leader: bool = True
    """True for the one run of each node and job by which the node's whole devices are counted."""
    variables: dict[str, str] = field(default_factory=dict)
    """SLURM_*, torchrun's and MPI's variables that tell ranks and nodes."""


class SeriesRecord(Struct, frozen=True):
    """Which repetition of which series (`-r N`) the run was."""

    id: str
    """What the runs of a series have in common."""
    index: int
    """From 1 on; 0 for a warm-up."""
    count: int
    """How many were asked for."""


class CarbonRecord(Struct, frozen=True):
    """Greenhouse gas of the run's electricity; with where the figure comes from."""

    co2e_g: float
    interval_g: Interval
    """By the interval of the energy alone."""
    intensity_g_per_kwh: float
    zone: str
    """The place as configured; empty for a fixed number."""
    year: int | None
    source: str
    pue: float


class CostRecord(Struct, frozen=True):
    """Price of the run's electricity."""

    amount: float
    interval: Interval
    currency: str
    price_per_kwh: float
    pue: float


class EquivalentRecord(Struct, frozen=True):
    """Something that takes as much energy, for people."""

    amount: float
    unit: str
    """As in "household-months in China"."""
    source: str
    year: int


class NodeRecord(Struct, frozen=True):
    """One node of a run that was merged from several."""

    host: str
    run_ids: list[str]
    ranks: list[int]
    energy_j: Energies
    interval_j: Intervals


class RunRecord(Struct, frozen=True):
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
    """`agent` where an agent that runs on the machine has measured, `aipower-run` where the wrapper did so itself,
    `aipower.measure` where the program did."""
    indistinct: list[GroupRecord] = field(default_factory=list)
    phases: list[PhaseRecord] = field(default_factory=list)
    carbon: CarbonRecord | None = None
    cost: CostRecord | None = None
    equivalents: list[EquivalentRecord] = field(default_factory=list)
    power: list[PowerSeries] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    """Figures of merit that the run carries, as in `accuracy`."""
    work: dict[str, float] = field(default_factory=dict)
    """How much was done, by unit: tokens, samples, steps."""
    per: list[PerUnit] = field(default_factory=list)
    """Energy per unit of each of `work`."""
    job: JobRecord | None = None
    series: SeriesRecord | None = None
    nodes: list[NodeRecord] = field(default_factory=list)
    """Of a merged run: its nodes. A run of one node has none."""
    merged_from: list[str] = field(default_factory=list)
    """Of a merged run: the ids of its parts."""


def is_covered(row: DeviceRecord, wall_s: float) -> bool:
    """True where the row's energy is that of (nearly) the whole run."""
    return row.covered_s >= COVERED * wall_s


def to_json(record: RunRecord) -> bytes:
    """The record as JSON for people: the schema first, indented, but for the long rows of numbers.

    A number that is none, as the ratio of nothing to nothing, is null: not known.
    """
    named = {"schema": record.schema, **asdict(record)}
    lines = [b'  "%s": %s' % (name.encode(), _text(name, value)) for name, value in named.items()]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _text(name: str, value: object) -> bytes:
    """JSON of one field."""
    if name == "power" and isinstance(value, list) and value:
        return b"[\n" + b",\n".join(b"    " + formatted(encode(one), indent=0) for one in value) + b"\n  ]"
    return formatted(encode(value), indent=2).replace(b"\n", b"\n  ")


class NoRecordError(AipowerError):
    """What was read is no record of a run."""


def from_json(content: bytes) -> RunRecord:
    """The record that `content` holds; fields that are not known are left out.

    Raises:
        NoRecordError: It is none; the message says why.
    """
    try:
        record = decode(content, type=RunRecord)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoRecordError(f"no record of a run: {error}") from error
    if record.schema != SCHEMA:
        raise NoRecordError(f"a record of schema {record.schema!r}, not {SCHEMA}: it takes another version of aipower")
    return record
