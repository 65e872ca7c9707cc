"""Who has used what since the ledger began. Only whole microjoules, only upwards, and the parts sum to the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from aipower.books.accounts import DeviceAccount, PartAccount, ProcessAccount, ProcessPart, Route
from aipower.books.drafts import Draft, ProcessDraft
from aipower.books.halfwidth import HalfWidth
from aipower.books.jobbook import JobBook
from aipower.books.ownbook import OwnBook
from aipower.books.processbook import ProcessBook
from aipower.books.runbook import RunBook
from aipower.books.uncertainty import Scale, scale_of
from aipower.books.userbook import UserBook
from aipower.calibration.default import default_calibration
from aipower.model import (
    AgentStats,
    Attribution,
    Calibration,
    Device,
    DeviceFacts,
    DeviceState,
    EnergyDelta,
    Fault,
    JobKey,
    JournalState,
    Method,
    PartError,
    Position,
    ProcessId,
    ProcessInfo,
    Snapshot,
    Usage,
)
from aipower.seams import ProcessDirectory

NO_ERROR = PartError()
FAULT_REASONS = (
    "gone",
    "read_failed",
    "hung",
    "counter_stuck",
    "counter_reset",
    "implausible",
    "gap",
    "unwatched",
    "suspended",
)
"""Counted from 0 for each device, as a rate over a counter that begins at 1 does not see the first fault."""


class Ledger:
    """The accounts. One thread posts; a snapshot is frozen and may go anywhere."""

    def __init__(
        self,
        directory: ProcessDirectory,
        max_processes: int = 200,
        retention_s: float = 300.0,
        *,
        max_runs: int = 1000,
        max_jobs: int = 200,
        boot: str = "",
        naming: str = "",
        since_unix_s: float | None = None,
        own: ProcessId | None = None,
    ) -> None:
        """`boot`, `naming` and `since_unix_s` are those of its snapshots; `own` is the process that keeps it."""
        self._book = ProcessBook(directory, max_processes)
        self._runs = RunBook(max_runs)
        self._users = UserBook()
        self._own = OwnBook(own)
        self._jobs = JobBook(max_jobs)
        self._limits_w: dict[str, float] = {}
        self._idle_w: dict[str, float] = {}
        self._retention_s = retention_s
        self._devices: dict[str, DeviceAccount] = {}
        self._known: dict[str, tuple[Device, DeviceFacts]] = {}
        self._opened: set[str] = set()
        """Devices that have an account and counters of faults, which never leave."""
        self._seen_unix_s: dict[str, float] = {}
        self._calibrations: dict[str, Calibration] = {}
        self._scales: dict[str, Scale] = {}
        self._sensors: dict[str, tuple[Device, HalfWidth]] = {}
        """Both are made of `_calibrations`, and anew where these change."""
        self._faults: Counter[tuple[str, str]] = Counter()
        self._fault_counts: Mapping[tuple[str, str], int] | None = None
        self._shown_devices: Mapping[str, Device] | None = None
        """What snapshots show of both until they change, None where that has to be made."""
        self._boot = boot
        self._naming = naming
        self._since_unix_s = since_unix_s
        self._snapshots = 0
        self._date(since_unix_s)

    def open_account(self, device: Device, facts: DeviceFacts, calibration: Calibration | None = None) -> None:
        """Show `device` from now on, also while it has used nothing; what was said of its scale stands."""
        self._known[device.id] = (device, facts)
        self._shown_devices = None
        self._sensors.pop(device.id, None)
        if calibration is not None:
            self._calibrations[device.id] = calibration
            self._scales.pop(device.id, None)
        if device.id not in self._opened:
            self._opened.add(device.id)
            self._devices.setdefault(device.id, DeviceAccount())
            self._fault_counts = None
            for reason in FAULT_REASONS:
                self._faults.setdefault((device.id, reason), 0)

    def found_by(self, device: str, method: Method) -> None:
        """The energy of `device`, which has an account, is found by `method` now."""
        known, facts = self._known[device]
        if facts.method != method:
            self._known[device] = known, replace(facts, method=method)

    def restore(self, state: Snapshot) -> None:
        """Go on with the accounts of `state`, which `revived` has made fit for now. The ledger must be new."""
        for row in state.devices:
            self._known[row.device.id] = (row.device, row.facts)
            self._seen_unix_s[row.device.id] = row.seen_unix_s
            self.learned(row.device.id, row.idle_w)
            self._devices[row.device.id] = DeviceAccount(
                row.energy_uj, row.idle_uj, row.context_uj, row.active_uj, row.unattributed_uj
            )
        self._book.restore(state.processes, state.folded, state.agent.folded_series)
        self._runs.restore(state.runs)
        self._users.restore(state.users)
        self._jobs.restore(state.jobs, state.folded_jobs)
        self._faults.update(state.fault_counts)
        self._fault_counts = self._shown_devices = None
        self._since_unix_s = state.since_unix_s

    def limit(self, max_processes: int, retention_s: float, max_runs: int, max_jobs: int) -> None:
        """Keep to these bounds from now on; runs and jobs that go on are never dropped."""
        self._retention_s = retention_s
        self._runs.most = max_runs
        self._jobs.limit(max_jobs)
        self._book.limit(max_processes)

    def register_run(self, run: str, name: str, user: str) -> bool:
        """Show `run` under `name` as `user`'s from now on; the first word stands, as a new one means a new series.

        False if there is no room: then only its processes are shown. A run that had ended goes on.
        """
        return self._runs.register(run, name, user)

    def end_run(self, run: str, now_s: float) -> None:
        """`run` has ended; its series leave as those of processes do."""
        self._runs.end(run, now_s)

    def post(self, attribution: Attribution, run_of: Callable[[ProcessId], str] = lambda _: "") -> None:
        """Add one window."""
        device = attribution.delta.device
        account = self._devices.get(device.id)
        if account is None:
            account = self._open_unknown(device, attribution.delta.method)
        account.add(attribution)
        self._own.add(attribution)
        self._post_parts(attribution, run_of)
        for run, error in attribution.run_errors.items():
            self._runs.doubt(run, device.id, error)
        for key, error in attribution.job_errors.items():
            self._jobs.doubt(key, device.id, error)
        self._book.rebalance()

    def _open_unknown(self, device: Device, method: Method) -> DeviceAccount:
        """The account of a device that nobody has told of."""
        self._known.setdefault(device.id, (device, DeviceFacts(method=method)))
        self._shown_devices = None
        return self._devices.setdefault(device.id, DeviceAccount())

    def _post_parts(self, attribution: Attribution, run_of: Callable[[ProcessId], str]) -> None:
        """Add what each process used. Mostly it is known where that belongs: then numbers are added, no more."""
        shown, device, at_s = self._book.shown, attribution.delta.device.id, attribution.delta.end_s
        context_uj, active_uj, errors = attribution.context_uj, attribution.active_uj, attribution.errors
        for process in {**context_uj, **active_uj} if context_uj else active_uj:
            run, context, active = run_of(process), context_uj.get(process, 0), active_uj.get(process, 0)
            if run:
                self._runs.count(run, device, context, active)
            account = shown.get(process)
            route = account.routes.get(device) if account is not None and at_s < account.ask_s else None
            if route is None or not route.job.sure:
                route = self._route(process, device, run, at_s)
            route.add(context, active, errors.get(process, NO_ERROR))
            if route.account is None:
                self._book.rank(process, run, context + active)

    def _route(self, process: ProcessId, device: str, run: str, at_s: float) -> Route:
        """Where what `process` uses of `device` belongs: for as long as its account keeps that, or this once."""
        account = self._book.account_of(process, run, at_s)
        info = account.info if account is not None else self._book.asleep(process, run).info
        part = account.part(device) if account is not None else self._book.other_part(device)
        route = Route(account, part, self._users.sum_of(info.user, device), self._jobs.part_of(info, device))
        if account is not None:
            account.routes[device] = route
        return route

    def job_of(self, process: ProcessId) -> JobKey | None:
        """The job that `process` works for, None for none."""
        return self._book.job_of(process)

    def hold(self, window: EnergyDelta, usage: Usage) -> None:
        """Note which jobs held a device in a window, and which of them were seen at work there, or may have been."""
        if window.device.kind != "gpu" or not self._jobs.any:
            return
        # Somebody worked, or may have, who was not named: that a holder was not seen says nothing.
        doubtful = not usage.sampled or usage.unknown_busy_s > 0
        holders: dict[JobKey, bool] = {}
        job_of = self._book.job_of
        for process in usage.busy_s:
            key = job_of(process)
            if key is not None:
                holders[key] = True
        for process in usage.holders.difference(usage.busy_s):
            key = job_of(process)
            if key is not None:
                holders.setdefault(key, doubtful)
        self._jobs.hold(window.device, window.span_s, holders)

    def learned(self, device: str, idle_w: float | None) -> None:
        """Note the idle level of `device`; None is no news."""
        if idle_w is not None:
            self._idle_w[device] = idle_w

    def bound(self, device: str, power_w: float | None) -> None:
        """Note the most that `device` may draw; None where it does not say."""
        if power_w is None:
            self._limits_w.pop(device, None)
        else:
            self._limits_w[device] = power_w

    def fault(self, fault: Fault) -> None:
        """Count one fault."""
        self._faults[fault.device or "", fault.reason] += 1
        self._fault_counts = None

    def retire(self, now_s: float) -> None:
        """Withdraw the series of processes and runs that ended more than the retention ago."""
        self._book.retire(now_s, self._retention_s)
        self._runs.retire(now_s, self._retention_s)
        self._jobs.retire(now_s, self._retention_s, self._book.lives)

    def part(self, process: ProcessId, device: str) -> PartAccount:
        """What `process` has used of `device`; zeros if nothing."""
        account = self._book.shown.get(process)
        return account.parts.get(device, PartAccount()) if account else PartAccount()

    def run_part(self, run: str, device: str) -> PartAccount:
        """What the processes of `run` have used of `device`, folded ones too; zeros if nothing."""
        return self._runs.part(run, device)

    def totals(self, device: str) -> DeviceAccount:
        """The sums of `device`."""
        return self._devices.get(device, DeviceAccount())

    def scale(self, device: Device) -> Scale:
        """The scale of the sensor that the energy of `device` was read from."""
        scale = self._scales.get(device.id)
        if scale is None:
            calibration = self._calibrations.get(device.id) or default_calibration(device.kind)
            scale = self._scales[device.id] = scale_of(device, calibration)
        return scale

    def name_of(self, process: ProcessId) -> str:
        """The short name of a process's executable."""
        return self._book.name_of(process)

    def processes(self) -> Mapping[ProcessId, ProcessAccount]:
        """The accounts that processes have now."""
        return MappingProxyType(self._book.shown)

    def draft(
        self,
        at_unix_s: float,
        version: str,
        powers_w: Mapping[str, float | None],
        agent: AgentStats | None = None,
        positions: Mapping[str, Position] = MappingProxyType({}),
        journal: JournalState | None = None,
        asleep_s: float = 0.0,
    ) -> Draft:
        """The snapshot of now, to be made when somebody looks: what is posted meanwhile does not change it.

        `powers_w` has the power now of each device that is up; `asleep_s` is as of `positions`.
        """
        self._book.published()
        self._jobs.published()
        self._date(at_unix_s)
        unseen = self._known.keys() - self._seen_unix_s.keys()
        self._seen_unix_s.update(dict.fromkeys((*unseen, *powers_w), at_unix_s))
        self._snapshots += 1
        devices = self._device_names()
        bare = Snapshot(
            at_unix_s,
            version,
            tuple(self._device_states(powers_w, positions)),
            runs=tuple(self._runs.rows(devices)),
            fault_counts=self._counted_faults(),
            agent=agent or AgentStats(),
            folded=self._book.folded.rows(devices),
            users=tuple(self._users.rows(devices)),
            journal=journal,
            since_unix_s=self._since_unix_s,
            boot=self._boot,
            naming=self._naming,
            number=self._snapshots,
            asleep_s=asleep_s,
            folded_jobs=self._jobs.folded.rows(devices),
            own=tuple(self._own.rows(devices)),
        )
        return Draft(bare, self._process_drafts(), self._jobs.rows(self._sensor))

    @property
    def folded(self) -> int:
        """Series withdrawn so far."""
        return self._book.series_folded

    def _device_names(self) -> Mapping[str, Device]:
        """The devices that have accounts; the same object until that changes."""
        if self._shown_devices is None:
            self._shown_devices = {device_id: self._known[device_id][0] for device_id in self._devices}
        return self._shown_devices

    def _counted_faults(self) -> Mapping[tuple[str, str], int]:
        if self._fault_counts is None:
            self._fault_counts = MappingProxyType(dict(self._faults))
        return self._fault_counts

    def _date(self, now_unix_s: float | None) -> None:
        """Accounts that are opened from now on begin now."""
        for book in (self._book, self._runs, self._users, self._jobs):
            book.now_unix_s = now_unix_s

    def _device_states(
        self, powers_w: Mapping[str, float | None], positions: Mapping[str, Position]
    ) -> Iterable[DeviceState]:
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
                positions.get(device_id),
                self._seen_unix_s[device_id],
                self._limits_w.get(device_id),
                self._idle_w.get(device_id),
            )

    def _process_drafts(self) -> Sequence[ProcessDraft]:
        found: list[ProcessDraft] = []
        for account in self._book.shown.values():
            found += account.shown or self._redrawn(account)
        for device_id, part in self._book.other.items():
            found.append(self._row(device_id, part, None, "", None, self._since_unix_s))
        return found

    def _redrawn(self, account: ProcessAccount) -> tuple[ProcessDraft, ...]:
        """The rows of an account some of which have changed."""
        info, run, ended_s, since_unix_s = account.info, account.run, account.ended_s, account.since_unix_s
        account.shown = tuple([
            part.row or self._row(device_id, part, info, run, ended_s, since_unix_s)
            for device_id, part in account.parts.items()
        ])  # fmt: skip
        return account.shown

    def _row(
        self,
        device_id: str,
        part: ProcessPart,
        info: ProcessInfo | None,
        run: str,
        ended_s: float | None,
        since_unix_s: float | None,
    ) -> ProcessDraft:
        device, half_width = self._sensors.get(device_id) or self._sensor(device_id)
        part.row = row = ProcessDraft(device, half_width, *part.sums, info, run, ended_s, since_unix_s)
        return row

    def _sensor(self, device_id: str) -> tuple[Device, HalfWidth]:
        """A device, and how far its energies may be off."""
        sensor = self._sensors.get(device_id)
        if sensor is None:
            device = self._known[device_id][0]
            sensor = self._sensors[device_id] = device, HalfWidth(self.scale(device).calibration)
        return sensor
