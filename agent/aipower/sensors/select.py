"""From `--sensors` to sensors: what was asked for must be there, what is merely found may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aipower.errors import UsageError
from aipower.model import Unavailable
from aipower.processes.table import ProcessTable
from aipower.processes.views import CpuUsage
from aipower.seams import Clock, ProcessDirectory, SensorSet, UsageSource
from aipower.sensors.nvml import presence
from aipower.settings.selection import Selection, parse_selection

__all__ = ["Found", "Machine", "Selection", "discover", "parse_selection", "powercap_root"]

POWERCAP = Path("/sys/class/powercap")
POWERCAP_VARIABLE = "AIPOWER_POWERCAP_ROOT"
"""Where powercap is mounted, for containers that see the host's under another path."""


@dataclass(frozen=True, slots=True)
class Found:
    """Sensors, and the directory that knows their processes."""

    sensors: SensorSet
    directory: ProcessDirectory


@dataclass(frozen=True, slots=True)
class Machine:
    """What discovery needs to know of the machine."""

    table: ProcessTable
    clock: Clock
    environ: Mapping[str, str] = field(default_factory=dict)
    run_at_s: float | None = None
    """When the run that is to be measured begins, for simulated sensors; None for the agent."""


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
            raise UsageError(_refusal(name, found.unavailable[0] if found.unavailable else None))
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

    return discover_gpus(pynvml, machine.table.resolve_gpu, machine.clock)


def _discover_rapl(machine: Machine) -> SensorSet:
    from aipower.sensors import rapl  # noqa: PLC0415 - not needed for simulated sensors

    return rapl.discover(powercap_root(machine.environ), machine.clock, cpuinfo=Path("/proc/cpuinfo"))


def powercap_root(environ: Mapping[str, str]) -> Path:
    """Where the counters of powercap are."""
    return Path(environ.get(POWERCAP_VARIABLE) or POWERCAP)


def _refusal(name: str, missing: Unavailable | None) -> str:
    if missing is None:
        return f"--sensors {name}: nothing found"
    return f"--sensors {name}: {missing.reason}; {missing.remedy}"
