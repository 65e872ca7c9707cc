"""Which processes have accounts of their own, and where the work of the others and the past of the withdrawn goes."""

from __future__ import annotations

from aipower.accounts import Dormant, PartAccount, ProcessAccount, SeriesKey, series_key
from aipower.model import ProcessId, ProcessInfo
from aipower.seams import ProcessDirectory

PROMOTION = 1.1
"""A process takes another's account when it has used so many times as much: without a margin equals would flap."""
DORMANT = 10
"""Processes without an account that are ranked, for each account."""


class ProcessBook:
    """At most `most` accounts of processes.

    Work of a process without an account goes to `other`. When an account is withdrawn its sums go to `folded`,
    never to `other`: a rate of `other` must show only what was used meanwhile.
    """

    def __init__(self, directory: ProcessDirectory, most: int) -> None:
        self.shown: dict[ProcessId, ProcessAccount] = {}
        self.other: dict[str, PartAccount] = {}
        self.folded: dict[str, PartAccount] = {}
        self.series_folded = 0
        self._directory = directory
        self._most = most
        self._holders: dict[SeriesKey, ProcessId] = {}
        self._dormant: dict[ProcessId, Dormant] = {}
        self._withdrawn: set[SeriesKey] = set()
        """Keys that must not come back before a snapshot was taken without them: their series would fall."""
        self._bar_uj = 0.0
        """No process that used less can take an account from another."""
        self._rank_anew = False

    @property
    def dormant(self) -> int:
        """Processes without an account that are remembered."""
        return len(self._dormant)

    def add(self, process: ProcessId, device: str, part: PartAccount, run: str) -> None:
        """Post to the process's account, or to `other` where there is room for no more accounts."""
        account = self.shown.get(process) or self._admit(process, run)
        if account is not None:
            account.add(device, part)
            return
        self.other.setdefault(device, PartAccount()).merge(part)
        dormant = self._dormant.setdefault(process, Dormant(run))
        dormant.energy_uj += part.energy_uj
        self._rank_anew |= dormant.energy_uj > self._bar_uj

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
        for process in [process for process in self._dormant if not self._directory.alive(process)]:
            del self._dormant[process]
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
        if process in self._dormant and len(self.shown) >= self._most:
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
        if holder.started_ticks < info.id.started_ticks:
            account.pass_to(info, self._forget(info.id))
            self._holders[account.key] = info.id
            self.shown[info.id] = self.shown.pop(holder)
        return account

    def _open(self, info: ProcessInfo, run: str) -> ProcessAccount:
        """An account that begins at 0: what its process used before stays where it is."""
        account = ProcessAccount(info, run, earlier_uj=self._forget(info.id))
        self.shown[info.id] = account
        self._holders[account.key] = info.id
        self._rank_anew = True
        return account

    def _forget(self, process: ProcessId) -> int:
        dormant = self._dormant.pop(process, None)
        return dormant.energy_uj if dormant else 0

    def _rank(self) -> None:
        newcomers = sorted(self._dormant.items(), key=lambda item: item[1].energy_uj, reverse=True)
        holders = sorted(self.shown.items(), key=lambda item: item[1].rank_uj)
        for (newcomer, dormant), (holder, account) in zip(newcomers, holders, strict=False):
            if dormant.energy_uj <= PROMOTION * account.rank_uj:
                break
            self._exchange(holder, newcomer, dormant.run)
        self._bar_uj = PROMOTION * min((account.rank_uj for account in self.shown.values()), default=0)
        self._rank_anew = False

    def _exchange(self, holder: ProcessId, newcomer: ProcessId, run: str) -> None:
        """Give the place of `holder` to `newcomer`, unless its series would fall."""
        info = self._directory.describe(newcomer)
        key = series_key(info, run)
        if key in self._holders or key in self._withdrawn:
            return
        account = self._withdraw(holder)
        self._open(info, run)
        self._dormant[holder] = Dormant(account.run, account.rank_uj)

    def _withdraw(self, process: ProcessId) -> ProcessAccount:
        """Fold the account of `process` for good: what was folded never comes back out, so no counter falls."""
        account = self.shown.pop(process)
        del self._holders[account.key]
        self._withdrawn.add(account.key)
        for device, part in account.parts.items():
            self.folded.setdefault(device, PartAccount()).merge(part)
            self.series_folded += 1
        return account
