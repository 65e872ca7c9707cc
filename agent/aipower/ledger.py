"""Who has used what since the ledger began. Only whole microjoules, only upwards, and the parts sum to the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from aipower.accounts import DeviceAccount, PartAccount, ProcessAccount
from aipower.calibration.default import default_calibration
from aipower.model import (
    AgentStats,
    Attribution,
    Calibration,
    Device,
    DeviceFacts,
    DeviceState,
    Fault,
    FoldedEnergy,
    PartError,
    ProcessEnergy,
    ProcessId,
    RunEnergy,
    Snapshot,
)
from aipower.processbook import ProcessBook
from aipower.seams import ProcessDirectory
from aipower.uncertainty import Scale, part_error, scale_of

FAULT_REASONS = ("gone", "read_failed", "counter_stuck", "counter_reset", "implausible", "gap")
"""Counted from 0 for each device, as a rate over a counter that begins at 1 does not see the first fault."""


class Ledger:
    """The accounts. One thread posts; a snapshot is frozen and may go anywhere."""

    def __init__(self, directory: ProcessDirectory, max_processes: int = 200, retention_s: float = 300.0) -> None:
        self._book = ProcessBook(directory, max_processes)
        self._retention_s = retention_s
        self._devices: dict[str, DeviceAccount] = {}
        self._known: dict[str, tuple[Device, DeviceFacts]] = {}
        self._calibrations: dict[str, Calibration] = {}
        self._runs: dict[tuple[str, str], PartAccount] = {}
        self._run_names: dict[str, tuple[str, str]] = {}
        self._faults: Counter[tuple[str, str]] = Counter()

    def open_account(self, device: Device, facts: DeviceFacts, calibration: Calibration | None = None) -> None:
        """Show `device` from now on, also while it has used nothing; what was said of its scale stands."""
        self._devices.setdefault(device.id, DeviceAccount())
        self._known[device.id] = (device, facts)
        if calibration is not None:
            self._calibrations[device.id] = calibration
        for reason in FAULT_REASONS:
            self._faults.setdefault((device.id, reason), 0)

    def register_run(self, run: str, name: str, user: str) -> None:
        """Show `run` under `name` as `user`'s from now on; the first word stands, as a new one means a new series."""
        self._run_names.setdefault(run, (name, user))

    def post(self, attribution: Attribution, run_of: Callable[[ProcessId], str] = lambda _: "") -> None:
        """Add one window."""
        device = attribution.delta.device
        self._devices.setdefault(device.id, DeviceAccount()).add(attribution)
        self._known.setdefault(device.id, (device, DeviceFacts(method=attribution.delta.method)))
        for process in {**attribution.context_uj, **attribution.active_uj}:
            error = attribution.errors.get(process, PartError())
            part = PartAccount(
                attribution.context_uj.get(process, 0),
                attribution.active_uj.get(process, 0),
                error.variance_uj2,
                error.systematic_uj,
            )
            self._add(process, device.id, part, run_of(process))
        for run, error in attribution.run_errors.items():
            self._runs.setdefault((run, device.id), PartAccount()).doubt(error)
        self._book.rebalance()

    def fault(self, fault: Fault) -> None:
        """Count one fault."""
        self._faults[fault.device or "", fault.reason] += 1

    def retire(self, now_s: float) -> None:
        """Withdraw the series of processes that ended more than the retention ago."""
        self._book.retire(now_s, self._retention_s)

    def part(self, process: ProcessId, device: str) -> PartAccount:
        """What `process` has used of `device`; zeros if nothing."""
        account = self._book.shown.get(process)
        return account.parts.get(device, PartAccount()) if account else PartAccount()

    def run_part(self, run: str, device: str) -> PartAccount:
        """What the processes of `run` have used of `device`, folded ones too; zeros if nothing."""
        return self._runs.get((run, device), PartAccount())

    def totals(self, device: str) -> DeviceAccount:
        """The sums of `device`."""
        return self._devices.get(device, DeviceAccount())

    def scale(self, device: Device) -> Scale:
        """The scale of the sensor that the energy of `device` was read from."""
        return scale_of(device, self._calibrations.get(device.id) or default_calibration(device.kind))

    def name_of(self, process: ProcessId) -> str:
        """The short name of a process's executable."""
        return self._book.name_of(process)

    def processes(self) -> Mapping[ProcessId, ProcessAccount]:
        """The accounts that processes have now."""
        return MappingProxyType(self._book.shown)

    def snapshot(
        self, at_unix_s: float, version: str, powers_w: Mapping[str, float | None], agent: AgentStats | None = None
    ) -> Snapshot:
        """All of it, frozen. `powers_w` has the power now of each device that is up."""
        self._book.published()
        return Snapshot(
            at_unix_s,
            version,
            tuple(self._device_states(powers_w)),
            tuple(self._process_energies()),
            tuple(self._run_energies()),
            MappingProxyType(dict(self._faults)),
            agent or AgentStats(),
            tuple(self._folded_energies()),
        )

    @property
    def folded(self) -> int:
        """Series withdrawn so far."""
        return self._book.series_folded

    def _add(self, process: ProcessId, device: str, part: PartAccount, run: str) -> None:
        if run:
            self._runs.setdefault((run, device), PartAccount()).count(part)
        self._book.add(process, device, part, run)

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
        for account in self._book.shown.values():
            for device_id, part in account.parts.items():
                row = account.rows.get(device_id)
                if row is None:
                    row = account.rows[device_id] = self._process_energy(account, device_id, part)
                yield row
        for device_id, part in self._book.other.items():
            yield self._process_energy(None, device_id, part)

    def _process_energy(self, account: ProcessAccount | None, device_id: str, part: PartAccount) -> ProcessEnergy:
        device = self._known[device_id][0]
        return ProcessEnergy(
            account.info if account else None,
            account.run if account else "",
            device,
            part.context_uj,
            part.active_uj,
            part_error(part, self.scale(device)).absolute_95_uj,
            account.ended_s if account else None,
        )

    def _run_energies(self) -> Iterable[RunEnergy]:
        for (run, device_id), part in self._runs.items():
            name, user = self._run_names.get(run, ("", ""))
            yield RunEnergy(run, name, user, self._known[device_id][0], part.energy_uj)

    def _folded_energies(self) -> Iterable[FoldedEnergy]:
        for device_id in self._devices:
            part = self._book.folded.get(device_id, PartAccount())
            yield FoldedEnergy(self._known[device_id][0], part.context_uj, part.active_uj)
