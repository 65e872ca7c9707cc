"""Exact CPU time per process from successive scans, with that of children which no scan has seen.

The kernel adds a process's whole time (its own and what it had reaped) to its parent's `cutime` when the parent
waits for it. So, of the growth of a `cutime`, whatever was not credited before to someone below is new, and is
the parent's: a shell gets the time of its thousand short `true`s. What was credited before to a process that
has left is a *debt* of the one that reaped it, to be paid out of that growth before anything is credited.

Nothing is counted twice as long as a row is read after the rows of the process's ancestors; `advance` holds
back what it must where that order was broken. Time of children whose parent ignores SIGCHLD is lost by the
kernel itself: what was seen of them stays credited and stays a debt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from aipower.model import ProcessId
from aipower.processes.procfs import StatRow

_BIRTH_SLACK_TICKS = 2
"""A process is stamped with its start shortly before it can be seen, and the stamp is rounded down."""
_NEVER = 1 << 62
"""Later than every start."""


class CpuSpent(Struct, frozen=True):
    """What a scan found to be new."""

    own_ticks: Mapping[ProcessId, int]
    """Clock ticks of each process, with those of children that ended unseen; all > 0."""
    ticks_per_s: int

    @property
    def own_s(self) -> dict[ProcessId, float]:
        """CPU seconds of each process, with those of children that ended unseen; all > 0."""
        return {process: ticks / self.ticks_per_s for process, ticks in self.own_ticks.items()}

    @property
    def total_s(self) -> float:
        """CPU seconds of all processes together."""
        return sum(self.own_ticks.values()) / self.ticks_per_s


class _Account(Struct):
    """What is known of one living process, in clock ticks."""

    id: ProcessId
    ppid: int
    own: int
    covered: int
    """How much of its `cutime + cstime` is accounted for."""
    debt: int = 0
    """Credited to its vanished children: no one else can have reaped them."""
    loose: int = 0
    """Credited to vanished processes below it that either it or one of its ancestors has reaped."""
    done: StatRow | None = None
    """The row out of which nothing more will come; None while some of it is held back, or for a zombie."""


class CpuAccounts:
    """Credits every tick of CPU time once. Keeps an account per living process and nothing of the dead."""

    def __init__(self, boot: str, ticks_per_s: int, *, credit_first: bool = False) -> None:
        """Accounts of processes of `boot`; with `credit_first` the first scan is credited, not a baseline."""
        self._boot = boot
        self._ticks_per_s = ticks_per_s
        self._accounts: dict[int, _Account] = {}
        self._strangers: dict[tuple[int, int], bool] = {}
        """Whether each newborn process that had no place in the last scan was born since the one before."""
        self._met = self._strangers
        self._credit_first = credit_first
        self._born_after = -1 if credit_first else _NEVER

    def advance(self, rows: Iterable[StatRow], began_ticks: int | None = None) -> CpuSpent:
        """What is new since the last call.

        Args:
            rows: All processes in view, each once, in the order in which they were read: parents before children.
            began_ticks: The boot clock before the first row was read. A process that started before the last
                scan began and was not in it is no newborn: its past is not credited. None believes all births.
        """
        everyone = {row.pid: row for row in rows}
        news = [row for row in everyone.values() if not self._is_done(row)]
        scan = self._placeable(everyone, news)
        orderly = _is_orderly(scan)
        held = {} if orderly else self._held_back(scan, {pid: at for at, pid in enumerate(scan)})
        self._bury(scan, orderly=orderly)
        if scan is not everyone:
            news = [row for row in news if row.pid in scan]
        spent = {row.pid: self._own_growth(row) for row in news}
        # Children first: the nearest possible reaper pays a debt before its ancestors are asked.
        for row in reversed(news):
            spent[row.pid] += self._reaped_growth(row, held.get(row.pid, 0))
        if not self._credit_first:
            self._born_after = -1 if began_ticks is None else began_ticks - _BIRTH_SLACK_TICKS
        credits_ = {self._accounts[pid].id: ticks for pid, ticks in spent.items() if ticks > 0}
        return CpuSpent(credits_, self._ticks_per_s)

    def oldest_first(self, pids: Iterable[int]) -> list[int]:
        """The order in which to read `pids`: ancestors before descendants, strangers (the newborn) last."""
        keys = [(account.id.started_ticks if (account := self._accounts.get(pid)) else _NEVER, pid) for pid in pids]
        keys.sort()
        return [pid for _, pid in keys]

    def _placeable(self, scan: dict[int, StatRow], news: Iterable[StatRow]) -> dict[int, StatRow]:
        """`scan` without newborn processes whose parent is not in view, the first time that they are met.

        That parent is newborn too and left before it was read: until the next scan no one can say who inherits
        them. A parent that is hidden from us for good (hidepid) delays its children by one scan.
        """
        self._met, self._strangers = self._strangers, {}
        if self._born_after == _NEVER:
            return scan
        new = [row for row in news if self._account_of(row) is None]
        apart = {row.pid for row in new if row.ppid and row.ppid not in scan and _key(row) not in self._met}
        if not apart:
            return scan
        while more := {row.pid for row in new if row.ppid in apart} - apart:
            apart |= more
        self._strangers = {_key(row): row.started_ticks >= self._born_after for row in new if row.pid in apart}
        return {pid: row for pid, row in scan.items() if pid not in apart}

    def _held_back(self, scan: Mapping[int, StatRow], place: Mapping[int, int]) -> dict[int, int]:
        """Ticks of each pid that may belong to descendants which were read, alive, before it.

        They may have been reaped before its own row was read; the next scan will tell.
        """
        parents = {pid: account.ppid for pid, account in self._accounts.items()}
        parents.update((row.pid, row.ppid) for row in scan.values())
        held: dict[int, int] = {}
        for row in scan.values():
            for pid in _ancestors(row.pid, parents):
                if place.get(pid, -1) > place[row.pid]:
                    held[pid] = held.get(pid, 0) + row.own_ticks + row.reaped_ticks
        return held

    def _is_done(self, row: StatRow) -> bool:
        """True for the very row of the last scan, if all of it was credited."""
        account = self._accounts.get(row.pid)
        return account is not None and account.done is row

    def _bury(self, scan: Mapping[int, StatRow], *, orderly: bool) -> None:
        gone = {
            pid: account
            for pid, account in self._accounts.items()
            if (row := scan.get(pid)) is None
            or (account.done is not row and account.id.started_ticks != row.started_ticks)
        }
        parents = {pid: account.ppid for pid, account in self._accounts.items()} if gone else {}
        for account in gone.values():
            self._bequeath(account, parents, gone, orderly=orderly)
        for pid in gone:
            del self._accounts[pid]

    def _bequeath(
        self, dead: _Account, parents: Mapping[int, int], gone: Mapping[int, _Account], *, orderly: bool
    ) -> None:
        """Makes what was credited to `dead` and below it a debt of its nearest living ancestor."""
        heir = next((pid for pid in _ancestors(dead.id.pid, parents) if pid not in gone), None)
        if heir is None or heir not in self._accounts:
            return  # its reaper is out of our sight (ppid 0: another PID namespace) and will never pay
        own = dead.own + dead.covered
        account = self._accounts[heir]
        account.loose += dead.debt + dead.loose
        if heir == dead.ppid and orderly:
            account.debt += own
        else:
            account.loose += own

    def _own_growth(self, row: StatRow) -> int:
        account = self._accounts.get(row.pid)
        if account is None:
            account = self._open(row)
        account.ppid = row.ppid
        if row.state == "Z":
            # It may have died between its own row and its child's; then someone above reaped that child.
            account.loose, account.debt = account.loose + account.debt, 0
        growth = max(0, row.own_ticks - account.own)
        account.own += growth
        return growth

    def _account_of(self, row: StatRow) -> _Account | None:
        account = self._accounts.get(row.pid)
        return account if account and account.id.started_ticks == row.started_ticks else None

    def _open(self, row: StatRow) -> _Account:
        process = ProcessId(self._boot, row.pid, row.started_ticks)
        born = self._met.get(_key(row), row.started_ticks >= self._born_after)
        past = (0, 0) if born else (row.own_ticks, row.reaped_ticks)
        account = self._accounts[row.pid] = _Account(process, row.ppid, *past)
        return account

    def _reaped_growth(self, row: StatRow, held: int) -> int:
        account = self._accounts[row.pid]
        surplus = max(0, row.reaped_ticks - account.covered)
        kept_back = rest = 0
        if surplus:
            rest = surplus - self._pay(account, surplus)
            kept_back = min(rest, held)
            account.covered += surplus - kept_back
        account.done = row if not kept_back and row.state != "Z" else None
        return rest - kept_back

    def _pay(self, account: _Account, surplus: int) -> int:
        """Pays debts out of `surplus`, its own first; returns what it paid."""
        paid = min(surplus, account.debt)
        account.debt -= paid
        for debtor in (account, *self._debtors_below(account)):
            part = min(surplus - paid, debtor.loose)
            debtor.loose -= part
            paid += part
        return paid

    def _debtors_below(self, account: _Account) -> list[_Account]:
        debtors = [other for other in self._accounts.values() if other.loose and other is not account]
        if not debtors:
            return []
        parents = {pid: other.ppid for pid, other in self._accounts.items()}
        return [other for other in debtors if account.id.pid in _ancestors(other.id.pid, parents)]


def _is_orderly(scan: Mapping[int, StatRow]) -> bool:
    """True if no process stands before its parent."""
    met: set[int] = set()
    for pid, row in scan.items():
        if row.ppid not in met and row.ppid in scan:
            return False
        met.add(pid)
    return True


def _key(row: StatRow) -> tuple[int, int]:
    return row.pid, row.started_ticks


def _ancestors(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    """The ancestors of `pid`, nearest first; ends in a circle too, which rows of different moments can form."""
    seen = {pid}
    while (pid := parents.get(pid, 0)) and pid not in seen:
        seen.add(pid)
        yield pid
