"""Which programs have a column of their own in the regression."""

from __future__ import annotations

from aipower.attribution.work import OTHERS

MOST = 12
"""Programs with a column of their own: the cost of a solution grows with the third power, and few use most of the
energy."""
MEMORY = 0.98
"""Share of its seconds that a program keeps from one window to the next where they are ranked."""


class Columns:
    """Gives the programs that work most a column each, and the others one together."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._seconds: dict[str, float] = {}

    def of(self, name: str, seconds: float = 0.0) -> str:
        """The column of a program that has worked for `seconds` more."""
        if seconds > 0:
            self._seconds[name] = self._seconds.get(name, 0.0) + seconds
        if name not in self._own and len(self._own) < MOST:
            self._own.add(name)
        return name if name in self._own else OTHERS

    def rank(self, windows: int) -> None:
        """After so many windows: let those who work most have the columns from now on."""
        keep = MEMORY**windows
        ordered = sorted(self._seconds.items(), key=lambda item: item[1], reverse=True)[: 4 * MOST]
        self._seconds = {name: seconds * keep for name, seconds in ordered}
        if len(ordered) >= MOST:
            self._own = {name for name, _ in ordered[:MOST]}
