"""How far the posted energy of a process or a run may be off in all, as windows come and evidence grows.

An intensity that is off makes all windows wrong together, so what counts is how much the sum of a process's energy
depends on each intensity. Windows that are remembered are set right when the solution changes (see `backlog`), so
their error is that of the newest solution; older ones keep the one they had.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

from msgspec import Struct, field

from aipower.attribution.evidence import Solution
from aipower.attribution.priors import PROGRAM_SE
from aipower.attribution.shares import standard_error
from aipower.model import JobKey, ProcessId

Owner = ProcessId | str | JobKey
"""A process, a run by its name, or a job."""


class Doubt(Struct, frozen=True):
    """Of one owner's part of one window."""

    slopes_uj: Mapping[str, float]
    """How much it changes per watt of each column's intensity."""
    floor_uj: float
    """Standard error for the idle level's and the contexts' sake."""


class _Account(Struct):
    """Sums over the remembered windows, and what older ones have left."""

    slopes_uj: dict[str, float] = field(default_factory=dict)
    floor_uj: float = 0.0
    old_uj: float = 0.0
    told_uj: float = 0.0
    windows: int = 0

    def add(self, doubt: Doubt, sign: int) -> None:
        for column, slope in doubt.slopes_uj.items():
            self.slopes_uj[column] = self.slopes_uj.get(column, 0.0) + sign * slope
        self.floor_uj += sign * doubt.floor_uj
        self.windows += sign


class Doubts:
    """The doubts of one device."""

    def __init__(self, remembered: int | None) -> None:
        """Remember so many windows, or all."""
        self._remembered = remembered
        self._windows: deque[Mapping[Owner, Doubt]] = deque()
        self._accounts: dict[Owner, _Account] = {}

    def add(self, doubts: Mapping[Owner, Doubt], solution: Solution, mean_w: float) -> None:
        """Take in one window."""
        for owner, doubt in doubts.items():
            self._accounts.setdefault(owner, _Account()).add(doubt, 1)
        self._windows.append(doubts)
        if self._remembered is not None and len(self._windows) > self._remembered:
            self._forget(self._windows.popleft(), solution, mean_w)

    def news_uj(self, owner: Owner, solution: Solution, mean_w: float) -> float:
        """How much more standard error there is than was told; negative where evidence has made it less."""
        account = self._accounts.get(owner)
        if account is None:
            return 0.0
        split_uj = standard_error(account.slopes_uj, solution, mean_w, PROGRAM_SE)
        total_uj = account.old_uj + math.hypot(split_uj, account.floor_uj)
        news_uj, account.told_uj = total_uj - account.told_uj, total_uj
        return news_uj

    def _forget(self, doubts: Mapping[Owner, Doubt], solution: Solution, mean_w: float) -> None:
        for owner, doubt in doubts.items():
            account = self._accounts[owner]
            account.add(doubt, -1)
            own_uj = standard_error(doubt.slopes_uj, solution, mean_w, PROGRAM_SE)
            account.old_uj += math.hypot(own_uj, doubt.floor_uj)
            if account.windows <= 0:
                del self._accounts[owner]
