"""What users have used, through all processes of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aipower.books.accounts import UserSum
from aipower.model import Device, UserEnergy

MOST_USERS = 256
"""Users with sums of their own; the processes of the others count for the user without a name."""
REST = ""


class UserBook:
    """Sums by user and device. They are never dropped, so none ever falls."""

    def __init__(self, most: int = MOST_USERS) -> None:
        self._most = most
        self.now_unix_s: float | None = None
        """When sums begin that are opened now."""
        self._sums: dict[str, dict[str, UserSum]] = {}
        self._since_unix_s: dict[str, float | None] = {}

    def sum_of(self, user: str, device: str, since_unix_s: float | None = None) -> UserSum:
        """Where what processes of `user` use of `device` belongs, for good."""
        sums = self._sums.get(user)
        if sums is None:
            sums = self._sums[self._open(user, since_unix_s)]
        return sums.setdefault(device, UserSum())

    def restore(self, rows: Iterable[UserEnergy]) -> None:
        """Go on with the sums of `rows`."""
        for row in rows:
            self.sum_of(row.user, row.device.id, row.since_unix_s).add(row.energy_uj)

    def rows(self, devices: Mapping[str, Device]) -> Iterator[UserEnergy]:
        """What a snapshot shows of them."""
        for user, sums in self._sums.items():
            since_unix_s = self._since_unix_s[user]
            for device, one in sums.items():
                if one.row is None:
                    one.row = UserEnergy(user, devices[device], one.energy_uj, since_unix_s)
                yield one.row

    def _open(self, user: str, since_unix_s: float | None) -> str:
        """The user under whose name the energy of `user` is shown."""
        room = user == REST or len(self._sums) - (REST in self._sums) < self._most
        shown = user if room else REST
        if shown not in self._sums:
            self._sums[shown] = {}
            self._since_unix_s[shown] = since_unix_s or self.now_unix_s
        return shown
