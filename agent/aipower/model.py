"""The data that flows through aipower: frozen, integer microjoules inside, units in the names.

`_uj` is an integer number of microjoules, `_j` joules, `_w` watts, `_s` seconds of the monotonic clock,
`_unix_s` seconds of the wall clock.

`gc=False` marks data whose fields are numbers, texts and other such data: no circle can run through it, so that the
collector of circles need not look at it. Keys of the accounts remember their hash (`cache_hash`): each tick looks them
up often.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct, field

Kind = Literal["gpu", "cpu", "dram", "module", "node", "psys"]
"""What a device is. Only `gpu`, `cpu` and `dram` are summed into a total: the others contain them."""

Method = Literal["counter", "integrated", "estimated"]
"""How an energy came to be: a hardware counter, power integrated over time, or a model."""

SUMMED_KINDS: tuple[Kind, ...] = ("gpu", "cpu", "dram")

UJ_PER_J = 1_000_000


class Device(Struct, frozen=True, cache_hash=True, gc=False):
    """One thing that draws power and has its own sensor."""

    id: str
    """Stable over restarts: the GPU's UUID, the powercap zone's name."""
    kind: Kind
    name: str
    """For people: the product name."""
    index: str
    """NVML's index, or the socket number."""
    parent: str | None = None
    """The `id` of the device it belongs to. A child is an account of its own, never added to its parent."""


class ProcessId(Struct, frozen=True, cache_hash=True, gc=False):
    """A process, safe against reuse of its pid."""

    boot: str
    """The kernel's boot id, so that a record can be compared over reboots."""
    pid: int
    started_ticks: int
    """Start time in clock ticks since boot: field 22 of /proc/PID/stat."""


class Owner(Struct, frozen=True, cache_hash=True, gc=False):
    """What a process works for: the key of an account of a job."""

    system: str = "none"
    """`slurm`, `kubernetes`, `docker`, `podman`, `containerd`, `crio`, `systemd`, or `none`; `other` for jobs without
    an account of their own."""
    job: str = ""
    """Id of the Slurm job, uid of the pod, id of the container outside of Kubernetes, name of the systemd unit."""
    step: str = ""
    """Slurm's step (`0`, `batch`, `extern`, `interactive`); the id of the container in a pod, `` for all else."""


JobKey = tuple[Owner, str]
"""The account of a step of a job, for each user."""


class JobFacts(Struct, frozen=True, gc=False):
    """What a job says of itself; all of it may be empty."""

    name: str = ""
    team: str = ""
    account: str = ""
    partition: str = ""
    namespace: str = ""
    pod: str = ""
    gpus: tuple[str, ...] = ()
    """The GPUs that it was given, as indices or UUIDs."""


class Place(Struct, frozen=True, gc=False):
    """Where a process stands in the machine's order of things."""

    owner: Owner = Owner()
    container: str = ""
    """Id of the container."""
    unit: str = ""
    """systemd's unit, as in `vllm.service`."""
    slice: str = ""
    """systemd's innermost slice, as in `system.slice`."""
    facts: JobFacts = JobFacts()


class ProcessInfo(Struct, frozen=True, gc=False):
    """What is shown of a process."""

    id: ProcessId
    comm: str
    """The kernel's short name (15 bytes), never the command line: secrets live there."""
    user: str = ""
    place: Place = Place()


class Reading(Struct, frozen=True, gc=False):
    """One look at a sensor, stamped at the read."""

    at_s: float
    counter_uj: int | None
    """The energy counter as the hardware keeps it (wraps and resets are not repaired here)."""
    power_w: float | None = None
    """The power of the sensor's window, see `SensorTraits.power_window_s`."""
    method: Method = "counter"
    average_w: float | None = None
    """The mean of the last second where the sensor has it beside `power_w`: it checks the counter."""


class Conditions(Struct, frozen=True, gc=False):
    """Under which conditions a device works; each None where the device does not say."""

    power_limit_w: float | None = None
    performance_state: int | None = None
    """P-state: 0 is the fastest."""
    core_clock_hz: float | None = None
    memory_clock_hz: float | None = None


class Calibration(Struct, frozen=True, gc=False):
    """What a sensor's watts are in truth: `gain * watts + offset_w`, and how far that is known.

    The errors are standard errors that all readings of the sensor share.
    """

    gain: float = 1.0
    offset_w: float = 0.0
    gain_se: float = 0.0
    offset_se_w: float = 0.0
    covariance_w: float = 0.0
    """Covariance of gain and offset."""
    source: str = ""
    """Where it comes from; empty for a sensor that nobody has calibrated."""

    def error_uj(self, energy_uj: float, span_s: float) -> float:
        """Standard error that the scale leaves in `energy_uj` of the whole device over `span_s`, in microjoules."""
        offset_uj = self.offset_se_w * span_s * 1e6
        cross_uj2 = 2 * energy_uj * self.covariance_w * span_s * 1e6
        return math.sqrt(max(0.0, (self.gain_se * energy_uj) ** 2 + offset_uj**2 + cross_uj2))


class EnergyDelta(Struct, frozen=True, gc=False):
    """Energy that `device` used from `start_s` to `end_s`."""

    device: Device
    start_s: float
    end_s: float
    energy_uj: int
    method: Method = "counter"

    def __post_init__(self) -> None:
        """Refuse what cannot be: negative energy or an interval without length.

        Raises:
            ValueError: The energy is negative or the interval does not run forwards.
        """
        if self.energy_uj < 0:
            raise ValueError(f"negative energy of {self.device.id}: {self.energy_uj} uJ")
        if not self.end_s > self.start_s:
            raise ValueError(f"interval of {self.device.id} does not run forwards: {self.start_s}..{self.end_s}")

    @property
    def span_s(self) -> float:
        """Length of the interval in seconds."""
        return self.end_s - self.start_s

    @property
    def mean_w(self) -> float:
        """Mean power in watts."""
        return self.energy_uj / 1e6 / self.span_s


NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""One for all usages: hundreds are remembered, and a dictionary of each takes more room than it looks."""


class Usage(Struct, frozen=True):
    """Who used a device, and for how long, during a window.

    A GPU's busy seconds are its samplers' share of the window; a CPU's are CPU seconds of all its cores.
    """

    start_s: float
    end_s: float
    busy_s: Mapping[ProcessId, float] = field(default_factory=dict)
    """Seconds of work of each known process, all > 0."""
    unknown_busy_s: float = 0.0
    """Seconds of work of processes that could not be identified."""
    holders: frozenset[ProcessId] = frozenset()
    """Processes that hold a compute context on the device at the end of the window."""
    unknown_holders: int = 0
    """Contexts of processes that could not be identified."""
    capacity_s: float | None = None
    """Seconds of work that the device could have done (CPU: cores x window); None if it is not a sum."""
    sampled: bool = True
    """False where the device cannot say who was busy (MIG, vGPU, old drivers)."""
    samples: float = 0.0
    """Independent samples behind `busy_s`, for its standard error; 0 where it is not sampled but counted."""
    activity: Mapping[ProcessId, tuple[float, ...]] = field(default_factory=lambda: NOTHING)
    """Several measures of each process's work in seconds, all of one length, where the device has more than one
    (MIG: the slice's share times SM, tensor and memory activity); empty where `busy_s` is all there is."""
    weight: Mapping[ProcessId, float] = field(default_factory=lambda: NOTHING)
    """How hard a second of each process's work is expected to be, 1 for a thread alone on its core; a process
    that is not in it counts as 1. Less where two busy threads shared a core."""
    covered_s: float = 0.0
    """Seconds of the samples that `busy_s` is a share of: a driver's samples do not end with the window; 0 if they do
    or nobody was named."""


class PartError(Struct, frozen=True, gc=False):
    """How far a part of a window's energy may be off, beside the sensor's own scale error."""

    variance_uj2: float = 0.0
    """Of what is independent from window to window, in square microjoules."""
    systematic_uj: float = 0.0
    """Standard error that windows share, in microjoules: it adds up linearly. Negative where a window has shown that
    what was told before is known better."""


class Attribution(Struct, frozen=True):
    """Where the energy of one `delta` went. The parts sum exactly to the whole."""

    delta: EnergyDelta
    idle_uj: int
    context_uj: Mapping[ProcessId, int]
    active_uj: Mapping[ProcessId, int]
    unattributed_uj: int
    errors: Mapping[ProcessId, PartError] = field(default_factory=dict)
    """Of each process's part; those that are missing have none."""
    run_errors: Mapping[str, PartError] = field(default_factory=dict)
    """Of the part of all processes of a run together: errors of the split between them are not in it."""
    job_errors: Mapping[JobKey, PartError] = field(default_factory=dict)
    """The same of all processes of a user in a step of a job."""

    def __post_init__(self) -> None:
        """Refuse parts that are negative or do not sum to the whole.

        Raises:
            ValueError: The law of the product is broken; this is always a bug.
        """
        parts = (self.idle_uj, self.unattributed_uj, *self.context_uj.values(), *self.active_uj.values())
        if min(parts) < 0:
            raise ValueError(f"negative part of {self.delta}: {parts}")
        if sum(parts) != self.delta.energy_uj:
            raise ValueError(
                f"parts {sum(parts)} uJ are not the whole {self.delta.energy_uj} uJ of {self.delta.device.id}"
            )


class Fault(Struct, frozen=True, gc=False):
    """Something that went wrong with a device, as data."""

    device: str | None
    """The device's id, or None where it concerns none (a driver that does not load)."""
    at_s: float
    reason: str
    """A short stable word: `read_failed`, `gone`, `counter_reset`, `implausible`, `counter_stuck`, `gap`,
    `hung` (a call into the driver does not come back), `suspended` (the machine slept), `unwatched` (energy is known
    although nobody watched), `internal`, `late`, `journal_…` (counters are not kept on disk), `reload_failed`,
    `disagreement` (the counter and the power readings tell different energies) or `alias` (the sensor sees
    part of the time only, and the load may hide in the rest)."""
    retry: bool
    """True where the next read may work."""
    detail: str = ""


class Unavailable(Struct, frozen=True, gc=False):
    """A source of energy data that this machine has not, or that we may not read."""

    source: str
    """What is missing, for people: `GPU (NVML)`, `CPU (RAPL)`."""
    kind: Kind
    reason: str
    remedy: str


class DeviceFacts(Struct, frozen=True, gc=False):
    """What never changes about a device while the driver is loaded; shown on `_info` metrics."""

    uuid: str = ""
    driver: str = ""
    method: Method = "counter"


class Position(Struct, frozen=True, gc=False):
    """Where the account of a device stands against its sensor's counter, so that it can go on after a restart."""

    at_s: float
    """Until when energy was found, on the monotonic clock of the boot."""
    counter_uj: int | None
    """What the counter showed then; None where the energy does not come from it."""
    pending_uj: int = 0
    """Energy found until then that is in no account yet."""


class DeviceState(Struct, frozen=True, gc=False):
    """A device's accounts since the ledger began. The four components sum exactly to `energy_uj`."""

    device: Device
    facts: DeviceFacts
    up: bool
    power_w: float | None
    """Power now, None while the sensor fails: never the last value again."""
    energy_uj: int
    idle_uj: int
    context_uj: int
    active_uj: int
    unattributed_uj: int
    position: Position | None = None
    """None before the first reading."""
    seen_unix_s: float = 0.0
    """When its sensor was last up, or when it was first known if that never was."""
    power_limit_w: float | None = None
    """The most that it may draw; None where it does not say."""
    idle_w: float | None = None
    """The idle level that was learned, so that an agent which restarts beside a job knows it; None before."""


class ProcessEnergy(Struct, frozen=True, gc=False):
    """What one process used of one device since it was first seen."""

    info: ProcessInfo | None
    """None for the account `other`: work that processes did while they had no account of their own."""
    run: str
    device: Device
    context_uj: int
    active_uj: int
    error_uj: float
    """Half-width of the 95 % interval of context + active, in microjoules."""
    ended_s: float | None = None
    error: PartError = PartError()
    """What `error_uj` is made of, beside the scale of the sensor."""
    since_unix_s: float | None = None
    """When the account began at 0; None where nobody has noted it."""


class FoldedEnergy(Struct, frozen=True, gc=False):
    """What the processes whose accounts were withdrawn had used of one device: with the accounts, the whole."""

    device: Device
    context_uj: int
    active_uj: int


class RunEnergy(Struct, frozen=True, gc=False):
    """What the processes of one run used of one device."""

    run: str
    name: str
    user: str
    device: Device
    energy_uj: int
    ended_s: float | None = None
    error: PartError = PartError()
    since_unix_s: float | None = None
    """When the account began at 0; None where nobody has noted it."""


class UserEnergy(Struct, frozen=True, gc=False):
    """What all processes of one user used of one device."""

    user: str
    """Empty for the processes without a name and for the users beyond those that have series."""
    device: Device
    energy_uj: int
    since_unix_s: float | None = None
    """When the sum began at 0; None where nobody has noted it."""


class JobEnergy(Struct, frozen=True, gc=False):
    """What all processes of one user in one step of a job used of one device, and for how long they held it."""

    owner: Owner
    user: str
    device: Device
    energy_uj: int
    error_uj: float = 0.0
    """Half-width of the 95 % interval of the energy, in microjoules."""
    held_s: float = 0.0
    """Seconds for which the job held the device: it was given to it, or a process had a context open."""
    unused_s: float = 0.0
    """Of these, seconds in which none of its processes was seen at work there."""
    facts: JobFacts = JobFacts()
    ended_s: float | None = None
    error: PartError = PartError()
    """What `error_uj` is made of, beside the scale of the sensor."""
    since_unix_s: float | None = None
    """When the account began at 0; None where nobody has noted it."""


class SinkState(Struct, frozen=True):
    """How one way out does that the agent pushes to."""

    name: str
    up: bool
    """False since the last attempt has failed, until one succeeds."""
    pushes: int = 0
    """Snapshots that arrived."""
    skipped: int = 0
    """Times that a snapshot was due while the one before was still under way."""
    push_s: float = 0.0
    """Seconds spent in pushes, summed."""
    faults: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    """Number of failures by a short stable reason: `refused`, `timeout`, `rejected`, `full`, `failed`…"""
    pushed_unix_s: float | None = None
    """When a push last succeeded; None before the first."""


class JournalState(Struct, frozen=True):
    """How the counters are kept on disk."""

    up: bool
    """False while they cannot be written."""
    flushes: int = 0
    """Times that they were written."""
    flush_s: float = 0.0
    """Seconds that this took, summed."""
    size_bytes: int = 0
    """Of what was written last."""
    written_unix_s: float | None = None
    """When the newest counters that are on disk were taken; None before there are any."""


class AgentStats(Struct, frozen=True):
    """The agent's own cost and health."""

    cpu_s: float = 0.0
    resident_bytes: int = 0
    ticks: int = 0
    tick_s: float = 0.0
    """Seconds spent in ticks since the start."""
    late_s: float = 0.0
    """Seconds by which ticks began after their time, summed."""
    missed_ticks: int = 0
    folded_series: int = 0
    started_unix_s: float | None = None
    """When the agent started; None where nobody has said."""
    open_descriptors: int = 0
    """Files and sockets that it has open."""
    threads: int = 0
    """Those of libraries and drivers too."""
    context_switches: int = 0
    """Times that it was taken from a core or gave one up, since the start."""


class OwnEnergy(Struct, frozen=True, gc=False):
    """What the agent itself used of a device since it started, in microjoules; part of that of the processes."""

    device: Device
    energy_uj: int
    whole_uj: int
    """What the device used in the same windows."""


class Snapshot(Struct, frozen=True):
    """All that an exporter may know. Taking it changes nothing."""

    at_unix_s: float
    version: str
    devices: tuple[DeviceState, ...] = ()
    processes: tuple[ProcessEnergy, ...] = ()
    runs: tuple[RunEnergy, ...] = ()
    fault_counts: Mapping[tuple[str, str], int] = field(default_factory=lambda: NOTHING)
    """Number of faults by (device id or "", reason)."""
    agent: AgentStats = field(default_factory=AgentStats)
    folded: tuple[FoldedEnergy, ...] = ()
    users: tuple[UserEnergy, ...] = ()
    journal: JournalState | None = None
    """None where no journal is kept."""
    since_unix_s: float | None = None
    """When the counters began at 0; None where nobody has said."""
    boot: str = ""
    """The kernel's boot id: monotonic times and positions hold in this boot only."""
    naming: str = ""
    """How processes' users are named: counters under names of one kind must not be shown under another."""
    number: int = 0
    """A later snapshot of the same ledger has a higher one."""
    asleep_s: float = 0.0
    """Seconds for which the machine had been suspended since its boot when the positions were taken."""
    jobs: tuple[JobEnergy, ...] = ()
    """Those of the system `none` too: what is in no job. Idle energy and what is unattributed is nobody's."""
    folded_jobs: tuple[FoldedEnergy, ...] = ()
    """What the jobs whose accounts were withdrawn had used."""
    sinks: tuple[SinkState, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
    """Sources that cannot be read now."""
    own: tuple[OwnEnergy, ...] = ()
    """What the agent itself used since it started."""
