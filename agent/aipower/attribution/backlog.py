"""What was posted in the light of less evidence, and is set right in later windows.

Counters only rise, so a split that was posted cannot be taken back. When the solution changes, the latest windows are
split anew on paper; the difference is owed, and paid by giving the creditors more and the debtors less of the windows
to come. Every window still sums to its own energy.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence

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


class _Entry(Struct, gc=False):
    """A window, and how it should have been split by the solution so far: two rows take less than a mapping."""

    window: Window
    keys: tuple[Key, ...]
    wanted_uj: Sequence[float]


class Backlog:
    """The latest windows of one device and what is owed."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=REMEMBERED)
        self._owed_uj: dict[Key, float] = {}

    def pay(self, window: Window, wanted_uj: dict[Key, float]) -> dict[Key, float]:
        """The split of `window`: what is wanted, moved from debtors to creditors among those who are in it.

        That is `wanted_uj` itself, or a copy.
        """
        self.remember(window, wanted_uj)
        known = self._owed_uj
        if not known:
            return wanted_uj
        given = dict(wanted_uj)
        owed = {key: value for key in wanted_uj if (value := known.get(key, 0.0))}
        due_uj = sum([value for value in owed.values() if value > 0])
        free = {key: min(-value, MOST * wanted_uj[key]) for key, value in owed.items() if value < 0}
        free_uj = sum(free.values())
        moved_uj = min(due_uj, free_uj)
        if moved_uj <= 0:
            return given
        for key, value in owed.items():
            gain = moved_uj * value / due_uj if value > 0 else -moved_uj * free[key] / free_uj
            given[key] += gain
            known[key] = value - gain
        return given

    def remember(self, window: Window, wanted_uj: Parts) -> None:
        """It is split anew when the solution changes."""
        keys = tuple(wanted_uj)
        if self._entries and self._entries[-1].keys == keys:
            keys = self._entries[-1].keys  # one for all windows of the same processes
        self._entries.append(_Entry(window, keys, array("d", wanted_uj.values())))

    def revise(self, split: Callable[[Window], Parts]) -> None:
        """The solution has changed: split what is remembered anew."""
        present: set[Key] = set()
        owed = self._owed_uj
        for entry in self._entries:
            wanted = split(entry.window)
            keys = tuple(wanted)
            before = entry.wanted_uj if keys == entry.keys else _ordered(entry, keys)
            for key, now_uj, before_uj in zip(keys, wanted.values(), before, strict=False):
                owed[key] = owed.get(key, 0.0) + (now_uj - before_uj)
            if keys != entry.keys:
                for key, before_uj in zip(entry.keys, entry.wanted_uj, strict=True):
                    if key not in wanted:
                        owed[key] = owed.get(key, 0.0) - before_uj
            entry.keys, entry.wanted_uj = keys, array("d", wanted.values())
            present.update(keys)
        self._owed_uj = {key: value for key, value in owed.items() if key in present}


def _ordered(entry: _Entry, keys: Sequence[Key]) -> Sequence[float]:
    """What was wanted so far, in the order of `keys`."""
    before = dict(zip(entry.keys, entry.wanted_uj, strict=True))
    return [before.get(key, 0.0) for key in keys]
