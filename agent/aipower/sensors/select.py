"""From `--sensors` to sensors: what was asked for must be there, what is merely found may be missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from aipower.errors import UsageError
from aipower.processes.table import ProcessTable
from aipower.processes.views import CpuUsage
from aipower.seams import Clock, ProcessDirectory, SensorSet, UsageSource
from aipower.sensors.nvml import presence
from aipower.sensors.openings import Openings
from aipower.settings.selection import Selection, parse_selection

__all__ = ["Found", "Machine", "Selection", "discover", "parse_selection", "powercap_root", "refusal"]

POWERCAP = Path("/sys/class/powercap")
POWERCAP_VARIABLE = "AIPOWER_POWERCAP_ROOT"
"""Where powercap is mounted, for containers that see the host's under another path."""


class Found(Struct, frozen=True):
    """Sensors, and the directory that knows their processes."""

    sensors: SensorSet
    directory: ProcessDirectory


class Machine(Struct, frozen=True):
    """What discovery needs to know of the machine."""

    table: ProcessTable
    clock: Clock
    environ: Mapping[str, str] = field(default_factory=dict)
    run_at_s: float | None = None
    """When the run that is to be measured begins, for simulated sensors; None for the agent."""
    known: Collection[str] = ()
    """The ids of GPUs that need not be found again."""
    openings: Openings[Any] | None = None
    """Opens the GPUs side by side, for whoever cannot wait for one that hangs."""


def discover(selection: Selection, machine: Machine, cpu_usage: CpuUsage | None) -> Found:
    """The sensors of `selection`. `cpu_usage` tells who used the processors, None where that comes later.

    Raises:
        UsageError: A sensor that was named is not to be had.
    """
    if selection.fake_gpus:
        from aipower.sensors.fake import simulate  # noqa: PLC0415 - brings `random` and all it needs

        return Found(*simulate(selection.fake_gpus, machine.clock, cpu_usage, machine.table, machine.run_at_s))
    sets = [_discover(name, machine) for name in selection.real]
    for name, found in zip(selection.real, sets, strict=True):
        if selection.required and not found.sensors:
            raise UsageError(refusal(name, found))
    usage: dict[str, UsageSource] = {device: source for found in sets for device, source in found.usage.items()}
    sensors = [sensor for found in sets for sensor in found.sensors]
    if cpu_usage is not None:
        devices = [sensor.device for sensor in sensors if sensor.device.kind in {"cpu", "dram"}]
        usage.update({device.id: cpu_usage.socket(device.index) for device in devices})
    unavailable = [missing for found in sets for missing in found.unavailable]
    return Found(SensorSet(sensors, usage, unavailable), machine.table)


def _discover(name: str, machine: Machine) -> SensorSet:
    return _discover_nvml(machine) if name == "nvml" else _discover_rapl(machine)


def _discover_nvml(machine: Machine) -> SensorSet:
    if (missing := presence.missing()) is not None:
        return SensorSet(unavailable=[missing])
    import pynvml  # noqa: PLC0415 - 8,000 lines that a machine without GPUs never needs

    from aipower.sensors.nvml.discovery import discover as discover_gpus  # noqa: PLC0415 - likewise

    resolve, clock, openings = machine.table.resolve_gpus, machine.clock, machine.openings
    if openings is None:
        return discover_gpus(pynvml, resolve, clock, known=machine.known)
    return discover_gpus(pynvml, resolve, clock, known=machine.known, opener=openings.run)


def _discover_rapl(machine: Machine) -> SensorSet:
    from aipower.sensors import rapl  # noqa: PLC0415 - not needed for simulated sensors

    return rapl.discover(powercap_root(machine.environ), machine.clock, cpuinfo=Path("/proc/cpuinfo"))


def powercap_root(environ: Mapping[str, str]) -> Path:
    """Where the counters of powercap are."""
    return Path(environ.get(POWERCAP_VARIABLE) or POWERCAP)


def refusal(name: str, found: SensorSet) -> str:
    """What to tell whoever has named the source `name`, of which there is no sensor."""
    if not found.unavailable:
        return f"--sensors {name}: nothing found"
    return f"--sensors {name}: {found.unavailable[0].reason}; {found.unavailable[0].remedy}"
