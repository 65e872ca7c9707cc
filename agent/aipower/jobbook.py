"""What jobs have used and held, while they last and for a while after; and what is in no job, by user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct, field

from aipower.accounts import PartAccount
from aipower.model import Device, FoldedEnergy, JobEnergy, JobFacts, JobKey, Owner, PartError, ProcessId, ProcessInfo

NONE = Owner()
OTHER = Owner("other")
"""The work of jobs beyond those that have accounts."""
LASTING = "systemd"
"""A unit is stopped and started again under the same name: its account waits for it while there is room."""
MOST_USERS = 256
"""Users whose work outside of jobs is told apart; that of the others has no user."""


def job_key(info: ProcessInfo) -> JobKey:
    """Whose account the work of a process belongs to."""
    return info.place.owner, info.user


class Hold(Struct):
    """For how long a job held a device, and did not use it, in seconds."""

    held_s: float = 0.0
    unused_s: float = 0.0


class JobAccount(Struct):
    """Sums of one job over its devices."""

    since_unix_s: float | None = None
    facts: JobFacts = field(default_factory=JobFacts)
    parts: dict[str, PartAccount] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    processes: set[ProcessId] = field(default_factory=set)
    """Those that may live still."""
    ended_s: float | None = None
    rows: dict[str, JobEnergy] = field(default_factory=dict)
    """What snapshots show of it by device, until that changes."""

    def part(self, device: str) -> PartAccount:
        """Its account of `device`, to be added to."""
        self.rows.pop(device, None)
        return self.parts.setdefault(device, PartAccount())

    def know(self, info: ProcessInfo) -> None:
        """One of its processes is at work."""
        self.processes.add(info.id)
        facts = joined(self.facts, info.place.facts)
        if self.ended_s is not None or facts is not self.facts:
            self.ended_s, self.facts = None, facts
            self.rows.clear()

    def hold(self, device: str, span_s: float, *, used: bool) -> None:
        """It held the device for `span_s`; one that is held shows, used or not."""
        hold = self.holds.setdefault(device, Hold())
        hold.held_s += span_s
        hold.unused_s += 0.0 if used else span_s
        self.part(device)

    def look(self, now_s: float, alive: Callable[[ProcessId], bool]) -> None:
        """Note its end, if none of its processes lives any more."""
        self.processes = {process for process in self.processes if alive(process)}
        if not self.processes:
            self.ended_s = now_s
            self.rows.clear()


class JobBook:
    """At most `most` accounts of jobs. Those that go on are never dropped for new ones: a counter would fall.

    What a job without an account uses goes to `OTHER`; what a withdrawn account held goes to `folded`.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.now_unix_s: float | None = None
        """When accounts begin that are opened now."""
        self.folded: dict[str, PartAccount] = {}
        self._accounts: dict[JobKey, JobAccount] = {}
        self._loose: dict[JobKey, JobAccount] = {}
        """Of `NONE` by user, and of `OTHER`: they stay."""
        self._withdrawn: set[JobKey] = set()
        """Keys that must not come back before a snapshot was taken without them: their series would fall."""

    def add(self, info: ProcessInfo, device: str, part: PartAccount) -> None:
        """Take in what a process used of `device`."""
        account = self._account(job_key(info))
        account.part(device).count(part)
        if info.place.owner.job:
            account.know(info)

    def doubt(self, key: JobKey, device: str, error: PartError) -> None:
        """Take in how far one window's energy may be off, if the job has an account."""
        account = self._accounts.get(key)
        if account is not None:
            account.part(device).doubt(error)

    def hold(self, device: Device, span_s: float, holders: Mapping[JobKey, bool]) -> None:
        """Take in a window of a device: the jobs with contexts there, and whether they were seen at work.

        A job that was given the device holds it too, without a context. Of its steps and users only one takes the
        time: a sum over them is that of the job.
        """
        jobs: dict[tuple[str, str], JobKey] = {}
        for key, account in self._accounts.items():
            if key in holders or (account.ended_s is None and _given(device, account.facts.gpus)):
                job = key[0].system, key[0].job
                if job not in jobs or holders.get(key, False) > holders.get(jobs[job], False):
                    jobs[job] = key
        for key in jobs.values():
            self._accounts[key].hold(device.id, span_s, used=holders.get(key, False))

    def retire(self, now_s: float, retention_s: float, alive: Callable[[ProcessId], bool]) -> None:
        """Note the ends of jobs, and withdraw those that ended more than `retention_s` ago."""
        for key, account in list(self._accounts.items()):
            if account.ended_s is None:
                account.look(now_s, alive)
            elif now_s - account.ended_s >= retention_s and key[0].system != LASTING:
                self._withdraw(key)

    def limit(self, most: int) -> None:
        """From now on at most `most` accounts; more stay only as long as they go on."""
        self.most = most

    def published(self) -> None:
        """Note that a snapshot was taken: whoever was withdrawn before it may have a series again."""
        self._withdrawn.clear()

    def restore(self, rows: Iterable[JobEnergy], folded: Iterable[FoldedEnergy]) -> None:
        """Go on with the accounts of `rows` and `folded`, where the book was empty."""
        for past in folded:
            self.folded[past.device.id] = PartAccount(past.context_uj, past.active_uj)
        for row in rows:
            account = self._account((row.owner, row.user))
            account.facts, account.ended_s, account.since_unix_s = row.facts, row.ended_s, row.since_unix_s
            error = row.error
            part = PartAccount(0, row.energy_uj, error.variance_uj2, error.systematic_uj)
            account.part(row.device.id).merge(part)
            hold = account.holds.setdefault(row.device.id, Hold())
            hold.held_s, hold.unused_s = hold.held_s + row.held_s, hold.unused_s + row.unused_s

    def rows(
        self, devices: Mapping[str, Device], error_uj: Callable[[Device, PartAccount], float]
    ) -> Iterator[JobEnergy]:
        """What a snapshot shows of them; `error_uj` is the half-width of a part's 95 % interval."""
        for key, account in (*self._accounts.items(), *self._loose.items()):
            for device_id, part in account.parts.items():
                row = account.rows.get(device_id)
                if row is None:
                    device = devices[device_id]
                    row = account.rows[device_id] = _row(key, account, device, error_uj(device, part))
                yield row

    def _account(self, key: JobKey) -> JobAccount:
        """That of `key`, or of those it must share one with."""
        account = self._accounts.get(key)
        if account is not None:
            return account
        owner, user = key
        if owner.job and key not in self._withdrawn and self._has_room():
            account = self._accounts[key] = JobAccount(self.now_unix_s)
            return account
        return self._loose_account(OTHER if owner.job or owner.system == OTHER.system else NONE, user)

    def _loose_account(self, owner: Owner, user: str) -> JobAccount:
        known = (owner, user) in self._loose or sum(whose == owner for whose, _ in self._loose) < MOST_USERS
        return self._loose.setdefault((owner, user if known else ""), JobAccount(self.now_unix_s))

    def _has_room(self) -> bool:
        """True after the job that ended longest ago has made room, if need be."""
        if len(self._accounts) < self.most:
            return True
        ended = [(account.ended_s, key) for key, account in self._accounts.items() if account.ended_s is not None]
        if not ended:
            return False
        self._withdraw(min(ended, key=lambda item: item[0])[1])
        return True

    def _withdraw(self, key: JobKey) -> None:
        """Fold an account for good: what was folded never comes back out, so no counter falls."""
        account = self._accounts.pop(key)
        self._withdrawn.add(key)
        for device, part in account.parts.items():
            self.folded.setdefault(device, PartAccount()).count(part)


def _row(key: JobKey, account: JobAccount, device: Device, error_uj: float) -> JobEnergy:
    part, hold = account.parts[device.id], account.holds.get(device.id, Hold())
    return JobEnergy(
        *key,
        device,
        part.energy_uj,
        error_uj,
        hold.held_s,
        hold.unused_s,
        account.facts,
        account.ended_s,
        part.error,
        account.since_unix_s,
    )


def joined(first: JobFacts, then: JobFacts) -> JobFacts:
    """What a job says of itself by two of its processes: the first word stands, as a new one means a new series."""
    if then == first or then == JobFacts():
        return first
    return JobFacts(
        first.name or then.name,
        first.team or then.team,
        first.account or then.account,
        first.partition or then.partition,
        first.namespace or then.namespace,
        first.pod or then.pod,
        first.gpus or then.gpus,
    )


def _given(device: Device, gpus: tuple[str, ...]) -> bool:
    """Whether `gpus`, indices or UUIDs as schedulers name them, has the device."""
    return device.kind == "gpu" and (device.index in gpus or device.id in gpus)
