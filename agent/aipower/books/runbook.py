"""What runs have used, while they last and for a while after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from aipower.books.accounts import PartAccount
from aipower.model import Device, PartError, RunEnergy


class RunAccount(Struct):
    """Sums of one run over its devices."""

    name: str = ""
    user: str = ""
    parts: dict[str, PartAccount] = field(default_factory=dict)
    ended_s: float | None = None
    since_unix_s: float | None = None

    def part(self, device: str) -> PartAccount:
        """Its account of `device`."""
        return self.parts.setdefault(device, PartAccount())


class RunBook:
    """At most `most` accounts of runs. Those that go on are never dropped for new ones: a counter would fall."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.now_unix_s: float | None = None
        """When accounts begin that are opened now."""
        self._accounts: dict[str, RunAccount] = {}

    def register(self, run: str, name: str, user: str) -> bool:
        """Open the account of `run`, also anew after its end; False if there is no room for one more.

        The first words stand, as new ones would be a new series.
        """
        account = self._open(run)
        if account is None:
            return False
        account.name, account.user, account.ended_s = account.name or name, account.user or user, None
        return True

    def count(self, run: str, device: str, context_uj: int, active_uj: int) -> None:
        """Take in what a process of `run` used of `device`, if it has an account: who is late must not open one."""
        account = self._accounts.get(run)
        if account is not None:
            part = account.part(device)
            part.context_uj += context_uj
            part.active_uj += active_uj

    def doubt(self, run: str, device: str, error: PartError) -> None:
        """Take in how far one window's energy may be off, if `run` has an account."""
        account = self._accounts.get(run)
        if account is not None:
            account.part(device).doubt(error)

    def part(self, run: str, device: str) -> PartAccount:
        """What `run` has used of `device`; zeros if nothing."""
        account = self._accounts.get(run)
        return account.parts.get(device, PartAccount()) if account else PartAccount()

    def end(self, run: str, now_s: float) -> None:
        """Note the end of `run`; what comes later of its last seconds still counts."""
        account = self._accounts.get(run)
        if account is not None and account.ended_s is None:
            account.ended_s = now_s

    def retire(self, now_s: float, retention_s: float) -> None:
        """Drop the runs that ended more than `retention_s` ago."""
        for run, account in list(self._accounts.items()):
            if account.ended_s is not None and now_s - account.ended_s >= retention_s:
                del self._accounts[run]

    def restore(self, rows: Iterable[RunEnergy]) -> None:
        """Go on with the accounts of `rows`, where there is room."""
        for row in rows:
            account = self._open(row.run)
            if account is not None:
                account.name, account.user, account.ended_s = row.name, row.user, row.ended_s
                account.since_unix_s = row.since_unix_s
                error = row.error
                account.parts[row.device.id] = PartAccount(0, row.energy_uj, error.variance_uj2, error.systematic_uj)

    def rows(self, devices: Mapping[str, Device]) -> Iterator[RunEnergy]:
        """What a snapshot shows of them."""
        for run, account in self._accounts.items():
            for device, part in account.parts.items():
                yield RunEnergy(
                    run,
                    account.name,
                    account.user,
                    devices[device],
                    part.energy_uj,
                    account.ended_s,
                    part.error,
                    account.since_unix_s,
                )

    def _open(self, run: str) -> RunAccount | None:
        account = self._accounts.get(run)
        if account is None and self._has_room():
            account = self._accounts[run] = RunAccount(since_unix_s=self.now_unix_s)
        return account

    def _has_room(self) -> bool:
        """True after the run that ended longest ago has made room, if need be."""
        if len(self._accounts) < self.most:
            return True
        ended = [(account.ended_s, run) for run, account in self._accounts.items() if account.ended_s is not None]
        if not ended:
            return False
        del self._accounts[min(ended)[1]]
        return True
