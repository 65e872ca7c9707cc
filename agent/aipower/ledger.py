"""Who has used what since the ledger began. Only whole microjoules, only upwards, and the parts sum to the whole."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from aipower.accounts import DeviceAccount, Dormant, PartAccount, ProcessAccount
from aipower.model import (
    AgentStats,
    Attribution,
    Device,
    DeviceFacts,
    DeviceState,
    Fault,
    ProcessEnergy,
    ProcessId,
    Snapshot,
)
from aipower.seams import ProcessDirectory

Z_95 = 1.959964
"""Half-width of a 95 % interval in standard errors of a normal distribution."""
SCALE_95 = 0.05
"""95 % half-width of an uncalibrated sensor's scale: mean error 5.4 % over 27 cards (SC'24, arXiv 2312.02741)."""


def half_width_95(energy_uj: float, part: PartAccount) -> float:
    """Half-width of the 95 % interval of a part of a device's energy, sensor scale included, in microjoules."""
    own = Z_95 * math.sqrt(part.variance_uj2 + part.systematic_uj**2)
    return math.hypot(own, SCALE_95 * energy_uj)


PROMOTION = 1.1
"""A process takes another's account when it has used so many times as much: without a margin equals would flap."""
DORMANT = 10
"""Processes without an account that are ranked, for each account."""


class Ledger:
    """The accounts. One thread posts; a snapshot is frozen and may go anywhere."""

    def __init__(self, directory: ProcessDirectory, max_processes: int = 200, retention_s: float = 300.0) -> None:
        self._directory = directory
        self._max_processes = max_processes
        self._retention_s = retention_s
        self._devices: dict[str, DeviceAccount] = {}
        self._known: dict[str, tuple[Device, DeviceFacts]] = {}
        self._processes: dict[ProcessId, ProcessAccount] = {}
        self._other: dict[str, PartAccount] = {}
        self._dormant: dict[ProcessId, Dormant] = {}
        self._runs: dict[tuple[str, str], PartAccount] = {}
        self._faults: Counter[tuple[str, str]] = Counter()
        self._folded = 0

    def open_account(self, device: Device, facts: DeviceFacts) -> None:
        """Show `device` from now on, also while it has used nothing."""
        self._devices.setdefault(device.id, DeviceAccount())
        self._known[device.id] = (device, facts)

    def post(self, attribution: Attribution, run_of: Callable[[ProcessId], str] = lambda _: "") -> None:
        """Add one window."""
        device = attribution.delta.device
        self._devices.setdefault(device.id, DeviceAccount()).add(attribution)
        self._known.setdefault(device.id, (device, DeviceFacts(method=attribution.delta.method)))
        for process in {**attribution.context_uj, **attribution.active_uj}:
            part = PartAccount(
                attribution.context_uj.get(process, 0),
                attribution.active_uj.get(process, 0),
                attribution.variance_uj2.get(process, 0.0),
                attribution.systematic_uj.get(process, 0.0),
            )
            self._add(process, device.id, part, run_of(process))
        self._rebalance()

    def fault(self, fault: Fault) -> None:
        """Count one fault."""
        self._faults[fault.device or "", fault.reason] += 1

    def retire(self, now_s: float) -> None:
        """Fold processes into `other` that ended more than the retention ago."""
        for process in [process for process in self._dormant if not self._directory.alive(process)]:
            del self._dormant[process]
        for process, account in list(self._processes.items()):
            if account.ended_s is None and not self._directory.alive(process):
                account.ended_s = now_s
            if account.ended_s is not None and now_s - account.ended_s >= self._retention_s:
                self._fold(process)

    def part(self, process: ProcessId, device: str) -> PartAccount:
        """What `process` has used of `device`; zeros if nothing."""
        account = self._processes.get(process)
        return account.parts.get(device, PartAccount()) if account else PartAccount()

    def run_part(self, run: str, device: str) -> PartAccount:
        """What the processes of `run` have used of `device`, folded ones too; zeros if nothing."""
        return self._runs.get((run, device), PartAccount())

    def totals(self, device: str) -> DeviceAccount:
        """The sums of `device`."""
        return self._devices.get(device, DeviceAccount())

    def processes(self) -> Mapping[ProcessId, ProcessAccount]:
        """The accounts that processes have now."""
        return MappingProxyType(self._processes)

    def snapshot(
        self, at_unix_s: float, version: str, powers_w: Mapping[str, float | None], agent: AgentStats | None = None
    ) -> Snapshot:
        """All of it, frozen. `powers_w` has the power now of each device that is up."""
        return Snapshot(
            at_unix_s,
            version,
            tuple(self._device_states(powers_w)),
            tuple(self._process_energies()),
            (),
            MappingProxyType(dict(self._faults)),
            agent or AgentStats(),
        )

    @property
    def folded(self) -> int:
        """Series folded into `other` so far."""
        return self._folded

    def _add(self, process: ProcessId, device: str, part: PartAccount, run: str) -> None:
        """Post to the process's account, or to `other` where there is room for no more accounts."""
        if run:
            self._runs.setdefault((run, device), PartAccount()).merge(part)
        account = self._processes.get(process)
        if account is None and len(self._processes) < self._max_processes:
            account = self._open(process, run)
        if account is not None:
            account.parts.setdefault(device, PartAccount()).merge(part)
            return
        self._other.setdefault(device, PartAccount()).merge(part)
        dormant = self._dormant.setdefault(process, Dormant(run))
        dormant.energy_uj += part.energy_uj

    def _open(self, process: ProcessId, run: str) -> ProcessAccount:
        """An account that begins at 0: what was folded before stays in `other`."""
        dormant = self._dormant.pop(process, None)
        account = ProcessAccount(self._directory.describe(process), run, folded_uj=dormant.energy_uj if dormant else 0)
        self._processes[process] = account
        return account

    def _rebalance(self) -> None:
        """Give the accounts to those who used most since they were first seen, with a margin against flapping."""
        if not self._dormant:
            return
        newcomers = sorted(self._dormant.items(), key=lambda item: item[1].energy_uj, reverse=True)
        holders = sorted(self._processes.items(), key=lambda item: item[1].rank_uj)
        for (newcomer, dormant), (holder, account) in zip(newcomers, holders, strict=False):
            if dormant.energy_uj <= PROMOTION * account.rank_uj:
                break
            self._fold(holder)
            self._open(newcomer, dormant.run)
            self._dormant[holder] = Dormant(account.run, account.rank_uj)
        if len(self._dormant) > DORMANT * self._max_processes:
            by_size = sorted(self._dormant.items(), key=lambda item: item[1].energy_uj)
            self._dormant = dict(by_size[len(by_size) // 2 :])

    def _fold(self, process: ProcessId) -> None:
        """Give a process's sums to `other` for good: what was folded never comes back out, so no counter falls."""
        for device, part in self._processes.pop(process).parts.items():
            self._other.setdefault(device, PartAccount()).merge(part)
            self._folded += 1

    def _device_states(self, powers_w: Mapping[str, float | None]) -> Iterable[DeviceState]:
        for device_id, account in self._devices.items():
            device, facts = self._known[device_id]
            yield DeviceState(
                device,
                facts,
                device_id in powers_w,
                powers_w.get(device_id),
                account.energy_uj,
                account.idle_uj,
                account.context_uj,
                account.active_uj,
                account.unattributed_uj,
            )

    def _process_energies(self) -> Iterable[ProcessEnergy]:
        for account in self._processes.values():
            for device_id, part in account.parts.items():
                yield self._process_energy(account, device_id, part)
        for device_id, part in self._other.items():
            yield self._process_energy(None, device_id, part)

    def _process_energy(self, account: ProcessAccount | None, device_id: str, part: PartAccount) -> ProcessEnergy:
        return ProcessEnergy(
            account.info if account else None,
            account.run if account else "",
            self._known[device_id][0],
            part.context_uj,
            part.active_uj,
            half_width_95(part.energy_uj, part),
            account.ended_s if account else None,
        )
