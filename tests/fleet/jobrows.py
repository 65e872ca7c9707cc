"""What the processes of each job used, summed from the windows that the meter posts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from aipower.channel import Channel
from aipower.model import Attribution, Device, EnergyDelta, FoldedEnergy, JobEnergy, JobFacts, Owner, ProcessId, Usage
from fleet.machine import Machine

Key = tuple[Owner, str, str]


@dataclass(slots=True)
class _Row:
    device: Device
    facts: JobFacts
    energy_uj: int = 0
    held_s: float = 0.0
    unused_s: float = 0.0
    ended_s: float | None = None


class JobRows:
    """Accounts of jobs beside the ledger."""

    def __init__(self, machine: Machine, kept: Iterable[JobEnergy], folded: Iterable[FoldedEnergy]) -> None:
        self._machine = machine
        self._rows: dict[Key, _Row] = {
            (row.owner, row.user, row.device.id): _Row(
                row.device, row.facts, row.energy_uj, row.held_s, row.unused_s, row.ended_s
            )
            for row in kept
        }
        self._folded: dict[str, int] = defaultdict(int, {row.device.id: row.active_uj for row in folded})
        self._devices = {sensor.device.id: sensor.device for sensor in machine.sensors}
        self._usages: dict[str, Usage | None] = {}

    def taken(self, channel: Channel, window: EnergyDelta, usage: Usage | None) -> None:  # noqa: ARG002 - the meter gives it
        """Who worked is known."""
        self._usages[window.device.id] = usage

    def posted(self, attribution: Attribution) -> None:
        """Add one window."""
        device = attribution.delta.device
        parts: dict[ProcessId, int] = defaultdict(int)
        for share in (attribution.context_uj, attribution.active_uj):
            for process, energy_uj in share.items():
                parts[process] += energy_uj
        for process, energy_uj in parts.items():
            self._row(process, device).energy_uj += energy_uj
        usage = self._usages.pop(device.id, None)
        if usage is not None and device.kind == "gpu":
            self._hold(usage, device, attribution.delta.span_s)

    def retire(self, now_s: float, retention_s: float) -> None:
        """Fold the jobs that ended more than `retention_s` ago."""
        directory = self._machine.directory
        living = {
            (info.place.owner, info.user) for process, info in directory.infos.items() if directory.alive(process)
        }
        for (owner, user, device), row in list(self._rows.items()):
            if not owner.job or (owner, user) in living:
                row.ended_s = None
            elif row.ended_s is None:
                row.ended_s = now_s
            elif now_s - row.ended_s > retention_s:
                self._folded[device] += self._rows.pop((owner, user, device)).energy_uj

    def rows(self) -> tuple[JobEnergy, ...]:
        """The accounts."""
        return tuple(
            JobEnergy(
                owner,
                user,
                row.device,
                row.energy_uj,
                0.02 * row.energy_uj,
                row.held_s,
                row.unused_s,
                row.facts,
                row.ended_s,
            )
            for (owner, user, _), row in self._rows.items()
        )

    def folded(self) -> tuple[FoldedEnergy, ...]:
        """What those that have left used."""
        return tuple(FoldedEnergy(device, 0, self._folded[device.id]) for device in self._devices.values())

    def _row(self, process: ProcessId, device: Device) -> _Row:
        info = self._machine.directory.describe(process)
        key = (info.place.owner, info.user, device.id)
        return self._rows.setdefault(key, _Row(device, info.place.facts))

    def _hold(self, usage: Usage, device: Device, span_s: float) -> None:
        for process in usage.holders | usage.busy_s.keys():
            row = self._row(process, device)
            row.held_s += span_s
            row.unused_s += 0.0 if usage.busy_s.get(process) else span_s
