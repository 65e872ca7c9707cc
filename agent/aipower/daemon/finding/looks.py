"""Where the agent looks for sensors: one source each for the GPUs and the processors of the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aipower.daemon.finding.search import Source
from aipower.errors import AipowerError, UsageError
from aipower.model import Kind
from aipower.processes.views import CpuUsage
from aipower.seams import SensorSet
from aipower.sensors.calls import HUNG
from aipower.sensors.nvml.presence import SOURCE as NVML
from aipower.sensors.nvml.signs import PROC, signs
from aipower.sensors.openings import Openings
from aipower.sensors.select import Machine, Selection, discover, refusal

GPUS: frozenset[Kind] = frozenset({"gpu"})
PROCESSORS: frozenset[Kind] = frozenset({"cpu", "dram", "module", "node", "psys"})


def sources_of(
    selection: Selection,
    machine: Machine,
    cpu_usage: CpuUsage | None,
    refuse: Callable[[AipowerError], None],
    proc: Path = PROC,
) -> list[Source]:
    """The sources of `selection`. `refuse` is told by the first look of one that was named and has nothing."""

    def look(name: str) -> SourceLook:
        openings = Openings[Any]() if name == "nvml" else None
        return SourceLook(replace(selection, real=(name,)), replace(machine, openings=openings), cpu_usage, refuse)

    return [
        Source(NVML, GPUS, look(name), grows=True, signs=lambda: signs(proc), required=selection.required)
        if name == "nvml"
        else Source("CPU (RAPL)", PROCESSORS, look(name), required=selection.required)
        for name in selection.real
    ]


class SourceLook:
    """Looks for the sensors of the one source of `selection`."""

    def __init__(
        self,
        selection: Selection,
        machine: Machine,
        cpu_usage: CpuUsage | None,
        refuse: Callable[[AipowerError], None],
    ) -> None:
        self._selection = replace(selection, required=False)
        self._required = selection.required
        self._machine = machine
        self._cpu_usage = cpu_usage
        self._refuse = refuse

    def __call__(self, known: frozenset[str]) -> SensorSet:
        """What there is; devices that are `known` may be left out."""
        found = discover(self._selection, replace(self._machine, known=known), self._cpu_usage).sensors
        required, self._required = self._required, False
        hung = any(missing.reason == HUNG for missing in found.unavailable)
        if required and not found.sensors and not hung:
            self._refuse(UsageError(refusal(self._selection.real[0], found)))
        return found
