"""Which processes have accounts of their own, and where the work of the others and the past of the withdrawn goes."""

from __future__ import annotations

import math
from collections.abc import Iterable

from aipower.books.accounts import Dormant, PartAccount, ProcessAccount, ProcessPart, SeriesKey, job_key, series_key
from aipower.books.past import Past
from aipower.model import FoldedEnergy, JobKey, ProcessEnergy, ProcessId, ProcessInfo
from aipower.seams import ProcessDirectory

PROMOTION = 1.1
"""A process takes another's account when it has used so many times as much: without a margin equals would flap."""
DORMANT = 10
"""Processes without an account that are ranked, for each account."""
ASK_AGAIN_S, ASK_S = 2.0, 4.0
"""Between two questions where a process belongs: a new one may be moved at once, later that is rare."""


class ProcessBook:
    """At most `most` accounts of processes.

    Work of a process without an account goes to `other`. When an account is withdrawn its sums go to `folded`,
    never to `other`: a rate of `other` must show only what was used meanwhile.
    """

    def __init__(self, directory: ProcessDirectory, most: int) -> None:
        self.shown: dict[ProcessId, ProcessAccount] = {}
        self.other: dict[str, ProcessPart] = {}
        self.folded = Past()
        self.series_folded = 0
        self.now_unix_s: float | None = None
        """When accounts begin that are opened now."""
        self._directory = directory
        self._most = most
        self._holders: dict[SeriesKey, ProcessId] = {}
        self._dormant: dict[ProcessId, Dormant] = {}
        self._withdrawn: set[SeriesKey] = set()
        """Keys that must not come back before a snapshot was taken without them: their series would fall."""
        self._now_s = self._retention_s = 0.0
        """Of the last `retire`."""
        self._bar_uj = 0.0
        """No process that used less can take an account from another."""
        self._rank_anew = False

    @property
    def dormant(self) -> int:
        """Processes without an account that are remembered."""
        return len(self._dormant)

    def account_of(self, process: ProcessId, run: str, at_s: float) -> ProcessAccount | None:
        """The account that work of `process` until `at_s` belongs to, None for `other`: there is room for no more."""
        account = self.shown.get(process) or self._admit(process, run)
        if account is not None and (at_s >= account.ask_s or account.info.id != process):
            account.know(self._directory.describe(process))
            if account.info.id == process:
                account.ask_s = at_s + (ASK_AGAIN_S if account.ask_s == -math.inf else ASK_S)
            else:  # late work of one who had the account before: the place is now where that one was
                account.ask_s = at_s
        return account

    def other_part(self, device: str) -> ProcessPart:
        """What processes without an account have used of `device`."""
        return self.other.setdefault(device, ProcessPart())

    def asleep(self, process: ProcessId, run: str) -> Dormant:
        """What is remembered of a process without an account."""
        dormant = self._dormant.get(process)
        if dormant is None:
            dormant = self._dormant[process] = Dormant(run, self._directory.describe(process))
        return dormant

    def rank(self, process: ProcessId, run: str, energy_uj: int) -> None:
        """A process without an account has used so much more: it may have earned one."""
        dormant = self.asleep(process, run)
        dormant.energy_uj += energy_uj
        self._rank_anew |= dormant.energy_uj > self._bar_uj and self._may_return(dormant)

    def job_of(self, process: ProcessId) -> JobKey | None:
        """The job that a process works for, None for none."""
        account = self.shown.get(process)
        if account is not None:
            return account.job
        info = self._directory.describe(process)
        return job_key(info) if info.place.owner.job else None

    def lives(self, process: ProcessId) -> bool:
        """Whether a process lives, as the last `retire` has found out of those that it has asked for."""
        account = self.shown.get(process)
        if account is not None:
            return account.ended_s is None
        return process in self._dormant or self._directory.alive(process)

    def limit(self, most: int) -> None:
        """From now on at most `most` accounts; those who used least lose theirs if need be."""
        self._most = most
        by_size = sorted(self.shown, key=lambda process: self.shown[process].rank_uj)
        for process in by_size[: max(0, len(by_size) - most)]:
            account = self._withdraw(process)
            self._dormant[process] = self._sent_to_sleep(account)
        self._rank_anew = True

    def restore(self, rows: Iterable[ProcessEnergy], folded: Iterable[FoldedEnergy], series_folded: int) -> None:
        """Go on with the accounts of `rows` and `folded`, where the book was empty."""
        self.series_folded = series_folded
        for past in folded:
            self.folded.add(past.device.id, PartAccount(past.context_uj, past.active_uj))
        for row in rows:
            part = PartAccount(row.context_uj, row.active_uj, row.error.variance_uj2, row.error.systematic_uj)
            home = self._part_of(row)
            if home is None:
                self.folded.add(row.device.id, part)
            else:
                home.merge(part)
        self.limit(self._most)

    def _part_of(self, row: ProcessEnergy) -> ProcessPart | None:
        """Where `row` belongs; of two processes that would share a series, the second is in what was folded."""
        device = row.device.id
        if row.info is None:
            return self.other_part(device)
        key, account = series_key(row.info, row.run), self.shown.get(row.info.id)
        if account is None and key not in self._holders:
            account = ProcessAccount(row.info, row.run, ended_s=row.ended_s, since_unix_s=row.since_unix_s)
            self.shown[row.info.id] = account
            self._holders[key] = row.info.id
        return None if account is None or account.key != key else account.part(device)

    def name_of(self, process: ProcessId) -> str:
        """The short name of a process's executable."""
        return self._directory.describe(process).comm

    def rebalance(self) -> None:
        """Give the accounts to those who used most since they were first seen, with a margin against flapping."""
        if self._rank_anew and self._dormant:
            self._rank()
        if len(self._dormant) > DORMANT * self._most:
            by_size = sorted(self._dormant.items(), key=lambda item: item[1].energy_uj)
            self._dormant = dict(by_size[len(by_size) // 2 :])

    def retire(self, now_s: float, retention_s: float) -> None:
        """Withdraw the accounts of processes that ended more than `retention_s` ago."""
        self._now_s, self._retention_s = now_s, retention_s
        for process, dormant in list(self._dormant.items()):
            if not self._directory.alive(process):
                del self._dormant[process]
            elif dormant.withdrawn_s == math.inf:
                dormant.withdrawn_s = now_s
        for process, account in list(self.shown.items()):
            if account.ended_s is None and not self._directory.alive(process):
                account.end(now_s)
            if account.ended_s is not None and now_s - account.ended_s >= retention_s:
                self._withdraw(process)

    def published(self) -> None:
        """Note that a snapshot was taken: whoever was withdrawn before it may have a series again."""
        self._withdrawn.clear()

    def _admit(self, process: ProcessId, run: str) -> ProcessAccount | None:
        """The account that the work of `process` belongs to from now on, None while that is `other`."""
        dormant = self._dormant.get(process)
        if dormant is not None and (len(self.shown) >= self._most or not self._may_return(dormant)):
            return None
        info = self._directory.describe(process)
        key = series_key(info, run)
        if key in self._holders:
            return self._succeed(self._holders[key], info)
        if len(self.shown) < self._most and key not in self._withdrawn:
            return self._open(info, run)
        return None

    def _succeed(self, holder: ProcessId, info: ProcessInfo) -> ProcessAccount:
        """The account of `holder`, who had the same pid: it goes on, so that the series of both never falls."""
        account = self.shown[holder]
        # Start times of two boots say nothing: who is met now is the later one.
        if holder.boot != info.id.boot or holder.started_ticks < info.id.started_ticks:
            account.pass_to(info, self._forget(info.id))
            self._holders[account.key] = info.id
            self.shown[info.id] = self.shown.pop(holder)
        return account

    def _open(self, info: ProcessInfo, run: str) -> ProcessAccount:
        """An account that begins at 0: what its process used before stays where it is."""
        account = ProcessAccount(info, run, earlier_uj=self._forget(info.id), since_unix_s=self.now_unix_s)
        self.shown[info.id] = account
        self._holders[account.key] = info.id
        self._rank_anew = True
        return account

    def _forget(self, process: ProcessId) -> int:
        dormant = self._dormant.pop(process, None)
        return dormant.energy_uj if dormant else 0

    def _rank(self) -> None:
        ready = [item for item in self._dormant.items() if self._may_return(item[1])]
        newcomers = sorted(ready, key=lambda item: item[1].energy_uj, reverse=True)
        holders = sorted(self.shown.items(), key=lambda item: item[1].rank_uj)
        for (newcomer, dormant), (holder, account) in zip(newcomers, holders, strict=False):
            if dormant.energy_uj <= PROMOTION * account.rank_uj:
                break
            self._exchange(holder, newcomer, dormant.run)
        self._bar_uj = PROMOTION * min((account.rank_uj for account in self.shown.values()), default=0)
        self._rank_anew = False

    def _may_return(self, dormant: Dormant) -> bool:
        """False for the retention after an account was lost: a scraper must see that the series had left.

        It begins at 0 again, and no scraper looks less often than that.
        """
        return not self._retention_s or self._now_s - dormant.withdrawn_s >= self._retention_s

    def _sent_to_sleep(self, account: ProcessAccount) -> Dormant:
        """Its process goes on without the account; `retire` notes since when."""
        return Dormant(account.run, account.info, account.rank_uj, math.inf)

    def _exchange(self, holder: ProcessId, newcomer: ProcessId, run: str) -> None:
        """Give the place of `holder` to `newcomer`, unless its series would fall."""
        info = self._directory.describe(newcomer)
        key = series_key(info, run)
        if key in self._holders or key in self._withdrawn:
            return
        account = self._withdraw(holder)
        self._open(info, run)
        self._dormant[holder] = self._sent_to_sleep(account)

    def _withdraw(self, process: ProcessId) -> ProcessAccount:
        """Fold the account of `process` for good: what was folded never comes back out, so no counter falls."""
        account = self.shown.pop(process)
        del self._holders[account.key]
        self._withdrawn.add(account.key)
        for device, part in account.parts.items():
            self.folded.add(device, part)
            self.series_folded += 1
        return account
