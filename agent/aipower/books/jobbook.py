"""What jobs have used and held, while they last and for a while after; and what is in no job, by user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field

from aipower.books.accounts import JobPart, PartAccount, job_key
from aipower.books.drafts import JobDraft
from aipower.books.halfwidth import HalfWidth
from aipower.books.past import Past
from aipower.model import Device, FoldedEnergy, JobEnergy, JobFacts, JobKey, Owner, PartError, ProcessId, ProcessInfo

NONE = Owner()
NO_FACTS = JobFacts()
OTHER = Owner("other")
"""The work of jobs beyond those that have accounts."""
LASTING = "systemd"
"""A unit is stopped and started again under the same name: its account waits for it while there is room."""
MOST_USERS = 256
"""Users whose work outside of jobs is told apart; that of the others has no user."""


class Hold(Struct):
    """For how long a job held a device, and did not use it, in seconds."""

    held_s: float = 0.0
    unused_s: float = 0.0


class JobAccount(Struct):
    """Sums of one job over its devices."""

    since_unix_s: float | None = None
    facts: JobFacts = field(default_factory=JobFacts)
    parts: dict[str, JobPart] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    processes: set[ProcessId] = field(default_factory=set)
    """Those that may live still."""
    ended_s: float | None = None
    place: int = 0
    """Among all accounts there ever were, in their order."""
    shared: bool = False
    """Whether it is that of all jobs without one: each of these may be given one of its own."""

    def part(self, device: str) -> JobPart:
        """Its account of `device`, to be added to."""
        part = self.parts.get(device)
        if part is None:
            part = self.parts[device] = JobPart(sure=self._sure)
        part.row = None
        return part

    def know(self, info: ProcessInfo) -> None:
        """One of its processes is at work."""
        if not self.shared:  # which never ends: nobody looks who of them lives
            self.processes.add(info.id)
        facts = joined(self.facts, info.place.facts)
        if self.ended_s is not None or facts is not self.facts:
            self.ended_s, self.facts = None, facts
            self._changed()

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
            self._changed()

    @property
    def _sure(self) -> bool:
        """Whether it is still there when its processes are at work again; once it has ended it may be withdrawn."""
        return self.ended_s is None and not self.shared

    def _changed(self) -> None:
        for part in self.parts.values():
            part.row, part.sure = None, self._sure


class JobBook:
    """At most `most` accounts of jobs. Those that go on are never dropped for new ones: a counter would fall.

    What a job without an account uses goes to `OTHER`; what a withdrawn account held goes to `folded`.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.now_unix_s: float | None = None
        """When accounts begin that are opened now."""
        self.folded = Past()
        self._accounts: dict[JobKey, JobAccount] = {}
        self._loose: dict[JobKey, JobAccount] = {}
        """Of `NONE` by user, and of `OTHER`: they stay."""
        self._granted: set[JobKey] = set()
        """Accounts of jobs that say which GPUs they were given."""
        self._opened = 0
        self._withdrawn: set[JobKey] = set()
        """Keys that must not come back before a snapshot was taken without them: their series would fall."""

    @property
    def any(self) -> bool:
        """Whether some job has an account."""
        return bool(self._accounts)

    def part_of(self, info: ProcessInfo, device: str) -> JobPart:
        """Where what a process uses of `device` now belongs."""
        key = job_key(info)
        account = self._account(key)
        part = account.part(device)
        if info.place.owner.job:
            account.know(info)
            self._note_grant(key, account)
        return part

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
        for key in self._holding(device, holders):
            job = key[0].system, key[0].job
            if job not in jobs or holders.get(key, False) > holders.get(jobs[job], False):
                jobs[job] = key
        for key in jobs.values():
            self._accounts[key].hold(device.id, span_s, used=holders.get(key, False))

    def _holding(self, device: Device, holders: Iterable[JobKey]) -> list[JobKey]:
        """The accounts of those with contexts on a device, and of those that were given it, the oldest first."""
        accounts = self._accounts
        found = {key for key in holders if key in accounts}
        for key in self._granted:
            account = accounts[key]
            if account.ended_s is None and _given(device, account.facts.gpus):
                found.add(key)
        return sorted(found, key=lambda key: accounts[key].place)

    def _note_grant(self, key: JobKey, account: JobAccount) -> None:
        """`key` is whose work it is; the account may be that of all those without one, which holds nothing."""
        if account.facts.gpus and self._accounts.get(key) is account:
            self._granted.add(key)

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
            self.folded.add(past.device.id, PartAccount(past.context_uj, past.active_uj))
        for row in rows:
            account = self._account((row.owner, row.user))
            account.facts, account.ended_s, account.since_unix_s = row.facts, row.ended_s, row.since_unix_s
            error = row.error
            part = PartAccount(0, row.energy_uj, error.variance_uj2, error.systematic_uj)
            account.part(row.device.id).merge(part)
            self._note_grant((row.owner, row.user), account)
            hold = account.holds.setdefault(row.device.id, Hold())
            hold.held_s, hold.unused_s = hold.held_s + row.held_s, hold.unused_s + row.unused_s

    def rows(self, sensor_of: Callable[[str], tuple[Device, HalfWidth]]) -> Sequence[JobDraft]:
        """What a snapshot shows of them; `sensor_of` names a device and its scale."""
        found: list[JobDraft] = []
        for key, account in (*self._accounts.items(), *self._loose.items()):
            for device_id, part in account.parts.items():
                if part.row is None:
                    part.row = _row(key, account, part, account.holds.get(device_id), *sensor_of(device_id))
                found.append(part.row)
        return found

    def _account(self, key: JobKey) -> JobAccount:
        """That of `key`, or of those it must share one with."""
        account = self._accounts.get(key)
        if account is not None:
            return account
        owner, user = key
        if owner.job and key not in self._withdrawn and self._has_room():
            self._opened += 1
            account = self._accounts[key] = JobAccount(self.now_unix_s, place=self._opened)
            return account
        return self._loose_account(OTHER if owner.job or owner.system == OTHER.system else NONE, user)

    def _loose_account(self, owner: Owner, user: str) -> JobAccount:
        known = (owner, user) in self._loose or sum(whose == owner for whose, _ in self._loose) < MOST_USERS
        account = JobAccount(self.now_unix_s, shared=owner.system == OTHER.system)
        return self._loose.setdefault((owner, user if known else ""), account)

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
        self._granted.discard(key)
        self._withdrawn.add(key)
        for device, part in account.parts.items():
            self.folded.add(device, part)


def _row(
    key: JobKey, account: JobAccount, part: JobPart, hold: Hold | None, device: Device, half_width: HalfWidth
) -> JobDraft:
    return JobDraft(
        device,
        half_width,
        *part.sums,
        key,
        hold.held_s if hold else 0.0,
        hold.unused_s if hold else 0.0,
        account.facts,
        account.ended_s,
        account.since_unix_s,
    )


def joined(first: JobFacts, then: JobFacts) -> JobFacts:
    """What a job says of itself by two of its processes: the first word stands, as a new one means a new series."""
    if then in (first, NO_FACTS):
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
