"""A page of `aipower agent` read back into a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import get_args

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.model import (
    AgentStats,
    Device,
    DeviceFacts,
    DeviceState,
    FoldedEnergy,
    Kind,
    Method,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    RunEnergy,
    Snapshot,
)

WANTED = (
    "aipower_device_",
    "aipower_process_",
    "aipower_run_",
    "aipower_sensor_",
    "aipower_build_info",
    "aipower_agent_faults_total",
    "aipower_agent_ticks",
    "aipower_agent_start_time_seconds",
    "aipower_counters_start_time_seconds",
)
"""Lines that begin otherwise are not read."""
KINDS: Mapping[str, Kind] = MappingProxyType({kind: kind for kind in get_args(Kind)})
METHODS: Mapping[str, Method] = MappingProxyType({method: method for method in get_args(Method)})
COMPONENTS = ("idle", "context", "active", "unattributed")

Labels = Mapping[str, str]


class PageError(ValueError):
    """The page is none of an aipower agent; the message is for people."""


class Sample(Struct, frozen=True):
    """One line: what was measured of whom."""

    name: str
    labels: Labels


class PageReader:
    """Reads pages. The words of a series never change, so they are parsed when it first appears only."""

    def __init__(self, user_of: Callable[[str], str] = str) -> None:
        """`user_of` is how a user of a page is to be called."""
        self._known: dict[str, Sample] = {}
        self._user_of = user_of

    def read(self, text: str, at_unix_s: float) -> Snapshot:
        """The snapshot that the page `text` shows.

        Raises:
            PageError: It is no page of an agent.
        """
        values: list[tuple[Sample, float]] = []
        known: dict[str, Sample] = {}
        try:
            for line in text.split("\n"):
                if not line.startswith(WANTED):
                    continue
                series, _, value = line.rpartition(" ")
                sample = known[series] = self._known.get(series) or self._parsed(line)
                values.append((sample, float(value)))
            self._known = known  # series that have left the page are forgotten
            return _snapshot(values, at_unix_s)
        except (ValueError, KeyError, OverflowError) as error:
            raise PageError(f"it shows no metrics of an aipower agent ({type(error).__name__}: {error})") from error

    def _parsed(self, line: str) -> Sample:
        # The parser takes a tenth of a second to import, and whoever measures here never needs it.
        from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - see above

        samples = [sample for family in text_string_to_metric_families(f"{line}\n") for sample in family.samples]
        if len(samples) != 1 or samples[0].timestamp is not None:
            raise PageError(f"not a sample: {line[:80]!r}")
        labels = samples[0].labels
        if "user" in labels:
            labels = {**labels, "user": self._user_of(labels["user"])}
        return Sample(samples[0].name, labels)


class _Process(Struct):
    """What a page says of one process on one device."""

    info: ProcessInfo | None
    run: str
    device: str
    uj: dict[str, int] = field(default_factory=dict)
    error_uj: float = 0.0


class _Gathered(Struct):
    """Lines by what they speak of."""

    devices: dict[str, Device] = field(default_factory=dict)
    facts: dict[str, DeviceFacts] = field(default_factory=dict)
    up: dict[str, bool] = field(default_factory=dict)
    powers_w: dict[str, float] = field(default_factory=dict)
    energies_uj: dict[str, int] = field(default_factory=dict)
    components_uj: dict[tuple[str, str], int] = field(default_factory=dict)
    processes: dict[tuple[str, ...], _Process] = field(default_factory=dict)
    folded_uj: dict[tuple[str, str], int] = field(default_factory=dict)
    runs: list[tuple[Labels, int]] = field(default_factory=list)
    faults: dict[tuple[str, str], int] = field(default_factory=dict)
    ticks: int = 0
    missed: int = 0
    started_unix_s: float | None = None
    since_unix_s: float | None = None
    version: str | None = None

    def add(self, name: str, labels: Labels, value: float) -> None:  # noqa: C901, PLR0912 - one case per metric
        """Take in one line."""
        match name:
            case "aipower_device_power_watts":
                self.powers_w[self._device(labels)] = value
            case "aipower_device_energy_joules_total":
                self.energies_uj[self._device(labels)] = _uj(value)
            case "aipower_device_component_energy_joules_total":
                self.components_uj[self._device(labels), labels["component"]] = _uj(value)
            case "aipower_sensor_up":
                self.up[self._device(labels)] = value > 0
            case "aipower_device_info":
                self._info(labels)
            case "aipower_process_energy_joules_total":
                self._process(labels).uj[labels["component"]] = _uj(value)
            case "aipower_process_energy_error_joules":
                self._process(labels).error_uj = value * 1e6
            case "aipower_process_folded_energy_joules_total":
                self.folded_uj[self._device(labels), labels["component"]] = _uj(value)
            case "aipower_run_energy_joules_total":
                self._device(labels)
                self.runs.append((labels, _uj(value)))
            case "aipower_agent_faults_total":
                self.faults[labels["device"], labels["reason"]] = int(value)
            case "aipower_agent_ticks_total":
                self.ticks = int(value)
            case "aipower_agent_ticks_missed_total":
                self.missed = int(value)
            case "aipower_agent_start_time_seconds":
                self.started_unix_s = value
            case "aipower_counters_start_time_seconds":
                self.since_unix_s = value
            case "aipower_build_info":
                self.version = labels["version"]
            case _:
                return

    def _device(self, labels: Labels) -> str:
        device_id = labels["device"]
        if device_id not in self.devices:
            kind = labels["kind"]
            if kind not in KINDS:
                raise PageError(f"unknown kind of device {kind[:20]!r}")
            self.devices[device_id] = Device(device_id, KINDS[kind], "", labels["index"])
        return device_id

    def _info(self, labels: Labels) -> None:
        device_id = self._device(labels)
        self.devices[device_id] = replace(self.devices[device_id], name=labels["name"])
        method = METHODS.get(labels["method"], "counter")
        self.facts[device_id] = DeviceFacts(labels["uuid"], labels["driver"], method)

    def _process(self, labels: Labels) -> _Process:
        device_id = self._device(labels)
        key = (labels["pid"], labels["comm"], labels["user"], labels["run"], device_id)
        found = self.processes.get(key)
        if found is None:
            info = _who(labels)
            found = self.processes[key] = _Process(info, "" if info is None else labels["run"], device_id)
        return found


def _who(labels: Labels) -> ProcessInfo | None:
    """None for the account of those who have none of their own."""
    pid = labels["pid"]
    if not pid:
        return None
    # A page does not tell when a process started; pid, name, user and run are what tells its series apart.
    return ProcessInfo(ProcessId("", int(pid), 0), labels["comm"], labels["user"])


def _snapshot(values: Iterable[tuple[Sample, float]], at_unix_s: float) -> Snapshot:
    found = _Gathered()
    for sample, value in values:
        found.add(sample.name, sample.labels, value)
    if found.version is None:
        raise PageError("no aipower_build_info")
    return Snapshot(
        at_unix_s,
        found.version,
        tuple(_state(found, device) for device in found.devices.values()),
        tuple(_process(found, process) for process in found.processes.values()),
        tuple(
            RunEnergy(labels["run"], labels["name"], labels["user"], found.devices[labels["device"]], energy_uj)
            for labels, energy_uj in found.runs
        ),
        found.faults,
        AgentStats(ticks=found.ticks, missed_ticks=found.missed, started_unix_s=found.started_unix_s),
        tuple(
            FoldedEnergy(device, found.folded_uj.get((id_, "context"), 0), found.folded_uj.get((id_, "active"), 0))
            for id_, device in found.devices.items()
        ),
        since_unix_s=found.since_unix_s,
    )


def _state(found: _Gathered, device: Device) -> DeviceState:
    idle_uj, context_uj, active_uj, lost_uj = (found.components_uj.get((device.id, word), 0) for word in COMPONENTS)
    return DeviceState(
        device,
        found.facts.get(device.id, DeviceFacts()),
        found.up.get(device.id, False),
        found.powers_w.get(device.id),
        found.energies_uj.get(device.id, 0),
        idle_uj,
        context_uj,
        active_uj,
        lost_uj,
    )


def _process(found: _Gathered, process: _Process) -> ProcessEnergy:
    return ProcessEnergy(
        process.info,
        process.run,
        found.devices[process.device],
        process.uj.get("context", 0),
        process.uj.get("active", 0),
        process.error_uj,
    )


def _uj(joules: float) -> int:
    """A page shows whole microjoules, as precisely as a double can."""
    return round(joules * 1e6)
