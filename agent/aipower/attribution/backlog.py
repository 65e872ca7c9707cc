"""What was posted in the light of less evidence, and is set right in later windows.

Counters only rise, so a split that was posted cannot be taken back. When the solution changes, the latest windows are
split anew on paper; the difference is owed, and paid by giving the creditors more and the debtors less of the windows
to come. Every window still sums to its own energy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from msgspec import Struct

from aipower.attribution.window import Window
from aipower.model import ProcessId

REMEMBERED = 90
"""Windows that are split anew when the solution changes."""
MOST = 0.5
"""Of its part of a window no debtor gives more than this share: its power must not seem to vanish."""

Key = ProcessId | str | None
"""A process, None for unknown ones, or `IDLE`."""
IDLE = "idle"

Parts = Mapping[Key, float]
"""Microjoules of one window."""


class _Entry(Struct):
    """A window, and how it should have been split by the solution so far."""

    window: Window
    wanted_uj: Parts


class Backlog:
    """The latest windows of one device and what is owed."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=REMEMBERED)
        self._owed_uj: dict[Key, float] = {}

    def pay(self, window: Window, wanted_uj: Parts) -> dict[Key, float]:
        """The split of `window`: what is wanted, moved from debtors to creditors among those who are in it."""
        self._entries.append(_Entry(window, wanted_uj))
        owed = {key: self._owed_uj.get(key, 0.0) for key in wanted_uj}
        due_uj = sum(value for value in owed.values() if value > 0)
        free = {key: min(-value, MOST * wanted_uj[key]) for key, value in owed.items() if value < 0}
        free_uj = sum(free.values())
        moved_uj = min(due_uj, free_uj)
        if moved_uj <= 0:
            return dict(wanted_uj)
        given: dict[Key, float] = {}
        for key, value in wanted_uj.items():
            gain = moved_uj * owed[key] / due_uj if owed[key] > 0 else -moved_uj * free.get(key, 0.0) / free_uj
            given[key] = value + gain
            self._owed_uj[key] = owed[key] - gain
        return given

    def revise(self, split: Callable[[Window], Parts]) -> None:
        """The solution has changed: split what is remembered anew."""
        present: set[Key] = set()
        for entry in self._entries:
            wanted = split(entry.window)
            for key in {**wanted, **entry.wanted_uj}:
                change_uj = wanted.get(key, 0.0) - entry.wanted_uj.get(key, 0.0)
                self._owed_uj[key] = self._owed_uj.get(key, 0.0) + change_uj
            entry.wanted_uj = wanted
            present.update(wanted)
        self._owed_uj = {key: value for key, value in self._owed_uj.items() if key in present}
