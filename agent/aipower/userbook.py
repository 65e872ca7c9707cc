"""What users have used, through all processes of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
        self._sums_uj: dict[str, dict[str, int]] = {}
        self._since_unix_s: dict[str, float | None] = {}
        self._rows: dict[str, dict[str, UserEnergy]] = {}
        """What snapshots show of them, until that changes."""

    def add(self, user: str, device: str, energy_uj: int, since_unix_s: float | None = None) -> None:
        """Take in what a process of `user` used of `device`."""
        shown = user if user in self._sums_uj else self._open(user, since_unix_s)
        sums_uj = self._sums_uj[shown]
        sums_uj[device] = sums_uj.get(device, 0) + energy_uj
        self._rows[shown].pop(device, None)

    def restore(self, rows: Iterable[UserEnergy]) -> None:
        """Go on with the sums of `rows`."""
        for row in rows:
            self.add(row.user, row.device.id, row.energy_uj, row.since_unix_s)

    def rows(self, devices: Mapping[str, Device]) -> Iterator[UserEnergy]:
        """What a snapshot shows of them."""
        for user, sums_uj in self._sums_uj.items():
            rows, since_unix_s = self._rows[user], self._since_unix_s[user]
            for device, energy_uj in sums_uj.items():
                row = rows.get(device)
                if row is None:
                    row = rows[device] = UserEnergy(user, devices[device], energy_uj, since_unix_s)
                yield row

    def _open(self, user: str, since_unix_s: float | None) -> str:
        """The user under whose name the energy of `user` is shown."""
        room = user == REST or len(self._sums_uj) - (REST in self._sums_uj) < self._most
        shown = user if room else REST
        if shown not in self._sums_uj:
            self._sums_uj[shown], self._rows[shown] = {}, {}
            self._since_unix_s[shown] = since_unix_s or self.now_unix_s
        return shown
